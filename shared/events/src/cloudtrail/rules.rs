//! The declarative tables: which event does what to which resource, and which parameters name resources.

use std::{collections::HashMap, sync::LazyLock};

use serde_json::Value;

use super::{Record, paths::get};

/// What a successful event did to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It came to be.
    Create,
    /// It was altered.
    Update,
    /// It ceased to be.
    Delete,
    /// It ceased to be only if the request has this parameter, and was altered else.
    DeleteIf(&'static str),
    /// It ceased to be only if the request lacks this parameter, and was altered else.
    DeleteUnless(&'static str),
    /// It was used.
    Touch,
}

impl Effect {
    /// The effect of this very record, whose request decides whether something ceased to be.
    pub(super) fn with(self, record: &Record<'_>) -> Self {
        let asked = |parameter| {
            get(record.request, parameter)
                .is_some_and(|value| !matches!(value, Value::Null | Value::Bool(false)))
        };
        match self {
            Self::DeleteIf(parameter) if asked(parameter) => Self::Delete,
            Self::DeleteUnless(parameter) if !asked(parameter) => Self::Delete,
            Self::DeleteIf(_) | Self::DeleteUnless(_) => Self::Update,
            Self::Create | Self::Update | Self::Delete | Self::Touch => self,
        }
    }
}

/// One event name of one row of `targets.txt`, whose head explains the columns.
#[derive(Debug)]
pub(super) struct Rule {
    /// What the event does.
    pub(super) effect: Effect,
    /// The type of its target.
    pub(super) kind: &'static str,
    /// Where the target's id is.
    pub(super) paths: Vec<&'static str>,
}

/// The rules of an event, by service and name without version; none when the table does not have it.
pub(super) fn of(service: &str, event: &str) -> &'static [Rule] {
    RULES.get(service).and_then(|events| events.get(event)).map_or(&[], Vec::as_slice)
}

static RULES: LazyLock<HashMap<&'static str, HashMap<&'static str, Vec<Rule>>>> = LazyLock::new(|| {
    let mut rules: HashMap<_, HashMap<_, Vec<Rule>>> = HashMap::new();
    for row in rows() {
        for event in row.events {
            let rule = Rule { effect: row.effect, kind: row.kind, paths: row.paths.clone() };
            rules.entry(row.service).or_default().entry(event).or_default().push(rule);
        }
    }
    rules
});

struct Row {
    service: &'static str,
    effect: Effect,
    kind: &'static str,
    paths: Vec<&'static str>,
    events: Vec<&'static str>,
}

fn rows() -> impl Iterator<Item = Row> {
    lines().filter_map(row)
}

fn lines() -> impl Iterator<Item = &'static str> {
    include_str!("targets.txt").lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty())
}

fn row(line: &'static str) -> Option<Row> {
    let mut columns = line.split_whitespace();
    let (service, effect, kind, paths) = (columns.next()?, columns.next()?, columns.next()?, columns.next()?);
    let effect = match effect.split_once(':') {
        None if effect == "create" => Effect::Create,
        None if effect == "update" => Effect::Update,
        None if effect == "delete" => Effect::Delete,
        None if effect == "touch" => Effect::Touch,
        Some(("delete-if", parameter)) => Effect::DeleteIf(parameter),
        Some(("delete-unless", parameter)) => Effect::DeleteUnless(parameter),
        _ => return None,
    };
    Some(Row { service, effect, kind, paths: paths.split(',').collect(), events: columns.collect() })
}

/// The type that a parameter names wherever it stands in an event of `service`.
pub(super) fn type_of_parameter(service: &str, parameter: &str) -> Option<&'static str> {
    let means = |(at, name, _): &&(&str, &str, &str)| {
        (at.is_empty() || *at == service) && name.eq_ignore_ascii_case(parameter)
    };
    PARAMETERS.iter().find(means).map(|(_, _, kind)| *kind)
}

/// The type of an id that EC2 made: letters, a hyphen, and 8 or 17 hexadecimal digits.
pub(crate) fn type_of_id(id: &str) -> Option<&'static str> {
    let (prefix, digits) = id.rsplit_once('-')?;
    let made = matches!(digits.len(), 8 | 17)
        && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !made {
        return None;
    }
    PREFIXES.iter().find(|(letters, _)| *letters == prefix).map(|(_, kind)| *kind)
}

/// Parameters that name a resource wherever they stand: the service that means it so (empty: every service), the
/// parameter, and the type.
const PARAMETERS: &[(&str, &str, &str)] = &[
    ("", "bucketName", "AWS::S3::Bucket"),
    ("", "s3BucketName", "AWS::S3::Bucket"),
    ("", "kmsKeyId", "AWS::KMS::Key"),
    ("", "queueUrl", "AWS::SQS::Queue"),
    ("", "instanceProfileName", "AWS::IAM::InstanceProfile"),
    ("apigateway", "restApiId", "AWS::ApiGateway::RestApi"),
    ("autoscaling", "autoScalingGroupName", "AWS::AutoScaling::AutoScalingGroup"),
    ("autoscaling", "launchConfigurationName", "AWS::AutoScaling::LaunchConfiguration"),
    ("cloudformation", "stackName", "AWS::CloudFormation::Stack"),
    ("dynamodb", "tableName", "AWS::DynamoDB::Table"),
    ("ecr", "repositoryName", "AWS::ECR::Repository"),
    ("ecs", "cluster", "AWS::ECS::Cluster"),
    ("eks", "clusterName", "AWS::EKS::Cluster"),
    ("iam", "roleName", "AWS::IAM::Role"),
    ("iam", "userName", "AWS::IAM::User"),
    ("iam", "groupName", "AWS::IAM::Group"),
    ("kinesis", "streamName", "AWS::Kinesis::Stream"),
    ("kms", "keyId", "AWS::KMS::Key"),
    ("lambda", "functionName", "AWS::Lambda::Function"),
    ("logs", "logGroupName", "AWS::Logs::LogGroup"),
    ("cloudtrail", "cloudWatchLogsLogGroupName", "AWS::Logs::LogGroup"),
    ("rds", "dBClusterIdentifier", "AWS::RDS::DBCluster"),
    ("rds", "dBInstanceIdentifier", "AWS::RDS::DBInstance"),
    ("rds", "sourceDBInstanceIdentifier", "AWS::RDS::DBInstance"),
    ("rds", "dBSnapshotIdentifier", "AWS::RDS::DBSnapshot"),
    ("rds", "dBSubnetGroupName", "AWS::RDS::DBSubnetGroup"),
    ("route53", "hostedZoneId", "AWS::Route53::HostedZone"),
    ("secretsmanager", "secretId", "AWS::SecretsManager::Secret"),
];

/// The ids that EC2 makes: the letters before the hyphen, and the type. Images and public snapshots are not among
/// them: most belong to somebody else.
const PREFIXES: &[(&str, &str)] = &[
    ("i", "AWS::EC2::Instance"),
    ("vol", "AWS::EC2::Volume"),
    ("vpc", "AWS::EC2::VPC"),
    ("subnet", "AWS::EC2::Subnet"),
    ("sg", "AWS::EC2::SecurityGroup"),
    ("rtb", "AWS::EC2::RouteTable"),
    ("acl", "AWS::EC2::NetworkAcl"),
    ("eni", "AWS::EC2::NetworkInterface"),
    ("igw", "AWS::EC2::InternetGateway"),
    ("nat", "AWS::EC2::NatGateway"),
    ("eipalloc", "AWS::EC2::EIP"),
    ("vpce", "AWS::EC2::VPCEndpoint"),
    ("pcx", "AWS::EC2::VPCPeeringConnection"),
    ("tgw", "AWS::EC2::TransitGateway"),
    ("vpn", "AWS::EC2::VPNConnection"),
    ("vgw", "AWS::EC2::VPNGateway"),
    ("cgw", "AWS::EC2::CustomerGateway"),
    ("dopt", "AWS::EC2::DHCPOptions"),
    ("lt", "AWS::EC2::LaunchTemplate"),
    ("fl", "AWS::EC2::FlowLog"),
    ("cr", "AWS::EC2::CapacityReservation"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_well_formed() {
        for line in lines() {
            let row = row(line).unwrap_or_else(|| panic!("cannot read: {line}"));
            assert!(!row.events.is_empty(), "no events: {line}");
            assert!(model::known_type(row.kind).is_some_and(|t| t.name == row.kind), "unknown type: {line}");
            assert!(row.paths.iter().all(|path| path.starts_with(['>', '<', '.'])), "no path: {line}");
        }
    }

    #[test]
    fn every_parameter_and_prefix_names_a_known_type() {
        let kinds = PARAMETERS.iter().map(|(_, _, kind)| kind).chain(PREFIXES.iter().map(|(_, kind)| kind));
        for kind in kinds {
            assert!(model::known_type(kind).is_some(), "{kind}");
        }
    }

    #[test]
    fn ids_that_ec2_makes_are_told_by_their_letters() {
        assert_eq!(type_of_id("sg-04f0b44316f7d2471"), Some("AWS::EC2::SecurityGroup"));
        assert_eq!(type_of_id("i-344c463d"), Some("AWS::EC2::Instance"));
        for id in ["i-1", "ami-029eb80bc237bec6f", "my-i-344c463d", "prod-12345678"] {
            assert_eq!(type_of_id(id), None, "{id}");
        }
    }
}
