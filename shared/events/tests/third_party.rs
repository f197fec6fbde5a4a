//! What holds for every third-party event. The files stay outside the repository: `PERIGEE_TEST_DATA` says where
//! they are; without it these tests print a line and pass, unless `PERIGEE_REQUIRE_DATA=1`.

#![cfg(test)]

use std::{collections::BTreeMap, path::PathBuf};

use events::{Reading, Rejection, read, split};
use model::{Role, Sighting, Timestamp};
use serde_json::Value;

#[expect(clippy::disallowed_methods, reason = "where the data is, is the environment's to say")]
fn folder() -> Option<PathBuf> {
    let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let folder = var("PERIGEE_TEST_DATA").map(|path| PathBuf::from(path).join("aws-events"));
    assert!(
        folder.is_some() || var("PERIGEE_REQUIRE_DATA").as_deref() != Some("1"),
        "PERIGEE_TEST_DATA is not set"
    );
    if folder.is_none() {
        println!("skipped: PERIGEE_TEST_DATA is not set");
    }
    folder
}

fn now() -> Timestamp {
    "2026-11-22T00:00:00Z".parse().unwrap()
}

/// Every item of a file: its place and what it means.
fn items(folder: &std::path::Path, file: &str) -> Vec<(String, Result<Value, Rejection>)> {
    let bytes = std::fs::read(folder.join(file)).unwrap();
    split(&bytes).into_iter().map(|piece| (piece.place, piece.payload)).collect()
}

const FILES: [&str; 8] = [
    "cloudtrail.jsonl.gz",
    "cloudwatch-alarms.jsonl",
    "config-items.jsonl",
    "config-notifications.jsonl",
    "eventbridge.jsonl",
    "guardduty-findings.jsonl",
    "securityhub-asff.jsonl",
    "sns-envelopes.jsonl",
];

#[test]
fn every_item_is_taken_ignored_or_refused_with_a_reason() {
    let Some(folder) = folder() else { return };
    for file in FILES {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let items = items(&folder, file);
        for (place, payload) in &items {
            let outcome = match payload.clone().and_then(|payload| read(&payload, now())) {
                Ok(Reading::Observed(observation)) => {
                    assert!(observation.occurred_at <= now(), "{file} {place}");
                    assert_eq!(observation.account.len(), 12, "{file} {place}");
                    assert!(!observation.region.is_empty(), "{file} {place}");
                    "accepted"
                }
                Ok(Reading::Ignored(why)) => {
                    println!("{file} {place}: ignored: {why}");
                    "ignored"
                }
                Ok(Reading::Elsewhere(_)) => "elsewhere",
                Err(rejection) => {
                    println!("{file} {place}: {}: {rejection}", rejection.reason.as_str());
                    rejection.reason.as_str()
                }
            };
            *counts.entry(outcome).or_default() += 1;
        }
        println!("== {file}: {} items, {counts:?}", items.len());
        assert_eq!(counts.values().sum::<usize>(), items.len());
    }
}

#[test]
fn successful_mutating_calls_name_their_target() {
    let Some(folder) = folder() else { return };
    let (mut with, mut without) = (0, BTreeMap::<String, usize>::new());
    for (_, payload) in items(&folder, "cloudtrail.jsonl.gz") {
        let Ok(payload) = payload else { continue };
        let Ok(Reading::Observed(observation)) = read(&payload, now()) else { continue };
        let change = &observation.changes[0];
        if change.read_only {
            let mentioned = observation.resources.iter().all(|fact| fact.sighting == Sighting::Mentioned);
            assert!(mentioned, "a reading call proves nothing: {change:?}");
            continue;
        }
        let named = payload.get("requestParameters").is_some_and(|parameters| !parameters.is_null());
        if change.resources.iter().any(|touched| touched.role == Role::Target) {
            with += 1;
        } else if named && change.error_code.is_none() {
            *without.entry(change.kind.clone()).or_default() += 1;
        }
    }
    println!("with a target: {with}; without: {without:?}");
    let missing: usize = without.values().sum();
    assert!(missing * 5 < with, "{missing} of {with} name no target: {without:?}");
}
