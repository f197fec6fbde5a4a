//! The rows and events that are measured: the same on every machine.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use model::{
    Completeness, Document, Observation, ObservationKey, Rank, Relation, ResourceFact, ResourceKey, Sighting,
    Source, Timestamp,
};
use serde_json::{Value, json};

/// Instances with a document each, one observation an instance, in batches.
pub(super) fn documented(resources: usize, batch: usize, now: Timestamp) -> Vec<Vec<Observation>> {
    let all: Vec<usize> = (0..resources).collect();
    all.chunks(batch.max(1))
        .map(|batch| batch.iter().map(|n| observation(*n, now - Duration::hours(2))).collect())
        .collect()
}

/// The same documents, seen an hour later.
pub(super) fn seen_again(batches: &[Vec<Observation>]) -> Vec<Vec<Observation>> {
    let later = |seen: &Observation| {
        let mut again = seen.clone();
        again.occurred_at += Duration::hours(1);
        again.key = ObservationKey::of(&json!([seen.key.to_string(), "again"]));
        again
    };
    batches.iter().map(|batch| batch.iter().map(later).collect()).collect()
}

fn key(kind: &str, native_id: String) -> ResourceKey {
    ResourceKey {
        provider: "aws".to_owned(),
        partition: "aws".to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        kind: kind.to_owned(),
        native_id,
    }
}

fn observation(n: usize, at: Timestamp) -> Observation {
    let key_of_instance = key("AWS::EC2::Instance", format!("i-{n:017x}"));
    let arn = format!("arn:aws:ec2:eu-west-1:111122223333:instance/i-{n:017x}");
    let relation = |kind: &str, of: &str, id: String| Relation { kind: kind.to_owned(), to: key(of, id) };
    let document = Document {
        name: Some(format!("shop-worker-{n}")),
        tags: BTreeMap::from([
            ("Name".to_owned(), format!("shop-worker-{n}")),
            ("env".to_owned(), ["prod", "stage", "dev"][n % 3].to_owned()),
            ("team".to_owned(), format!("team-{}", n % 40)),
        ]),
        labels: BTreeMap::new(),
        replaced: false,
        config: configuration(n),
        relations: BTreeSet::from([
            relation("is contained in vpc", "AWS::EC2::VPC", format!("vpc-{:08x}", n % 50)),
            relation("is contained in subnet", "AWS::EC2::Subnet", format!("subnet-{:08x}", n % 400)),
            relation(
                "is associated with securitygroup",
                "AWS::EC2::SecurityGroup",
                format!("sg-{:08x}", n % 900),
            ),
        ]),
    };
    Observation {
        key: ObservationKey::of(&json!(["bench", n])),
        source: Source::new("config", Rank::Config),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        occurred_at: at,
        resources: vec![ResourceFact {
            key: key_of_instance,
            aliases: vec![arn],
            state_id: 0,
            sighting: Sighting::Documented(Box::new(document)),
        }],
        changes: vec![],
        findings: vec![],
        completeness: Completeness::OnlyThese,
    }
}

const TYPES: [&str; 3] = ["t3.micro", "m7g.large", "c7g.xlarge"];
const ZONES: [&str; 3] = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];

fn configuration(n: usize) -> Value {
    json!({
        "instanceId": format!("i-{n:017x}"),
        "imageId": format!("ami-{:08x}", n % 30),
        "instanceType": TYPES[n % 3],
        "state": {"code": 16, "name": "running"},
        "launchTime": "2026-03-01T08:00:00Z",
        "privateIpAddress": format!("10.{}.{}.{}", n / 65_536 % 256, n / 256 % 256, n % 256),
        "privateDnsName": format!("ip-10-0-0-{n}.eu-west-1.compute.internal"),
        "placement": {"availabilityZone": ZONES[n % 3], "tenancy": "default"},
        "monitoring": {"state": "disabled"},
        "blockDeviceMappings": [{
            "deviceName": "/dev/xvda",
            "ebs": {"volumeId": format!("vol-{n:017x}"), "status": "attached", "deleteOnTermination": true},
        }],
        "networkInterfaces": [{
            "networkInterfaceId": format!("eni-{n:017x}"),
            "status": "in-use",
            "groups": [{"groupId": format!("sg-{:08x}", n % 900), "groupName": format!("workers-{}", n % 900)}],
            "sourceDestCheck": true,
        }],
        "metadataOptions": {"httpTokens": "required", "httpEndpoint": "enabled", "httpPutResponseHopLimit": 2},
        "ebsOptimized": true,
        "enaSupport": true,
        "rootDeviceType": "ebs",
        "virtualizationType": "hvm",
        "cpuOptions": {"coreCount": 1, "threadsPerCore": 2},
    })
}

/// CloudTrail records as NDJSON, in inputs of the size the API takes.
pub(super) fn events(events: usize, now: Timestamp) -> Vec<Vec<u8>> {
    let lines: Vec<String> = (0..events)
        .map(|n| {
            record(n, now - Duration::hours(3) + Duration::milliseconds(i64::try_from(n).unwrap_or(0) * 100))
        })
        .map(|record| record.to_string())
        .collect();
    lines.chunks(1_000).map(|lines| lines.join("\n").into_bytes()).collect()
}

/// The CloudTrail record of one of four calls.
pub(super) fn record(n: usize, at: Timestamp) -> Value {
    let (name, source) = [
        ("AuthorizeSecurityGroupIngress", "ec2.amazonaws.com"),
        ("StopInstances", "ec2.amazonaws.com"),
        ("PutBucketPolicy", "s3.amazonaws.com"),
        ("GetBucketAcl", "s3.amazonaws.com"),
    ][n % 4];
    let request = match n % 4 {
        0 => {
            json!({"groupId": format!("sg-{:08x}", n % 900), "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "ipRanges": {"items": [{"cidrIp": "192.0.2.0/24"}]}}]}})
        }
        1 => {
            json!({"instancesSet": {"items": [{"instanceId": format!("i-{:017x}", n % 5_000)}]}, "force": false})
        }
        _ => json!({"bucketName": format!("shop-assets-{}", n % 300)}),
    };
    json!({
        "eventVersion": "1.10",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLEEXAMPLE:dana@example.com",
            "arn": "arn:aws:sts::111122223333:assumed-role/Operator/dana@example.com",
            "accountId": "111122223333",
            "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "sessionContext": {"sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLEEXAMPLE",
                "arn": "arn:aws:iam::111122223333:role/Operator",
                "accountId": "111122223333",
                "userName": "Operator",
            }},
        },
        "eventTime": at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        "eventSource": source,
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "192.0.2.17",
        "userAgent": "aws-cli/2.31.0",
        "requestParameters": request,
        "responseElements": null,
        "requestID": format!("request-{n}"),
        "eventID": format!("00000000-0000-4000-8000-{n:012x}"),
        "readOnly": n % 4 == 3,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    })
}
