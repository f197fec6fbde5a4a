//! The pages of the loop: home, health, checks, deliveries, manifests.

use std::collections::BTreeMap;

use ::catalog::{
    Page, SourceStatus,
    checks::{Check, CheckResult},
    deliveries::{Attempt, Delivery, DeliveryDetail},
    glance::Tally,
    health::{HealthBy, HealthChange, HealthCounts, HealthGroup, ResourceHealth},
    manifests::Stored,
    shards::{Coverage, ScraperStatus, ShardState, ShardStatus},
};
use manifest::Playbook;
use model::{
    CheckId, CheckState, DeliveryId, DeliveryState, Health, HealthState, SignalId, SignalKind, Transition,
    Verdict,
};
use serde_json::{Value, json};
use triggers::Refusal;
use uuid::Uuid;

use super::{
    super::{checks, deliveries, health, home, manifests, playbooks},
    at, check, id, now, story,
};

/// What a page must never repeat as markup.
pub(super) const EVIL: &str = "<script>alert(1)</script>";

pub(super) fn owned(text: &str) -> String {
    text.to_owned()
}

fn verdict(health: Health, status: &str, reason: &str) -> Verdict {
    Verdict {
        health,
        status: owned(status),
        ready: health == Health::Healthy,
        reason: owned(reason),
        rule: Some(owned("ecs-service")),
        until: (health == Health::Warning).then(|| at("2026-03-03T02:35:00Z")),
    }
}

pub(super) fn unhealthy() -> ResourceHealth {
    ResourceHealth {
        kind: owned("AWS::ECS::Service"),
        name: owned("checkout"),
        account: owned("111122223333"),
        region: owned("eu-west-1"),
        namespace: None,
        state: HealthState {
            resource: id(2),
            verdict: verdict(
                Health::Unhealthy,
                "TasksFailing",
                "0 of 3 tasks are running & none passes <health> checks",
            ),
            since: at("2026-03-03T02:16:00Z"),
            judged_at: at("2026-03-03T02:30:00Z"),
        },
    }
}

fn warned() -> ResourceHealth {
    let state = HealthState {
        resource: id(4),
        verdict: verdict(Health::Warning, "Rebooting", ""),
        since: at("2026-03-03T02:28:00Z"),
        judged_at: at("2026-03-03T02:30:00Z"),
    };
    ResourceHealth {
        kind: owned("AWS::RDS::DBInstance"),
        name: owned("checkout-primary"),
        state,
        ..unhealthy()
    }
}

pub(super) fn transitions() -> Page<HealthChange> {
    let change = |time: &str, from: Option<Health>, verdict: Verdict| HealthChange {
        kind: owned("AWS::ECS::Service"),
        name: owned("checkout"),
        account: owned("111122223333"),
        region: owned("eu-west-1"),
        recorded_at: at(time),
        transition: Transition { resource: id(2), at: at(time), from, from_status: None, verdict },
    };
    let items = vec![
        change("2026-03-03T02:16:00Z", Some(Health::Healthy), unhealthy().state.verdict),
        change("2026-01-12T09:14:03Z", None, verdict(Health::Healthy, "Stable", "")),
    ];
    Page { items, next: Some(owned("older")) }
}

pub(super) fn checks() -> Vec<Check> {
    let check = |name: &str, state: CheckState, reason: &str| Check {
        id: CheckId::of(name),
        name: owned(name),
        target: owned("GET https://shop.example.com/checkout?a=1&b=2"),
        resource: Some(id(2)),
        state,
        reason: owned(reason),
        since: at("2026-03-03T02:17:00Z"),
        failures: 3,
        ran_at: Some(at("2026-03-03T02:30:30Z")),
        status: Some(503),
        latency_ms: Some(41.0),
        due_at: at("2026-03-03T02:31:30Z"),
        uptime: Some(0.9875),
        p95_ms: Some(212.4),
        runs: 1440,
    };
    vec![
        check("checkout/page", CheckState::Failing, "it answered 503"),
        check("front page", CheckState::Passing, ""),
    ]
}

pub(super) fn playbook() -> Playbook {
    serde_json::from_value(json!({
        "title": "Find the cause",
        "description": "Looks for what changed around a service.",
        "target": "type=AWS::ECS::Service",
        "parameters": [
            {"name": "since", "type": "duration", "default": "6h", "description": "How far back"},
            {"name": "deep", "type": "boolean"},
            {"name": "tasks", "type": "number", "required": true, "options": [1, 2, 3]},
            {"name": "token", "type": "secret"},
        ],
        "steps": [
            {"name": "look", "catalog": {"changes": {}}},
            {"name": "say", "exec": {"script": "echo"}},
            {"name": "ask", "http": {"url": "https://example.com"}},
        ],
    }))
    .unwrap()
}

pub(super) fn book() -> playbooks::Offer {
    playbooks::Offer { name: owned("find-the-cause"), playbook: playbook() }
}

fn delivery(number: u128, state: DeliveryState, reason: &str, said: &str) -> Delivery {
    Delivery {
        id: DeliveryId(Uuid::from_u128(number)),
        notification: owned("on-call"),
        channel: owned("chat"),
        kind: SignalKind::HealthChanged,
        signal_id: SignalId(Uuid::from_u128(5)),
        subject: id(2).into(),
        resource: Some(id(2)),
        resource_name: Some(owned("checkout")),
        resource_type: Some(owned("AWS::ECS::Service")),
        state,
        reason: owned(reason),
        detail: owned(said),
        occurred_at: at("2026-03-03T02:16:00Z"),
        created_at: at("2026-03-03T02:16:02Z"),
        due_at: (state == DeliveryState::Pending).then(|| at("2026-03-03T02:33:00Z")),
        ended_at: (state != DeliveryState::Pending).then(|| at("2026-03-03T02:18:00Z")),
        late_seconds: (state == DeliveryState::Sent).then_some(61),
        attempts: 2,
        title: (state != DeliveryState::Suppressed).then(|| format!("checkout is unhealthy {EVIL}")),
    }
}

fn told() -> Vec<Delivery> {
    vec![
        delivery(1, DeliveryState::Failed, "gave_up", "it answered 500, six times"),
        delivery(2, DeliveryState::Sent, "late", "It was sent late."),
        delivery(3, DeliveryState::Suppressed, "silenced:night", "Silence night holds it back."),
        delivery(4, DeliveryState::Pending, "retrying", "It answered 500; it is tried again."),
    ]
}

pub(super) fn coverage() -> Coverage {
    let shard = |kind: &str, region: &str, state: ShardState, reason: &str, advice: &str| ShardStatus {
        scraper: owned("aws"),
        account: owned("111122223333"),
        region: owned(region),
        kind: owned(kind),
        state,
        reason: owned(reason),
        advice: owned(advice),
        resources: 12,
        pages: 1,
        missing: if state == ShardState::Held { 9 } else { 0 },
        began_at: Some(at("2026-03-03T02:25:00Z")),
        ended_at: Some(at("2026-03-03T02:26:00Z")),
        completed_at: (state == ShardState::Complete).then(|| at("2026-03-03T02:25:00Z")),
        due_at: None,
        running: state == ShardState::Incomplete,
    };
    let scraper = |name: &str, state: &str, reason: &str| ScraperStatus {
        name: owned(name),
        state: owned(state),
        reason: owned(reason),
        advice: String::new(),
        planned_at: Some(at("2026-03-03T02:25:00Z")),
        due_at: at("2026-03-03T03:25:00Z"),
    };
    Coverage {
        scrapers: vec![
            scraper("aws", "planned", ""),
            scraper("cluster", "failed", "the cluster does not answer"),
        ],
        shards: vec![
            shard(
                "*",
                "us-east-1",
                ShardState::Unrecorded,
                "AWS Config does not record",
                "Turn the `recorder` on",
            ),
            shard("AWS::EC2::Instance", "eu-west-1", ShardState::Complete, "", ""),
            shard("AWS::IAM::Role", "global", ShardState::Incomplete, "AccessDenied on page 3", "Allow it"),
            shard(
                "AWS::S3::Bucket",
                "global",
                ShardState::Held,
                "9 of 12 would be deleted",
                "`perigee scrape`",
            ),
            shard("AWS::SQS::Queue", "eu-west-1", ShardState::Failed, "no answer", ""),
        ],
    }
}

fn sums<const N: usize>(pairs: [(&str, i64); N]) -> BTreeMap<String, i64> {
    pairs.into_iter().map(|(state, count)| (owned(state), count)).collect()
}

fn found() -> home::Found {
    let heard = |source: &str| SourceStatus {
        source: owned(source),
        account: owned("111122223333"),
        region: owned("eu-west-1"),
        observations: 4,
        latest: at("2026-03-03T02:19:30Z"),
        heard_at: at("2026-03-03T02:29:00Z"),
    };
    let told = told();
    home::Found {
        unhealthy: Page { items: vec![unhealthy(), warned()], next: None },
        changes: story().into_iter().skip(1).take(3).collect(),
        runs: super::runs::runs().items,
        failed: told[..1].to_vec(),
        told: told[1..].to_vec(),
        sources: vec![heard("cloudtrail"), heard("config"), heard("config")],
        tally: Tally {
            health: sums([("healthy", 40), ("unhealthy", 1), ("warning", 1)]),
            runs: sums([("completed", 1), ("failed", 1), ("running", 1)]),
            deliveries: sums([("failed", 1), ("pending", 1)]),
            places: sums([("unrecorded", 2), ("complete", 9)]),
            ..Tally::default()
        },
    }
}

#[test]
fn home_says_what_is_wrong_first() {
    check("home", &found().render(now()));
}

#[test]
fn a_home_where_all_is_well_says_so() {
    let nothing = Page { items: vec![], next: None };
    let tally = Tally { health: sums([("healthy", 40)]), ..Tally::default() };
    let (runs, failed, told) = (vec![], vec![], vec![]);
    let page = home::Found { unhealthy: nothing, changes: vec![], runs, failed, told, tally, ..found() }
        .render(now());
    check("home_well", &page);
}

#[test]
fn deliveries_say_why_they_were_not_sent() {
    let page = Page { items: told(), next: Some(owned("older")) };
    check("deliveries", &deliveries::render("", None, Some(&page), now()));
    let attempt = |attempt, outcome: Option<&str>, status| Attempt {
        attempt,
        started_at: at("2026-03-03T02:16:03Z"),
        ended_at: outcome.map(|_| at("2026-03-03T02:16:04Z")),
        outcome: outcome.map(owned),
        status,
        detail: owned("It answered 500."),
    };
    let detail = DeliveryDetail {
        delivery: told().swap_remove(0),
        body: Some(format!("0 of 3 tasks are running {EVIL}")),
        payload: json!({}),
        tries: vec![
            attempt(1, Some("failed"), Some(500)),
            attempt(2, Some("cut"), None),
            attempt(3, None, None),
        ],
    };
    check("delivery", &deliveries::render_one(&detail, None, now()));
}

#[test]
fn a_silenced_delivery_leads_to_the_silence() {
    let detail =
        DeliveryDetail { delivery: told().swap_remove(2), body: None, payload: json!({}), tries: vec![] };
    let silence = |until: &str| stored("Silence", "night", json!({"reason": "a release", "until": until}));
    let page = |silence: Option<&Stored>| deliveries::render_one(&detail, silence, now()).0;
    let holding = page(Some(&silence("2026-03-03T06:00:00Z")));
    check("delivery_silenced", &maud::PreEscaped(holding));
    let over = page(Some(&silence("2026-03-03T02:20:00Z")));
    assert!(
        over.contains("/manifests/Silence/night") && over.contains("over since 2026-03-03 02:20"),
        "{over}"
    );
    let gone = page(None);
    assert!(!gone.contains("/manifests/Silence/night") && gone.contains("not applied any more"), "{gone}");
}

#[test]
fn checks_show_their_last_results_as_bars() {
    check("checks", &checks::render(&Page { items: checks(), next: None }, now()));
    let result = |minutes: i64, state, latency_ms| CheckResult {
        at: now() - chrono::TimeDelta::minutes(minutes),
        state,
        status: Some(200),
        latency_ms,
        reason: owned(if state == CheckState::Passing { "" } else { "it answered 503" }),
    };
    let items = vec![
        result(1, CheckState::Failing, Some(41.0)),
        result(2, CheckState::Unknown, None),
        result(3, CheckState::Passing, Some(80.0)),
    ];
    check("check", &checks::render_one(&checks()[0], &Page { items, next: Some(owned("older")) }, now()));
}

#[test]
fn health_is_summed_up_by_the_worst() {
    let group = |account: &str, health, counts, worst| HealthGroup {
        account: Some(owned(account)),
        namespace: None,
        kind: None,
        health,
        since: Some(at("2026-03-03T02:16:00Z")),
        counts,
        unjudged: 12,
        worst,
    };
    let groups = [
        group(
            "111122223333",
            Health::Unhealthy,
            HealthCounts { healthy: 40, unknown: 2, warning: 1, unhealthy: 1 },
            vec![unhealthy()],
        ),
        group("444455556666", Health::Unknown, HealthCounts::default(), vec![]),
    ];
    let page = Page { items: vec![unhealthy(), warned()], next: Some(owned("next")) };
    let view = health::View {
        by: HealthBy::Account,
        q: "health=unhealthy,warning",
        error: None,
        groups: &groups,
        page: Some(&page),
        now: now(),
    };
    check("health", &view.render());
}

#[expect(clippy::needless_pass_by_value, reason = "a spec is written in place")]
fn stored(kind: &str, name: &str, spec: Value) -> Stored {
    Stored {
        kind: owned(kind),
        name: owned(name),
        generation: 3,
        body: json!({"apiVersion": "perigee.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}),
        applied_at: at("2026-03-01T00:00:00Z"),
    }
}

#[test]
fn manifests_are_printed_as_yaml() {
    let broken = stored("HealthRule", "strange", json!({"colour": EVIL}));
    let items =
        vec![broken.clone(), stored("Playbook", "find-the-cause", serde_json::to_value(playbook()).unwrap())];
    check("manifests", &manifests::render("", &Page { items: items.clone(), next: None }, now()));
    check("manifest", &manifests::render_one(&items[1], now()));
    let page = manifests::render_one(&broken, now());
    assert!(page.0.contains("This build cannot read it") && !page.0.contains("<script"), "{}", page.0);
}

#[test]
fn a_form_says_what_is_wrong_beside_each_field() {
    let (playbook, given) = (playbook(), playbooks::Given::default());
    let faults =
        vec![owned("params.tasks: must be given"), owned("params.colour: there is no such parameter")];
    let refused = Refusal::Parameters(faults);
    let view = playbooks::View {
        name: "find-the-cause",
        playbook: &playbook,
        target: None,
        given: &given,
        now: now(),
        refused: Some(&refused),
    };
    check("playbook_wrong", &view.render());
}
