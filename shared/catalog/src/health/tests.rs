//! Health on a real database, judged by closures in place of rules.

use std::collections::BTreeSet;

use model::{
    Completeness, Document, Health, Observation, ObservationKey, Rank, ResourceFact, ResourceId, ResourceKey,
    Sighting, SignalKind, Source, Timestamp, Verdict,
};
use serde_json::json;

use super::*;
use crate::{
    ResourceQuery,
    manifests::NewManifest,
    tests_support::{catalog, minute},
};

fn key(kind: &str, native_id: &str) -> ResourceKey {
    ResourceKey {
        provider: if kind.starts_with("Kubernetes") { "kubernetes" } else { "aws" }.to_owned(),
        partition: "aws".to_owned(),
        account: if kind.starts_with("Kubernetes") { "cluster-1" } else { "111122223333" }.to_owned(),
        region: "eu-west-1".to_owned(),
        kind: kind.to_owned(),
        native_id: native_id.to_owned(),
    }
}

fn id(kind: &str, native_id: &str) -> ResourceId {
    key(kind, native_id).id()
}

/// What a source says of a resource at a minute: its state, or that it is gone.
fn seen(kind: &str, native_id: &str, state: Option<&str>, at: i64) -> Observation {
    let document = |state| Document { config: json!({"state": state}), ..Document::default() };
    Observation {
        key: ObservationKey::of(&json!([kind, native_id, state, at])),
        source: Source::new("config", Rank::Config),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        occurred_at: minute(at),
        resources: vec![ResourceFact {
            key: key(kind, native_id),
            aliases: vec![],
            state_id: 0,
            sighting: state
                .map_or(Sighting::Deleted, |state| Sighting::Documented(Box::new(document(state)))),
        }],
        changes: vec![],
        findings: vec![],
        completeness: Completeness::OnlyThese,
    }
}

fn verdict(health: Health, status: &str) -> Judgement {
    let verdict = Verdict {
        health,
        status: status.to_owned(),
        ready: true,
        reason: String::new(),
        rule: Some("test".to_owned()),
        until: None,
    };
    Judgement { verdict, due_at: None }
}

/// Judges by the document's state: `ok`, `bad`, or none of a rule's business.
fn by_state(subject: &Subject) -> Judgement {
    match subject.to_json()["config"]["state"].as_str() {
        Some("ok") => verdict(Health::Healthy, "Running"),
        Some("bad") => verdict(Health::Unhealthy, "Broken"),
        _ => {
            let mut none = verdict(Health::Unknown, "Unknown");
            none.verdict.rule = None;
            none
        }
    }
}

fn judged(resources: usize, changed: usize) -> Judged {
    Judged { resources, changed, outdated: false }
}

async fn touch(catalog: &Catalog, kind: &str, native_id: &str, at: i64, now: i64) {
    let touched = Touched { resource: id(kind, native_id), at: minute(at), concerned: true };
    catalog.health_touched(&[touched], minute(now)).await.unwrap();
}

async fn judge(catalog: &Catalog, now: i64) -> Judged {
    catalog.judge_due(1_000, minute(now), 0, &mut by_state).await.unwrap()
}

async fn told(catalog: &Catalog) -> Vec<(Timestamp, serde_json::Value)> {
    let claimed =
        catalog.claim_signals(10_000, minute(1_000_000), std::time::Duration::from_secs(1)).await.unwrap();
    let of_health = claimed.into_iter().filter(|one| one.signal.kind == SignalKind::HealthChanged);
    of_health.map(|one| (one.signal.occurred_at, one.signal.payload)).collect()
}

const WEB: (&str, &str) = ("AWS::EC2::Instance", "i-1");

#[tokio::test]
async fn a_resource_is_judged_as_it_stands_and_the_transition_bears_the_instant_of_its_version() {
    let (_db, catalog) = catalog().await;
    let (kind, native_id) = WEB;
    catalog.record(&[seen(kind, native_id, Some("ok"), 0)], minute(1)).await.unwrap();
    touch(&catalog, kind, native_id, 0, 1).await;
    assert_eq!(judge(&catalog, 2).await, judged(1, 1));
    assert_eq!(judge(&catalog, 2).await, Judged::default(), "nothing is due");

    catalog.record(&[seen(kind, native_id, Some("bad"), 10)], minute(11)).await.unwrap();
    touch(&catalog, kind, native_id, 10, 11).await;
    // The same signal again, and one of a version that is older: neither judges anything old.
    touch(&catalog, kind, native_id, 10, 11).await;
    touch(&catalog, kind, native_id, 5, 11).await;
    assert_eq!(judge(&catalog, 12).await, judged(1, 1));
    touch(&catalog, kind, native_id, 5, 13).await;
    assert_eq!(judge(&catalog, 13).await, judged(1, 0));

    let state = catalog.health_of(id(kind, native_id)).await.unwrap().unwrap().state;
    assert_eq!(
        (state.verdict.health, state.since, state.judged_at),
        (Health::Unhealthy, minute(10), minute(13))
    );
    let changes = catalog.transitions(id(kind, native_id), 10, None).await.unwrap().items;
    let seen: Vec<_> = changes
        .iter()
        .map(|one| (one.transition.at, one.transition.from, one.transition.verdict.health, one.recorded_at))
        .collect();
    let expected = [
        (minute(10), Some(Health::Healthy), Health::Unhealthy, minute(12)),
        (minute(0), None, Health::Healthy, minute(2)),
    ];
    assert_eq!(seen, expected);
    let mut told = told(&catalog).await;
    told.sort_by_key(|(at, _)| *at);
    let expected = json!({
        "type": kind, "account": "111122223333", "region": "eu-west-1", "name": "i-1", "health": "unhealthy",
        "previous": "healthy", "status": "Broken", "reason": "", "ready": true, "since": minute(10), "rule": "test",
    });
    assert_eq!(told[1], (minute(10), expected));
    assert_eq!(told[0].1["previous"], json!(null));
}

#[tokio::test]
async fn judges_that_work_at_once_write_each_transition_once() {
    let (_db, catalog) = catalog().await;
    let all: Vec<Observation> =
        (0..400).map(|n| seen("AWS::EC2::Instance", &format!("i-{n}"), Some("bad"), 0)).collect();
    catalog.record(&all, minute(1)).await.unwrap();
    let types = ["AWS::EC2::Instance".to_owned()];
    let start = TypeCursor::default();
    let last =
        catalog.health_types_due(&types, Cause::Start, &start, 1_000, minute(1)).await.unwrap().unwrap();
    assert_eq!(catalog.health_types_due(&types, Cause::Start, &last, 1_000, minute(1)).await.unwrap(), None);
    let work = || {
        let catalog = catalog.clone();
        tokio::spawn(async move {
            let mut judged = 0;
            // Those that another holds are not seen; so every judge looks until it has seen nothing for a while.
            for _ in 0..20 {
                judged += catalog.judge_due(30, minute(2), 0, &mut by_state).await.unwrap().resources;
            }
            judged
        })
    };
    let judges = [work(), work(), work(), work()];
    // Meanwhile the same resources are touched again and again.
    for n in 0..50 {
        touch(&catalog, "AWS::EC2::Instance", &format!("i-{n}"), 0, 2).await;
    }
    let mut judged = 0;
    for judge in judges {
        judged += judge.await.unwrap();
    }
    judged += judge(&catalog, 2).await.resources;
    assert!(judged >= 400, "{judged}");
    let mut transitions = BTreeSet::new();
    let mut cursor = None;
    loop {
        let page = catalog.recent_transitions(100, cursor.as_deref()).await.unwrap();
        let fresh = page.items.iter().all(|one| transitions.insert(one.transition.resource));
        assert!(fresh, "a transition was written twice");
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(transitions.len(), 400);
    assert_eq!(told(&catalog).await.len(), 400);
}

#[tokio::test]
async fn a_judge_that_dies_leaves_its_resources_due() {
    let (_db, catalog) = catalog().await;
    let (kind, native_id) = WEB;
    catalog.record(&[seen(kind, native_id, Some("ok"), 0)], minute(1)).await.unwrap();
    touch(&catalog, kind, native_id, 0, 1).await;
    let dying = catalog.clone();
    let died = tokio::spawn(async move {
        let mut panics = |_: &Subject| -> Judgement { panic!("the judge dies") };
        dying.judge_due(10, minute(2), 0, &mut panics).await
    });
    assert!(died.await.is_err());
    let mut done = judge(&catalog, 2).await;
    // The dead judge's transaction is rolled back when its connection is next looked at.
    for _ in 0..50 {
        if done.resources > 0 {
            break;
        }
        tokio::task::yield_now().await;
        done = judge(&catalog, 2).await;
    }
    assert_eq!(done, judged(1, 1));
}

#[tokio::test]
async fn what_is_gone_is_not_counted_and_what_comes_back_is_judged_anew() {
    let (_db, catalog) = catalog().await;
    let (kind, native_id) = WEB;
    catalog.record(&[seen(kind, native_id, Some("bad"), 0)], minute(1)).await.unwrap();
    touch(&catalog, kind, native_id, 0, 1).await;
    judge(&catalog, 1).await;
    assert_eq!(catalog.health_summary(HealthBy::All).await.unwrap()[0].counts.unhealthy, 1);

    catalog.record(&[seen(kind, native_id, None, 5)], minute(6)).await.unwrap();
    let touched = Touched { resource: id(kind, native_id), at: minute(5), concerned: false };
    catalog.health_touched(&[touched], minute(6)).await.unwrap();
    assert_eq!(judge(&catalog, 6).await, judged(1, 1));
    assert_eq!(catalog.health_of(id(kind, native_id)).await.unwrap(), None);
    let all = catalog.health_summary(HealthBy::All).await.unwrap();
    assert!(
        all.iter().all(|group| group.counts == HealthCounts::default() && group.unjudged == 0),
        "{all:?}"
    );
    let last = &catalog.transitions(id(kind, native_id), 1, None).await.unwrap().items[0].transition;
    assert_eq!((last.verdict.status.as_str(), last.at), ("Deleted", minute(5)));
    assert_eq!(told(&catalog).await.len(), 1, "resource.deleted tells it");
    assert_eq!(catalog.health_next_due().await.unwrap(), None);

    catalog.record(&[seen(kind, native_id, Some("ok"), 8)], minute(9)).await.unwrap();
    touch(&catalog, kind, native_id, 8, 9).await;
    judge(&catalog, 9).await;
    let again = &catalog.transitions(id(kind, native_id), 1, None).await.unwrap().items[0].transition;
    assert_eq!((again.from, again.verdict.health, again.at), (None, Health::Healthy, minute(8)));
}

#[tokio::test]
async fn what_no_rule_judges_has_no_health_and_loses_the_one_it_had() {
    let (_db, catalog) = catalog().await;
    let (kind, native_id) = WEB;
    catalog.record(&[seen(kind, native_id, Some("other"), 0)], minute(1)).await.unwrap();
    touch(&catalog, kind, native_id, 0, 1).await;
    assert_eq!(judge(&catalog, 1).await, judged(1, 0));
    assert_eq!(catalog.health_of(id(kind, native_id)).await.unwrap(), None);
    let all = &catalog.health_summary(HealthBy::Account).await.unwrap()[0];
    assert_eq!((all.health, all.unjudged, all.counts.healthy), (Health::Unknown, 1, 0));

    for (state, at) in [("bad", 2), ("other", 3)] {
        catalog.record(&[seen(kind, native_id, Some(state), at)], minute(at)).await.unwrap();
        touch(&catalog, kind, native_id, at, at).await;
        assert_eq!(judge(&catalog, at).await, judged(1, 1));
    }
    assert_eq!(catalog.health_of(id(kind, native_id)).await.unwrap(), None);
    assert_eq!(told(&catalog).await.len(), 2);
}

/// Machines, pods and a node, judged.
async fn estate() -> (testkit::TestDb, Catalog) {
    let (db, catalog) = catalog().await;
    let (instance, pod, node) = ("AWS::EC2::Instance", "Kubernetes::core::Pod", "Kubernetes::core::Node");
    let all = [
        seen(instance, "i-ok", Some("ok"), 0),
        seen(instance, "i-bad", Some("bad"), 1),
        seen(instance, "i-other", Some("other"), 1),
        seen(pod, "shop/web", Some("bad"), 2),
        seen(pod, "shop/db", Some("ok"), 2),
        seen(pod, "tools/cron", Some("ok"), 3),
        seen(pod, "empty/none", Some("other"), 3),
        seen(node, "node-1", Some("ok"), 4),
    ];
    catalog.record(&all, minute(5)).await.unwrap();
    for one in &all {
        let key = &one.resources[0].key;
        let at = (one.occurred_at - minute(0)).num_minutes();
        touch(&catalog, &key.kind, &key.native_id, at, 5).await;
    }
    judge(&catalog, 5).await;
    (db, catalog)
}

#[tokio::test]
async fn groups_show_their_worst() {
    let (_db, catalog) = estate().await;
    let line = |group: &HealthGroup| {
        let HealthCounts { healthy, unhealthy, .. } = group.counts;
        let name = [&group.account, &group.namespace, &group.kind]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>();
        let worst: Vec<&str> = group.worst.iter().map(|one| one.name.as_str()).collect();
        format!("{} {} {healthy}/{unhealthy}/{} {worst:?}", name.join(" "), group.health, group.unjudged)
    };
    for (by, expected) in [
        (HealthBy::All, vec![r#" unhealthy 4/2/2 ["shop/web", "i-bad"]"#]),
        (HealthBy::Account, vec![r#"111122223333 unhealthy 1/1/1 ["i-bad"]"#]),
        (HealthBy::Cluster, vec![r#"cluster-1 unhealthy 3/1/1 ["shop/web"]"#]),
        (
            HealthBy::Namespace,
            vec![
                r#"cluster-1 shop unhealthy 1/1/0 ["shop/web"]"#,
                "cluster-1 tools healthy 1/0/0 []",
                "cluster-1 empty unknown 0/0/1 []",
            ],
        ),
        (
            HealthBy::Type,
            vec![
                r#"AWS::EC2::Instance unhealthy 1/1/1 ["i-bad"]"#,
                r#"Kubernetes::core::Pod unhealthy 2/1/1 ["shop/web"]"#,
                "Kubernetes::core::Node healthy 1/0/0 []",
            ],
        ),
    ] {
        let groups = catalog.health_summary(by).await.unwrap();
        let lines: Vec<String> = groups.iter().map(line).collect();
        assert_eq!(lines, expected, "{by:?}");
    }
    let by_account = catalog.health_summary(HealthBy::Account).await.unwrap();
    assert_eq!(by_account[0].since, Some(minute(1)));
}

#[tokio::test]
async fn lists_begin_with_the_worst_and_can_be_asked_for_health() {
    let (_db, catalog) = estate().await;
    let list = async |text: &str| {
        let mut names = Vec::new();
        let mut cursor = None;
        loop {
            let selector = selector::parse(text).unwrap();
            let page = catalog
                .health_list(&HealthQuery { selector, limit: 2, cursor, ..HealthQuery::default() })
                .await
                .unwrap();
            names.extend(page.items.into_iter().map(|one| one.name));
            cursor = page.next;
            if cursor.is_none() {
                return names.join(" ");
            }
        }
    };
    assert_eq!(list("").await, "shop/web i-bad node-1 tools/cron shop/db i-ok");
    assert_eq!(list("health=unhealthy").await, "shop/web i-bad");
    assert_eq!(list("namespace=shop status=Running").await, "shop/db");
    assert_eq!(list("since>2026-03-01T00:02:30Z").await, "node-1 tools/cron");

    let names = async |text: &str| {
        let selector = selector::parse(text).unwrap();
        let query = ResourceQuery { selector, limit: 50, ..ResourceQuery::default() };
        let page = catalog.resources(&query).await.unwrap();
        page.items.into_iter().map(|one| one.name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("health=unhealthy").await, "i-bad shop/web");
    assert_eq!(names("type=AWS::* health!=healthy").await, "i-bad i-other");
    assert_eq!(names("status=Broken").await, "i-bad shop/web");
    let shown =
        catalog.resource(id("AWS::EC2::Instance", "i-bad")).await.unwrap().unwrap().resource.health.unwrap();
    assert_eq!((shown.health, shown.status.as_str(), shown.since), (Health::Unhealthy, "Broken", minute(1)));
}

#[tokio::test]
async fn what_a_rule_judged_is_due_again_piece_by_piece() {
    let (_db, catalog) = catalog().await;
    let all: Vec<Observation> =
        (0..7).map(|n| seen("AWS::EC2::Instance", &format!("i-{n}"), Some("ok"), 0)).collect();
    catalog.record(&all, minute(1)).await.unwrap();
    assert_eq!(catalog.resource_types().await.unwrap(), ["AWS::EC2::Instance"]);
    let types = catalog.resource_types().await.unwrap();
    let (mut after, mut pieces) = (TypeCursor::default(), 0);
    while let Some(last) = catalog.health_types_due(&types, Cause::Start, &after, 3, minute(9)).await.unwrap()
    {
        (after, pieces) = (last, pieces + 1);
    }
    assert_eq!(pieces, 3);
    assert_eq!(judge(&catalog, 9).await.resources, 7);
    let first = catalog.recent_transitions(1, None).await.unwrap().items.remove(0).transition;
    assert_eq!(first.at, minute(0), "what was never judged is so since its version began");

    let (mut after, mut pieces) = (None, 0);
    while let Some(last) = catalog.health_rule_due("test", after, 3, minute(20)).await.unwrap() {
        (after, pieces) = (Some(last), pieces + 1);
    }
    assert_eq!(pieces, 3);
    let mut worse = |_: &Subject| verdict(Health::Warning, "Worse");
    assert_eq!(catalog.judge_due(100, minute(21), 0, &mut worse).await.unwrap().changed, 7);
    let last = catalog.recent_transitions(1, None).await.unwrap().items.remove(0).transition;
    assert_eq!(last.at, minute(20), "it is so since the rule was edited");
    assert_eq!(catalog.health_rule_due("other", None, 3, minute(20)).await.unwrap(), None);
}

#[tokio::test]
async fn who_knows_only_the_rules_before_an_edit_does_not_judge_what_the_edit_made_due() {
    let (_db, catalog) = catalog().await;
    let (kind, native_id) = WEB;
    catalog.record(&[seen(kind, native_id, Some("ok"), 0)], minute(1)).await.unwrap();
    let rule = NewManifest { kind: "HealthRule".to_owned(), name: "test".to_owned(), body: json!({}) };
    let before = catalog.manifest_mark("HealthRule").await.unwrap();
    catalog.apply_manifests(&[rule], minute(1)).await.unwrap();
    touch(&catalog, kind, native_id, 0, 1).await;
    let refused = catalog.judge_due(10, minute(2), before, &mut by_state).await.unwrap();
    assert_eq!(refused, Judged { outdated: true, ..Judged::default() });
    let after = catalog.manifest_mark("HealthRule").await.unwrap();
    assert_eq!(catalog.judge_due(10, minute(2), after, &mut by_state).await.unwrap(), judged(1, 1));
}

#[tokio::test]
async fn a_text_that_postgres_cannot_keep_does_not_stop_the_others() {
    let (_db, catalog) = catalog().await;
    let all =
        [seen("AWS::EC2::Instance", "i-1", Some("ok"), 0), seen("AWS::EC2::Instance", "i-2", Some("ok"), 0)];
    catalog.record(&all, minute(1)).await.unwrap();
    for native_id in ["i-1", "i-2"] {
        touch(&catalog, "AWS::EC2::Instance", native_id, 0, 1).await;
    }
    let mut odd = |_: &Subject| {
        let mut odd = verdict(Health::Warning, "Nul\0");
        odd.verdict.reason = "\0".repeat(100_000);
        odd
    };
    assert_eq!(catalog.judge_due(10, minute(1), 0, &mut odd).await.unwrap().changed, 2);
}

#[tokio::test]
async fn health_is_answered_as_it_was_at_an_instant_and_as_it_was_known() {
    let (_db, catalog) = catalog().await;
    let (kind, native_id) = WEB;
    for (state, at) in [(Some("ok"), 0), (Some("bad"), 10), (None, 20)] {
        catalog.record(&[seen(kind, native_id, state, at)], minute(at + 1)).await.unwrap();
        touch(&catalog, kind, native_id, at, at + 1).await;
        judge(&catalog, at + 2).await;
    }
    let id = id(kind, native_id);
    let (mut of_one, mut listed, mut shown, mut known) = (vec![], vec![], vec![], vec![]);
    for at in [-1, 0, 9, 10, 19, 25] {
        let word = |health: Health| health.as_str().to_owned();
        let one = catalog.health_at(id, minute(at)).await.unwrap();
        of_one.push(one.map_or_else(String::new, |one| word(one.state.verdict.health)));
        let query = HealthQuery { at: Some(minute(at)), limit: 5, ..HealthQuery::default() };
        let items = catalog.health_list(&query).await.unwrap().items;
        listed.push(items.first().map_or_else(String::new, |one| word(one.state.verdict.health)));
        let health = async |recorded_at| {
            let as_of = crate::AsOf { at: Some(minute(at)), recorded_at };
            let detail = catalog.resource_at(id, as_of).await.unwrap();
            detail.and_then(|detail| detail.resource.health).map_or_else(String::new, |now| word(now.health))
        };
        shown.push(health(None).await);
        known.push(health(Some(minute(11))).await);
    }
    assert_eq!(of_one, ["", "healthy", "healthy", "unhealthy", "unhealthy", ""]);
    assert_eq!(listed, of_one);
    assert_eq!(shown, of_one);
    assert_eq!(
        known,
        ["", "healthy", "healthy", "healthy", "healthy", "healthy"],
        "it was judged a minute later"
    );
    let summary = catalog.health_summary_at(HealthBy::Account, Some(minute(15))).await.unwrap();
    assert_eq!((summary[0].counts.unhealthy, summary[0].counts.healthy, summary[0].unjudged), (1, 0, 0));
    assert_eq!(summary[0].worst[0].state.since, minute(10));
    let before = catalog.health_summary_at(HealthBy::All, Some(minute(-1))).await.unwrap();
    assert!(before.iter().all(|group| group.counts == HealthCounts::default() && group.unjudged == 0));
    let after = catalog.health_summary_at(HealthBy::All, Some(minute(25))).await.unwrap();
    assert!(after.iter().all(|group| group.counts == HealthCounts::default()), "{after:?}");
}
