//! The law of two times: what was known at an instant of another is what the catalog answered then.

use std::collections::BTreeMap;

use model::Timestamp;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    account, arrival, shuffled,
    world::{self, Case, case, observations},
};
use crate::{
    AsOf, Catalog, Version,
    moment::{self, Moment},
    tests_support::{catalog, minute, now},
};

/// Rounds of the property test, and cases a round.
const ROUNDS: u32 = 5;
const CASES_A_ROUND: usize = 40;
/// How many batches the observations of a round come in.
const BATCHES: usize = 8;

/// What is answered of each resource that was known: name, tags, deletion, document, and what the sources said.
type Answers = BTreeMap<Uuid, (String, BTreeMap<String, String>, Option<Timestamp>, Value, Vec<Version>)>;

/// What is asked of: each instant of a generated world, the ones between, one before all of them, and now.
fn moments() -> Vec<Option<Timestamp>> {
    (-1..13).map(|n| Some(minute(n * 10))).chain([None]).collect()
}

async fn ask(catalog: &Catalog, ids: &[Uuid], as_of: AsOf) -> Answers {
    let moments = moment::many(&catalog.pool, ids, as_of).await.expect("answers");
    let answer = |(id, Moment { resource, document, sources }): (Uuid, Moment)| {
        (id, (resource.name, resource.tags, resource.deleted_at, document, sources))
    };
    moments.into_iter().map(answer).collect()
}

async fn check_round(catalog: &Catalog, cases: &[Case], seed: u64) {
    catalog.reset().await.expect("an empty catalog");
    let all: Vec<_> =
        cases.iter().enumerate().flat_map(|(n, case)| observations(&account(n), case)).collect();
    let ids: Vec<Uuid> = (0..cases.len()).flat_map(|n| world::ids(&account(n))).map(Uuid::from).collect();
    let all = shuffled(all, seed);
    let mut told = Vec::new();
    for (n, batch) in all.chunks(all.len().div_ceil(BATCHES)).enumerate() {
        let learned = now() + chrono::Duration::seconds(i64::try_from(n).expect("few batches"));
        catalog.record(batch, learned).await.expect("observations are recorded");
        for at in moments() {
            told.push((learned, at, ask(catalog, &ids, AsOf { at, recorded_at: None }).await));
        }
    }
    for (learned, at, before) in told {
        let after = ask(catalog, &ids, AsOf { at, recorded_at: Some(learned) }).await;
        for id in &ids {
            let (before, after) = (before.get(id), after.get(id));
            assert_eq!(before, after, "{id} at {at:?} as known at {learned}, seed {seed}");
        }
    }
}

#[test]
fn what_was_known_at_an_instant_is_what_the_catalog_answered_then() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (_db, catalog) = runtime.block_on(catalog());
    let mut runner = TestRunner::new(Config { cases: ROUNDS, max_shrink_iters: 0, ..Config::default() });
    let checked = runner.run(&(vec(case(), CASES_A_ROUND), arrival()), |(cases, arrival)| {
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(check_round(&catalog, &cases, arrival.seed));
        }));
        checked
            .map_err(|panic| TestCaseError::fail(panic.downcast_ref::<String>().cloned().unwrap_or_default()))
    });
    if let Err(error) = checked {
        panic!("{error}");
    }
    let asked = ROUNDS as usize * CASES_A_ROUND * 4 * BATCHES * moments().len();
    println!("{} generated cases, {asked} answers compared", ROUNDS as usize * CASES_A_ROUND);
}
