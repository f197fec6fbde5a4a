//! A catalog that agrees with itself, and every way in which it may not.

use model::Timestamp;
use sqlx::AssertSqlSafe;
use tokio::sync::mpsc;

use super::{Checked, Fault, Told};
use crate::{
    Catalog,
    record::tests::sample_world,
    tests_support::{catalog, now},
};

/// Everything that is told.
async fn told(catalog: &Catalog, repair: bool, now: Timestamp) -> Vec<Told> {
    let (to, mut from) = mpsc::channel(10);
    let verifying = tokio::spawn({
        let catalog = catalog.clone();
        async move { catalog.verify(repair, now, to).await }
    });
    let mut all = Vec::new();
    while let Some(told) = from.recv().await {
        all.push(told);
    }
    verifying.await.unwrap().unwrap();
    all
}

pub(crate) async fn faults(catalog: &Catalog, repair: bool, now: Timestamp) -> (Vec<Fault>, Vec<Checked>) {
    let (mut faults, mut checked) = (Vec::new(), Vec::new());
    for told in told(catalog, repair, now).await {
        match told {
            Told::Fault(fault) => faults.push(fault),
            Told::Checked(one) => checked.push(one),
            Told::Progress { .. } | Told::Done { .. } | Told::Failed { .. } => {}
        }
    }
    (faults, checked)
}

/// A corruption, the check that finds it, and whether it can be mended.
const PLANTED: &[(&str, &str, bool)] = &[
    (
        "update perigee.resources set name = 'somebody' where id = (select id from perigee.resources where since is not null order by id limit 1)",
        "shown",
        true,
    ),
    (
        "update perigee.resources set words = 'nothing' where id = (select id from perigee.resources order by id limit 1)",
        "shown",
        true,
    ),
    (
        "update perigee.resources set deleted_at = case when deleted_at is null then shown_from end where id = (select id from perigee.resources where since is not null order by id desc limit 1)",
        "shown",
        true,
    ),
    (
        "delete from perigee.shown_closed where ctid = (select ctid from perigee.shown_closed where superseded_at is null limit 1) and tableoid = (select tableoid from perigee.shown_closed where superseded_at is null limit 1)",
        "shown",
        true,
    ),
    (
        "delete from perigee.resource_tags where resource_id = (select resource_id from perigee.resource_tags limit 1)",
        "tags",
        true,
    ),
    (
        "insert into perigee.resource_tags select not gone, key, value, type, account, region, native_id, resource_id from perigee.resource_tags limit 1",
        "tags",
        true,
    ),
    (
        "insert into perigee.count_deltas (account, region, type, delta, at, recorded_at) values ('1', 'r', 't', 3, now(), now())",
        "counts",
        true,
    ),
    (
        "update perigee.counts set count = count + 1 where ctid = (select ctid from perigee.counts limit 1)",
        "counts",
        true,
    ),
    (
        "update perigee.count_days set delta = delta + 5 where ctid = (select ctid from perigee.count_days limit 1)",
        "count-days",
        true,
    ),
    (
        "insert into perigee.edges_open select from_id, source, 'to nowhere', gen_random_uuid(), valid_from, recorded_at from perigee.edges_open limit 1",
        "dangling",
        true,
    ),
    (
        "insert into perigee.edges_closed select from_id, source, kind, to_id, valid_from - interval '9 years', valid_from - interval '8 years', recorded_at, recorded_at from perigee.edges_open limit 1",
        "edges",
        false,
    ),
    (
        "insert into perigee.edges_closed select from_id, source, kind, to_id, valid_from, valid_from + interval '1 day', recorded_at, recorded_at from perigee.edges_open limit 1",
        "edges",
        false,
    ),
    (
        "delete from perigee.versions_open where resource_id = (select resource_id from perigee.versions_closed where superseded_at is null limit 1) and source = (select source from perigee.versions_closed where superseded_at is null limit 1)",
        "versions",
        false,
    ),
    (
        "update perigee.versions_closed set valid_to = valid_to - interval '1 second' where superseded_at is null",
        "versions",
        false,
    ),
    (
        "update perigee.versions_closed set valid_to = valid_to + interval '1 second' where superseded_at is null",
        "versions",
        false,
    ),
    (
        "insert into perigee.versions_closed select resource_id, source, rank, valid_from, valid_from + interval '1 hour', state_id, content, document, recorded_at, recorded_at from perigee.versions_open limit 1",
        "versions",
        false,
    ),
    (
        "delete from perigee.documents where hash = (select document from perigee.versions_open where document is not null limit 1)",
        "documents",
        false,
    ),
    (
        "delete from perigee.change_resources where change_id = (select change_id from perigee.change_resources limit 1)",
        "changes",
        true,
    ),
    (
        "insert into perigee.change_resources select id, now(), gen_random_uuid() from perigee.resources limit 1",
        "changes",
        true,
    ),
    ("delete from perigee.finding_statements", "findings", false),
    (
        "insert into perigee.finding_statements select gen_random_uuid(), at, hash, severity, status, title, recorded_at from perigee.finding_statements limit 1",
        "findings",
        true,
    ),
    (
        "insert into perigee.health (resource_id, type, account, region, health, since) values (gen_random_uuid(), 't', 'a', 'r', 'healthy', now())",
        "health",
        true,
    ),
    (
        "insert into perigee.health_closed (resource_id, type, account, region, native_id, health, status, ready, reason, valid_from, valid_to, recorded_at, end_recorded_at) select id, type, account, region, native_id, 'healthy', 's', true, '', now(), now() - interval '1 day', now(), now() from perigee.resources limit 1",
        "health",
        false,
    ),
    (
        "delete from perigee.page_sets where hash = (select seen from perigee.listing_pages limit 1)",
        "listings",
        false,
    ),
    ("delete from perigee.source_status", "ledger", true),
    ("insert into perigee.aliases select 'nobody', gen_random_uuid(), now(), now()", "orphans", false),
];

#[tokio::test]
async fn the_world_of_the_laws_agrees_with_itself() {
    let (_db, catalog) = catalog().await;
    sample_world(&catalog, 200).await;
    let (found, checked) = faults(&catalog, false, now()).await;
    assert_eq!(found, []);
    let looked_at: i64 = checked.iter().map(|checked| checked.rows).sum();
    println!("{} checks over {looked_at} rows, no fault", checked.len());
    for checked in &checked {
        println!("{:>8} {}", checked.rows, checked.check);
    }
    // Neither after the counts were folded, nor after what is old was removed.
    catalog.maintain(now()).await.unwrap();
    assert_eq!(faults(&catalog, false, now()).await.0, []);
    crate::retention::tests::policy(&catalog, serde_json::json!({})).await;
    let later = now() + chrono::TimeDelta::days(390);
    let all = crate::retention::Budget { slices: 10_000, time: std::time::Duration::from_secs(300) };
    for days in [0, 8, 9, 10, 11, 12, 20] {
        let later = later + chrono::TimeDelta::days(days);
        let removed = catalog.retain(later, true, all).await.unwrap();
        let (found, _) = faults(&catalog, false, later).await;
        assert_eq!(found, [], "{days} days later, without {removed:?}");
        println!("{days} days later, without {:?}: no fault", removed.rows);
    }
}

#[tokio::test]
async fn every_planted_fault_is_found_and_what_follows_from_something_else_is_mended() {
    let (_db, catalog) = catalog().await;
    for (plant, check, mends) in PLANTED {
        catalog.reset().await.unwrap();
        sample_world(&catalog, 60).await;
        crate::status::fold_counts(&catalog.pool).await.unwrap();
        let before = catalog.digest().await.unwrap();
        let planted = sqlx::query(AssertSqlSafe((*plant).to_owned())).execute(&catalog.pool).await.unwrap();
        assert!(planted.rows_affected() > 0, "nothing was planted: {plant}");
        let (found, _) = faults(&catalog, false, now()).await;
        assert!(found.iter().any(|fault| fault.check == *check), "{plant}: {found:?}");
        faults(&catalog, true, now()).await;
        let (left, _) = faults(&catalog, false, now()).await;
        let still = left.iter().any(|fault| fault.check == *check);
        assert_eq!(still, !mends, "{plant}: {left:?}");
        if *mends {
            assert_eq!(left, [], "{plant}");
            let whole = *check != "findings" && *check != "dangling";
            assert!(!whole || catalog.digest().await.unwrap() == before, "{plant}: the digest differs");
        }
    }
    println!("{} kinds of faults planted", PLANTED.len());
}
