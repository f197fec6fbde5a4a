//! Every shape that a family reads, one file each in `families/`: what it means is in the snapshot beside it.

#![cfg(test)]

use std::fmt::Write as _;

use events::{Reading, Rejection};
use model::{Change, Finding, Observation, ResourceFact, ResourceKey, Sighting, Timestamp};
use serde_json::Value;

fn now() -> Timestamp {
    "2026-03-03T00:00:00Z".parse().unwrap()
}

fn sample(name: &str) -> Value {
    let path = format!("{}/tests/families/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn observed(payload: &Value) -> Observation {
    match events::read(payload, now()) {
        Ok(Reading::Observed(observation)) => *observation,
        other => panic!("no observation: {other:?}"),
    }
}

#[test]
fn each_shape_means_what_its_snapshot_says() {
    insta::glob!("families/*.json", |path| {
        let payload: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        insta::assert_snapshot!(told(&events::read(&payload, now())));
    });
}

#[test]
fn one_item_has_one_key_whatever_it_came_in() {
    let item = observed(&sample("config-item-of-an-event"));
    for wrapped in ["config-notification-item-change", "config-event-item-change"] {
        assert_eq!(observed(&sample(wrapped)), item, "{wrapped}");
    }
}

#[test]
fn both_dialects_of_an_item_state_the_same() {
    let event = observed(&sample("config-item-of-an-event"));
    let api = observed(&sample("config-item-of-the-api"));
    assert_eq!(api.resources, event.resources);
    assert_eq!((api.occurred_at, api.account, api.region), (event.occurred_at, event.account, event.region));
}

#[test]
fn an_item_that_only_its_envelope_places_is_another_observation_in_another_account() {
    let mut event = sample("config-event-item-change");
    let item = event["detail"]["configurationItem"].as_object_mut().unwrap();
    item.remove("awsAccountId");
    item.remove("ARN");
    let ours = observed(&event);
    event["account"] = "9".repeat(12).into();
    let theirs = observed(&event);
    assert_ne!(ours.key, theirs.key);
    assert_eq!(theirs.resources[0].key.account, "9".repeat(12));
}

#[test]
fn a_finding_is_the_same_observation_in_an_event_and_bare() {
    let event = sample("guardduty-event");
    assert_eq!(observed(&event), observed(&event["detail"]));
    let event = sample("securityhub-imported");
    assert_eq!(observed(&event), observed(&event["detail"]["findings"][0]));
}

#[test]
fn secrets_that_events_carry_do_not_enter() {
    for name in ["ecs-task-running", "codebuild-build", "states-execution"] {
        let told = told(&events::read(&sample(name), now()));
        assert!(!told.contains("correct-horse-battery"), "{name}");
    }
}

fn told(read: &Result<Reading, Rejection>) -> String {
    match read {
        Ok(Reading::Observed(observation)) => observation_told(observation),
        Ok(Reading::Ignored(why)) => format!("ignored: {why}\n"),
        Ok(Reading::Elsewhere(at)) => format!("elsewhere: {}/{} in {:?}\n", at.bucket, at.key, at.region),
        Err(rejection) => format!("rejected ({}): {rejection}\n", rejection.reason.as_str()),
    }
}

fn observation_told(observation: &Observation) -> String {
    let Observation { source, account, region, occurred_at, resources, changes, findings, .. } = observation;
    let mut text = format!("{} ({:?}) in {account} {region} at {occurred_at}\n", source.name, source.rank);
    for fact in resources {
        write!(text, "\nresource {}", fact_told(fact)).unwrap();
    }
    for change in changes {
        write!(text, "\nchange {}", change_told(change)).unwrap();
    }
    for finding in findings {
        write!(text, "\nfinding {}", finding_told(finding)).unwrap();
    }
    text
}

fn key_told(key: &ResourceKey) -> String {
    format!("{} {} ({} {})", key.kind, key.native_id, key.account, key.region)
}

fn fact_told(fact: &ResourceFact) -> String {
    let mut text =
        format!("{}\n  state id: {}\n  aliases: {:?}\n", key_told(&fact.key), fact.state_id, fact.aliases);
    match &fact.sighting {
        Sighting::Documented(document) => {
            writeln!(text, "  document: {}", pretty(&document.to_json())).unwrap();
            for relation in &document.relations {
                writeln!(text, "  relation: {} {}", relation.kind, key_told(&relation.to)).unwrap();
            }
        }
        other => writeln!(text, "  {other:?}").unwrap(),
    }
    text
}

fn change_told(change: &Change) -> String {
    let mut text =
        format!("{} ({}, {}) at {}\n", change.kind, change.category, change.severity, change.occurred_at);
    writeln!(text, "  summary: {}", change.summary).unwrap();
    let optional = [
        ("actor", change.actor.as_ref().map(|actor| format!("{} {actor}", actor.kind))),
        ("actor of account", change.actor.as_ref().and_then(|actor| actor.account.clone())),
        ("actor called by", change.actor.as_ref().and_then(|actor| actor.via.clone())),
        ("session", change.session_id.clone()),
        ("user agent", change.user_agent.clone()),
        ("read only", change.read_only.then(|| "yes".to_owned())),
        ("source address", change.source_address.clone()),
        ("error code", change.error_code.clone()),
        ("error message", change.error_message.clone()),
        ("event id", change.event_id.clone()),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            writeln!(text, "  {name}: {value}").unwrap();
        }
    }
    for touched in &change.resources {
        writeln!(text, "  {}: {}", touched.role, key_told(&touched.key)).unwrap();
    }
    writeln!(text, "  mentions: {:?}\n  details: {}", change.mentions, pretty(&change.details)).unwrap();
    text
}

fn finding_told(finding: &Finding) -> String {
    let Finding { product, external_id, kind, severity, status, first_seen, at, title, description, .. } =
        finding;
    let mut text = format!("{kind} of {product} ({severity}, {status}) at {at}, first seen {first_seen}\n");
    writeln!(text, "  id: {external_id}\n  title: {title}\n  description: {description}").unwrap();
    for key in &finding.resources {
        writeln!(text, "  about: {}", key_told(key)).unwrap();
    }
    writeln!(text, "  details: {}", pretty(&finding.details)).unwrap();
    text
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap().replace('\n', "\n  ")
}
