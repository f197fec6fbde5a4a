//! The history of a resource, on a real database.

use model::{Document, Sighting};
use serde_json::json;

use super::*;
use crate::{
    Catalog,
    tests_support::{catalog, fact, minute, now, resource_key},
};

fn sized(size: u32) -> Sighting {
    Sighting::Documented(Box::new(Document { config: json!({ "size": size }), ..Document::default() }))
}

/// An instance that grows every ten minutes from minute 10 on, and falls ill at minute 25.
async fn told() -> (testkit::TestDb, Catalog, ResourceId) {
    let (db, catalog) = catalog().await;
    let key = resource_key("AWS::EC2::Instance", "i-1");
    for (learned, size) in [(1, 1), (2, 2), (3, 4), (4, 3)] {
        let learned = now() + chrono::Duration::seconds(learned);
        let seen = fact(key.clone(), i64::from(size) * 10, sized(size));
        catalog.record(&[seen], learned).await.expect("recorded");
    }
    let mut tag = fact(key.clone(), 15, Sighting::Present);
    tag.source = model::Source::new("cloudtrail", model::Rank::Event);
    catalog.record(&[tag], now()).await.expect("recorded");
    sqlx::query(
        "insert into perigee.health_transitions (resource_id, at, recorded_at, health, status, ready, reason, rule)
         values ($1, $2, $2, 'unhealthy', 'Broken', true, '', 'test')",
    )
    .bind(Uuid::from(key.id()))
    .bind(minute(25))
    .execute(&catalog.pool)
    .await
    .expect("a transition");
    (db, catalog, key.id())
}

/// Each entry of all pages of three: minute, what it is, and what was before.
async fn entries(catalog: &Catalog, query: HistoryQuery) -> Vec<String> {
    let (mut told, mut cursor) = (Vec::new(), None);
    let minutes = |at: DateTime<Utc>| (at - minute(0)).num_minutes();
    loop {
        let query = HistoryQuery { limit: 3, cursor, ..query.clone() };
        let page = catalog.history(&query).await.expect("a page");
        told.extend(page.items.into_iter().map(|entry| match entry {
            HistoryEntry::Version { version, before } => {
                let size = |document: Option<Value>| {
                    document.map_or_else(|| "-".to_owned(), |document| document["config"]["size"].to_string())
                };
                let was = if version.superseded_at.is_some() { " superseded" } else { "" };
                let (at, after) = (minutes(version.from), size(version.document));
                format!("{at} {} {}->{after}{was}", version.source, size(before))
            }
            HistoryEntry::Transition(change) => {
                format!("{} {}", minutes(change.transition.at), change.transition.verdict.status)
            }
        }));
        cursor = page.next;
        if cursor.is_none() {
            return told;
        }
    }
}

#[tokio::test]
async fn versions_and_transitions_are_one_list_that_can_be_narrowed() {
    let (_db, catalog, id) = told().await;
    let all = HistoryQuery { transitions: true, ..HistoryQuery::of(id) };
    assert_eq!(
        entries(&catalog, all.clone()).await,
        [
            "40 config 3->4",
            "30 config 2->3",
            "25 Broken",
            "20 config 1->2",
            "15 cloudtrail -->-",
            "10 config -->1"
        ]
    );
    let between = HistoryQuery { since: Some(minute(20)), until: Some(minute(30)), ..all.clone() };
    assert_eq!(entries(&catalog, between).await, ["25 Broken", "20 config 1->2"]);
    let of_source = HistoryQuery { source: Some("cloudtrail".to_owned()), ..all.clone() };
    assert_eq!(entries(&catalog, of_source).await, ["15 cloudtrail -->-"]);
    let at = HistoryQuery { as_of: AsOf::at(minute(24)), ..all };
    assert_eq!(entries(&catalog, at).await, ["20 config 1->2", "15 cloudtrail -->-", "10 config -->1"]);
}

#[tokio::test]
async fn superseded_versions_are_listed_beside_what_replaced_them() {
    let (_db, catalog, id) = told().await;
    let superseded = HistoryQuery { superseded: true, ..HistoryQuery::of(id) };
    assert_eq!(
        entries(&catalog, superseded.clone()).await,
        [
            "40 config 3->4",
            "30 config 2->3",
            "20 config 1->2",
            "20 config 1->2 superseded",
            "15 cloudtrail -->-",
            "10 config -->1"
        ]
    );
    let known = AsOf { at: None, recorded_at: Some(now() + chrono::Duration::seconds(3)) };
    let before = HistoryQuery { as_of: known, source: Some("config".to_owned()), ..superseded };
    assert_eq!(
        entries(&catalog, before).await,
        ["40 config 2->4", "20 config 1->2", "10 config -->1"],
        "the late fact of minute 30 was not known yet"
    );
}

#[tokio::test]
async fn a_page_of_great_documents_ends_early_and_goes_on() {
    let (_db, catalog) = catalog().await;
    let key = resource_key("AWS::EC2::Instance", "i-1");
    let great = |n: i64| {
        // Nothing that a database could make small.
        let (mut text, mut state) = (String::new(), 0x9E37_79B9_7F4A_7C15_u64.wrapping_add(n.unsigned_abs()));
        while text.len() < 3 << 20 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(&format!("{:016x}", state ^ (state >> 29)));
        }
        let document = Document { config: json!({ "size": n, "text": text }), ..Document::default() };
        Sighting::Documented(Box::new(document))
    };
    for n in 1..=4 {
        catalog.record(&[fact(key.clone(), n * 10, great(n))], now()).await.expect("recorded");
    }
    let page = catalog.history(&HistoryQuery::of(key.id())).await.expect("a page");
    assert!(page.items.len() < 4 && page.next.is_some(), "{} versions", page.items.len());
    let all = entries(&catalog, HistoryQuery::of(key.id())).await;
    assert_eq!(all, ["40 config 3->4", "30 config 2->3", "20 config 1->2", "10 config -->1"]);
}
