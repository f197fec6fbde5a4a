//! The table of types, by service. Patterns are those of [`super::pattern`].
//!
//! The order of rows matters only within one service, where two patterns could read one ARN: the narrower is first.

use super::{Plain, ResourceType, Scope};

const fn regional(name: &'static str, plain: Plain, arns: &'static [&'static str]) -> ResourceType {
    ResourceType {
        name,
        scope: Scope::Regional,
        plain,
        forms: &[],
        arns,
        opaque: &[],
        parts: &[],
        lower: false,
        also: &[],
    }
}

const fn id(name: &'static str, arns: &'static [&'static str]) -> ResourceType {
    regional(name, Plain::Id, arns)
}

const fn named(name: &'static str, arns: &'static [&'static str]) -> ResourceType {
    regional(name, Plain::Name, arns)
}

impl ResourceType {
    const fn global(self) -> Self {
        Self { scope: Scope::Global, ..self }
    }

    const fn forms(self, forms: &'static [&'static str]) -> Self {
        Self { forms, ..self }
    }

    const fn parts(self, parts: &'static [&'static str]) -> Self {
        Self { parts, ..self }
    }

    const fn opaque(self, opaque: &'static [&'static str]) -> Self {
        Self { opaque, ..self }
    }

    const fn lower(self) -> Self {
        Self { lower: true, ..self }
    }

    const fn also(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }
}

/// What IAM calls its unique ids: four capitals that say the type, then at least a dozen capitals and digits.
const IAM_IDS: &[&str] = &[
    "AROA############*",
    "AIDA############*",
    "AGPA############*",
    "ANPA############*",
    "AIPA############*",
    "ASCA############*",
];

/// A UUID, where a service gives one beside the name.
const UUIDS: &[&str] = &["????????-????-????-????-????????????"];

/// Every type with a rule of its own.
pub const TYPES: &[ResourceType] = &[
    // The account itself, and what every account has exactly one of.
    regional("AWS::::Account", Plain::Account, &["iam:root"]).global(),
    regional("AWS::S3::AccountPublicAccessBlock", Plain::Account, &[]).global(),
    // IAM: names, which are unique in an account whatever their path. Unique ids are aliases. A role session's ARN
    // names its role.
    named("AWS::IAM::Role", &["iam:role/*<+>"])
        .parts(&["sts:assumed-role/<+>*", "iam:assumed-role/<+>*"])
        .global()
        .opaque(IAM_IDS),
    named("AWS::IAM::User", &["iam:user/*<+>"]).global().opaque(IAM_IDS),
    named("AWS::IAM::Group", &["iam:group/*<+>"]).global().opaque(IAM_IDS),
    named("AWS::IAM::Policy", &["iam:policy/*<+>"]).global().opaque(IAM_IDS),
    named("AWS::IAM::InstanceProfile", &["iam:instance-profile/*<+>"]).global().opaque(IAM_IDS),
    named("AWS::IAM::ServerCertificate", &["iam:server-certificate/*<+>"]).global().opaque(IAM_IDS),
    named("AWS::IAM::SAMLProvider", &["iam:saml-provider/<*>"]).global(),
    named("AWS::IAM::OIDCProvider", &["iam:oidc-provider/<*>"]).global(),
    named("AWS::IAM::VirtualMFADevice", &["iam:mfa/*<+>"]).global(),
    id("AWS::IAM::AccessKey", &[]).global(),
    // S3: names. The region of a bucket is `global`: its name is unique in the whole partition, Config tells of it
    // from the bucket's region and CloudTrail from the caller's. An object's ARN names its bucket.
    id("AWS::S3::Bucket", &["s3:::<+>"]).parts(&["s3:::<+>/*"]).global(),
    id("AWS::S3::AccessPoint", &["s3:accesspoint/<+>*"]),
    id("AWS::S3::StorageLens", &["s3:storage-lens/<*>"]),
    // EC2: ids.
    id("AWS::EC2::Instance", &["ec2:instance/<*>"]),
    id("AWS::EC2::Volume", &["ec2:volume/<*>"]),
    id("AWS::EC2::Snapshot", &["ec2:snapshot/<*>"]),
    id("AWS::EC2::Image", &["ec2:image/<*>"]),
    id("AWS::EC2::VPC", &["ec2:vpc/<*>"]),
    id("AWS::EC2::Subnet", &["ec2:subnet/<*>"]),
    id("AWS::EC2::SecurityGroup", &["ec2:security-group/<*>"]),
    id("AWS::EC2::SecurityGroupRule", &["ec2:security-group-rule/<*>"]),
    id("AWS::EC2::RouteTable", &["ec2:route-table/<*>"]),
    id("AWS::EC2::NetworkAcl", &["ec2:network-acl/<*>"]),
    id("AWS::EC2::NetworkInterface", &["ec2:network-interface/<*>"]),
    id("AWS::EC2::InternetGateway", &["ec2:internet-gateway/<*>"]),
    id("AWS::EC2::EgressOnlyInternetGateway", &["ec2:egress-only-internet-gateway/<*>"]),
    id("AWS::EC2::NatGateway", &["ec2:natgateway/<*>"]),
    id("AWS::EC2::EIP", &["ec2:elastic-ip/<*>", "ec2:eip-allocation/<*>"]),
    id("AWS::EC2::VPCEndpoint", &["ec2:vpc-endpoint/<*>"]),
    id("AWS::EC2::VPCEndpointService", &["ec2:vpc-endpoint-service/<*>"]),
    id("AWS::EC2::VPCPeeringConnection", &["ec2:vpc-peering-connection/<*>"]),
    id("AWS::EC2::VPNConnection", &["ec2:vpn-connection/<*>"]),
    id("AWS::EC2::VPNGateway", &["ec2:vpn-gateway/<*>"]),
    id("AWS::EC2::CustomerGateway", &["ec2:customer-gateway/<*>"]),
    id("AWS::EC2::TransitGateway", &["ec2:transit-gateway/<*>"]),
    id("AWS::EC2::TransitGatewayAttachment", &["ec2:transit-gateway-attachment/<*>"]),
    id("AWS::EC2::TransitGatewayRouteTable", &["ec2:transit-gateway-route-table/<*>"]),
    id("AWS::EC2::FlowLog", &["ec2:vpc-flow-log/<*>"]),
    id("AWS::EC2::DHCPOptions", &["ec2:dhcp-options/<*>"]),
    id("AWS::EC2::LaunchTemplate", &["ec2:launch-template/<*>"]),
    id("AWS::EC2::KeyPair", &["ec2:key-pair/<*>"]),
    id("AWS::EC2::PlacementGroup", &["ec2:placement-group/<*>"]),
    id("AWS::EC2::CapacityReservation", &["ec2:capacity-reservation/<*>"]),
    id("AWS::EC2::SpotFleet", &["ec2:spot-fleet-request/<*>"]),
    id("AWS::EC2::EC2Fleet", &["ec2:fleet/<*>"]),
    id("AWS::EC2::Host", &["ec2:dedicated-host/<*>"]),
    id("AWS::EC2::PrefixList", &["ec2:prefix-list/<*>"]),
    // Auto Scaling and load balancing. A v2 load balancer's name may be used again, so its id is the ARN's end.
    named("AWS::AutoScaling::AutoScalingGroup", &["autoscaling:autoScalingGroup:*autoScalingGroupName/<*>"]),
    named(
        "AWS::AutoScaling::LaunchConfiguration",
        &[
            "autoscaling:launchConfiguration:*launchConfigurationName/<*>",
            "autoscaling:launchConfiguration:+/<*>",
        ],
    ),
    named("AWS::AutoScaling::ScalingPolicy", &["autoscaling:scalingPolicy:*policyName/<*>"]),
    id(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        &[
            "elasticloadbalancing:loadbalancer/<app/*>",
            "elasticloadbalancing:loadbalancer/<net/*>",
            "elasticloadbalancing:loadbalancer/<gwy/*>",
        ],
    ),
    id("AWS::ElasticLoadBalancingV2::TargetGroup", &["elasticloadbalancing:targetgroup/<*>"]),
    id("AWS::ElasticLoadBalancingV2::ListenerRule", &["elasticloadbalancing:listener-rule/<*>"]),
    id("AWS::ElasticLoadBalancingV2::Listener", &["elasticloadbalancing:listener/<*>"]),
    named("AWS::ElasticLoadBalancing::LoadBalancer", &["elasticloadbalancing:loadbalancer/<+>"]),
    // Lambda: names, without version or alias.
    named("AWS::Lambda::Function", &["lambda:function:<+>"]).parts(&["lambda:function:<+>:*"]).forms(&[
        "*:function:<+>*",
        "<+>:*",
        "<+>",
    ]),
    id("AWS::Lambda::LayerVersion", &["lambda:layer:<+:+>"]),
    named("AWS::Lambda::Layer", &["lambda:layer:<+>"]),
    id("AWS::Lambda::EventSourceMapping", &["lambda:event-source-mapping:<*>"]),
    // Containers.
    named("AWS::ECS::Cluster", &["ecs:cluster/<*>"]),
    id("AWS::ECS::Service", &["ecs:service/<*>"]),
    id("AWS::ECS::TaskDefinition", &["ecs:task-definition/<*>"]),
    id("AWS::ECS::TaskSet", &["ecs:task-set/<*>"]),
    id("AWS::ECS::Task", &["ecs:task/<*>"]),
    id("AWS::ECS::ContainerInstance", &["ecs:container-instance/<*>"]),
    named("AWS::ECS::CapacityProvider", &["ecs:capacity-provider/<*>"]),
    named("AWS::ECR::Repository", &["ecr:repository/<*>"]),
    named("AWS::ECR::PublicRepository", &["ecr-public:repository/<*>"]).global(),
    named("AWS::EKS::Cluster", &["eks:cluster/<*>"]),
    id("AWS::EKS::Nodegroup", &["eks:nodegroup/<+/+>*"]).forms(&["<+/+>*"]),
    id("AWS::EKS::FargateProfile", &["eks:fargateprofile/<+/+>*"]).forms(&["<+/+>*"]),
    id("AWS::EKS::Addon", &["eks:addon/<+/+>*"]).forms(&["<+/+>*", "<+|+>*"]),
    // Databases. RDS keeps identifiers in lower case, and calls its own ids `db-` and `cluster-` and capitals.
    named("AWS::RDS::DBInstance", &["rds:db:<*>"]).lower().opaque(&["db-############*"]),
    named("AWS::RDS::DBCluster", &["rds:cluster:<*>"]).lower().opaque(&["cluster-############*"]),
    named("AWS::RDS::DBSnapshot", &["rds:snapshot:<*>"]).lower(),
    named("AWS::RDS::DBClusterSnapshot", &["rds:cluster-snapshot:<*>"]).lower(),
    named("AWS::RDS::DBSubnetGroup", &["rds:subgrp:<*>"]).lower(),
    named("AWS::RDS::DBParameterGroup", &["rds:pg:<*>"]).lower(),
    named("AWS::RDS::DBClusterParameterGroup", &["rds:cluster-pg:<*>"]).lower(),
    named("AWS::RDS::OptionGroup", &["rds:og:<*>"]).lower(),
    named("AWS::RDS::DBSecurityGroup", &["rds:secgrp:<*>"]).lower(),
    named("AWS::RDS::EventSubscription", &["rds:es:<*>"]),
    named("AWS::RDS::DBProxy", &["rds:db-proxy:<*>"]),
    named("AWS::RDS::GlobalCluster", &["rds:global-cluster:<*>"]).global().lower(),
    named("AWS::DynamoDB::Table", &["dynamodb:table/<+>"]).parts(&["dynamodb:table/<+>/*"]),
    named("AWS::DynamoDB::GlobalTable", &["dynamodb:global-table/<*>"]).global(),
    named("AWS::Redshift::Cluster", &["redshift:cluster:<*>"]).lower(),
    named("AWS::Redshift::ClusterSnapshot", &["redshift:snapshot:<*>"]).lower(),
    named("AWS::Redshift::ClusterSubnetGroup", &["redshift:subnetgroup:<*>"]).lower(),
    named("AWS::Redshift::ClusterParameterGroup", &["redshift:parametergroup:<*>"]).lower(),
    named("AWS::Redshift::ClusterSecurityGroup", &["redshift:securitygroup:<*>"]).lower(),
    named("AWS::Redshift::EventSubscription", &["redshift:eventsubscription:<*>"]),
    named("AWS::ElastiCache::CacheCluster", &["elasticache:cluster:<*>"]).lower(),
    named("AWS::ElastiCache::ReplicationGroup", &["elasticache:replicationgroup:<*>"]).lower(),
    named("AWS::ElastiCache::SubnetGroup", &["elasticache:subnetgroup:<*>"]).lower(),
    named("AWS::OpenSearch::Domain", &["es:domain/<+>*"])
        .forms(&["+/<+>", "<+>"])
        .also(&["AWS::Elasticsearch::Domain", "AWS::OpenSearchService::Domain"]),
    id("AWS::EFS::FileSystem", &["elasticfilesystem:file-system/<*>"]),
    id("AWS::EFS::AccessPoint", &["elasticfilesystem:access-point/<*>"]),
    id("AWS::FSx::FileSystem", &["fsx:file-system/<*>"]),
    id("AWS::DMS::ReplicationInstance", &["dms:rep:<*>"]),
    id("AWS::DMS::ReplicationTask", &["dms:task:<*>"]),
    // Messages and streams.
    id("AWS::SNS::Subscription", &["sns:<+:+>"]),
    named("AWS::SNS::Topic", &["sns:<+>"]),
    named("AWS::SQS::Queue", &["sqs:<+>"]).forms(&["http*/<+>", "<+>"]),
    named("AWS::Kinesis::StreamConsumer", &["kinesis:stream/<+/consumer/*>"]),
    named("AWS::Kinesis::Stream", &["kinesis:stream/<+>"]),
    named("AWS::KinesisFirehose::DeliveryStream", &["firehose:deliverystream/<*>"]),
    id("AWS::MSK::Cluster", &["kafka:cluster/<*>"]),
    named("AWS::AmazonMQ::Broker", &["mq:broker:<+>*"]),
    named("AWS::Events::EventBus", &["events:event-bus/<*>"]),
    named("AWS::Events::Rule", &["events:rule/<*>"]),
    named("AWS::Events::Archive", &["events:archive/<*>"]),
    named("AWS::Events::Connection", &["events:connection/<+>*"]),
    named("AWS::Events::ApiDestination", &["events:api-destination/<+>*"]),
    named("AWS::Scheduler::Schedule", &["scheduler:schedule/<+/+>"]),
    named("AWS::Pipes::Pipe", &["pipes:pipe/<*>"]),
    named("AWS::StepFunctions::Activity", &["states:activity:<+>"]),
    named("AWS::StepFunctions::StateMachine", &["states:stateMachine:<+>"]).parts(&[
        "states:stateMachine:<+>:*",
        "states:execution:<+>:*",
        "states:express:<+>:*",
    ]),
    // Secrets and keys. A secret's ARN ends in six characters that only AWS knows; its name is what all know.
    named("AWS::SecretsManager::Secret", &["secretsmanager:secret:<~>-??????", "secretsmanager:secret:<~>"]),
    id("AWS::KMS::Key", &["kms:key/<*>"]).opaque(&["alias/*"]),
    id("AWS::KMS::Alias", &["kms:<alias/*>"]),
    id("AWS::ACM::Certificate", &["acm:certificate/<*>"]),
    id("AWS::ACMPCA::CertificateAuthority", &["acm-pca:certificate-authority/<+>*"]),
    // A parameter's name begins with a slash where it has levels, and its ARN then has one slash only; a version or
    // label may follow it.
    named("AWS::SSM::Parameter", &["ssm:parameter/<*>"]).forms(&["/<~>*", "<~>*"]),
    named("AWS::SSM::Document", &["ssm:document/<*>"]),
    id("AWS::SSM::ManagedInstanceInventory", &["ssm:managed-instance-inventory/<*>"]),
    id("AWS::SSM::ManagedInstance", &["ssm:managed-instance/<*>"]),
    id("AWS::SSM::AssociationCompliance", &["ssm:association/<*>"]).also(&["AWS::SSM::Association"]),
    id("AWS::SSM::MaintenanceWindow", &["ssm:maintenancewindow/<*>"]),
    id("AWS::SSM::PatchBaseline", &["ssm:patchbaseline/<*>"]),
    named("AWS::Cognito::UserPool", &["cognito-idp:userpool/<*>"]),
    // Logs and watching.
    named("AWS::Logs::LogGroup", &["logs:log-group:<~>"])
        .parts(&["logs:log-group:<~>:*"])
        .forms(&["<~>:*", "<*>"]),
    named("AWS::CloudWatch::Alarm", &["cloudwatch:alarm:<*>"]),
    named("AWS::CloudWatch::Dashboard", &["cloudwatch:dashboard/<*>"]).global(),
    named("AWS::Synthetics::Canary", &["synthetics:canary:<*>"]),
    named("AWS::InternetMonitor::Monitor", &["internetmonitor:monitor/<*>"]),
    id("AWS::XRay::Group", &["xray:group/<*>"]),
    // Edges of the network.
    id("AWS::ApiGateway::Stage", &["apigateway:/restapis/<+/stages/+>"])
        .parts(&["apigateway:/restapis/<+/stages/+>/*"]),
    id("AWS::ApiGateway::RestApi", &["apigateway:/restapis/<+>"]).parts(&["apigateway:/restapis/<+>/*"]),
    id("AWS::ApiGatewayV2::Stage", &["apigateway:/apis/<+/stages/+>"])
        .parts(&["apigateway:/apis/<+/stages/+>/*"]),
    id("AWS::ApiGatewayV2::Api", &["apigateway:/apis/<+>"]).parts(&["apigateway:/apis/<+>/*"]),
    named("AWS::ApiGateway::DomainName", &["apigateway:/domainnames/<+>*"]),
    named("AWS::AppSync::GraphQLApi", &["appsync:apis/<+>*"]),
    id("AWS::CloudFront::Distribution", &["cloudfront:distribution/<*>"]).global(),
    id("AWS::CloudFront::StreamingDistribution", &["cloudfront:streaming-distribution/<*>"]).global(),
    id("AWS::CloudFront::Function", &["cloudfront:function/<*>"]).global(),
    id("AWS::Route53::HostedZone", &["route53:hostedzone/<*>"]).global().forms(&["/hostedzone/<*>", "<*>"]),
    id("AWS::Route53::HealthCheck", &["route53:healthcheck/<*>"]).global(),
    id("AWS::Route53Resolver::ResolverEndpoint", &["route53resolver:resolver-endpoint/<*>"]),
    id("AWS::Route53Resolver::ResolverRule", &["route53resolver:resolver-rule/<*>"]),
    id(
        "AWS::Route53Resolver::ResolverQueryLoggingConfig",
        &["route53resolver:resolver-query-log-config/<*>"],
    ),
    id("AWS::Route53Resolver::FirewallRuleGroup", &["route53resolver:firewall-rule-group/<*>"]),
    named("AWS::NetworkFirewall::FirewallPolicy", &["network-firewall:firewall-policy/<*>"]).opaque(UUIDS),
    named("AWS::NetworkFirewall::Firewall", &["network-firewall:firewall/<*>"]).opaque(UUIDS),
    named(
        "AWS::NetworkFirewall::RuleGroup",
        &["network-firewall:stateless-rulegroup/<*>", "network-firewall:stateful-rulegroup/<*>"],
    )
    .opaque(UUIDS),
    id("AWS::WAFv2::WebACL", &["wafv2:<+/webacl/*>"]),
    id("AWS::WAFv2::RuleGroup", &["wafv2:<+/rulegroup/*>"]),
    id("AWS::WAFv2::IPSet", &["wafv2:<+/ipset/*>"]),
    id("AWS::WAF::WebACL", &["waf:webacl/<*>"]).global(),
    id("AWS::WAFRegional::WebACL", &["waf-regional:webacl/<*>"]),
    id("AWS::Shield::Protection", &["shield:protection/*<+>"]).global(),
    id("AWS::ShieldRegional::Protection", &["shield:protection/*<+>"]),
    named("AWS::AppMesh::VirtualNode", &["appmesh:mesh/<+/virtualNode/+>*"]),
    named("AWS::AppMesh::VirtualGateway", &["appmesh:mesh/<+/virtualGateway/+>*"]),
    named("AWS::AppMesh::Mesh", &["appmesh:mesh/<+>*"]),
    // Building and deploying. A build's and an execution's ARN name their project and state machine.
    named("AWS::CloudFormation::Stack", &["cloudformation:stack/<+>*"]),
    named("AWS::CloudFormation::StackSet", &["cloudformation:stackset/<+>*"]),
    named("AWS::CodeBuild::Project", &["codebuild:project/<*>"])
        .parts(&["codebuild:build/<+>:*"])
        .opaque(UUIDS),
    named("AWS::CodePipeline::Pipeline", &["codepipeline:<+>"])
        .parts(&["codepipeline:pipeline:<+>", "codepipeline:<+>/*"]),
    named("AWS::CodeCommit::Repository", &["codecommit:<+>"]),
    named("AWS::CodeDeploy::Application", &["codedeploy:application:<*>"]).opaque(UUIDS),
    id("AWS::CodeDeploy::DeploymentGroup", &["codedeploy:deploymentgroup:<*>"]),
    named("AWS::ElasticBeanstalk::Application", &["elasticbeanstalk:application/<*>"]),
    named("AWS::ElasticBeanstalk::ApplicationVersion", &["elasticbeanstalk:applicationversion/<*>"]),
    named("AWS::ElasticBeanstalk::Environment", &["elasticbeanstalk:environment/<*>"]),
    named("AWS::ServiceCatalog::Portfolio", &["catalog:portfolio/<*>"]),
    // Data.
    named("AWS::Glue::Database", &["glue:database/<*>"]),
    named("AWS::Glue::Table", &["glue:table/<*>"]),
    named("AWS::Glue::Job", &["glue:job/<*>"]),
    named("AWS::Glue::Crawler", &["glue:crawler/<*>"]),
    named("AWS::Glue::Connection", &["glue:connection/<*>"]),
    named("AWS::Glue::Trigger", &["glue:trigger/<*>"]),
    named("AWS::Glue::Classifier", &[]),
    named("AWS::Athena::WorkGroup", &["athena:workgroup/<*>"]),
    id("AWS::EMR::Cluster", &["elasticmapreduce:cluster/<*>"]),
    named("AWS::Batch::ComputeEnvironment", &["batch:compute-environment/<*>"]),
    named("AWS::Batch::JobQueue", &["batch:job-queue/<*>"]),
    named("AWS::Batch::JobDefinition", &["batch:job-definition/<*>"]),
    id("AWS::Batch::Job", &["batch:job/<*>"]),
    named("AWS::SageMaker::NotebookInstance", &["sagemaker:notebook-instance/<*>"]),
    named("AWS::SageMaker::Endpoint", &["sagemaker:endpoint/<*>"]),
    named("AWS::SageMaker::Model", &["sagemaker:model/<*>"]),
    id("AWS::Transfer::Server", &["transfer:server/<*>"]),
    id("AWS::WorkSpaces::Workspace", &["workspaces:workspace/<*>"]),
    named("AWS::Translate::ParallelData", &["translate:parallel-data/<*>"]),
    named("AWS::CloudSearch::Domain", &["cloudsearch:domain/<*>"]),
    // Guarding and governing. A Config rule's ARN has its id only, so the id it is.
    named("AWS::CloudTrail::Trail", &["cloudtrail:trail/<*>"]),
    id("AWS::CloudTrail::EventDataStore", &["cloudtrail:eventdatastore/<*>"]),
    id("AWS::Config::ConfigRule", &["config:config-rule/<*>"]),
    named("AWS::Config::ConformancePackCompliance", &["config:conformance-pack/<+>*"]),
    named("AWS::Config::ConfigurationAggregator", &["config:config-aggregator/<*>"]),
    named("AWS::Config::ConfigurationRecorder", &[]),
    named("AWS::Config::DeliveryChannel", &[]),
    id("AWS::GuardDuty::Detector", &["guardduty:detector/<+>"]).parts(&["guardduty:detector/<+>/*"]),
    id("AWS::GuardDuty::MalwareProtectionPlan", &["guardduty:malware-protection-plan/<*>"]),
    id("AWS::SecurityHub::Hub", &["securityhub:hub/<*>"]),
    named("AWS::AccessAnalyzer::Analyzer", &["access-analyzer:analyzer/<+>*"]),
    id("AWS::RolesAnywhere::TrustAnchor", &["rolesanywhere:trust-anchor/<*>"]),
    id("AWS::RolesAnywhere::Profile", &["rolesanywhere:profile/<*>"]),
    id("AWS::Organizations::Account", &["organizations:account/*<+>"]).global(),
    id("AWS::Organizations::OrganizationalUnit", &["organizations:ou/*<+>"]).global(),
    id("AWS::Organizations::Policy", &["organizations:policy/*<+>"]).global(),
    id("AWS::Organizations::Organization", &["organizations:organization/<*>"]).global(),
    id("AWS::RAM::ResourceShare", &["ram:resource-share/<*>"]),
    named("AWS::Backup::BackupVault", &["backup:backup-vault:<*>"]),
    id("AWS::Backup::BackupPlan", &["backup:backup-plan:<+>*"]),
    id("AWS::Backup::RecoveryPoint", &["backup:recovery-point:<*>"]),
    id("AWS::DLM::LifecyclePolicy", &["dlm:policy/<*>"]),
    id("AWS::RBin::Rule", &["rbin:rule/<*>"]),
    id("AWS::CloudHSM::Cluster", &["cloudhsm:cluster/<*>"]).also(&["AWS::CloudHSMV2::Cluster"]),
];
