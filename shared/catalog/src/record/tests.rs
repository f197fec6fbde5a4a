//! The laws of `record`, on a real database.

mod moments;
mod oracle;
pub(crate) mod world;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use model::{Observation, ResourceId, timeline::Content};
use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use uuid::Uuid;

use self::{
    oracle::Meaning,
    world::{Case, case, observations},
};
use crate::{
    Catalog, Recorded,
    record::load::content,
    tests_support::{catalog, minute, now},
};

/// Rounds of the property test, and cases a round: 10,000 cases a run.
const ROUNDS: u32 = 20;
const CASES_A_ROUND: usize = 500;

/// How a round's observations arrive the second time: another order, other batches, some twice.
#[derive(Debug, Clone)]
struct Arrival {
    seed: u64,
    batch: usize,
}

fn arrival() -> impl Strategy<Value = Arrival> {
    (any::<u64>(), 1..900usize).prop_map(|(seed, batch)| Arrival { seed, batch: batch.max(40) })
}

/// A small generator of its own (xorshift*), so that a failing arrival can be told by its seed.
fn shuffled(mut all: Vec<Observation>, seed: u64) -> Vec<Observation> {
    let mut state = seed | 1;
    let mut next = |below: usize| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        usize::try_from(state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).expect("31 bits") % below
    };
    let repeats: Vec<Observation> = (0..all.len() / 8).map(|_| all[next(all.len())].clone()).collect();
    all.extend(repeats);
    for index in (1..all.len()).rev() {
        all.swap(index, next(index + 1));
    }
    all
}

async fn record_in_batches(catalog: &Catalog, observations: &[Observation], batch: usize) {
    for (n, batch) in observations.chunks(batch).enumerate() {
        let learned = now() + chrono::Duration::seconds(i64::try_from(n).expect("few batches"));
        catalog.record(batch, learned).await.expect("observations are recorded");
    }
}

/// What the catalog holds, in the oracle's words.
async fn held(catalog: &Catalog) -> Meaning {
    let mut meaning = Meaning::default();
    type VersionRow = (Uuid, String, DateTime<Utc>, Option<DateTime<Utc>>, i16, Option<Vec<u8>>);
    let versions: Vec<VersionRow> = sqlx::query_as(
        "select resource_id, source, valid_from, null::timestamptz, content, document from perigee.versions_open
         union all
         select resource_id, source, valid_from, valid_to, content, document from perigee.versions_closed
         where superseded_at is null",
    )
    .fetch_all(&catalog.pool)
    .await
    .expect("versions");
    for (id, source, from, to, kind, document) in versions {
        let content = match content(kind, document) {
            Content::Present => "present".to_owned(),
            Content::Deleted => "deleted".to_owned(),
            Content::Document(hash) => hash.to_string(),
        };
        assert!(
            meaning.versions.insert(format!("{id} {source} {from} {to:?} {content}")),
            "a version stands twice"
        );
    }
    type EdgeRow = (Uuid, String, String, Uuid, DateTime<Utc>, Option<DateTime<Utc>>);
    let edges: Vec<EdgeRow> = sqlx::query_as(
        "select from_id, source, kind, to_id, valid_from, null::timestamptz from perigee.edges_open
         union all
         select from_id, source, kind, to_id, valid_from, valid_to from perigee.edges_closed where superseded_at is null",
    )
    .fetch_all(&catalog.pool)
    .await
    .expect("edges");
    for (id, source, kind, to_id, from, to) in edges {
        assert!(
            meaning.edges.insert(format!("{id} {source} {kind} {to_id} {from} {to:?}")),
            "an edge stands twice"
        );
    }
    let deleted: Vec<(Uuid, DateTime<Utc>)> =
        sqlx::query_as("select id, deleted_at from perigee.resources where deleted_at is not null")
            .fetch_all(&catalog.pool)
            .await
            .expect("resources");
    meaning.deleted.extend(deleted.into_iter().map(|(id, at)| format!("{} {at}", ResourceId(id))));
    type ShownRow =
        (Uuid, DateTime<Utc>, Option<DateTime<Utc>>, String, serde_json::Value, Option<DateTime<Utc>>);
    let shown: Vec<ShownRow> = sqlx::query_as(
        "select id, shown_from, null::timestamptz, name, tags, deleted_at from perigee.resources
         union all
         select resource_id, valid_from, valid_to, name, tags, deleted_at from perigee.shown_closed
         where superseded_at is null",
    )
    .fetch_all(&catalog.pool)
    .await
    .expect("shown states");
    for (id, from, to, name, tags, deleted_at) in shown {
        let line = format!("{} {from} {to:?} {name} {tags} {deleted_at:?}", ResourceId(id));
        assert!(meaning.shown.insert(line), "a shown state stands twice");
    }
    meaning
}

/// Fails with the case of the first account that differs: accounts are independent, so nothing has to be shrunk.
fn agree(cases: &[Case], held: &BTreeSet<String>, expected: &BTreeSet<String>) {
    let Some(line) = held.symmetric_difference(expected).next() else { return };
    let id = line.split(' ').next().unwrap_or_default();
    let differing = cases
        .iter()
        .enumerate()
        .find(|(n, _)| world::ids(&account(*n)).iter().any(|own| own.to_string() == id));
    let of = |lines: &BTreeSet<String>| {
        lines.iter().filter(|line| line.starts_with(id)).cloned().collect::<Vec<_>>()
    };
    panic!("{differing:#?}\nheld: {:#?}\nexpected: {:#?}", of(held), of(expected));
}

fn account(n: usize) -> String {
    format!("{n:012}")
}

/// The counts that were kept beside the rows, and the counts of the rows.
async fn counts_agree(catalog: &Catalog) {
    let kept: i64 = catalog.counts().await.expect("counts").iter().map(|count| count.count).sum();
    let there: i64 = sqlx::query_scalar("select count(*) from perigee.resources where deleted_at is null")
        .fetch_one(&catalog.pool)
        .await
        .expect("resources");
    assert_eq!(kept, there, "counts drifted from the rows");
}

/// The rows of tags, and the tags of the rows.
async fn tags_agree(catalog: &Catalog) {
    let drifted: i64 = sqlx::query_scalar(
        "select count(*) from (
             select r.id, r.deleted_at is not null as gone, t.key, t.value
             from perigee.resources r cross join lateral jsonb_each_text(r.tags) t
             except select resource_id, gone, key, value from perigee.resource_tags) missing
         full join (
             select resource_id, gone, key, value from perigee.resource_tags
             except select r.id, r.deleted_at is not null, t.key, t.value
             from perigee.resources r cross join lateral jsonb_each_text(r.tags) t) surplus on false",
    )
    .fetch_one(&catalog.pool)
    .await
    .expect("tags");
    assert_eq!(drifted, 0, "rows of tags drifted");
}

/// Records a world of as many accounts as said, the same every time, in no particular order.
pub(crate) async fn sample_world(catalog: &Catalog, accounts: usize) {
    let mut runner = TestRunner::deterministic();
    let cases = vec(case(), accounts).new_tree(&mut runner).expect("cases").current();
    let all = cases.iter().enumerate().flat_map(|(n, case)| observations(&account(n), case)).collect();
    record_in_batches(catalog, &shuffled(all, 7), 50).await;
}

async fn check_round(cases: &[Case], arrival: &Arrival, databases: [&Catalog; 2]) {
    let accounts: Vec<Vec<Observation>> =
        cases.iter().enumerate().map(|(n, case)| observations(&account(n), case)).collect();
    let mut expected = Meaning::default();
    for account in &accounts {
        expected.add(oracle::meaning(account));
    }
    let all: Vec<Observation> = accounts.into_iter().flatten().collect();
    let orders = [(all.clone(), 700), (shuffled(all, arrival.seed), arrival.batch)];
    let mut digests = Vec::new();
    for (catalog, (observations, batch)) in databases.into_iter().zip(orders) {
        catalog.reset().await.expect("an empty catalog");
        record_in_batches(catalog, &observations, batch).await;
        let held = held(catalog).await;
        agree(cases, &held.versions, &expected.versions);
        agree(cases, &held.edges, &expected.edges);
        agree(cases, &held.deleted, &expected.deleted);
        agree(cases, &held.shown, &expected.shown);
        tags_agree(catalog).await;
        counts_agree(catalog).await;
        digests.push(catalog.digest().await.expect("a digest"));
    }
    assert_eq!(digests[0], digests[1], "the same set of observations gave two catalogs");
}

#[test]
fn any_order_and_repetition_of_a_set_gives_the_same_catalog_and_the_right_one() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let ((_one_db, one), (_other_db, other)) = runtime.block_on(async { (catalog().await, catalog().await) });
    let mut runner = TestRunner::new(Config { cases: ROUNDS, max_shrink_iters: 0, ..Config::default() });
    let rounds = (vec(case(), CASES_A_ROUND), arrival());
    let checked = runner.run(&rounds, |(cases, arrival)| {
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(check_round(&cases, &arrival, [&one, &other]));
        }));
        checked
            .map_err(|panic| TestCaseError::fail(panic.downcast_ref::<String>().cloned().unwrap_or_default()))
    });
    if let Err(error) = checked {
        panic!("{error}");
    }
    println!("{} generated cases, each in two orders", ROUNDS as usize * CASES_A_ROUND);
}

#[tokio::test]
async fn recording_again_is_a_duplicate_and_changes_nothing() {
    let (_db, catalog) = catalog().await;
    let cases = vec![world::Saw::Fact { resource: 0, source: 0, at: 1, state_id: 0, sighting: 1 }];
    let all = observations("000000000001", &cases);
    assert_eq!(catalog.record(&all, now()).await.expect("recorded"), [Recorded::New]);
    let before = catalog.digest().await.expect("a digest");
    assert_eq!(catalog.record(&all, minute(0)).await.expect("recorded"), [Recorded::Duplicate]);
    assert_eq!(
        catalog.record(&[all[0].clone(), all[0].clone()], now()).await.expect("recorded"),
        [Recorded::Duplicate; 2]
    );
    assert_eq!(catalog.digest().await.expect("a digest"), before);
}

/// Two listings that had instance 0 looking like document 1, and a late fact between them.
fn seen_twice() -> [Vec<Observation>; 3] {
    let listed =
        |at| world::Saw::Listed { kind: 0, source: 0, at, seen: 0b0101, split: 0, cut: false, grace: 0 };
    let late = world::Saw::Fact { resource: 0, source: 0, at: 2, state_id: 0, sighting: 2 };
    let all = observations("000000000001", &vec![listed(1), listed(3), late]);
    [all[..2].to_vec(), all[2..4].to_vec(), all[4..].to_vec()]
}

async fn rows(catalog: &Catalog, table: &str) -> i64 {
    let statement = format!("select count(*) from perigee.{table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_one(&catalog.pool).await.expect("a count")
}

#[tokio::test]
async fn a_page_that_shows_what_is_known_writes_no_row_of_its_resources() {
    let (_db, catalog) = catalog().await;
    let [first, second, _] = seen_twice();
    catalog.record(&first, now()).await.expect("recorded");
    let tables =
        ["versions_open", "versions_closed", "sightings", "documents", "aliases", "page_sets", "outbox"];
    let mut before = Vec::new();
    for table in tables {
        before.push(rows(&catalog, table).await);
    }
    catalog.record(&second, now()).await.expect("recorded");
    for (table, before) in tables.iter().zip(before) {
        assert_eq!(rows(&catalog, table).await, before, "{table}");
    }
    let unchanged: i64 =
        sqlx::query_scalar("select count(*) from perigee.listing_pages where unchanged is not null")
            .fetch_one(&catalog.pool)
            .await
            .expect("pages");
    assert_eq!(unchanged, 1);
}

#[tokio::test]
async fn what_a_page_saw_unchanged_resumes_after_a_late_fact() {
    let (_db, catalog) = catalog().await;
    let batches = seen_twice();
    for batch in &batches {
        catalog.record(batch, now()).await.expect("recorded");
    }
    let expected = oracle::meaning(&batches.concat());
    let held = held(&catalog).await;
    assert_eq!(held, expected);
    assert_eq!(expected.versions.len(), 3);
}
