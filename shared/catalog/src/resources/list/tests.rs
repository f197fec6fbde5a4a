//! Lists and facets, now and at an instant, against what is stored and against one another.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use model::{Timestamp, Verdict};
use uuid::Uuid;

use crate::{
    AsOf, Catalog, Facet, ResourceQuery,
    bench::Estate,
    health::{Judgement, Touched},
    record::tests::world::{self, Saw},
    tests_support::{catalog, minute, now},
};

/// A few hundred small accounts in which much happens.
async fn filled(catalog: &Catalog) {
    let mut all = Vec::new();
    for n in 0..120_u8 {
        let case: Vec<Saw> = (0..6_u8)
            .map(|i| Saw::Fact {
                resource: n.wrapping_mul(3).wrapping_add(i),
                source: n.wrapping_add(i) % 3,
                at: (n.wrapping_mul(7).wrapping_add(i * 5)) % 12,
                state_id: 0,
                sighting: (n.wrapping_mul(5).wrapping_add(i * 3)) % 9,
            })
            .collect();
        all.extend(world::observations(&format!("{n:012}"), &case));
    }
    for batch in all.chunks(90) {
        catalog.record(batch, now()).await.expect("recorded");
    }
    judged(catalog).await;
}

/// Judges everything: what is called `name 1` or `name 2` is unhealthy, the rest healthy.
async fn judged(catalog: &Catalog) {
    let everything = ResourceQuery { limit: 1000, ..ResourceQuery::default() };
    let ids: Vec<Touched> = catalog
        .resources(&everything)
        .await
        .expect("resources")
        .items
        .iter()
        .map(|one| Touched { resource: one.id, at: minute(125), concerned: true })
        .collect();
    catalog.health_touched(&ids, now()).await.expect("touched");
    let judge = &mut |subject: &crate::health::Subject| {
        let ill = subject.resource.name == "name 1" || subject.resource.name == "name 2";
        let health = if ill { model::Health::Unhealthy } else { model::Health::Healthy };
        let verdict = Verdict {
            health,
            status: "Judged".to_owned(),
            ready: true,
            reason: String::new(),
            rule: Some("all".to_owned()),
            until: None,
        };
        Judgement { verdict, due_at: None }
    };
    catalog.judge_due(10_000, now(), 0, judge).await.expect("judged");
}

fn query(q: &str, at: Option<Timestamp>) -> ResourceQuery {
    ResourceQuery {
        selector: selector::parse(q).expect("a selector"),
        as_of: AsOf { at, recorded_at: None },
        limit: 7,
        ..ResourceQuery::default()
    }
}

/// Every page of a list, in its order.
async fn pages(catalog: &Catalog, mut query: ResourceQuery) -> Vec<Uuid> {
    let mut ids = Vec::new();
    loop {
        let page = catalog.resources(&query).await.expect("a page");
        ids.extend(page.items.iter().map(|resource| Uuid::from(resource.id)));
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return ids,
        }
    }
}

const SELECTORS: [&str; 14] = [
    "",
    "type=AWS::EC2::Instance",
    "tags.env=e1",
    "type=AWS::S3::Bucket tags.env=e0",
    "type=AWS::S3::* tags.env=e0,e1",
    "account=000000000007",
    "account=000000000007 tags.env=e1",
    "health=unhealthy",
    "health=unhealthy account=000000000011",
    "health=healthy",
    "health=unhealthy tags.env=e1",
    "name",
    "r2",
    "type=AWS::EC2::Instance name",
];

#[tokio::test]
async fn pages_hold_everything_once_and_whatever_leads_finds_the_same() {
    let (_db, catalog) = catalog().await;
    filled(&catalog).await;
    for at in [None, Some(minute(35)), Some(minute(60)), Some(minute(75)), Some(minute(500))] {
        for q in SELECTORS {
            let listed = pages(&catalog, query(q, at)).await;
            let set: BTreeSet<Uuid> = listed.iter().copied().collect();
            assert_eq!(set.len(), listed.len(), "{q} at {at:?} lists something twice");
            // Within an alternative nothing leads, so that every row is looked at.
            let nothing = if q.is_empty() { String::new() } else { format!("({q} | type=None)") };
            let looked: BTreeSet<Uuid> = pages(&catalog, query(&nothing, at)).await.into_iter().collect();
            assert_eq!(set, looked, "{q} at {at:?}");
        }
    }
}

#[tokio::test]
async fn a_list_at_an_instant_is_what_was_shown_then() {
    let (_db, catalog) = catalog().await;
    filled(&catalog).await;
    type Row = (Uuid, DateTime<Utc>, Option<DateTime<Utc>>, Option<DateTime<Utc>>, String);
    let spans: Vec<Row> = sqlx::query_as(
        "select id, shown_from, null::timestamptz, deleted_at, name from perigee.resources
         union all
         select resource_id, valid_from, valid_to, deleted_at, name from perigee.shown_closed where superseded_at is null",
    )
    .fetch_all(&catalog.pool)
    .await
    .expect("spans");
    let mut seen = 0;
    for minutes in (0..130).step_by(10) {
        let at = minute(minutes);
        let then = |deleted: bool| -> BTreeMap<Uuid, &str> {
            spans
                .iter()
                .filter(|(_, from, to, _, _)| *from <= at && to.is_none_or(|to| to > at))
                .filter(|(_, _, _, gone, _)| deleted || gone.is_none())
                .map(|(id, _, _, _, name)| (*id, name.as_str()))
                .collect()
        };
        for include_deleted in [false, true] {
            let asked = ResourceQuery { include_deleted, limit: 1000, ..query("", Some(at)) };
            let page = catalog.resources(&asked).await.expect("a page");
            let listed: BTreeMap<Uuid, &str> =
                page.items.iter().map(|one| (Uuid::from(one.id), one.name.as_str())).collect();
            assert_eq!(listed, then(include_deleted), "at minute {minutes}");
            seen += listed.len();
        }
    }
    assert!(seen > 1_000, "{seen}");
}

/// Counts as a facet tells them.
fn counted(facet: &Facet) -> BTreeMap<&str, i64> {
    facet.values.iter().map(|value| (value.value.as_str(), value.count)).collect()
}

#[tokio::test]
async fn facets_count_what_lists_hold_each_without_its_own_conditions() {
    let (_db, catalog) = catalog().await;
    filled(&catalog).await;
    // Once from the deltas, once from the folded counts.
    for folded in [false, true] {
        if folded {
            catalog.maintain(now()).await.expect("maintained");
        }
        for at in [None, Some(minute(35)), Some(minute(200))] {
            for q in SELECTORS {
                let facets = catalog.facets(&query(q, at)).await.expect("facets");
                let total = pages(&catalog, query(q, at)).await.len();
                assert_eq!(facets.total.count, i64::try_from(total).expect("few"), "{q} at {at:?}");
                assert!(facets.total.exact);
            }
            let facets =
                catalog.facets(&query("type=AWS::EC2::Instance health=unhealthy", at)).await.expect("facets");
            for (value, count) in counted(&facets.kind) {
                let listed =
                    pages(&catalog, query(&format!("type={value} health=unhealthy"), at)).await.len();
                assert_eq!(i64::try_from(listed).expect("few"), count, "{value} at {at:?}");
            }
            for (value, count) in counted(&facets.health) {
                let q = format!("type=AWS::EC2::Instance health={value}");
                let listed = pages(&catalog, query(&q, at)).await.len();
                assert_eq!(i64::try_from(listed).expect("few"), count, "{value} at {at:?}");
            }
        }
    }
}

#[tokio::test]
async fn counts_are_those_of_lists_near_the_first_day_and_near_the_last() {
    let (_db, catalog) = catalog().await;
    let estate = Estate { resources: 600, seed: 1, now: now() };
    catalog.build_estate(&estate, &|_, _| ()).await.expect("an estate");
    let mut early = 0;
    for days in [1, 30, 60, 85, 200, 500, 900] {
        let at = now() - chrono::Duration::days(days);
        let is_early: bool = sqlx::query_scalar("select perigee.is_early($1)")
            .bind(at.date_naive())
            .fetch_one(&catalog.pool)
            .await
            .expect("an answer");
        early += u32::from(is_early);
        for q in ["", "type=AWS::EC2::Instance", "health=healthy"] {
            let facets = catalog.facets(&query(q, Some(at))).await.expect("facets");
            let listed = pages(&catalog, query(q, Some(at))).await.len();
            assert_eq!(facets.total.count, i64::try_from(listed).expect("few"), "{q} {days} days ago");
        }
    }
    assert!((1..7).contains(&early), "{early} of the days are near the first");
}

#[tokio::test]
async fn what_is_called_by_the_word_comes_first() {
    let (_db, catalog) = catalog().await;
    filled(&catalog).await;
    let page =
        catalog.resources(&ResourceQuery { limit: 1000, ..query("\"name 1\"", None) }).await.expect("a page");
    let first: Vec<bool> = page.items.iter().map(|one| one.name == "name 1").collect();
    assert!(first.iter().any(|called| *called));
    assert!(first.is_sorted_by(|a, b| a >= b), "{first:?}");
}
