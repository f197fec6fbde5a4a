//! The function as Lambda wakes it.

use model::RunState;
use serde_json::{Value, json};

use super::world::World;
use crate::{error_type, handle};

const SCHEDULE: &str = include_str!("../../../../events/playbook/schedule.json");
const SIGNALS: &str = include_str!("../../../../events/playbook/sqs-signals.json");

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("an event")
}

async fn healing() -> World {
    let world = World::new().await;
    let spec = json!({
        "on": {"signals": [{"kinds": ["health.changed"], "if": "signal.payload.health == 'unhealthy'"}]},
        "steps": [{"name": "one", "exec": {"script": "true"}}],
    });
    world.apply("Playbook", "heal", spec).await;
    world
}

#[tokio::test]
async fn a_batch_of_signals_starts_runs_and_executes_them() {
    let world = healing().await;
    for _ in 0..2 {
        let outcome = handle(&world.playbooks, read(SIGNALS)).await.unwrap();
        assert_eq!(serde_json::to_value(&outcome).unwrap(), json!({"batchItemFailures": []}));
    }
    let runs = world.runs().await;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].state, RunState::Completed);
}

#[tokio::test]
async fn a_schedule_executes_what_is_due_and_says_when_to_wake_next() {
    let world = healing().await;
    world.apply("Playbook", "patient", json!({"steps": [{"name": "one", "wait": {"for": "10m"}}]})).await;
    world.started("patient", "a key", json!({})).await;
    let outcome = handle(&world.playbooks, read(SCHEDULE)).await.unwrap();
    assert_eq!(outcome.due, Some(world.now() + chrono::TimeDelta::minutes(10)));
}

#[tokio::test]
async fn what_holds_no_signal_is_not_acknowledged_and_what_is_no_payload_fails() {
    let world = healing().await;
    let mut batch = read(SIGNALS);
    batch["Records"][1]["body"] = json!("no signal");
    let outcome = handle(&world.playbooks, batch.clone()).await.unwrap();
    let failed: Vec<_> =
        outcome.failures.batch_item_failures.into_iter().map(|f| json!(f.item_identifier)).collect();
    assert_eq!(failed, [batch["Records"][1]["messageId"].clone()]);
    assert_eq!(world.runs().await.len(), 1);
    let error = handle(&world.playbooks, json!({"hello": "world"})).await.unwrap_err();
    assert_eq!(error_type(&error), "Playbook.Payload");
}
