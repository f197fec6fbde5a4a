//! Characters that cannot be stored are replaced, and it is said so.

use model::{Sighting, Timestamp};

use crate::{Reading, read, split};

fn now() -> Timestamp {
    "2026-03-04T00:00:00Z".parse().unwrap()
}

fn observed(line: &str) -> model::Observation {
    let pieces = split(line.as_bytes());
    match read(pieces[0].payload.as_ref().unwrap(), now()).unwrap() {
        Reading::Observed(observation) => *observation,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_replaced_character_is_flagged_on_the_change() {
    let record = |name: &str| {
        format!(
            r#"{{"eventVersion":"1.10","eventTime":"2026-03-03T02:13:00Z","eventSource":"s3.amazonaws.com","eventName":"PutBucketTagging","awsRegion":"eu-west-1","eventType":"AwsApiCall","recipientAccountId":"111122223333","userIdentity":{{"type":"Root","accountId":"111122223333"}},"requestParameters":{{"bucketName":"shop","note":"{name}"}}}}"#
        )
    };
    for broken in [r"a\u0000b", r"a\ud800b"] {
        let change = observed(&record(broken)).changes.remove(0);
        assert!(change.details.get("(replaced)").is_some(), "{broken}: {}", change.details);
        assert!(!change.details.to_string().contains("\\u0000"), "{broken}");
    }
    assert!(observed(&record("ab")).changes[0].details.get("(replaced)").is_none());
}

#[test]
fn a_replaced_character_is_flagged_on_the_document() {
    let item = r#"{"configurationItemCaptureTime":"2026-03-03T02:13:00Z","configurationItemStatus":"OK","awsAccountId":"111122223333","awsRegion":"eu-west-1","resourceType":"AWS::SQS::Queue","resourceId":"https://sqs.eu-west-1.amazonaws.com/111122223333/shop","resourceName":"shop","ARN":"arn:aws:sqs:eu-west-1:111122223333:shop","configuration":{"note":"a\u0000b"},"relationships":[],"tags":{}}"#;
    let observation = observed(item);
    let Sighting::Documented(document) = &observation.resources[0].sighting else {
        panic!("{observation:?}")
    };
    assert!(document.replaced);
}
