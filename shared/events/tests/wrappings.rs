//! The same record, whatever it came in: one observation.

#![cfg(test)]

use std::io::Write;

use events::{ObjectPointer, Reading, Reason, read, split};
use model::{Observation, Timestamp};
use serde_json::{Value, json};

fn now() -> Timestamp {
    "2026-03-03T00:00:00Z".parse().unwrap()
}

fn sample(name: &str) -> Value {
    let path = format!("{}/tests/families/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The observations in an input.
fn observed(bytes: &[u8]) -> Vec<Observation> {
    let readings = split(bytes).into_iter().map(|piece| read(&piece.payload.unwrap(), now()).unwrap());
    readings
        .map(|reading| match reading {
            Reading::Observed(observation) => *observation,
            other => panic!("no observation: {other:?}"),
        })
        .collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_cloudtrail_record_is_one_observation_by_event_bus_log_file_topic_and_queue() {
    let record = sample("cloudtrail-terminate-instances");
    let bare = observed(record.to_string().as_bytes());
    let envelope = json!({
        "version": "0", "id": "any", "source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail",
        "account": "111122223333", "region": "eu-central-1", "time": "2026-03-02T02:13:09Z",
        "resources": ["arn:aws:ec2:eu-central-1:111122223333:instance/i-0a1b2c3d4e5f60718"], "detail": record,
    });
    let topic =
        |message: &Value| json!({"Type": "Notification", "TopicArn": "t", "Message": message.to_string()});
    let queue = |body: &Value| json!({"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": body.to_string()}]});
    let wrapped = [
        envelope.to_string().into_bytes(),
        gzip(&json!({ "Records": [record] }).to_string()),
        json!({ "Records": [record] }).to_string().into_bytes(),
        topic(&record).to_string().into_bytes(),
        queue(&envelope).to_string().into_bytes(),
        queue(&topic(&envelope)).to_string().into_bytes(),
        serde_json::to_string_pretty(&json!([record])).unwrap().into_bytes(),
    ];
    for input in wrapped {
        assert_eq!(observed(&input), bare, "{}", String::from_utf8_lossy(&input));
    }
}

#[test]
fn the_items_of_a_batch_are_read_one_by_one() {
    let item = sample("config-item-of-a-batch");
    let bare = observed(item.to_string().as_bytes());
    for (list, left) in [
        ("baseConfigurationItems", "unprocessedResourceKeys"),
        ("BaseConfigurationItems", "UnprocessedResourceIdentifiers"),
    ] {
        let answer = json!({ list: [item, item], left: [] }).to_string();
        let places: Vec<String> = split(answer.as_bytes()).into_iter().map(|piece| piece.place).collect();
        assert_eq!(places, [format!("{list}[0]"), format!("{list}[1]")]);
        assert_eq!(observed(answer.as_bytes()), [bare.clone(), bare.clone()].concat());
    }
}

#[test]
fn a_record_that_only_its_envelope_places_is_another_observation_in_another_account() {
    let mut record = sample("cloudtrail-without-account");
    record["userIdentity"]["accountId"] = Value::Null;
    let event = |account: &str| {
        json!({
            "source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail", "account": account,
            "region": "eu-central-1", "time": "2026-03-02T02:13:09Z", "resources": [], "detail": record,
        })
    };
    let ours = observed(event("111122223333").to_string().as_bytes());
    let theirs = observed(event("999999999999").to_string().as_bytes());
    assert_ne!(ours[0].key, theirs[0].key);
    assert_eq!(theirs[0].resources[0].key.account, "999999999999");
}

#[test]
fn a_notification_of_log_files_points_at_each_of_them() {
    let note = json!({"s3Bucket": "trail", "s3ObjectKey": ["a.json.gz", "b.json.gz"]});
    let topic = json!({"Type": "Notification", "Message": note.to_string()}).to_string();
    let pointers: Vec<Reading> = split(topic.as_bytes())
        .into_iter()
        .map(|piece| read(&piece.payload.unwrap(), now()).unwrap())
        .collect();
    let at = |key: &str| {
        Reading::Elsewhere(ObjectPointer { bucket: "trail".to_owned(), key: key.to_owned(), region: None })
    };
    assert_eq!(pointers, [at("a.json.gz"), at("b.json.gz")]);
}

#[test]
fn a_bad_record_harms_no_neighbour() {
    let good = sample("cloudtrail-terminate-instances");
    let log =
        json!({"Records": [good, {"eventName": 7}, sample("cloudtrail-without-time"), good, "x", null]});
    let outcomes: Vec<Result<(), Reason>> = split(log.to_string().as_bytes())
        .into_iter()
        .map(|piece| piece.payload.and_then(|payload| read(&payload, now())).map(drop).map_err(|r| r.reason))
        .collect();
    assert_eq!(
        outcomes,
        [
            Ok(()),
            Err(Reason::UnknownShape),
            Err(Reason::NoTime),
            Ok(()),
            Err(Reason::UnknownShape),
            Err(Reason::UnknownShape),
        ]
    );
}
