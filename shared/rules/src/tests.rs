//! Tests of the whole crate: the data of others, the rules of each family, and what a judgement never does.

mod aws;
mod data;
mod engine;
mod fingerprint;
mod story;

use model::{Timestamp, Verdict};
use serde_json::Value;

use crate::Rules;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn built_in() -> Rules {
    let (rules, faults) = Rules::new(Vec::new());
    assert_eq!(faults, []);
    rules
}

/// A verdict of the built-in rules on a bare document.
fn judged(kind: &str, config: Value, now: &str) -> Verdict {
    built_in().judge_document(config, Some(kind), at(now))
}
