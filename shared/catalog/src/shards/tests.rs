//! Leases, fences, and what is due.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;

use super::*;
use crate::{
    Catalog,
    tests_support::{catalog, now},
};

const LEASE: Duration = Duration::from_secs(60);

fn shard(kind: &str) -> Shard {
    Shard {
        scraper: "aws".to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        kind: kind.to_owned(),
        spec: json!({"via": "eu-west-1"}),
    }
}

fn ended(state: ShardState, again_at: Option<Timestamp>) -> Ended {
    Ended {
        state,
        reason: String::new(),
        advice: String::new(),
        resources: 3,
        pages: 1,
        missing: 0,
        began_at: now(),
        again_at,
    }
}

fn named(name: &str, version: &str) -> (String, String) {
    (name.to_owned(), version.to_owned())
}

/// A scraper that is planned into these shards.
async fn planned(catalog: &Catalog, shards: &[Shard]) {
    catalog.keep_scrapers(&[named("aws", "1")], now()).await.unwrap();
    let claimed = catalog.claim_scraper(now(), LEASE).await.unwrap().expect("a new scraper is due");
    let next = now() + TimeDelta::hours(1);
    assert!(catalog.plan_shards(&claimed, shards, next, now()).await.unwrap());
}

#[tokio::test]
async fn a_shard_is_claimed_once_and_again_when_the_claim_ran_out() {
    let (_db, catalog) = catalog().await;
    planned(&catalog, &[shard("A::B::C")]).await;
    let first = catalog.claim_shard(now(), LEASE).await.unwrap().expect("it is due");
    assert_eq!(first.shard, shard("A::B::C"));
    assert_eq!(catalog.claim_shard(now(), LEASE).await.unwrap(), None);
    assert!(catalog.coverage(now()).await.unwrap().shards[0].running);
    let later = now() + TimeDelta::seconds(61);
    assert_eq!(catalog.scrape_due().await.unwrap(), Some(now() + TimeDelta::seconds(60)), "it may have died");
    let second = catalog.claim_shard(later, LEASE).await.unwrap().expect("the claim ran out");
    assert!(second.fence > first.fence);
    let complete = ended(ShardState::Complete, None);
    assert!(!catalog.end_shard(&first, &complete, later).await.unwrap(), "the first came too late");
    assert_eq!(catalog.coverage(later).await.unwrap().shards[0].state, ShardState::Waiting);
    assert!(catalog.end_shard(&second, &complete, later).await.unwrap());
    let seen = &catalog.coverage(later).await.unwrap().shards[0];
    assert_eq!((seen.state, seen.completed_at, seen.running), (ShardState::Complete, Some(now()), false));
    assert_eq!(
        catalog.scrape_due().await.unwrap(),
        Some(now() + TimeDelta::hours(1)),
        "the scraper's next turn"
    );
}

#[tokio::test]
async fn a_listing_that_is_tried_again_keeps_what_the_last_complete_one_showed() {
    let (_db, catalog) = catalog().await;
    planned(&catalog, &[shard("A::B::C")]).await;
    let claimed = catalog.claim_shard(now(), LEASE).await.unwrap().unwrap();
    catalog.end_shard(&claimed, &ended(ShardState::Complete, None), now()).await.unwrap();
    catalog.scrape_now(Some("aws"), true, now()).await.unwrap();
    let scraper = catalog.claim_scraper(now(), LEASE).await.unwrap().expect("it was asked for");
    assert!(scraper.accept_deletions);
    catalog.plan_shards(&scraper, &[shard("A::B::C")], now() + TimeDelta::hours(1), now()).await.unwrap();
    for failures in 0..3 {
        let claimed = catalog.claim_shard(now(), LEASE).await.unwrap().expect("it is due again");
        assert_eq!(
            (claimed.failures, claimed.accept_deletions),
            (failures, true),
            "an answer holds until a listing ends"
        );
        catalog.end_shard(&claimed, &ended(ShardState::Incomplete, Some(now())), now()).await.unwrap();
    }
    let seen = &catalog.coverage(now()).await.unwrap().shards[0];
    assert_eq!((seen.state, seen.completed_at), (ShardState::Incomplete, Some(now())));
    let claimed = catalog.claim_shard(now(), LEASE).await.unwrap().unwrap();
    catalog.end_shard(&claimed, &ended(ShardState::Held, None), now()).await.unwrap();
    let again = shard("A::B::C");
    let claimed = catalog
        .claim_shard_named(&again.scraper, &again.account, &again.region, &again.kind, now(), LEASE)
        .await
        .unwrap()
        .unwrap();
    assert!(!claimed.accept_deletions, "and no longer");
}

#[tokio::test]
async fn a_plan_replaces_the_shards_and_a_claim_that_was_lost_plans_nothing() {
    let (_db, catalog) = catalog().await;
    planned(&catalog, &[shard("A::B::C"), shard("A::B::D")]).await;
    catalog.scrape_now(None, false, now()).await.unwrap();
    let lost = catalog.claim_scraper(now(), LEASE).await.unwrap().unwrap();
    let later = now() + TimeDelta::seconds(61);
    let claimed = catalog.claim_scraper(later, LEASE).await.unwrap().unwrap();
    let next = later + TimeDelta::hours(1);
    assert!(!catalog.plan_shards(&lost, &[], next, later).await.unwrap());
    assert_eq!(catalog.coverage(later).await.unwrap().shards.len(), 2);
    assert!(catalog.plan_shards(&claimed, &[shard("A::B::D")], next, later).await.unwrap());
    let kinds: Vec<String> =
        catalog.coverage(later).await.unwrap().shards.into_iter().map(|shard| shard.kind).collect();
    assert_eq!(kinds, ["A::B::D"]);
}

#[tokio::test]
async fn a_scraper_that_changes_is_due_at_once_and_one_that_goes_takes_its_shards_along() {
    let (_db, catalog) = catalog().await;
    planned(&catalog, &[shard("A::B::C")]).await;
    catalog.keep_scrapers(&[named("aws", "1")], now()).await.unwrap();
    assert_eq!(catalog.claim_scraper(now(), LEASE).await.unwrap(), None, "the same is not due");
    catalog.keep_scrapers(&[named("aws", "2")], now()).await.unwrap();
    let claimed = catalog.claim_scraper(now(), LEASE).await.unwrap().expect("another version is due");
    catalog
        .planning_failed(&claimed, "no credentials", "renew them", now() + TimeDelta::minutes(1))
        .await
        .unwrap();
    let seen = catalog.coverage(now()).await.unwrap();
    assert_eq!((&*seen.scrapers[0].state, &*seen.scrapers[0].reason), ("failed", "no credentials"));
    assert_eq!(seen.shards.len(), 1, "what was listed before stays to be seen");
    catalog.keep_scrapers(&[], now()).await.unwrap();
    let seen = catalog.coverage(now()).await.unwrap();
    assert_eq!((seen.scrapers.len(), seen.shards.len()), (0, 0));
}
