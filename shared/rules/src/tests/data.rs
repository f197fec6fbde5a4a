//! Documents of others with the health that others give them. The numbers are held, so that a change that makes one
//! case better and two worse is seen; the cases that disagree are printed with `--nocapture`.

use std::fmt::Write as _;

use chrono::{SecondsFormat, TimeDelta};
use model::{Health, Timestamp, Verdict};
use serde_json::Value;

use super::{at, built_in};

/// When the documents are judged, where they do not say.
const NOW: &str = "2026-03-20T12:00:00Z";

fn rows(file: &str) -> Option<Vec<Value>> {
    let data = testkit::test_data()?;
    let text = std::fs::read_to_string(data.join("health").join(file)).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// `@now-5m` and the like, as instants before or after `now`.
fn placed(value: &mut Value, now: Timestamp) {
    match value {
        Value::String(text) => {
            if let Some(offset) = text.strip_prefix("@now") {
                let delta = span(offset.trim_start_matches(['-', '+']));
                let at = if offset.starts_with('-') { now - delta } else { now + delta };
                *text = at.to_rfc3339_opts(SecondsFormat::Secs, true);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| placed(item, now)),
        Value::Object(fields) => fields.values_mut().for_each(|field| placed(field, now)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn span(text: &str) -> TimeDelta {
    let Some(unit) = text.chars().last() else { return TimeDelta::zero() };
    let number: i64 = text.trim_end_matches(unit).parse().unwrap();
    match unit {
        's' => TimeDelta::seconds(number),
        'm' => TimeDelta::minutes(number),
        'h' => TimeDelta::hours(number),
        'd' => TimeDelta::days(number),
        other => panic!("unit {other}"),
    }
}

/// Words without case and spaces: ours are one word, theirs sometimes several.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<String>().to_lowercase()
}

#[test]
fn documents_of_the_incumbent_are_judged_as_it_judges_them() {
    let Some(rows) = rows("is-healthy.jsonl") else { return };
    let rules = built_in();
    let (mut health, mut status, mut ready) = ((0, 0), (0, 0), (0, 0));
    let mut report = String::new();
    for row in &rows {
        let now = row["fixed_now"].as_str().map_or_else(|| at(NOW), at);
        let mut document = row["resource"].clone();
        placed(&mut document, now);
        let verdict = rules.judge_document(document, row["config_type"].as_str(), now);
        let expected = &row["expected"];
        let mut wrong = Vec::new();
        let mut count = |counts: &mut (u32, u32), name: &'static str, agrees: Option<bool>| {
            if let Some(agrees) = agrees {
                counts.1 += 1;
                counts.0 += u32::from(agrees);
                if !agrees {
                    wrong.push(name);
                }
            }
        };
        let word = |name: &str| expected[name].as_str();
        count(&mut health, "health", word("health").map(|word| word == verdict.health.as_str()));
        count(&mut status, "status", word("status").map(|word| folded(word) == folded(&verdict.status)));
        count(&mut ready, "ready", expected["ready"].as_bool().map(|ready| ready == verdict.ready));
        if !wrong.is_empty() {
            writeln!(report, "{wrong:?} {}\n    wanted {expected}\n    got {verdict:?}", row["id"]).unwrap();
        }
    }
    println!("{report}health {health:?}, status {status:?}, ready {ready:?}");
    assert_eq!((health, status, ready), ((85, 85), (73, 74), (58, 58)));
}

/// Whether a verdict is what one of Argo CD's words means here.
fn means(word: &str, verdict: &Verdict) -> bool {
    match word {
        "Healthy" => verdict.health == Health::Healthy && verdict.ready,
        "Degraded" => verdict.health == Health::Unhealthy,
        "Progressing" => !verdict.ready && verdict.health != Health::Unhealthy,
        "Suspended" => verdict.status == "Suspended" && verdict.health != Health::Unhealthy,
        "Missing" | "Unknown" => verdict.health == Health::Unknown,
        other => panic!("{other}"),
    }
}

#[test]
fn custom_resources_are_judged_as_argo_cd_judges_them() {
    let Some(rows) = rows("argo-cd.jsonl") else { return };
    let rules = built_in();
    let mut agree = (0, 0);
    let mut report = String::new();
    for row in &rows {
        let Some(word) = row["expected_status"].as_str() else { continue };
        let verdict = rules.judge_document(row["resource"].clone(), None, at(NOW));
        agree.1 += 1;
        if means(word, &verdict) {
            agree.0 += 1;
        } else {
            writeln!(report, "{} wanted {word} ({})\n    got {verdict:?}", row["id"], row["message"])
                .unwrap();
        }
    }
    println!("{report}{agree:?}");
    assert_eq!(agree, (485, 494));
}
