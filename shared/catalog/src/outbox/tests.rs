use std::time::Duration;

use model::{Signal, SignalId, SignalKind};
use serde_json::json;

use crate::{
    Catalog, connect,
    tests_support::{catalog, minute},
};

fn signal(number: u32) -> Signal {
    Signal {
        id: SignalId::of("test", &[&number.to_string()]),
        kind: SignalKind::ChangeRecorded,
        subject: uuid::Uuid::nil(),
        occurred_at: minute(i64::from(number)),
        payload: json!({"number": number}),
    }
}

async fn put(catalog: &Catalog, numbers: std::ops::Range<u32>, at: i64) {
    let signals: Vec<Signal> = numbers.map(signal).collect();
    let mut tx = connect::begin(&catalog.pool).await.unwrap();
    super::put(&mut tx, &signals, minute(at)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn claim(catalog: &Catalog, limit: u32, at: i64) -> Vec<SignalId> {
    let claimed = catalog.claim_signals(limit, minute(at), Duration::from_secs(60)).await.unwrap();
    claimed.into_iter().map(|claimed| claimed.signal.id).collect()
}

#[tokio::test]
async fn a_signal_is_claimed_by_one_told_once_and_comes_back_when_its_pump_dies() {
    let (_db, catalog) = catalog().await;
    put(&catalog, 0..3, 0).await;
    put(&catalog, 2..4, 1).await;
    assert_eq!(claim(&catalog, 10, 2).await.len(), 4, "each is there once");
    assert_eq!(claim(&catalog, 10, 2).await, [], "another pump finds none");
    catalog.signals_told(&[signal(0).id, signal(1).id, signal(2).id], minute(2)).await.unwrap();
    assert_eq!(claim(&catalog, 10, 4).await, [signal(3).id], "the claim ran out");
    let waiting = catalog.signals_waiting().await.unwrap();
    assert_eq!((waiting.signals, waiting.oldest), (1, Some(minute(1))));
}

#[tokio::test]
async fn pumps_that_claim_at_once_get_different_signals_and_all_of_them() {
    let (_db, catalog) = catalog().await;
    put(&catalog, 0..100, 0).await;
    let (a, b, c) = tokio::join!(claim(&catalog, 40, 1), claim(&catalog, 40, 1), claim(&catalog, 40, 1));
    let mut rest = claim(&catalog, 100, 1).await;
    rest.extend([a, b, c].concat());
    let all = rest.len();
    rest.sort();
    rest.dedup();
    assert_eq!((all, rest.len()), (100, 100));
}

#[tokio::test]
async fn signals_that_were_told_are_removed_after_a_while_and_others_after_a_week() {
    let (_db, catalog) = catalog().await;
    put(&catalog, 0..2, 0).await;
    catalog.signals_told(&[signal(0).id], minute(0)).await.unwrap();
    super::prune(&catalog.pool, minute(7 * 60)).await.unwrap();
    assert_eq!(claim(&catalog, 10, 7 * 60).await, [signal(1).id]);
    super::prune(&catalog.pool, minute(8 * 24 * 60)).await.unwrap();
    assert_eq!(catalog.signals_waiting().await.unwrap().signals, 0);
}
