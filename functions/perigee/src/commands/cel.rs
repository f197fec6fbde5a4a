//! `perigee cel [FILE]`

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
};

use anyhow::Context;
use clap::Args;
use expr::{Bindings, Program, Scope, Shape};
use serde_json::{Map, Value, json};

use crate::exit::Done;

/// What is evaluated.
#[derive(Debug, Args)]
pub struct Options {
    /// JSON lines `{"id", "expr", "bindings", "container"}`; standard input without
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Bindings and values are `{"t": type, "v": value}`, which tells the types of CEL apart
    #[arg(long)]
    pub typed: bool,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Done> {
    let input: Box<dyn BufRead> = match &options.file {
        Some(path) => {
            let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
            Box::new(BufReader::new(file))
        }
        None => Box::new(io::stdin().lock()),
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in input.lines() {
        let line = line.context("cannot read the expressions")?;
        if line.trim().is_empty() {
            continue;
        }
        let written = writeln!(out, "{}", answer(&line, options.typed)).and_then(|()| out.flush());
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Done::All),
            written => written.context("cannot write to standard output")?,
        }
    }
    Ok(Done::All)
}

/// The answer to one line: a value, or why there is none.
pub(crate) fn answer(line: &str, typed: bool) -> Value {
    match serde_json::from_str::<Map<String, Value>>(line) {
        Ok(request) => {
            let id = request.get("id").cloned().unwrap_or(Value::Null);
            match evaluate(&request, typed) {
                Ok(value) => json!({"id": id, "value": value}),
                Err(error) => json!({"id": id, "error": error}),
            }
        }
        Err(error) => json!({"id": null, "error": format!("the line is no JSON object: {error}")}),
    }
}

fn evaluate(request: &Map<String, Value>, typed: bool) -> Result<Value, String> {
    let text = |name: &str| request.get(name).and_then(Value::as_str);
    let source = text("expr").ok_or("`expr` is missing; it is the expression")?;
    let mut scope = Scope::new().unchecked().within(text("container").unwrap_or_default());
    let mut bindings = Bindings::new();
    let given = match request.get("bindings") {
        None | Some(Value::Null) => None,
        Some(Value::Object(given)) => Some(given),
        Some(_) => return Err("`bindings` is a map from the names of variables to their values".to_owned()),
    };
    for (name, value) in given.into_iter().flatten() {
        scope = scope.with(name, Shape::Dyn);
        if typed {
            // The conformance data wraps each value once more.
            let value = value.get("value").filter(|_| value.get("t").is_none()).unwrap_or(value);
            bindings.set_typed(name, value).map_err(|why| format!("the binding `{name}`: {why}"))?;
        } else {
            bindings.set(name, value.clone());
        }
    }
    let program = Program::compile(source, &scope).map_err(|fault| fault.to_string())?;
    let value = if typed { program.evaluate_typed(&bindings) } else { program.evaluate(&bindings) };
    value.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_answered_with_a_value_or_an_error() {
        for (line, wanted) in [
            (r#"{"id": 1, "expr": "a.b + 1", "bindings": {"a": {"b": 2}}}"#, json!({"id": 1, "value": 3})),
            (
                r#"{"id": "x", "expr": "a.c", "bindings": {"a": {}}}"#,
                json!({"id": "x", "error": "`a.c`: no such key: `c`"}),
            ),
            (
                r#"{"id": 2, "expr": "y", "container": "x", "bindings": {"x.y": true}}"#,
                json!({"id": 2, "value": true}),
            ),
            (r#"{"id": 3}"#, json!({"id": 3, "error": "`expr` is missing; it is the expression"})),
        ] {
            assert_eq!(answer(line, false), wanted, "{line}");
        }
        assert!(
            answer("nonsense", false)["error"].as_str().unwrap().starts_with("the line is no JSON object")
        );
    }

    #[test]
    fn typed_values_keep_their_types() {
        let line =
            r#"{"id": 1, "expr": "[a, b'x']", "bindings": {"a": {"t": "uint", "v": 18446744073709551615}}}"#;
        let value = json!({"t": "list", "v": [{"t": "uint", "v": 18_446_744_073_709_551_615_u64}, {"t": "bytes", "v": "eA=="}]});
        assert_eq!(answer(line, true), json!({"id": 1, "value": value}));
    }
}
