//! On a real database, with invocations in Lambda's shapes.

use std::sync::Arc;

use catalog::{Catalog, ConnectOptions};
use serde_json::{json, to_value};
use testkit::{Failure as Fails, FakeClock, FakeObjects, TestDb, template_name};

use super::*;

const NOW: &str = "2026-03-03T12:00:00Z";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:events";

async fn context(objects: FakeObjects) -> (TestDb, Context) {
    let options = |url: &str| ConnectOptions { url: url.to_owned(), max_connections: 2, pooler: false };
    let template = template_name("catalog", &catalog::migrator());
    let db = TestDb::from_template(&template, async |url| {
        Catalog::connect(&options(&url))?.migrate(NOW.parse().unwrap()).await
    })
    .await;
    let intake = Intake {
        catalog: Catalog::connect(&options(db.url())).unwrap(),
        objects: Arc::new(objects),
        clock: Arc::new(FakeClock::at(NOW)),
        accounts: None,
    };
    (db, Context { intake })
}

/// An EventBridge event of an instance that changed its state.
fn event(instance: &str) -> Value {
    json!({
        "version": "0", "id": format!("of-{instance}"), "detail-type": "EC2 Instance State-change Notification",
        "source": "aws.ec2", "account": "111122223333", "time": "2026-03-03T10:00:00Z", "region": "eu-west-1",
        "resources": [format!("arn:aws:ec2:eu-west-1:111122223333:instance/{instance}")],
        "detail": {"instance-id": instance, "state": "running"},
    })
}

/// An S3 notification about a log file.
fn notification(key: &str) -> Value {
    json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1",
        "eventTime": "2026-03-03T10:00:00.000Z", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "trail", "arn": "arn:aws:s3:::trail"}, "object": {"key": key, "size": 1}}}]})
}

fn batch(messages: &[(&str, &str)]) -> Value {
    let message = |(id, body): &(&str, &str)| {
        json!({
            "messageId": id, "receiptHandle": "once", "body": body, "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs", "eventSourceARN": QUEUE,
            "awsRegion": "eu-west-1",
        })
    };
    json!({"Records": messages.iter().map(message).collect::<Vec<_>>()})
}

#[tokio::test]
async fn a_batch_reports_what_must_come_again_and_what_belongs_into_the_dead_letter_queue() {
    let objects = FakeObjects::new();
    objects.put("trail", "log", event("i-0aaaaaaaaaaaaaaa4").to_string());
    objects.fail("trail", "log", Fails::Busy(1));
    let (_db, ctx) = context(objects).await;
    let bodies = [
        event("i-0aaaaaaaaaaaaaaa1").to_string(),
        "{\"cut\":".to_owned(),
        event("i-0aaaaaaaaaaaaaaa2").to_string(),
        notification("log").to_string(),
        format!("{}\n{{\"no\": \"event\"}}", event("i-0aaaaaaaaaaaaaaa3")),
    ];
    let ids = ["good", "cut", "good too", "away", "half"];
    let messages: Vec<(&str, &str)> = ids.into_iter().zip(bodies.iter().map(String::as_str)).collect();

    let first = handle(&ctx, batch(&messages)).await.unwrap();
    let failed = |ids: &[&str]| {
        let failures: Vec<Value> = ids.iter().map(|id| json!({"itemIdentifier": id})).collect();
        json!({"batchItemFailures": failures})
    };
    assert_eq!(to_value(first).unwrap(), failed(&["cut", "away", "half"]));

    // SQS delivers what failed again: the store answers now, the rest is what it was.
    let again: Vec<_> = messages.iter().copied().filter(|(id, _)| !id.starts_with("good")).collect();
    let second = handle(&ctx, batch(&again)).await.unwrap();
    assert_eq!(to_value(second).unwrap(), failed(&["cut", "half"]));

    let kept = ctx.intake.catalog.rejected(100, None).await.unwrap().items;
    assert_eq!(kept.len(), 2, "what comes again is listed once: {kept:#?}");
    assert!(kept.iter().all(|item| item.origin.starts_with(QUEUE)), "{kept:#?}");
    let resources = ctx.intake.catalog.counts().await.unwrap();
    assert_eq!(resources.iter().map(|count| count.count).sum::<i64>(), 4, "{resources:#?}");
}

#[tokio::test]
async fn a_batch_without_failures_is_acknowledged_whole() {
    let (_db, ctx) = context(FakeObjects::new()).await;
    let wrapped = json!({
        "Type": "Notification", "MessageId": "0", "TopicArn": "arn:aws:sns:eu-west-1:111122223333:events",
        "Message": event("i-0aaaaaaaaaaaaaaa1").to_string(), "Timestamp": "2026-03-03T10:00:01.000Z",
    });
    let (plain, wrapped) = (event("i-0aaaaaaaaaaaaaaa1").to_string(), wrapped.to_string());
    let outcome = handle(&ctx, batch(&[("plain", &plain), ("wrapped", &wrapped)])).await.unwrap();
    assert_eq!(to_value(outcome).unwrap(), json!({"batchItemFailures": []}));
    assert_eq!(
        ctx.intake.catalog.sources().await.unwrap()[0].observations,
        1,
        "wrapped or not, it is the same event"
    );
}

#[tokio::test]
async fn a_direct_event_answers_with_its_report() {
    let (_db, ctx) = context(FakeObjects::new()).await;
    let outcome = handle(&ctx, event("i-0aaaaaaaaaaaaaaa1")).await.unwrap();
    let Outcome::Report(report) = outcome else { panic!("a report") };
    assert_eq!((report.total, report.accepted), (1, 1));
}

#[tokio::test]
async fn an_object_notification_is_followed_without_a_queue() {
    let objects = FakeObjects::new();
    objects.put(
        "trail",
        "log",
        format!("{}\n{}", event("i-0aaaaaaaaaaaaaaa1"), event("i-0aaaaaaaaaaaaaaa2")),
    );
    let (_db, ctx) = context(objects).await;
    let Outcome::Report(report) = handle(&ctx, notification("log")).await.unwrap() else {
        panic!("a report")
    };
    assert_eq!((report.total, report.accepted), (2, 2));
}

#[tokio::test]
async fn a_direct_event_that_cannot_be_taken_fails_and_says_why() {
    let (_db, ctx) = context(FakeObjects::new()).await;
    let error = handle(&ctx, json!({"no": "event"})).await.unwrap_err();
    assert_eq!(error_type(&error), "Ingest.Rejected");
    let text = format!("{error:#}");
    assert!(
        text.starts_with("1 of 1 items cannot be taken and are listed under /rejected; the first, at "),
        "{text}"
    );
    assert!(text.ends_with(" (unknown_shape)"), "{text}");
    assert_eq!(ctx.intake.catalog.rejected(10, None).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_body_that_is_away_fails_a_direct_event_for_now() {
    let objects = FakeObjects::new();
    objects.fail("trail", "log", Fails::Busy(1));
    let (_db, ctx) = context(objects).await;
    let error = handle(&ctx, notification("log")).await.unwrap_err();
    assert_eq!(error_type(&error), "Ingest.Unavailable");
    assert!(ctx.intake.catalog.rejected(10, None).await.unwrap().items.is_empty());
}

#[test]
fn a_batch_whose_messages_cannot_be_told_apart_is_an_error() {
    let nameless = json!({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]});
    assert_eq!(batch::read(&nameless).unwrap_err().to_string(), "missing field `messageId`");
    for other in [event("i-0aaaaaaaaaaaaaaa1"), notification("log"), json!({"Records": []}), json!(null)] {
        assert_eq!(batch::read(&other).unwrap(), None);
    }
}

#[test]
fn a_message_is_known_by_its_queue_and_its_body() {
    let origins = |batch: &Value| {
        batch::read(batch).unwrap().unwrap().inputs.into_iter().map(|input| input.origin).collect::<Vec<_>>()
    };
    let first = origins(&batch(&[("m-1", "one"), ("m-2", "two")]));
    assert_eq!(first, origins(&batch(&[("m-3", "one"), ("m-4", "two")])), "the same bodies, delivered again");
    assert_ne!(first[0], first[1]);
    assert!(
        first[0].starts_with("arn:aws:sqs:eu-west-1:111122223333:events, message body sha256:"),
        "{first:?}"
    );
}
