//! The types of the estate: how common each is, how its ids and ARNs look, and a document of about 4 KB.
//!
//! A document is a text with places in it, so that the database can fill in a million of them and a program a few
//! thousand, in the same way.

/// A type of resources of the estate.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The type.
    pub name: &'static str,
    /// How many of a thousand resources of its half are of it.
    pub weight: u32,
    /// Whether others point at it: networks, roles, keys. What does not is born later, and may go.
    pub base: bool,
    /// Whether rules judge it.
    pub judged: bool,
    /// Whether it has a DNS name.
    pub dns: bool,
    /// Whether its region is `global`.
    pub global: bool,
    /// What its ids begin with; a type whose native id is its name has none.
    pub prefix: &'static str,
    /// Service and resource part of its ARN.
    pub arn: &'static str,
    /// What its documents alone have.
    settings: &'static str,
}

impl Kind {
    const fn new(name: &'static str, weight: u32, arn: &'static str, settings: &'static str) -> Self {
        Self {
            name,
            weight,
            base: false,
            judged: false,
            dns: false,
            global: false,
            prefix: "",
            arn,
            settings,
        }
    }

    const fn base(self) -> Self {
        Self { base: true, ..self }
    }

    const fn judged(self) -> Self {
        Self { judged: true, ..self }
    }

    const fn dns(self) -> Self {
        Self { dns: true, ..self }
    }

    const fn global(self) -> Self {
        Self { global: true, ..self }
    }

    const fn id(self, prefix: &'static str) -> Self {
        Self { prefix, ..self }
    }

    /// The relation to a resource of this type.
    #[must_use]
    pub fn relation(&self) -> String {
        let word = self.name.rsplit("::").next().unwrap_or_default().to_lowercase();
        match word.as_str() {
            "vpc" | "subnet" | "cluster" => format!("is contained in {word}"),
            _ => format!("is associated with {word}"),
        }
    }

    /// The document's JSON with places for what differs: see [`Places`].
    #[must_use]
    pub fn document(&self) -> String {
        let statements: Vec<String> = (0..6).map(statement).collect();
        [
            r#"{"name":"<name>","tags":<tags>,"config":{"version":"1.3","accountId":"<account>","awsRegion":"<region>","resourceType":""#,
            self.name,
            r#"","resourceId":"<id>","configurationItemStatus":"OK","configuration":{<described>"#,
            self.settings,
            r#","ownerId":"<account>","requestId":"<hex>-<other>","policyDocument":{"Version":"2012-10-17","Statement":["#,
            &statements.join(","),
            r#"]}},"supplementaryConfiguration":{"lastReview":{"by":"reviewer-<number>","checksum":"<revised><revised>","etag":"<revised>","note":"Reviewed as revision <revised> of what <name> is configured to do; the next review is due in ninety days."}}}}"#,
        ]
        .concat()
    }
}

/// A statement of the policy that makes up the bulk of a document.
fn statement(n: usize) -> String {
    const ACTIONS: [&str; 7] = [
        r#""s3:GetObject","s3:PutObject","s3:ListBucket""#,
        r#""sqs:SendMessage","sqs:ReceiveMessage","sqs:DeleteMessage","sqs:GetQueueAttributes""#,
        r#""dynamodb:GetItem","dynamodb:Query","dynamodb:UpdateItem","dynamodb:BatchGetItem""#,
        r#""kms:Decrypt","kms:GenerateDataKey""#,
        r#""logs:CreateLogStream","logs:PutLogEvents","logs:DescribeLogGroups""#,
        r#""secretsmanager:GetSecretValue","ssm:GetParameter","ssm:GetParametersByPath""#,
        r#""ecr:GetAuthorizationToken","ecr:BatchGetImage","ecr:GetDownloadUrlForLayer""#,
    ];
    let actions = ACTIONS[n % ACTIONS.len()];
    format!(
        r#"{{"Sid":"Grant{n}<hex>","Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::<account>:role/<name>-{n}-<other>"}},"Action":[{actions}],"Resource":["arn:aws:s3:::<name>-{n}-<hex>/*","arn:aws:sqs:<region>:<account>:<other>-{n}","arn:aws:dynamodb:<region>:<account>:table/<name>-{n}"],"Condition":{{"StringEquals":{{"aws:SourceAccount":"<account>","aws:PrincipalOrgID":"o-{n}<other>"}}}}}}"#
    )
}

/// What differs from one document to another.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// The native id.
    pub id: &'a str,
    /// The name.
    pub name: &'a str,
    /// The account.
    pub account: &'a str,
    /// The region.
    pub region: &'a str,
    /// Sixteen hex digits.
    pub hex: &'a str,
    /// Others.
    pub other: &'a str,
    /// A number.
    pub number: &'a str,
    /// The tags, as JSON.
    pub tags: &'a str,
    /// Hex digits that every version has others of.
    pub revised: &'a str,
    /// The description with its key and a comma, as JSON; or nothing.
    pub described: &'a str,
}

/// The places, in the order of the arguments of the database's `format`.
const PLACES: [&str; 10] = [
    "<id>",
    "<name>",
    "<account>",
    "<region>",
    "<hex>",
    "<other>",
    "<number>",
    "<tags>",
    "<revised>",
    "<described>",
];

/// A document's text as the database's `format` reads it.
pub(super) fn for_format(text: &str) -> String {
    let mut text = text.replace('%', "%%");
    for (index, place) in PLACES.iter().enumerate() {
        text = text.replace(place, &format!("%{}$s", index + 1));
    }
    text
}

/// A document's text, filled in.
#[must_use]
pub fn filled(text: &str, places: &Places<'_>) -> String {
    let values = [
        places.id,
        places.name,
        places.account,
        places.region,
        places.hex,
        places.other,
        places.number,
        places.tags,
        places.revised,
        places.described,
    ];
    let mut text = text.to_owned();
    for (place, value) in PLACES.iter().zip(values) {
        text = text.replace(place, value);
    }
    text
}

/// Every type of the estate. Weights are out of a thousand among those that are pointed at, and among those that are not.
pub const KINDS: [Kind; 40] = [
    Kind::new("AWS::EC2::VPC", 20, "ec2:vpc/<id>", r#""vpcId":"<id>","cidrBlock":"10.<number>.0.0/16","state":"available","instanceTenancy":"default","isDefault":false"#).base().id("vpc-"),
    Kind::new("AWS::EC2::Subnet", 120, "ec2:subnet/<id>", r#""subnetId":"<id>","cidrBlock":"10.<number>.16.0/20","availabilityZone":"<region>a","availableIpAddressCount":4013,"mapPublicIpOnLaunch":false"#).base().id("subnet-"),
    Kind::new("AWS::EC2::SecurityGroup", 220, "ec2:security-group/<id>", r#""groupId":"<id>","groupName":"<name>","ipPermissions":[{"ipProtocol":"tcp","fromPort":443,"toPort":443,"ipRanges":[{"cidrIp":"10.<number>.0.0/16"}]}],"ipPermissionsEgress":[{"ipProtocol":"-1"}]"#).base().id("sg-"),
    Kind::new("AWS::EC2::RouteTable", 60, "ec2:route-table/<id>", r#""routeTableId":"<id>","routes":[{"destinationCidrBlock":"10.<number>.0.0/16","gatewayId":"local","state":"active"}]"#).base().id("rtb-"),
    Kind::new("AWS::EC2::NatGateway", 15, "ec2:natgateway/<id>", r#""natGatewayId":"<id>","state":"available","connectivityType":"public","privateIp":"10.<number>.0.17""#).base().judged().id("nat-"),
    Kind::new("AWS::EC2::InternetGateway", 15, "ec2:internet-gateway/<id>", r#""internetGatewayId":"<id>","attachments":[{"state":"available"}]"#).base().id("igw-"),
    Kind::new("AWS::IAM::Role", 200, "iam:role/<id>", r#""roleName":"<name>","path":"/","maxSessionDuration":3600,"assumeRolePolicyDocument":{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole"}]}"#).base().global(),
    Kind::new("AWS::IAM::Policy", 90, "iam:policy/<id>", r#""policyName":"<name>","defaultVersionId":"v<number>","attachmentCount":3,"isAttachable":true"#).base().global(),
    Kind::new("AWS::KMS::Key", 40, "kms:key/<id>", r#""keyId":"<id>","keyState":"Enabled","keyUsage":"ENCRYPT_DECRYPT","keyManager":"CUSTOMER","multiRegion":false"#).base().judged().id("key-"),
    Kind::new("AWS::ECS::Cluster", 15, "ecs:cluster/<id>", r#""clusterName":"<name>","status":"ACTIVE","registeredContainerInstancesCount":0,"runningTasksCount":<number>"#).base().judged(),
    Kind::new("AWS::EKS::Cluster", 8, "eks:cluster/<id>", r#""name":"<name>","status":"ACTIVE","version":"1.33","endpoint":"https://<hex>.gr7.<region>.eks.amazonaws.com""#).base().judged(),
    Kind::new("AWS::ElasticLoadBalancingV2::LoadBalancer", 35, "elasticloadbalancing:loadbalancer/app/<id>", r#""loadBalancerName":"<name>","scheme":"internal","type":"application","state":{"code":"active"}"#).base().judged().dns(),
    Kind::new("AWS::ElasticLoadBalancingV2::TargetGroup", 50, "elasticloadbalancing:targetgroup/<id>", r#""targetGroupName":"<name>","protocol":"HTTPS","port":8443,"healthCheckPath":"/healthz","targetType":"ip""#).base().judged(),
    Kind::new("AWS::SNS::Topic", 50, "sns:<id>", r#""topicName":"<name>","subscriptionsConfirmed":<number>,"fifoTopic":false"#).base(),
    Kind::new("AWS::ECR::Repository", 32, "ecr:repository/<id>", r#""repositoryName":"<name>","imageTagMutability":"IMMUTABLE","imageScanningConfiguration":{"scanOnPush":true}"#).base(),
    Kind::new("AWS::CertificateManager::Certificate", 20, "acm:certificate/<id>", r#""domainName":"<name>.example.com","status":"ISSUED","keyAlgorithm":"RSA_2048","renewalEligibility":"ELIGIBLE""#).base().judged().id("cert-"),
    Kind::new("AWS::Route53::HostedZone", 10, "route53:hostedzone/<id>", r#""name":"<name>.example.com.","resourceRecordSetCount":<number>,"config":{"privateZone":true}"#).base().global().id("Z"),
    Kind::new("AWS::EC2::Instance", 150, "ec2:instance/<id>", r#""instanceId":"<id>","instanceType":"m7g.large","imageId":"ami-<other>","state":{"code":16,"name":"running"},"privateIpAddress":"10.<number>.3.21","ebsOptimized":true"#).judged().id("i-"),
    Kind::new("AWS::EC2::Volume", 140, "ec2:volume/<id>", r#""volumeId":"<id>","size":<number>,"volumeType":"gp3","iops":3000,"encrypted":true,"state":"in-use""#).judged().id("vol-"),
    Kind::new("AWS::EC2::NetworkInterface", 170, "ec2:network-interface/<id>", r#""networkInterfaceId":"<id>","status":"in-use","privateIpAddress":"10.<number>.4.9","interfaceType":"interface","sourceDestCheck":true"#).id("eni-"),
    Kind::new("AWS::EC2::Snapshot", 90, "ec2:snapshot/<id>", r#""snapshotId":"<id>","volumeSize":<number>,"state":"completed","encrypted":true,"progress":"100 percent""#).id("snap-"),
    Kind::new("AWS::Lambda::Function", 110, "lambda:function:<id>", r#""functionName":"<name>","runtime":"provided.al2023","memorySize":512,"timeout":30,"architectures":["arm64"],"state":"Active","codeSha256":"<hex><other>""#).judged(),
    Kind::new("AWS::Logs::LogGroup", 60, "logs:log-group:<id>", r#""logGroupName":"<name>","retentionInDays":30,"storedBytes":<number>"#),
    Kind::new("AWS::CloudWatch::Alarm", 60, "cloudwatch:alarm:<id>", r#""alarmName":"<name>","stateValue":"OK","metricName":"5XXError","namespace":"AWS/ApplicationELB","threshold":<number>,"evaluationPeriods":3"#).judged(),
    Kind::new("AWS::S3::Bucket", 40, "s3:<id>", r#""name":"<name>","versioningConfiguration":{"status":"Enabled"},"publicAccessBlockConfiguration":{"blockPublicAcls":true,"restrictPublicBuckets":true}"#).judged().global(),
    Kind::new("AWS::SQS::Queue", 35, "sqs:<id>", r#""queueName":"<name>","visibilityTimeout":30,"messageRetentionPeriod":345600,"approximateNumberOfMessages":<number>"#).judged(),
    Kind::new("AWS::DynamoDB::Table", 20, "dynamodb:table/<id>", r#""tableName":"<name>","tableStatus":"ACTIVE","itemCount":<number>,"billingModeSummary":{"billingMode":"PAY_PER_REQUEST"}"#).judged(),
    Kind::new("AWS::RDS::DBInstance", 12, "rds:db:<id>", r#""dBInstanceIdentifier":"<name>","dBInstanceStatus":"available","engine":"postgres","engineVersion":"16.4","multiAZ":true,"allocatedStorage":<number>"#).judged().dns(),
    Kind::new("AWS::RDS::DBCluster", 5, "rds:cluster:<id>", r#""dBClusterIdentifier":"<name>","status":"available","engine":"aurora-postgresql","backupRetentionPeriod":7"#).judged().dns(),
    Kind::new("AWS::ECS::Service", 30, "ecs:service/<id>", r#""serviceName":"<name>","status":"ACTIVE","desiredCount":<number>,"runningCount":<number>,"launchType":"FARGATE""#).judged(),
    Kind::new("AWS::ECS::TaskDefinition", 25, "ecs:task-definition/<id>", r#""family":"<name>","revision":<number>,"cpu":"512","memory":"1024","networkMode":"awsvpc""#),
    Kind::new("AWS::AutoScaling::AutoScalingGroup", 10, "autoscaling:autoScalingGroup:<id>", r#""autoScalingGroupName":"<name>","minSize":2,"maxSize":12,"desiredCapacity":<number>,"healthCheckType":"ELB""#).judged(),
    Kind::new("AWS::ElastiCache::ReplicationGroup", 5, "elasticache:replicationgroup:<id>", r#""replicationGroupId":"<name>","status":"available","automaticFailover":"enabled","cacheNodeType":"cache.r7g.large""#).judged().dns(),
    Kind::new("AWS::ApiGateway::RestApi", 8, "apigateway:/restapis/<id>", r#""name":"<name>","endpointConfiguration":{"types":["REGIONAL"]},"disableExecuteApiEndpoint":false"#).dns().id("api-"),
    Kind::new("AWS::StepFunctions::StateMachine", 6, "states:stateMachine:<id>", r#""name":"<name>","status":"ACTIVE","type":"STANDARD","tracingConfiguration":{"enabled":true}"#).judged(),
    Kind::new("AWS::Events::Rule", 14, "events:rule/<id>", r#""name":"<name>","state":"ENABLED","scheduleExpression":"rate(5 minutes)""#),
    Kind::new("AWS::SSM::Parameter", 4, "ssm:parameter/<id>", r#""name":"<name>","type":"String","tier":"Standard","version":<number>"#),
    Kind::new("AWS::SecretsManager::Secret", 3, "secretsmanager:secret:<id>", r#""name":"<name>","rotationEnabled":true,"rotationRules":{"automaticallyAfterDays":30}"#),
    Kind::new("AWS::CloudFront::Distribution", 2, "cloudfront:distribution/<id>", r#""domainName":"<hex>.cloudfront.net","status":"Deployed","priceClass":"PriceClass_100","enabled":true"#).judged().dns().global().id("E"),
    Kind::new("AWS::Kinesis::Stream", 1, "kinesis:stream/<id>", r#""streamName":"<name>","streamStatus":"ACTIVE","retentionPeriodHours":24,"openShardCount":<number>"#).judged(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_out_of_a_thousand_and_documents_are_json_of_about_four_kilobytes() {
        for base in [true, false] {
            let total: u32 = KINDS.iter().filter(|kind| kind.base == base).map(|kind| kind.weight).sum();
            assert_eq!(total, 1_000, "base: {base}");
        }
        for kind in &KINDS {
            let places = Places {
                id: "web-0000000000012345",
                name: "checkout-worker-prod-12345",
                account: "100000000123",
                region: "eu-west-1",
                hex: "0123456789abcdef",
                other: "fedcba9876543210",
                number: "17",
                tags: r#"{"app":"checkout","env":"prod"}"#,
                revised: "00112233445566778899aabbccddeeff",
                described: r#""description":"Takes orders.","#,
            };
            let text = filled(&kind.document(), &places);
            let json: Result<serde_json::Value, _> = serde_json::from_str(&text);
            assert!(json.is_ok(), "{}: {json:?}", kind.name);
            assert!((3_600..4_400).contains(&text.len()), "{}: {}", kind.name, text.len());
        }
    }
}
