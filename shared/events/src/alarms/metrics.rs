//! What an alarm watches: the resources that the dimensions of its metrics name, and the alarms of its rule.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use model::{Relation, ResourceKey};
use regex::Regex;
use serde_json::Value;

use crate::event::key_at;
use crate::fields::{field, items, text};

/// The dimensions that name a resource by themselves: namespace, dimension, type.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html>
const DIMENSIONS: &[(&str, &str, &str)] = &[
    ("AWS/ApiGateway", "ApiId", "AWS::ApiGatewayV2::Api"),
    ("AWS/AutoScaling", "AutoScalingGroupName", "AWS::AutoScaling::AutoScalingGroup"),
    ("AWS/CertificateManager", "CertificateArn", "AWS::ACM::Certificate"),
    ("AWS/CloudFront", "DistributionId", "AWS::CloudFront::Distribution"),
    ("AWS/CodeBuild", "ProjectName", "AWS::CodeBuild::Project"),
    ("AWS/DynamoDB", "TableName", "AWS::DynamoDB::Table"),
    ("AWS/EBS", "VolumeId", "AWS::EC2::Volume"),
    ("AWS/EC2", "AutoScalingGroupName", "AWS::AutoScaling::AutoScalingGroup"),
    ("AWS/EC2", "InstanceId", "AWS::EC2::Instance"),
    ("CWAgent", "InstanceId", "AWS::EC2::Instance"),
    ("AWS/ECS", "ClusterName", "AWS::ECS::Cluster"),
    ("AWS/EFS", "FileSystemId", "AWS::EFS::FileSystem"),
    ("AWS/ELB", "LoadBalancerName", "AWS::ElasticLoadBalancing::LoadBalancer"),
    ("AWS/ElastiCache", "CacheClusterId", "AWS::ElastiCache::CacheCluster"),
    ("AWS/Events", "RuleName", "AWS::Events::Rule"),
    ("AWS/Firehose", "DeliveryStreamName", "AWS::KinesisFirehose::DeliveryStream"),
    ("AWS/KMS", "KeyId", "AWS::KMS::Key"),
    ("AWS/Kinesis", "StreamName", "AWS::Kinesis::Stream"),
    ("AWS/Lambda", "FunctionName", "AWS::Lambda::Function"),
    ("AWS/Logs", "LogGroupName", "AWS::Logs::LogGroup"),
    ("AWS/NATGateway", "NatGatewayId", "AWS::EC2::NatGateway"),
    ("AWS/RDS", "DBClusterIdentifier", "AWS::RDS::DBCluster"),
    ("AWS/RDS", "DBInstanceIdentifier", "AWS::RDS::DBInstance"),
    ("AWS/Redshift", "ClusterIdentifier", "AWS::Redshift::Cluster"),
    ("AWS/Route53", "HealthCheckId", "AWS::Route53::HealthCheck"),
    ("AWS/S3", "BucketName", "AWS::S3::Bucket"),
    ("AWS/SNS", "TopicName", "AWS::SNS::Topic"),
    ("AWS/SQS", "QueueName", "AWS::SQS::Queue"),
    ("AWS/States", "StateMachineArn", "AWS::StepFunctions::StateMachine"),
    ("AWS/TransitGateway", "TransitGateway", "AWS::EC2::TransitGateway"),
];

/// The names by which alarms called regions in messages, by the part that only one has.
/// <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>
const REGIONS: &[(&str, &str)] = &[
    ("GovCloud (US-East)", "us-gov-east-1"),
    ("GovCloud (US-West)", "us-gov-west-1"),
    ("N. Virginia", "us-east-1"),
    ("Northern Virginia", "us-east-1"),
    ("Ohio", "us-east-2"),
    ("N. California", "us-west-1"),
    ("Northern California", "us-west-1"),
    ("Oregon", "us-west-2"),
    ("Calgary", "ca-west-1"),
    ("Canada", "ca-central-1"),
    ("Mexico", "mx-central-1"),
    ("Paulo", "sa-east-1"),
    ("Ireland", "eu-west-1"),
    ("London", "eu-west-2"),
    ("Paris", "eu-west-3"),
    ("Frankfurt", "eu-central-1"),
    ("Zurich", "eu-central-2"),
    ("Stockholm", "eu-north-1"),
    ("Milan", "eu-south-1"),
    ("Spain", "eu-south-2"),
    ("Cape Town", "af-south-1"),
    ("Tel Aviv", "il-central-1"),
    ("Bahrain", "me-south-1"),
    ("UAE", "me-central-1"),
    ("Hong Kong", "ap-east-1"),
    ("Taipei", "ap-east-2"),
    ("Tokyo", "ap-northeast-1"),
    ("Seoul", "ap-northeast-2"),
    ("Osaka", "ap-northeast-3"),
    ("Mumbai", "ap-south-1"),
    ("Hyderabad", "ap-south-2"),
    ("Singapore", "ap-southeast-1"),
    ("Sydney", "ap-southeast-2"),
    ("Jakarta", "ap-southeast-3"),
    ("Melbourne", "ap-southeast-4"),
    ("Malaysia", "ap-southeast-5"),
    ("New Zealand", "ap-southeast-6"),
    ("Thailand", "ap-southeast-7"),
    ("Beijing", "cn-north-1"),
    ("Ningxia", "cn-northwest-1"),
];

/// The region that a message calls by its name: `US East (N. Virginia)`, formerly `US West - Oregon`.
pub(super) fn region_named(name: &str) -> Option<&'static str> {
    REGIONS.iter().find(|(part, _)| name.contains(part)).map(|(_, region)| *region)
}

/// The edges of an alarm, in any of the shapes of its configuration.
pub(super) fn relations(alarm: &ResourceKey, configuration: &Value) -> BTreeSet<Relation> {
    let watched = metrics(configuration).into_iter().flat_map(|metric| watched(alarm, &metric));
    let watched = watched.map(|to| Relation { kind: "watches".to_owned(), to });
    let rule = text(configuration, &["alarmRule", "AlarmRule"]).unwrap_or_default();
    let ruled = rule_alarms(rule)
        .filter_map(|name| key_at(&alarm.account, &alarm.region, "AWS::CloudWatch::Alarm", name));
    watched.chain(ruled.map(|to| Relation { kind: "is ruled by alarm".to_owned(), to })).collect()
}

/// A metric: its namespace and its dimensions.
struct Metric<'a> {
    namespace: &'a str,
    dimensions: Vec<(&'a str, &'a str)>,
}

impl Metric<'_> {
    fn dimension(&self, name: &str) -> Option<&str> {
        self.dimensions.iter().find(|(held, _)| *held == name).map(|(_, value)| *value)
    }
}

/// The metrics of a configuration: one at the top, or a list of which some are expressions.
fn metrics(configuration: &Value) -> Vec<Metric<'_>> {
    let listed = items(configuration, &["metrics", "Metrics"])
        .iter()
        .filter_map(|one| field(field(one, &["metricStat", "MetricStat"])?, &["metric", "Metric"]));
    std::iter::once(configuration)
        .chain(listed)
        .filter_map(|metric| {
            let dimensions = dimensions(field(metric, &["dimensions", "Dimensions"])?);
            Some(Metric { namespace: text(metric, &["namespace", "Namespace"])?, dimensions })
        })
        .collect()
}

/// A map in events, a list of `{name, value}` in messages and of `{Name, Value}` in `DescribeAlarms`.
fn dimensions(value: &Value) -> Vec<(&str, &str)> {
    match value {
        Value::Object(map) => {
            map.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect()
        }
        Value::Array(list) => list
            .iter()
            .filter_map(|one| Some((text(one, &["name", "Name"])?, text(one, &["value", "Value"])?)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// The resources that a metric's dimensions name.
fn watched(alarm: &ResourceKey, metric: &Metric<'_>) -> Vec<ResourceKey> {
    let ResourceKey { account, region, partition, .. } = alarm;
    let arn =
        |service: &str, resource: &str| format!("arn:{partition}:{service}:{region}:{account}:{resource}");
    let key = |kind: &str, id: &str| key_at(account, region, kind, id);
    let mut keys: Vec<ResourceKey> = DIMENSIONS
        .iter()
        .filter(|(namespace, _, _)| *namespace == metric.namespace)
        .filter_map(|(_, name, kind)| key(kind, metric.dimension(name)?))
        .collect();
    if let ("AWS/ECS", Some(cluster), Some(service)) =
        (metric.namespace, metric.dimension("ClusterName"), metric.dimension("ServiceName"))
    {
        keys.extend(key("AWS::ECS::Service", &arn("ecs", &format!("service/{cluster}/{service}"))));
    }
    if matches!(metric.namespace, "AWS/ApplicationELB" | "AWS/NetworkELB" | "AWS/GatewayELB") {
        let balancer = metric.dimension("LoadBalancer").map(|tail| format!("loadbalancer/{tail}"));
        let group = metric.dimension("TargetGroup").map(str::to_owned);
        let load_balancing =
            |kind: &str, tail: Option<String>| key(kind, &arn("elasticloadbalancing", &tail?));
        keys.extend(load_balancing("AWS::ElasticLoadBalancingV2::LoadBalancer", balancer));
        keys.extend(load_balancing("AWS::ElasticLoadBalancingV2::TargetGroup", group));
    }
    keys
}

/// The alarms in `ALARM(one) OR ALARM("two") AND NOT OK(arn:aws:cloudwatch:...:alarm:three)`.
fn rule_alarms(rule: &str) -> impl Iterator<Item = &str> {
    static FUNCTION: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]+)"|([^)"]+?))\s*\)"#).ok()
    });
    let found = FUNCTION.as_ref().into_iter().flat_map(|function| function.captures_iter(rule));
    found.filter_map(|found| {
        let name = found.get(1).or_else(|| found.get(2))?.as_str();
        Some(name.rsplit_once(":alarm:").map_or(name, |(_, name)| name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_alarms_bare_quoted_and_by_arn() {
        let rule = r#"ALARM(one) OR ALARM("two, or 2") AND NOT OK(arn:aws:cloudwatch:us-east-1:111122223333:alarm:three)"#;
        assert_eq!(rule_alarms(rule).collect::<Vec<_>>(), ["one", "two, or 2", "three"]);
    }

    #[test]
    fn a_region_is_known_by_its_old_and_new_name() {
        assert_eq!(region_named("US West - Oregon"), Some("us-west-2"));
        assert_eq!(region_named("US East (N. Virginia)"), Some("us-east-1"));
        assert_eq!(region_named("EXAMPLE"), None);
    }
}
