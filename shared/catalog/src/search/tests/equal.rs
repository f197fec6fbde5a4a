use std::collections::BTreeSet;

use fastrand::Rng;
use selector::{Schema, Selector};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{
    generate,
    world::{self, World},
};
use crate::{
    Catalog, changes, findings, resources,
    search::{When, prepare, push_world},
    tests_support::{catalog, now},
};

/// How many selectors are tried on each world, and how many worlds there are: 100,000 cases, each of which is one
/// selector that both back ends evaluate over the whole world.
const SELECTORS: usize = 12_500;
const WORLDS: u64 = 8;
/// What the worlds and the selectors are drawn from.
const SEED: u64 = 4;
/// How many selectors one statement evaluates.
const TOGETHER: usize = 250;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sql_and_memory_describe_the_same_resources_in_100_000_selectors() {
    let worlds: Vec<_> = (0..WORLDS).map(|n| tokio::spawn(one_world(SEED + n))).collect();
    let mut sums = [0; 3];
    for world in worlds {
        let counted = world.await.expect("a world in which both say the same");
        for (sum, counted) in sums.iter_mut().zip(counted) {
            *sum += counted;
        }
    }
    let [cases, described, not] = sums;
    eprintln!("{cases} selectors from seed {SEED}: {described} resources described, {not} not");
    assert!(cases >= 100_000);
    // A generator that hits nothing, or everything, would test nothing.
    assert!(described * 10 > not && not * 10 > described);
}

/// How many selectors were tried, how many resources they described, and how many they did not.
async fn one_world(seed: u64) -> [usize; 3] {
    let (_db, catalog) = catalog().await;
    let world = world::world(&catalog, seed).await;
    let mut rng = Rng::with_seed(seed);
    let mut sums = [0; 3];
    while sums[0] < SELECTORS {
        let texts: Vec<String> = (0..TOGETHER).map(|_| generate::selector(&mut rng)).collect();
        let selectors: Vec<Selector> = texts
            .iter()
            .map(|text| selector::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")))
            .collect();
        let in_sql = described(&catalog, &selectors).await;
        for ((text, selector), in_sql) in texts.iter().zip(&selectors).zip(in_sql) {
            let in_memory = world.described(selector);
            assert!(in_sql == in_memory, "{}", difference(text, seed, &world, &in_sql, &in_memory));
            sums[0] += 1;
            sums[1] += in_memory.len();
            sums[2] += world.resources.len() - in_memory.len();
        }
    }
    sums
}

/// What each of several selectors describes, in one statement: a column each.
async fn described(catalog: &Catalog, selectors: &[Selector]) -> Vec<BTreeSet<Uuid>> {
    let when = When { now: Some(now()), at: None };
    let mut sql: QueryBuilder<Postgres> = QueryBuilder::new("select r.id, array[false");
    for selector in selectors {
        let prepared = prepare(&catalog.pool, selector, when)
            .await
            .unwrap_or_else(|error| panic!("{selector}: {error}"));
        sql.push(", coalesce(true");
        prepared.push(&mut sql);
        sql.push(", false)");
    }
    sql.push("] from ");
    push_world(&mut sql, None);
    sql.push(" cross join lateral (select perigee.shown(r.id) as shown offset 0) d");
    let rows: Vec<(Uuid, Vec<bool>)> =
        sql.build_query_as().persistent(false).fetch_all(&catalog.pool).await.expect("an answer");
    let of = |place: usize| rows.iter().filter(|(_, holds)| holds[place + 1]).map(|(id, _)| *id).collect();
    (0..selectors.len()).map(of).collect()
}

fn difference(text: &str, seed: u64, world: &World, sql: &BTreeSet<Uuid>, memory: &BTreeSet<Uuid>) -> String {
    let apart: Vec<&Uuid> = sql.symmetric_difference(memory).collect();
    let first = world.resources.iter().find(|(id, _)| apart.first() == Some(&id)).map(|(_, thing)| thing);
    format!(
        "world {seed}: {text}\nSQL {sql:?}\nmemory {memory:?}\n{}",
        first.map(|thing| format!("{thing:#}")).unwrap_or_default()
    )
}

#[test]
fn what_may_be_asked_is_what_the_selector_says() {
    for (fields, schema) in [
        (&resources::FIELDS, selector::RESOURCES),
        (&changes::FIELDS, selector::CHANGES),
        (&findings::FIELDS, selector::FINDINGS),
    ] {
        assert_eq!(Schema { fields: &fields.kinds(), functions: fields.functions }, schema);
    }
}
