//! Callers that are dropped.

use std::time::Duration;

use model::{Completeness, Observation, ObservationKey, Rank, Source};
use serde_json::json;
use testkit::Cut;

use crate::{
    Catalog,
    tests_support::{catalog, minute, now, options},
};

fn observation(round: usize) -> Observation {
    Observation {
        key: ObservationKey::of(&json!(round)),
        source: Source::new("config", Rank::Config),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        occurred_at: minute(0),
        resources: vec![],
        changes: vec![],
        findings: vec![],
        completeness: Completeness::OnlyThese,
    }
}

/// The connections that sit in a transaction in which nothing happens.
async fn forgotten(seen_by: &Catalog) -> i64 {
    sqlx::query_scalar(
        "select count(*) from pg_stat_activity
         where datname = current_database() and state like 'idle in transaction%'",
    )
    .fetch_one(&seen_by.pool)
    .await
    .expect("activity")
}

#[expect(clippy::disallowed_methods, reason = "what is waited for happens in the database")]
#[tokio::test]
async fn a_caller_dropped_at_any_await_leaves_no_transaction_behind() {
    let (db, catalog) = catalog().await;
    let apart = Catalog::connect(&options(db.url())).expect("the address");
    let (mut cuts, mut polls) = (0, 0);
    for round in 0..60 {
        // One await further each time, and from the first again once it was done before the cut.
        if Cut::after(polls, catalog.record(&[observation(round)], now())).await.is_none() {
            (cuts, polls) = (cuts + 1, polls + 1);
        } else {
            polls = 0;
        }
        // A connection comes back to the pool a moment after it was let go.
        let ended = tokio::time::timeout(Duration::from_secs(10), async {
            while forgotten(&apart).await > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        assert!(ended.await.is_ok(), "in round {round}, a connection stays in a transaction");
    }
    assert!(cuts > 20 && cuts < 60, "{cuts} were cut");
}
