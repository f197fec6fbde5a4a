//! What is not sent, and why.

use serde_json::json;

use super::world::{NOW, World};

#[tokio::test]
async fn the_same_signal_again_makes_no_other_delivery() {
    let world = World::new().await;
    world.notification(json!({})).await;
    let signal = world.signal("checkout", "unhealthy");
    world.notify.signals(&[signal.clone(), signal.clone()]).await.unwrap();
    world.tick().await;
    world.notify.signals(&[signal]).await.unwrap();
    world.tick().await;
    assert_eq!((world.states().await.len(), world.channel.received().len()), (1, 1));
}

#[tokio::test]
async fn what_recovered_changed_or_went_while_it_waited_is_not_told() {
    let world = World::new().await;
    world.notification(json!({"waitFor": "5m", "if": "resource.health.health != 'healthy'"})).await;
    for (name, becomes) in
        [("gone", "unhealthy"), ("still", "unhealthy"), ("well", "healthy"), ("worse", "unhealthy")]
    {
        world.resource(name, "unhealthy").await;
        world.told(name, if name == "worse" { "warning" } else { "unhealthy" }).await;
        world.resource(name, becomes).await;
    }
    world.sql(&format!("update perigee.resources set deleted_at = '{NOW}' where name = 'gone'")).await;
    world.pass(299);
    world.tick().await;
    assert_eq!(world.states().await, ["pending waiting"; 4]);
    world.pass(1);
    world.tick().await;
    let mut told: Vec<String> = world
        .deliveries()
        .await
        .into_iter()
        .map(|one| format!("{} {}", one.delivery.resource_name.unwrap(), one.delivery.reason))
        .collect();
    told.sort();
    assert_eq!(told, ["gone deleted", "still delivered", "well recovered", "worse changed"]);
}

#[tokio::test]
async fn the_same_is_told_once_in_an_interval_counted_from_the_last_that_was_sent() {
    let world = World::new().await;
    world.notification(json!({"repeatInterval": "1h"})).await;
    world.webhook("leak", json!({})).await;
    let mut expected = Vec::new();
    let steps = [
        ("leak", "unhealthy", "failed rejected"),
        // The first was not sent, so this is no repetition.
        ("ok", "unhealthy", "sent delivered"),
        ("ok", "healthy", "sent delivered"),
        ("ok", "unhealthy", "suppressed repeated"),
        ("ok", "unhealthy", "suppressed repeated"),
    ];
    for (path, health, state) in steps {
        world.webhook(path, json!({})).await;
        world.told("checkout", health).await;
        world.tick().await;
        world.pass(600);
        expected.push(state.to_owned());
        assert_eq!(world.states().await, expected);
    }
    world.told("other", "unhealthy").await;
    world.tick().await;
    world.pass(1900);
    world.told("checkout", "unhealthy").await;
    world.tick().await;
    expected.extend(["sent delivered".to_owned(), "sent delivered".to_owned()]);
    assert_eq!(world.states().await, expected);
}

#[tokio::test]
async fn what_is_too_old_is_kept_and_not_told() {
    let world = World::new().await;
    world.notification(json!({})).await;
    let old = world.signal("late", "unhealthy");
    world.pass(3601);
    world.notify.signals(&[old]).await.unwrap();
    world.told("slow", "unhealthy").await;
    world.pass(3601);
    world.tick().await;
    assert_eq!(world.states().await, ["suppressed too_old"; 2]);
}

#[tokio::test]
async fn what_is_sent_late_says_by_how_much() {
    let world = World::new().await;
    world.notification(json!({})).await;
    world.told("checkout", "unhealthy").await;
    world.pass(400);
    world.tick().await;
    let delivery = world.deliveries().await.remove(0).delivery;
    assert_eq!(
        (delivery.state.as_str(), delivery.reason.as_str(), delivery.late_seconds),
        ("sent", "late", Some(400))
    );
    assert!(delivery.detail.contains("6m40s"), "{}", delivery.detail);
}

#[tokio::test]
async fn a_condition_that_fails_on_one_event_fails_for_that_event_only() {
    let world = World::new().await;
    world.notification(json!({"if": "resource.tags.env == 'prod'"})).await;
    world.resource("checkout", "unhealthy").await;
    world.told("unknown", "unhealthy").await;
    world.told("checkout", "unhealthy").await;
    world.tick().await;
    let mut states = world.states().await;
    states.sort();
    assert_eq!(states, ["failed condition_error", "sent delivered"]);
}

#[tokio::test]
async fn a_silence_keeps_what_it_is_about_quiet_for_its_time() {
    let world = World::new().await;
    world.notification(json!({})).await;
    world.apply("Notification", "audit", json!({"on": ["health.changed"], "to": ["hook"]})).await;
    for name in ["checkout", "billing"] {
        world.resource(name, "unhealthy").await;
    }
    let silence = |until: &str, selector: &str| json!({"reason": "rollout", "until": until, "selector": selector, "notifications": ["on-call"]});
    world.apply("Silence", "rollout", silence("2026-03-03T13:00:00Z", "name=check* tags.env=prod")).await;
    world.apply("Silence", "over", silence("2026-03-03T11:00:00Z", "")).await;
    world.apply("Silence", "broken", silence("2026-03-03T13:00:00Z", "no_such_field=1")).await;
    for name in ["checkout", "billing"] {
        world.told(name, "unhealthy").await;
    }
    world.tick().await;
    let mut states: Vec<String> = world
        .deliveries()
        .await
        .into_iter()
        .map(|d| {
            format!("{} {} {}", d.delivery.notification, d.delivery.resource_name.unwrap(), d.delivery.reason)
        })
        .collect();
    states.sort();
    let expected = [
        "audit billing delivered",
        "audit checkout delivered",
        "on-call billing delivered",
        "on-call checkout silenced:rollout",
    ];
    assert_eq!(states, expected);
    world.pass(3600);
    world.told("checkout", "warning").await;
    world.tick().await;
    assert!(world.states().await.iter().filter(|state| *state == "sent delivered").count() == 5);
}

#[tokio::test]
async fn channels_secrets_and_notifications_that_are_not_there_are_named() {
    let world = World::new().await;
    world.notification(json!({"to": ["nowhere", "aws", "hook"]})).await;
    world.apply("Connection", "aws", json!({"aws": {}})).await;
    world.webhook("ok", json!({"secret": {"env": "NONE"}})).await;
    world.told("checkout", "unhealthy").await;
    world.tick().await;
    let mut states = world.states().await;
    states.sort();
    assert_eq!(states, ["failed channel_invalid", "failed channel_missing", "failed secret_missing"]);
    world.told("billing", "unhealthy").await;
    let gone = [("Notification".to_owned(), "on-call".to_owned())];
    world.notify.catalog.delete_manifests(&gone, world.now()).await.unwrap();
    world.tick().await;
    let deleted = world.states().await.into_iter().filter(|s| s == "suppressed notification_deleted").count();
    assert_eq!(deleted, 3);
}

#[tokio::test]
async fn a_text_without_a_value_fails_with_what_is_missing() {
    let world = World::new().await;
    world.notification(json!({"body": "${{ resource.tags.team }}"})).await;
    world.resource("checkout", "unhealthy").await;
    world.told("checkout", "unhealthy").await;
    world.tick().await;
    let delivery = world.deliveries().await.remove(0).delivery;
    assert_eq!(delivery.reason, "template_error");
    assert!(delivery.detail.contains("team"), "{}", delivery.detail);
}
