//! Deliveries over a real database.

use std::time::Duration;

use model::{DeliveryId, DeliveryState, Signal, SignalId, SignalKind, Timestamp};
use serde_json::json;

use super::{AttemptEnd, Begun, DeliveryQuery, Fate, NewDelivery, Outcome, Settled, Told};
use crate::{Catalog, tests_support::catalog, tests_support::minute};

const LEASE: Duration = Duration::from_secs(60);
const TOLD: Told<'_> = Told { title: "title", body: "body" };

fn new(number: u32, due_at: Timestamp) -> NewDelivery {
    let signal = Signal {
        id: SignalId::of("test", &[&number.to_string()]),
        kind: SignalKind::HealthChanged,
        subject: uuid::Uuid::from_u128(u128::from(number)),
        occurred_at: due_at,
        payload: json!({}),
    };
    NewDelivery {
        id: DeliveryId::of("on-call", &signal.id.to_string(), "hook"),
        notification: "on-call".to_owned(),
        generation: 1,
        channel: "hook".to_owned(),
        signal,
        resource: None,
        snapshot: json!({}),
        same: "same".to_owned(),
        fate: Fate::pending(due_at, "due", ""),
        wait_until: None,
    }
}

fn sent(id: DeliveryId, fence: i64, attempt: i32) -> AttemptEnd {
    AttemptEnd {
        id,
        fence,
        attempt,
        outcome: Outcome::Sent,
        status: Some(200),
        detail: String::new(),
        fate: Fate::ended(DeliveryState::Sent, "delivered", ""),
        late_seconds: Some(0),
    }
}

async fn add(catalog: &Catalog, numbers: std::ops::Range<u32>) {
    let all: Vec<NewDelivery> = numbers.map(|number| new(number, minute(0))).collect();
    catalog.add_deliveries(&all, minute(0)).await.unwrap();
}

#[tokio::test]
async fn a_delivery_is_added_once_and_claimed_by_one() {
    let (_db, catalog) = catalog().await;
    let both = [new(1, minute(0)), new(2, minute(5))];
    assert_eq!(catalog.add_deliveries(&both, minute(0)).await.unwrap(), 2);
    assert_eq!(catalog.add_deliveries(&both, minute(0)).await.unwrap(), 0);
    let first = catalog.claim_deliveries(10, minute(0), LEASE).await.unwrap();
    assert_eq!(first.len(), 1, "the other is not due");
    assert!(catalog.claim_deliveries(10, minute(0), LEASE).await.unwrap().is_empty());
    assert_eq!(catalog.next_delivery().await.unwrap(), Some(minute(1)));
    let again = catalog.claim_deliveries(10, minute(1), LEASE).await.unwrap();
    assert_eq!((again[0].id, again[0].fence), (first[0].id, first[0].fence + 1));
}

#[tokio::test]
async fn a_sender_whose_claim_ran_out_changes_nothing() {
    let (_db, catalog) = catalog().await;
    add(&catalog, 1..2).await;
    let slow = catalog.claim_deliveries(1, minute(0), LEASE).await.unwrap().remove(0);
    let Begun::Yes { attempt } = catalog.begin_delivery(&slow, TOLD, None, minute(0), LEASE).await.unwrap()
    else {
        panic!("not begun")
    };
    let quick = catalog.claim_deliveries(1, minute(2), LEASE).await.unwrap().remove(0);
    assert!(quick.cut && !slow.cut);
    assert!(!catalog.end_delivery(&sent(slow.id, slow.fence, attempt), minute(2)).await.unwrap());
    assert_eq!(catalog.begin_delivery(&slow, TOLD, None, minute(2), LEASE).await.unwrap(), Begun::Lost);
    let fate = Fate::ended(DeliveryState::Failed, "unknown_outcome", "");
    let stale = Settled { id: slow.id, fence: slow.fence, fate: fate.clone() };
    catalog.settle_deliveries(&[stale], minute(2)).await.unwrap();
    assert_eq!(catalog.delivery(slow.id).await.unwrap().unwrap().delivery.state, DeliveryState::Pending);
    let settled = Settled { id: quick.id, fence: quick.fence, fate };
    catalog.settle_deliveries(&[settled], minute(2)).await.unwrap();
    let detail = catalog.delivery(slow.id).await.unwrap().unwrap();
    assert_eq!((detail.delivery.state, detail.delivery.ended_at), (DeliveryState::Failed, Some(minute(2))));
    assert_eq!(detail.tries[0].outcome.as_deref(), Some("cut"));
}

#[tokio::test]
async fn the_same_is_begun_by_one_and_repeated_by_the_others_once_it_was_sent() {
    let (_db, catalog) = catalog().await;
    add(&catalog, 1..3).await;
    let claimed = catalog.claim_deliveries(2, minute(0), LEASE).await.unwrap();
    let since = Some(minute(-60));
    let begin = |index: usize| catalog.begin_delivery(&claimed[index], TOLD, since, minute(0), LEASE);
    let (one, two) = tokio::join!(begin(0), begin(1));
    let (winner, attempt) = match (one.unwrap(), two.unwrap()) {
        (Begun::Yes { attempt }, Begun::Busy) => (0, attempt),
        (Begun::Busy, Begun::Yes { attempt }) => (1, attempt),
        other => panic!("{other:?}"),
    };
    let end = sent(claimed[winner].id, claimed[winner].fence, attempt);
    assert!(catalog.end_delivery(&end, minute(0)).await.unwrap());
    let expected = Begun::Repeated { by: claimed[winner].id, at: minute(0) };
    assert_eq!(begin(1 - winner).await.unwrap(), expected);
}

#[tokio::test]
async fn deliveries_are_listed_by_state_in_pages_and_counted() {
    let (_db, catalog) = catalog().await;
    add(&catalog, 1..8).await;
    let claimed = catalog.claim_deliveries(3, minute(0), LEASE).await.unwrap();
    let fate = Fate::ended(DeliveryState::Suppressed, "silenced:rollout", "a silence");
    let settled: Vec<Settled> =
        claimed.iter().map(|one| Settled { id: one.id, fence: one.fence, fate: fate.clone() }).collect();
    catalog.settle_deliveries(&settled, minute(1)).await.unwrap();
    let list = async |text: &str, cursor: Option<String>| {
        let selector = selector::parse(text).unwrap();
        catalog.deliveries(&DeliveryQuery { selector, resource: None, limit: 3, cursor }).await.unwrap()
    };
    assert_eq!(list("state=suppressed reason=silenced:*", None).await.items.len(), 3);
    let first = list("state=pending", None).await;
    let second = list("state=pending", first.next.clone()).await;
    assert_eq!((first.items.len(), second.items.len(), second.next), (3, 1, None));
    let counts = catalog.delivery_counts(minute(0)).await.unwrap();
    let counts: Vec<_> = counts.iter().map(|count| (count.state.as_str(), count.deliveries)).collect();
    assert_eq!(counts, [("pending", 4), ("suppressed", 3)]);
}

#[tokio::test]
async fn deliveries_that_ended_long_ago_go_and_those_that_wait_stay() {
    let (_db, catalog) = catalog().await;
    add(&catalog, 1..3).await;
    let claimed = catalog.claim_deliveries(1, minute(0), LEASE).await.unwrap().remove(0);
    catalog.begin_delivery(&claimed, TOLD, None, minute(0), LEASE).await.unwrap();
    assert!(catalog.end_delivery(&sent(claimed.id, claimed.fence, 1), minute(0)).await.unwrap());
    let day = 24 * 60;
    let all = crate::retention::Budget { slices: 1000, time: std::time::Duration::from_secs(60) };
    catalog.retain(minute(90 * day), true, all).await.unwrap();
    assert!(catalog.delivery(claimed.id).await.unwrap().is_some());
    catalog.retain(minute(90 * day + 1), true, all).await.unwrap();
    assert!(catalog.delivery(claimed.id).await.unwrap().is_none());
    assert_eq!(
        catalog
            .deliveries(&DeliveryQuery { limit: 9, ..DeliveryQuery::default() })
            .await
            .unwrap()
            .items
            .len(),
        1
    );
}
