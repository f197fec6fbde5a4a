//! The function as Lambda invokes it, with the files of `events/notify`.

use serde_json::{Value, json};

use super::world::World;
use crate::{error_type, handle};

fn event(name: &str) -> Value {
    let path = format!("{}/../../events/notify/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

async fn world() -> World {
    let world = World::new().await;
    world.notification(json!({"on": ["health.changed", "check.failed"], "maxAge": "3h"})).await;
    world
}

#[tokio::test]
async fn a_batch_of_signals_is_delivered_and_acknowledged() {
    let world = world().await;
    let outcome = handle(&world.notify, event("sqs-signals")).await.unwrap();
    assert_eq!(serde_json::to_value(&outcome).unwrap(), json!({"batchItemFailures": []}));
    let mut titles: Vec<String> =
        world.deliveries().await.into_iter().map(|one| one.delivery.title.unwrap()).collect();
    titles.sort();
    assert_eq!(
        titles,
        [
            "The check checkout-answers fails: 503 instead of 200",
            "checkout (ECS service, 111122223333 eu-west-1) is unhealthy since 10:03 UTC: 0 of 2 tasks running",
        ]
    );
    assert_eq!(world.channel.received().len(), 2);
    handle(&world.notify, event("eventbridge-signal")).await.unwrap();
    assert_eq!(world.channel.received().len(), 2, "the same signal by another way is the same delivery");
}

#[tokio::test]
async fn a_message_without_a_signal_comes_again_and_its_neighbour_does_not() {
    let world = world().await;
    let payload = event("sqs-mixed");
    let outcome = handle(&world.notify, payload.clone()).await.unwrap();
    let failures = serde_json::to_value(&outcome).unwrap();
    assert_eq!(
        failures["batchItemFailures"],
        json!([{"itemIdentifier": payload["Records"][1]["messageId"]}])
    );
    assert_eq!(world.channel.received().len(), 1);
}

#[tokio::test]
async fn a_schedule_does_what_is_due_and_says_when_to_come_again() {
    let world = world().await;
    world.webhook("fail", json!({})).await;
    world.told("checkout", "unhealthy").await;
    let outcome = handle(&world.notify, event("schedule")).await.unwrap();
    assert_eq!(outcome.due, Some(world.now() + chrono::TimeDelta::seconds(5)));
}

#[tokio::test]
async fn a_payload_of_something_else_is_named() {
    let world = world().await;
    let error = handle(&world.notify, json!({"hello": 1})).await.unwrap_err();
    assert_eq!(error_type(&error), "Notify.Payload");
}
