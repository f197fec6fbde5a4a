//! Several copies at once, and copies that are lost.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use connections::{Client, Guard};
use serde_json::json;

use super::world::World;
use crate::Notify;

async fn until_nothing_is_due(notify: &Notify) {
    let now = notify.clock.now();
    while notify.tick().await.unwrap().is_some_and(|due| due <= now) {}
}

#[tokio::test]
async fn two_copies_at_once_send_each_delivery_once() {
    let world = World::new().await;
    world.notification(json!({})).await;
    let signals: Vec<_> =
        (0..200).map(|index| world.signal(&format!("service-{index}"), "unhealthy")).collect();
    let other = world.copy(Arc::new(Client::new(Guard { loopback: true })));
    let (one, two) = tokio::join!(world.notify.signals(&signals), other.signals(&signals));
    one.unwrap();
    two.unwrap();
    tokio::join!(until_nothing_is_due(&world.notify), until_nothing_is_due(&other));
    let received = world.channel.received();
    let keys: BTreeSet<&str> = received.iter().map(|one| one.header("idempotency-key")).collect();
    assert_eq!((received.len(), keys.len()), (200, 200));
    assert!(world.states().await.iter().all(|state| state == "sent delivered"));
}

#[tokio::test]
async fn two_copies_at_once_send_what_repeats_once() {
    let world = World::new().await;
    world.notification(json!({"repeatInterval": "1h"})).await;
    for _ in 0..20 {
        world.told("checkout", "unhealthy").await;
        world.clock.advance(chrono::TimeDelta::milliseconds(1));
    }
    let other = world.copy(Arc::new(Client::new(Guard { loopback: true })));
    for _ in 0..3 {
        tokio::join!(until_nothing_is_due(&world.notify), until_nothing_is_due(&other));
        world.pass(2);
    }
    assert_eq!(world.channel.received().len(), 1);
    let mut states = world.states().await;
    states.sort();
    states.dedup();
    assert_eq!(states, ["sent delivered", "suppressed repeated"]);
}

/// A copy dies after its request arrived and before it wrote down that it had.
async fn lose_a_copy(world: &World) {
    world.notification(json!({})).await;
    world.told("checkout", "unhealthy").await;
    let doomed = world.doomed();
    let cut = tokio::time::timeout(Duration::from_secs(2), doomed.tick()).await;
    assert!(cut.is_err(), "the copy was not cut");
    assert_eq!((world.states().await, world.channel.received().len()), (vec!["pending due".to_owned()], 1));
    world.tick().await;
    assert_eq!(world.channel.received().len(), 1, "the claim still holds");
    world.pass(61);
    world.tick().await;
}

#[tokio::test]
async fn what_a_crash_cut_is_not_sent_again_where_nobody_says_that_this_is_harmless() {
    let world = World::new().await;
    lose_a_copy(&world).await;
    assert_eq!(
        (world.states().await, world.channel.received().len()),
        (vec!["failed unknown_outcome".to_owned()], 1)
    );
    assert_eq!(world.deliveries().await[0].tries[0].outcome.as_deref(), Some("cut"));
}

#[tokio::test]
async fn what_a_crash_cut_is_sent_again_with_the_same_key_where_the_channel_knows_it_again() {
    let world = World::new().await;
    world.webhook("ok", json!({"idempotent": true})).await;
    lose_a_copy(&world).await;
    assert_eq!(world.states().await, ["sent delivered"]);
    let received = world.channel.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].header("idempotency-key"), received[1].header("idempotency-key"));
    let tries = world.deliveries().await.remove(0).tries;
    let outcomes: Vec<_> = tries.iter().map(|one| one.outcome.as_deref().unwrap()).collect();
    assert_eq!(outcomes, ["cut", "sent"]);
}

#[tokio::test]
async fn a_slack_message_that_may_have_arrived_is_not_sent_again() {
    let world = World::new().await;
    world.apply("Connection", "hook", json!({"slack": {"url": {"env": "HANG"}}})).await;
    world.notification(json!({})).await;
    world.told("checkout", "unhealthy").await;
    world.tick().await;
    assert_eq!(world.states().await, ["failed unknown_outcome"]);
}
