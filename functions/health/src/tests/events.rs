//! Invocations in Lambda's shapes.

use super::*;
use crate::{error_type, handle};

fn message(id: &str, body: &Value) -> Value {
    json!({"messageId": id, "receiptHandle": "once", "body": body.to_string(), "eventSource": "aws:sqs"})
}

fn event(signal: &Signal) -> Value {
    json!({
        "version": "0", "id": signal.id, "detail-type": signal.kind, "source": "perigee", "account": "111122223333",
        "time": signal.occurred_at, "region": "eu-west-1", "resources": [], "detail": signal,
    })
}

#[tokio::test]
async fn a_batch_is_judged_and_only_what_cannot_be_read_comes_again() {
    let world = world().await;
    let rule = json!({"types": ["Test::Thing"], "cases": [{"health": "healthy", "status": "Running"}]});
    world.apply("HealthRule", "things", rule).await;
    let id = world.see("Test::Thing", "thing", Some(json!({}))).await;
    let mut records: Vec<Value> =
        world.signals().await.iter().map(|signal| message("good", &event(signal))).collect();
    records.push(message("odd", &json!({"detail": "no signal"})));
    let outcome = handle(&world.health, json!({"Records": records})).await.unwrap();
    let expected = json!({"batchItemFailures": [{"itemIdentifier": "odd"}]});
    assert_eq!(serde_json::to_value(outcome).unwrap(), expected);
    assert_eq!(world.state(id).await.unwrap().0, "healthy Running");
}

#[tokio::test]
async fn the_files_of_events_are_understood() {
    let world = world().await;
    for (name, text) in [
        ("schedule", include_str!("../../../../events/health/schedule.json")),
        ("sqs-signals", include_str!("../../../../events/health/sqs-signals.json")),
        ("eventbridge-signal", include_str!("../../../../events/health/eventbridge-signal.json")),
    ] {
        let outcome = handle(&world.health, serde_json::from_str(text).unwrap()).await;
        let outcome = outcome.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert_eq!(outcome.failures.batch_item_failures, [], "{name}");
    }
}

#[tokio::test]
async fn a_payload_that_is_not_understood_fails_with_a_word_of_its_own() {
    let world = world().await;
    let refused = handle(&world.health, json!({"task": "dance"})).await.unwrap_err();
    assert_eq!(error_type(&refused), "Health.Payload");
}

#[tokio::test]
async fn a_database_that_is_away_brings_the_signals_back_and_fails_a_schedule() {
    let world = world().await;
    world.see("Test::Thing", "thing", Some(json!({}))).await;
    let signals = world.signals().await;
    world.health.catalog.close().await;
    let records: Vec<Value> = signals.iter().map(|signal| message("one", &event(signal))).collect();
    let outcome = handle(&world.health, json!({"Records": records})).await.unwrap();
    assert_eq!(outcome.failures.batch_item_failures.len(), 1);
    let refused = handle(&world.health, json!({"task": "tick"})).await.unwrap_err();
    assert_eq!(error_type(&refused), "Health.Unavailable");
}
