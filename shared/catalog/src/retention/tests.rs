//! What goes, what stays, and that nobody waits for it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use model::{
    Completeness, Document, Observation, ObservationKey, Rank, ResourceFact, ResourceId, ResourceKey,
    Sighting, Source, Timestamp,
};
use serde_json::json;
use sqlx::PgPool;

use super::{Budget, Removed, check_horizon};
use crate::{
    Catalog, Error,
    holds::{HoldKind, NewHold},
    manifests::NewManifest,
    tests_support::now,
};

const ALL: Budget = Budget { slices: 10_000, time: Duration::from_secs(600) };

/// A catalog with a policy that leaves everything as the schema says.
async fn catalog() -> (testkit::TestDb, Catalog) {
    let (db, catalog) = crate::tests_support::catalog().await;
    policy(&catalog, json!({})).await;
    (db, catalog)
}

pub(crate) fn key(kind: &str, native_id: &str) -> ResourceKey {
    ResourceKey {
        provider: "aws".to_owned(),
        partition: "aws".to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        kind: kind.to_owned(),
        native_id: native_id.to_owned(),
    }
}

pub(crate) fn days_ago(days: i64) -> Timestamp {
    now() - TimeDelta::days(days)
}

/// What Config said of a resource so many days ago.
pub(crate) fn said(key: &ResourceKey, days: i64, sighting: Sighting) -> Observation {
    Observation {
        key: ObservationKey::of(&json!([key.native_id, key.kind, days])),
        source: Source::new("config", Rank::Config),
        account: key.account.clone(),
        region: key.region.clone(),
        occurred_at: days_ago(days),
        resources: vec![ResourceFact { key: key.clone(), state_id: 0, sighting, aliases: vec![] }],
        changes: vec![],
        findings: vec![],
        completeness: Completeness::OnlyThese,
    }
}

pub(crate) fn documented(name: &str, n: i64) -> Sighting {
    Sighting::Documented(Box::new(Document {
        name: Some(name.to_owned()),
        tags: [("env".to_owned(), "prod".to_owned())].into(),
        config: json!({"n": n, "of": name}),
        ..Document::default()
    }))
}

/// A resource with versions from so many days ago on, another each time.
async fn versions(catalog: &Catalog, key: &ResourceKey, days: &[i64]) {
    let said: Vec<Observation> =
        days.iter().map(|day| said(key, *day, documented(&key.native_id, *day))).collect();
    catalog.record(&said, now()).await.unwrap();
}

async fn closed_days(pool: &PgPool, id: ResourceId) -> Vec<i64> {
    let ends: Vec<DateTime<Utc>> = sqlx::query_scalar(
        "select valid_to from perigee.versions_closed where resource_id = $1 order by valid_to",
    )
    .bind(id.0)
    .fetch_all(pool)
    .await
    .unwrap();
    ends.into_iter().map(|end| (now() - end).num_days()).collect()
}

async fn months(catalog: &Catalog, from: &str, months: i32) {
    sqlx::query("select perigee.make_partitions($1::text::date, $2)")
        .bind(from)
        .bind(months)
        .execute(&catalog.pool)
        .await
        .unwrap();
}

async fn exists(catalog: &Catalog, relation: &str) -> bool {
    sqlx::query_scalar("select to_regclass('perigee.' || $1) is not null")
        .bind(relation)
        .fetch_one(&catalog.pool)
        .await
        .unwrap()
}

async fn retain(catalog: &Catalog) -> Removed {
    catalog.retain(now(), true, ALL).await.unwrap()
}

pub(crate) async fn policy(catalog: &Catalog, spec: serde_json::Value) {
    let new = NewManifest {
        kind: "Retention".to_owned(),
        name: "default".to_owned(),
        body: json!({"apiVersion": "perigee.dev/v1", "kind": "Retention", "metadata": {"name": "default"}, "spec": spec}),
    };
    catalog.apply_manifests(&[new], now()).await.unwrap();
}

fn hold(name: &str, selector: &str) -> NewHold {
    NewHold {
        name: name.to_owned(),
        kind: HoldKind::Legal,
        reason: "a dispute".to_owned(),
        selector: selector.to_owned(),
        since: None,
        until: None,
        created_by: None,
    }
}

#[tokio::test]
async fn a_whole_month_past_its_age_is_dropped_and_what_is_so_now_stays() {
    let (_db, catalog) = catalog().await;
    months(&catalog, "2024-10-01", 6).await;
    let bucket = key("AWS::S3::Bucket", "logs");
    versions(&catalog, &bucket, &[600, 480, 450, 200]).await;
    assert_eq!(closed_days(&catalog.pool, bucket.id()).await, [480, 450, 200]);
    let plan = catalog.retention_plan(now()).await.unwrap();
    let dropped: Vec<&str> = plan
        .items
        .iter()
        .filter(|item| item.dropped && item.rows > 0)
        .map(|item| item.relation.as_str())
        .collect();
    assert_eq!(dropped, ["versions_closed_2024_11", "versions_closed_2024_12"]);
    assert!(plan.rows >= 2 && plan.bytes > 0, "{plan:?}");
    check_horizon(&catalog.pool, days_ago(500)).await.unwrap();

    let removed = retain(&catalog).await;
    assert!(removed.done, "{removed:?}");
    assert!(removed.dropped.contains(&"versions_closed_2024_12".to_owned()), "{removed:?}");
    assert_eq!(closed_days(&catalog.pool, bucket.id()).await, [200]);
    assert!(catalog.resource(bucket.id()).await.unwrap().is_some());
    let expired = check_horizon(&catalog.pool, days_ago(500)).await.unwrap_err();
    assert!(matches!(expired, Error::Expired { .. }), "{expired}");
    check_horizon(&catalog.pool, days_ago(399)).await.unwrap();
    assert!(catalog.horizon().await.unwrap().states.is_some());
    // Nothing comes back, and nothing is left to do.
    catalog.maintain(now()).await.unwrap();
    assert!(!exists(&catalog, "versions_closed_2024_12").await);
    assert_eq!(retain(&catalog).await.rows.get("versions_closed"), None);
}

#[tokio::test]
async fn what_lies_in_no_month_goes_row_by_row_and_unreferenced_documents_a_day_later() {
    let (_db, catalog) = catalog().await;
    let bucket = key("AWS::S3::Bucket", "logs");
    versions(&catalog, &bucket, &[600, 480, 450, 200]).await;
    assert_eq!(retain(&catalog).await.rows.get("versions_closed"), Some(&2));
    assert_eq!(closed_days(&catalog.pool, bucket.id()).await, [200]);
    let documents = "select count(*) from perigee.documents";
    let count = async || sqlx::query_scalar::<_, i64>(documents).fetch_one(&catalog.pool).await.unwrap();
    assert_eq!(count().await, 4);
    // A day later one of them was heard of again: it stays for another day.
    let again = said(&key("AWS::S3::Bucket", "copy"), 1, documented("logs", 600));
    let later = now() + TimeDelta::hours(25);
    catalog.record(&[again], later).await.unwrap();
    catalog.retain(later, true, ALL).await.unwrap();
    assert_eq!(count().await, 3);
    catalog.retain(later + TimeDelta::days(2), true, ALL).await.unwrap();
    assert_eq!(count().await, 3);
}

#[tokio::test]
async fn types_have_ages_of_their_own_shorter_and_longer() {
    let (_db, catalog) = catalog().await;
    months(&catalog, "2024-10-01", 18).await;
    let spec = json!({"types": [{"type": "Kubernetes::*", "history": "30d"}, {"type": "AWS::IAM::*", "history": "2000d"}]});
    policy(&catalog, spec).await;
    let all =
        [key("Kubernetes::core::Pod", "pod"), key("AWS::IAM::Role", "role"), key("AWS::S3::Bucket", "logs")];
    for key in &all {
        versions(&catalog, key, &[600, 480, 90, 10]).await;
    }
    assert!(retain(&catalog).await.done);
    assert_eq!(closed_days(&catalog.pool, all[0].id()).await, [10]);
    assert_eq!(closed_days(&catalog.pool, all[1].id()).await, [480, 90, 10]);
    assert_eq!(closed_days(&catalog.pool, all[2].id()).await, [90, 10]);
    assert!(exists(&catalog, "versions_closed_2024_11").await, "what stays keeps its month");
    let horizon = catalog.horizon().await.unwrap();
    let pods: Vec<_> =
        horizon.kinds.iter().filter(|kind| kind.resource_type == "Kubernetes::core::Pod").collect();
    assert_eq!(pods.len(), 1, "{horizon:?}");
}

#[tokio::test]
async fn a_hold_keeps_its_history_whatever_becomes_of_the_resource() {
    let (_db, catalog) = catalog().await;
    months(&catalog, "2024-10-01", 6).await;
    let (held, other) = (key("AWS::S3::Bucket", "evidence"), key("AWS::S3::Bucket", "other"));
    for key in [&held, &other] {
        versions(&catalog, key, &[600, 480, 450, 200]).await;
    }
    let made = catalog.hold(&hold("case-7", "name=evidence"), now()).await.unwrap().unwrap();
    assert_eq!((made.resources, made.released_at), (1, None));
    assert_eq!(catalog.hold(&hold("case-7", "name=other"), now()).await.unwrap(), None);
    // It is called otherwise, then deleted; ages are as short as they can be.
    let renamed = said(&held, 20, documented("nothing to see", 1));
    let gone = said(&held, 10, Sighting::Deleted);
    catalog.record(&[renamed, gone], now()).await.unwrap();
    policy(&catalog, json!({"history": "1d", "deleted": "1d", "sightings": "1d", "types": [{"type": "*", "history": "1d", "deleted": "1d"}]}))
        .await;
    let plan = catalog.retention_plan(now()).await.unwrap();
    assert!(plan.held >= 5, "{plan:?}");
    assert!(retain(&catalog).await.done);
    assert_eq!(closed_days(&catalog.pool, held.id()).await, [480, 450, 200, 20, 10]);
    assert_eq!(closed_days(&catalog.pool, other.id()).await, [0; 0]);
    assert!(exists(&catalog, "versions_closed_2024_12").await);
    assert!(catalog.resource(held.id()).await.unwrap().is_some());
    // Nor do its documents go, long after.
    let much_later = now() + TimeDelta::days(30);
    catalog.retain(much_later, true, ALL).await.unwrap();
    let missing: i64 = sqlx::query_scalar(
        "select count(*) from perigee.versions_closed v where v.document is not null
         and not exists (select 1 from perigee.documents d where d.hash = v.document)",
    )
    .fetch_one(&catalog.pool)
    .await
    .unwrap();
    assert_eq!(missing, 0);
    // Once it is released, it is as any.
    assert!(catalog.release_hold("case-7", now()).await.unwrap());
    assert!(!catalog.release_hold("case-7", now()).await.unwrap());
    retain(&catalog).await;
    assert!(catalog.resource(held.id()).await.unwrap().is_none());
    assert!(!exists(&catalog, "versions_closed_2024_12").await);
}

#[tokio::test]
async fn a_hold_that_cannot_be_evaluated_keeps_all() {
    let (_db, catalog) = catalog().await;
    let bucket = key("AWS::S3::Bucket", "logs");
    versions(&catalog, &bucket, &[600, 480]).await;
    sqlx::query(
        "insert into perigee.holds (name, kind, reason, selector, created_at) values ('odd', 'legal', 'x', 'nothing=1', now())",
    )
    .execute(&catalog.pool)
    .await
    .unwrap();
    let refused = catalog.retain(now(), true, ALL).await.unwrap_err();
    assert!(matches!(refused, Error::Hold { .. }), "{refused}");
    assert_eq!(closed_days(&catalog.pool, bucket.id()).await, [480]);
}

#[tokio::test]
async fn a_month_that_somebody_reads_is_left_and_readers_do_not_wait() {
    let (_db, catalog) = catalog().await;
    months(&catalog, "2024-10-01", 6).await;
    let bucket = key("AWS::S3::Bucket", "logs");
    versions(&catalog, &bucket, &[600, 450]).await;
    let mut reader = crate::connect::begin(&catalog.pool).await.unwrap();
    let read = "select count(*) from perigee.versions_closed";
    sqlx::query_scalar::<_, i64>(read).fetch_one(&mut *reader).await.unwrap();
    let removing = tokio::spawn({
        let catalog = catalog.clone();
        async move { retain(&catalog).await }
    });
    let mut longest = Duration::ZERO;
    while !removing.is_finished() {
        let began = std::time::Instant::now();
        sqlx::query_scalar::<_, i64>(read).fetch_one(&catalog.pool).await.unwrap();
        longest = longest.max(began.elapsed());
    }
    let removed = removing.await.unwrap();
    assert!(removed.busy.contains(&"versions_closed_2024_12".to_owned()), "{removed:?}");
    assert!(longest < Duration::from_secs(1), "a reader waited {longest:?}");
    println!("the longest that a reader waited beside it: {longest:?}");
    drop(reader);
    assert!(retain(&catalog).await.dropped.contains(&"versions_closed_2024_12".to_owned()));
}

#[tokio::test]
async fn a_deleted_resource_goes_last_with_everything_of_it() {
    let (_db, catalog) = catalog().await;
    let (gone, there) = (key("AWS::S3::Bucket", "gone"), key("AWS::S3::Bucket", "there"));
    versions(&catalog, &gone, &[600, 500]).await;
    versions(&catalog, &there, &[600]).await;
    catalog.record(&[said(&gone, 450, Sighting::Deleted)], now()).await.unwrap();
    let removed = retain(&catalog).await;
    assert_eq!(removed.rows.get("resources"), Some(&1), "{removed:?}");
    assert!(catalog.resource(gone.id()).await.unwrap().is_none());
    assert!(catalog.resource(there.id()).await.unwrap().is_some());
    for table in ["versions_open", "versions_closed", "sightings", "aliases", "shown_closed", "resource_tags"]
    {
        let column = "resource_id";
        let left: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "select count(*) from perigee.{table} where {column} = $1"
        )))
        .bind(gone.id().0)
        .fetch_one(&catalog.pool)
        .await
        .unwrap();
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test]
async fn a_small_budget_goes_on_where_it_stopped() {
    let (_db, catalog) = catalog().await;
    let bucket = key("AWS::S3::Bucket", "logs");
    versions(&catalog, &bucket, &[600, 480, 450]).await;
    let small = Budget { slices: 1, time: Duration::from_secs(60) };
    let mut calls = 0;
    let mut fresh = true;
    loop {
        calls += 1;
        let removed = catalog.retain(now(), fresh, small).await.unwrap();
        fresh = false;
        if removed.done {
            break;
        }
        assert!(calls < 200, "it never ends");
    }
    assert!(calls > 1);
    assert_eq!(closed_days(&catalog.pool, bucket.id()).await, [0; 0]);
}
