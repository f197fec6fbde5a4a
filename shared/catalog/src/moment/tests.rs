//! Looks at one resource at an instant, on a real database.

use std::collections::BTreeMap;

use model::{
    Document, Finding, FindingId, FindingStatus, Observation, Relation, ResourceKey, Severity, Sighting,
};
use serde_json::json;

use super::*;
use crate::{
    Catalog, FindingQuery, HistoryEntry, HistoryQuery,
    tests_support::{catalog, fact, minute, now, resource_key},
};

fn instance(native_id: &str) -> ResourceKey {
    resource_key("AWS::EC2::Instance", native_id)
}

/// A document of a name and a size, in a subnet where one is given.
fn sized(name: &str, size: u32, subnet: Option<&str>) -> Sighting {
    let relation =
        |subnet: &str| Relation { kind: "is in".to_owned(), to: resource_key("AWS::EC2::Subnet", subnet) };
    Sighting::Documented(Box::new(Document {
        name: Some(name.to_owned()),
        tags: BTreeMap::from([("size".to_owned(), size.to_string())]),
        config: json!({ "size": size }),
        relations: subnet.map(relation).into_iter().collect(),
        ..Document::default()
    }))
}

async fn look(catalog: &Catalog, at: i64, known: Option<i64>) -> Option<ResourceDetail> {
    let recorded_at = known.map(|seconds| now() + chrono::Duration::seconds(seconds));
    let as_of = AsOf { at: Some(minute(at)), recorded_at };
    catalog.resource_at(instance("i-1").id(), as_of).await.expect("an answer")
}

fn size(detail: Option<&ResourceDetail>) -> Option<&Value> {
    detail.map(|detail| &detail.document["config"]["size"])
}

async fn record(catalog: &Catalog, observation: Observation, seconds: i64) {
    let learned = now() + chrono::Duration::seconds(seconds);
    catalog.record(&[observation], learned).await.expect("recorded");
}

#[tokio::test]
async fn a_resource_is_shown_as_it_was_and_when_it_was_not_there_it_is_not() {
    let (_db, catalog) = catalog().await;
    let i = || instance("i-1");
    record(&catalog, fact(i(), 10, sized("one", 1, None)), 1).await;
    record(&catalog, fact(i(), 20, sized("two", 2, None)), 2).await;
    record(&catalog, fact(i(), 30, Sighting::Deleted), 3).await;
    assert_eq!(look(&catalog, 9, None).await, None, "nothing was known of it");
    let first = look(&catalog, 10, None).await.expect("it was there");
    assert_eq!(size(Some(&first)), Some(&json!(1)));
    assert_eq!((first.resource.deleted_at, first.resource.since), (None, Some(minute(10))));
    assert_eq!(first.sources[0].to, Some(minute(20)));
    assert_eq!(size(look(&catalog, 19, None).await.as_ref()), Some(&json!(1)));
    assert_eq!(size(look(&catalog, 29, None).await.as_ref()), Some(&json!(2)));
    let gone = look(&catalog, 30, None).await.expect("it is remembered");
    assert_eq!((size(Some(&gone)), gone.resource.deleted_at), (Some(&json!(2)), Some(minute(30))));
    assert_eq!(catalog.known_since(i().id()).await.expect("an answer"), Some(minute(10)));

    // It comes back, and its timeline goes on.
    record(&catalog, fact(i(), 40, sized("three", 3, None)), 4).await;
    let between = look(&catalog, 35, None).await.expect("it is remembered");
    assert_eq!((size(Some(&between)), between.resource.since), (Some(&json!(2)), Some(minute(10))));
    let back = look(&catalog, 40, None).await.expect("it is there");
    assert_eq!((size(Some(&back)), back.resource.deleted_at), (Some(&json!(3)), None));
    let history = catalog.history(&HistoryQuery::of(i().id())).await.expect("a page").items;
    let sizes: Vec<_> = history
        .iter()
        .map(|entry| match entry {
            HistoryEntry::Version { version, before } => {
                let size = |document: &Option<Value>| document.as_ref().map(|d| d["config"]["size"].clone());
                (version.from, size(&version.document), size(before))
            }
            HistoryEntry::Transition(_) => panic!("no rule judges it"),
        })
        .collect();
    assert_eq!(
        sizes,
        [
            (minute(40), Some(json!(3)), Some(json!(2))),
            (minute(30), None, None),
            (minute(20), Some(json!(2)), Some(json!(1))),
            (minute(10), Some(json!(1)), None),
        ]
    );
}

#[tokio::test]
async fn a_late_fact_changes_what_was_true_and_not_what_was_known() {
    let (_db, catalog) = catalog().await;
    let i = || instance("i-1");
    record(&catalog, fact(i(), 10, sized("one", 1, None)), 1).await;
    record(&catalog, fact(i(), 30, sized("three", 3, None)), 2).await;
    record(&catalog, fact(i(), 20, sized("two", 2, None)), 3).await;
    assert_eq!(size(look(&catalog, 25, None).await.as_ref()), Some(&json!(2)));
    assert_eq!(size(look(&catalog, 25, Some(2)).await.as_ref()), Some(&json!(1)), "as it was known");
    assert_eq!(size(look(&catalog, 25, Some(3)).await.as_ref()), Some(&json!(2)));
    assert_eq!(size(look(&catalog, 35, Some(1)).await.as_ref()), Some(&json!(1)), "its end was not known");
    assert_eq!(look(&catalog, 35, Some(1)).await.expect("it was known").sources[0].to, None);
    assert_eq!(look(&catalog, 25, Some(0)).await, None, "nothing was known yet");

    let superseded = HistoryQuery { superseded: true, ..HistoryQuery::of(i().id()) };
    let told: Vec<_> = catalog.history(&superseded).await.expect("a page").items;
    let told: Vec<_> = told
        .into_iter()
        .filter_map(|entry| match entry {
            HistoryEntry::Version { version, before } => Some((
                version.from,
                version.to,
                version.superseded_at.is_some(),
                before.map(|before| before["config"]["size"].clone()),
            )),
            HistoryEntry::Transition(_) => None,
        })
        .collect();
    assert_eq!(
        told,
        [
            (minute(30), None, false, Some(json!(2))),
            (minute(20), Some(minute(30)), false, Some(json!(1))),
            (minute(10), Some(minute(20)), false, None),
            (minute(10), Some(minute(30)), true, None),
        ]
    );
}

#[tokio::test]
async fn relations_that_began_or_ended_between_two_moments_are_told() {
    let (_db, catalog) = catalog().await;
    let i = || instance("i-1");
    let subnet = |name: &str| resource_key("AWS::EC2::Subnet", name).id();
    record(&catalog, fact(i(), 10, sized("one", 1, Some("a"))), 1).await;
    record(&catalog, fact(i(), 20, sized("one", 1, Some("b"))), 2).await;
    let between = async |id, from: i64, to: AsOf| {
        let told = edges_between(&catalog.pool, id, AsOf::at(minute(from)), to).await.expect("an answer");
        let far = |edges: Vec<Edge>| edges.into_iter().map(|edge| edge.to_id).collect::<Vec<_>>();
        (far(told.appeared), far(told.went))
    };
    let id = i().id();
    assert_eq!(between(id, 15, AsOf::at(minute(25))).await, (vec![subnet("b")], vec![subnet("a")]));
    assert_eq!(between(id, 5, AsOf::at(minute(15))).await, (vec![subnet("a")], vec![]));
    assert_eq!(between(subnet("b"), 15, AsOf::default()).await, (vec![subnet("b")], vec![]));
    let known = AsOf { at: Some(minute(25)), recorded_at: Some(now() + chrono::Duration::seconds(1)) };
    assert_eq!(between(id, 15, known).await, (vec![], vec![]), "the move was not known yet");
}

#[tokio::test]
async fn two_looks_are_compared_field_by_field() {
    let (_db, catalog) = catalog().await;
    let i = || instance("i-1");
    record(&catalog, fact(i(), 10, sized("one", 1, None)), 1).await;
    record(&catalog, fact(i(), 20, sized("one", 2, None)), 2).await;
    let (before, after) = (look(&catalog, 15, None).await, look(&catalog, 25, None).await);
    let told = ResourceDetail::differences(before.as_ref(), after.as_ref());
    assert!(told.iter().any(|d| d.path == "config.size" && d.after == Some(json!(2))), "{told:?}");
    let appeared = ResourceDetail::differences(None, after.as_ref());
    assert!(appeared.iter().all(|d| d.before.is_none()) && appeared.len() > 2, "{appeared:?}");
    assert_eq!(ResourceDetail::differences(after.as_ref(), after.as_ref()), []);
}

#[tokio::test]
async fn an_alias_names_who_had_it_then() {
    let (_db, catalog) = catalog().await;
    let named = |native_id: &str, at| {
        let mut seen = fact(instance(native_id), at, sized(native_id, 1, None));
        seen.resources[0].aliases = vec!["ip-10-0-0-1.internal".to_owned()];
        seen
    };
    record(&catalog, named("i-1", 10), 1).await;
    record(&catalog, named("i-2", 20), 2).await;
    let at = async |at| catalog.resolve_at("ip-10-0-0-1.internal", minute(at)).await.expect("an answer");
    assert_eq!(at(15).await, Some(instance("i-1").id()));
    assert_eq!(at(25).await, Some(instance("i-2").id()));
}

/// What a product states of a finding at a minute.
fn stated(at: i64, status: FindingStatus, title: &str) -> Observation {
    let mut seen = fact(instance("i-1"), at, Sighting::Mentioned);
    seen.key = model::ObservationKey::of(&json!([at, title]));
    seen.findings = vec![Finding {
        id: FindingId::of("guardduty", "111122223333", "eu-west-1", "1"),
        at: minute(at),
        first_seen: minute(10),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        product: "guardduty".to_owned(),
        external_id: "1".to_owned(),
        kind: "Recon".to_owned(),
        title: title.to_owned(),
        description: String::new(),
        severity: Severity::Low,
        status,
        details: json!({}),
        resources: vec![instance("i-1")],
    }];
    seen
}

#[tokio::test]
async fn findings_are_listed_as_they_were_stated_then() {
    let (_db, catalog) = catalog().await;
    record(&catalog, stated(10, FindingStatus::Open, "probe"), 1).await;
    record(&catalog, stated(30, FindingStatus::Resolved, "done"), 2).await;
    record(&catalog, stated(20, FindingStatus::Suppressed, "late"), 3).await;
    let at = async |at: i64, known: Option<i64>, selector: &str| {
        let recorded_at = known.map(|seconds| now() + chrono::Duration::seconds(seconds));
        let query = FindingQuery {
            selector: selector::parse(selector).expect("a selector"),
            as_of: AsOf { at: Some(minute(at)), recorded_at },
            resource: Some(instance("i-1").id()),
            limit: 10,
            ..FindingQuery::default()
        };
        let page = catalog.findings(&query).await.expect("a page");
        page.items.into_iter().map(|finding| finding.title).collect::<Vec<_>>()
    };
    assert_eq!(at(5, None, "").await, Vec::<String>::new());
    assert_eq!(at(15, None, "").await, ["probe"]);
    assert_eq!(at(25, None, "").await, ["late"]);
    assert_eq!(at(25, Some(2), "").await, ["probe"], "as it was known");
    assert_eq!(at(35, None, "").await, ["done"]);
    assert_eq!(at(35, Some(1), "").await, ["probe"]);
    assert_eq!(at(15, None, "status=open").await, ["probe"]);
    assert_eq!(at(15, None, "status=resolved").await, Vec::<String>::new());
}
