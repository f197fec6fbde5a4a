//! What holds for every event of every family, whatever is in it: broken samples, and the third-party files that
//! `PERIGEE_TEST_DATA` points at.

#![cfg(test)]

use std::path::{Path, PathBuf};

use events::Reading;
use model::{Change, Observation, Timestamp};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

fn now() -> Timestamp {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

fn samples() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/families");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()).collect()
}

/// The rows of a third-party file; `None` where there is no third-party data, which is said.
#[expect(clippy::disallowed_methods, reason = "a test finds its data by the environment")]
fn third_party(name: &str) -> Option<Vec<Value>> {
    let Ok(folder) = std::env::var("PERIGEE_TEST_DATA") else {
        let required = std::env::var("PERIGEE_REQUIRE_DATA").is_ok_and(|value| value == "1");
        assert!(!required, "PERIGEE_TEST_DATA is not set");
        println!("skipped: PERIGEE_TEST_DATA is not set");
        return None;
    };
    let text = std::fs::read_to_string(Path::new(&folder).join("aws-events").join(name)).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Reads a payload and checks what must hold of any answer.
fn read(payload: &Value) -> Option<Observation> {
    match events::read(payload, now()) {
        Ok(Reading::Observed(observation)) => {
            check(&observation);
            Some(*observation)
        }
        Ok(Reading::Ignored(why)) => {
            assert!(!why.is_empty());
            None
        }
        Ok(Reading::Elsewhere(at)) => {
            assert!(!at.bucket.is_empty() && !at.key.is_empty());
            None
        }
        Err(rejection) => {
            assert!(rejection.message.len() > 20, "no explanation: {rejection:?}");
            assert!(rejection.message.len() < 500, "the payload is in the message: {rejection:?}");
            None
        }
    }
}

fn check(observation: &Observation) {
    let Observation { account, region, occurred_at, resources, changes, findings, .. } = observation;
    placed(account, region);
    assert!(*occurred_at <= now() + chrono::TimeDelta::minutes(15));
    for fact in resources {
        placed(&fact.key.account, &fact.key.region);
        assert!(!fact.key.native_id.is_empty() && !fact.key.kind.is_empty());
        assert!(fact.key.native_id.len() <= 1_024);
        assert!(fact.aliases.iter().all(|alias| !alias.is_empty() && *alias != fact.key.native_id));
        assert!(fact.aliases.iter().all(|alias| alias.len() <= 2_048));
    }
    let known = |key: &model::ResourceKey| resources.iter().any(|fact| fact.key == *key);
    for Change { id, kind, summary, actor, resources, .. } in changes {
        assert!(!summary.is_empty() && kind.len() <= 2_100, "{id}");
        assert!(actor.as_ref().is_none_or(|actor| actor.name.len() <= 8_100), "{id}");
        assert!(resources.iter().all(|touched| known(&touched.key)), "{id}");
    }
    for finding in findings {
        placed(&finding.account, &finding.region);
        assert!(finding.first_seen <= finding.at && !finding.title.is_empty());
        assert!(finding.resources.iter().all(known));
    }
}

fn placed(account: &str, region: &str) {
    assert!(account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()), "account {account:?}");
    assert!(region == "global" || region.ends_with(|c: char| c.is_ascii_digit()), "region {region:?}");
}

#[test]
fn every_third_party_item_means_the_same_in_both_dialects_and_every_wrapping() {
    let Some(rows) = third_party("config-items.jsonl") else { return };
    let mut compared = 0;
    for item in rows {
        let Some(bare) = read(&item) else { continue };
        let notice =
            json!({ "messageType": "ConfigurationItemChangeNotification", "configurationItem": item });
        let event = json!({
            "source": "aws.config", "detail-type": "Config Configuration Item Change", "account": "111122223333",
            "region": "eu-central-1", "time": "2026-03-02T02:13:05Z", "detail": notice,
        });
        assert_eq!(read(&notice).as_ref(), Some(&bare));
        assert_eq!(read(&event).as_ref(), Some(&bare));
        if item.get("ARN").is_some() {
            assert_eq!(read(&in_the_dialect_of_the_api(&item)).unwrap().resources, bare.resources);
            compared += 1;
        }
    }
    assert!(compared > 20, "only {compared} items were compared");
}

/// What the API would have written for an item of an event.
fn in_the_dialect_of_the_api(item: &Value) -> Value {
    let mut item = item.clone();
    let fields = item.as_object_mut().unwrap();
    for (event, api) in
        [("awsAccountId", "accountId"), ("ARN", "arn"), ("configurationItemVersion", "version")]
    {
        if let Some(value) = fields.remove(event) {
            fields.insert(api.to_owned(), value);
        }
    }
    for name in ["configuration", "configurationStateId"] {
        if let Some(value) = fields.get_mut(name).filter(|value| !value.is_null() && !value.is_string()) {
            *value = value.to_string().into();
        }
    }
    let parts = fields.get_mut("supplementaryConfiguration").and_then(Value::as_object_mut);
    for part in parts.into_iter().flat_map(|parts| parts.values_mut()) {
        *part = part.to_string().into();
    }
    for related in fields.get_mut("relationships").and_then(Value::as_array_mut).into_iter().flatten() {
        let related = related.as_object_mut().unwrap();
        if let Some(name) = related.remove("name") {
            related.insert("relationshipName".to_owned(), name);
        }
    }
    item
}

/// One way to break a document.
#[derive(Debug, Clone)]
enum Break {
    Remove,
    Replace(Value),
}

fn breaks() -> impl Strategy<Value = Break> {
    prop_oneof![
        Just(Break::Remove),
        prop_oneof![
            Just(Value::Null),
            Just(json!(true)),
            Just(json!([])),
            Just(json!({})),
            Just(json!([[{"key": 1}], "x", null])),
            Just(json!(-1)),
            Just(json!(1e300)),
            Just(json!(u64::MAX)),
            Just(json!("")),
            Just(json!(" \u{0}\u{fffd}é::arn:/")),
            Just(json!("arn:aws:::::")),
            Just(json!("a".repeat(100_000))),
            Just(json!("[".repeat(2_000))),
            Just(json!("{\"a\":\"[1,\"}")),
        ]
        .prop_map(Break::Replace),
    ]
}

/// The pointers of every part of a document.
fn parts(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                parts(field, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                parts(item, format!("{at}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    if !at.is_empty() {
        found.push(at);
    }
}

fn break_at(payload: &mut Value, pointer: &str, how: Break) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    match how {
        Break::Replace(value) => {
            if let Some(part) = payload.pointer_mut(pointer) {
                *part = value;
            }
        }
        Break::Remove => match payload.pointer_mut(parent) {
            Some(Value::Object(fields)) => {
                fields.remove(&name.replace("~1", "/").replace("~0", "~"));
            }
            Some(Value::Array(items)) => {
                let index = name.parse().unwrap_or(usize::MAX);
                if index < items.len() {
                    items.remove(index);
                }
            }
            _ => {}
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_broken_event_is_read_or_refused_and_never_panics(
        sample in any::<Index>(),
        broken in prop::collection::vec((any::<Index>(), breaks()), 1..4),
    ) {
        let mut payload = sample.get(samples_once()).clone();
        for (part, how) in broken {
            let mut found = Vec::new();
            parts(&payload, String::new(), &mut found);
            if !found.is_empty() {
                break_at(&mut payload, part.get::<String>(&found), how);
            }
        }
        let first = read(&payload);
        prop_assert_eq!(first, read(&payload));
    }
}

fn samples_once() -> &'static [Value] {
    static SAMPLES: std::sync::OnceLock<Vec<Value>> = std::sync::OnceLock::new();
    SAMPLES.get_or_init(samples)
}
