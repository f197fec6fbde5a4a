//! The events that are sent: the same on every machine.

use model::Timestamp;
use serde_json::{Value, json};

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
