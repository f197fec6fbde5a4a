//! The conformance suite of the specification, and the functions that engineers know from elsewhere.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use crate::{Bindings, Program, Scope, Shape};

struct Row {
    id: String,
    core: bool,
    row: Value,
}

fn rows() -> Vec<Row> {
    let Some(data) = testkit::test_data() else { return Vec::new() };
    let text = fs::read_to_string(data.join("cel-spec/cel-conformance.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|row| row["json_like"] == true)
        .map(|row| Row { id: row["id"].as_str().unwrap().to_owned(), core: row["core"] == true, row })
        .collect()
}

fn evaluate(row: &Value) -> Result<Value, String> {
    let mut scope = Scope::new().unchecked().within(row["container"].as_str().unwrap_or_default());
    let mut bindings = Bindings::new();
    for (name, bound) in row["bindings"].as_object().into_iter().flatten() {
        scope = scope.with(name, Shape::Dyn);
        bindings.set_typed(name, &bound["value"]).map_err(|why| format!("BINDING {why}"))?;
    }
    let program =
        Program::compile(row["expr"].as_str().unwrap(), &scope).map_err(|fault| fault.to_string())?;
    program.evaluate_typed(&bindings).map_err(|error| error.to_string())
}

/// Whether a value is the expected one; the order of the entries of a map means nothing, and NaN is like NaN.
fn same(got: &Value, want: &Value) -> bool {
    match (got["t"].as_str(), want["t"].as_str()) {
        (Some("map"), Some("map")) => {
            let (got, want) = (got["v"].as_array().unwrap(), want["v"].as_array().unwrap());
            got.len() == want.len()
                && want.iter().all(|pair| {
                    got.iter().any(|other| same(&other[0], &pair[0]) && same(&other[1], &pair[1]))
                })
        }
        (Some("list"), Some("list")) => {
            let (got, want) = (got["v"].as_array().unwrap(), want["v"].as_array().unwrap());
            got.len() == want.len() && got.iter().zip(want).all(|(a, b)| same(a, b))
        }
        (Some("double"), Some("double")) => match (got["v"].as_f64(), want["v"].as_f64()) {
            // The reader of JSON may miss the last digit of what is wanted.
            (Some(got), Some(want)) => {
                (got - want).abs() <= want.abs() * 1e-15 && got.is_sign_negative() == want.is_sign_negative()
            }
            _ => got["v"] == want["v"],
        },
        (a, b) => a == b && got["v"] == want["v"],
    }
}

#[test]
fn the_conformance_suite_of_the_specification_passes() {
    let rows = rows();
    if rows.is_empty() {
        return;
    }
    let mut failed: BTreeMap<bool, Vec<String>> = BTreeMap::new();
    let mut counts: BTreeMap<bool, usize> = BTreeMap::new();
    for Row { id, core, row } in &rows {
        *counts.entry(*core).or_default() += 1;
        let expect = &row["expect"];
        let outcome = evaluate(row);
        let passed = match (&outcome, expect.get("value")) {
            (Ok(got), Some(want)) => same(got, want),
            (Err(error), None) => !error.starts_with("BINDING"),
            _ => false,
        };
        if !passed {
            failed
                .entry(*core)
                .or_default()
                .push(format!("{id}: {} gave {outcome:?}, wanted {expect}", row["expr"]));
        }
    }
    let of = |core| failed.get(&core).map_or(0, Vec::len);
    for line in failed.values().flatten() {
        println!("{line}");
    }
    // Two rows of parse/bytes_literals (triple quoted, unescaped punctuation) want a backslash that their text has not.
    let (core, extensions) = (counts[&true] - of(true), counts[&false] - of(false));
    assert!(
        core >= 1092 && extensions >= 623,
        "{core} core and {extensions} extension rows pass of {counts:?}"
    );
}
