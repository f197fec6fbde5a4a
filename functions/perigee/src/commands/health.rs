//! `perigee health [FILE ...]`: documents in, verdicts out, without a server.
//!
//! The rules are the built-in ones and those of `--rules`. One JSON line is printed per document, in the order of the
//! input; a line that cannot be read gives a line with `error` and does not stop the others.

mod input;

use std::{fs, path::PathBuf};

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::Args;
use manifest::{Manifest, Spec};
use model::Verdict;
use ports::{Clock, SystemClock};
use rules::{NamedRule, Rules};
use serde_json::{Map, Value, json};

use self::input::{Item, Source};
use crate::{exit::Done, print};

/// How much is gathered before it is printed, in bytes.
const CHUNK: usize = 64 << 10;

/// What to judge, and by which rules.
#[derive(Debug, Args)]
pub struct Options {
    /// Files of JSON lines `{"id", "resource", "now", "type"}`, Kubernetes objects or lists, or AWS Config items; `-`,
    /// or nothing, is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// People's rules beside the built-in ones: a folder of manifests, or one file
    #[arg(long, value_name = "DIR")]
    pub rules: Vec<PathBuf>,
    /// The type of documents that do not name it themselves
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Done> {
    let (written, mut whole) = written(&options.rules)?;
    let (rules, faults) = Rules::new(written);
    for fault in &faults {
        print::note(&format!("warning: {fault}; the rule is left out"));
        whole = false;
    }
    let judge = Judge { rules, kind: options.kind.clone(), now: SystemClock.now() };
    let mut out = String::new();
    for source in Source::all(&options.files) {
        let items = source.items().with_context(|| format!("cannot read {}", source.name()))?;
        for item in items {
            let line = judge.line(item);
            whole &= line.get("error").is_none();
            out.push_str(&line.to_string());
            out.push('\n');
            if out.len() > CHUNK {
                print::bytes(out.as_bytes())?;
                out.clear();
            }
        }
    }
    print::bytes(out.as_bytes())?;
    Ok(if whole { Done::All } else { Done::Partly })
}

/// The rules of folders and files, and whether all of them could be read.
fn written(places: &[PathBuf]) -> anyhow::Result<(Vec<NamedRule>, bool)> {
    let (mut rules, mut whole) = (Vec::new(), true);
    for file in manifest_files(places)? {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let (manifests, faults) = manifest::lint(&text, &file.display().to_string());
        for fault in &faults {
            print::note(&fault.to_string());
            whole &= !fault.is_error();
        }
        rules.extend(manifests.into_iter().filter_map(|Manifest { metadata, spec }| match spec {
            Spec::HealthRule(spec) => Some(NamedRule { name: metadata.name, spec: *spec }),
            _ => None,
        }));
    }
    Ok((rules, whole))
}

/// The files as they are named, and those of folders, in the order of their names.
fn manifest_files(places: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for place in places {
        if !place.is_dir() {
            files.push(place.clone());
            continue;
        }
        let listing = fs::read_dir(place).with_context(|| format!("cannot list {}", place.display()))?;
        let mut here = Vec::new();
        for entry in listing {
            let path = entry.with_context(|| format!("cannot list {}", place.display()))?.path();
            if path.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json") {
                here.push(path);
            }
        }
        here.sort();
        files.extend(here);
    }
    Ok(files)
}

/// What judges.
#[derive(Debug)]
struct Judge {
    rules: Rules,
    kind: Option<String>,
    now: DateTime<Utc>,
}

impl Judge {
    /// The line of an item.
    fn line(&self, item: Item) -> Value {
        let line = item.line;
        let case = match item.value.and_then(|value| Case::read(value, self.kind.as_deref())) {
            Ok(case) => case,
            Err(error) => return json!({ "line": line, "error": error }),
        };
        let Case { id, document, kind, now } = case;
        let resource = rules::resource_of(document, kind.as_deref());
        let id = id.unwrap_or_else(|| named(&resource));
        let verdict = self.rules.judge(resource, now.unwrap_or(self.now));
        told(id, &verdict)
    }
}

/// What a resource without an id of its own is called.
fn named(resource: &Value) -> Value {
    let word = |name: &str| resource.get(name).and_then(Value::as_str).unwrap_or_default();
    json!(format!("{}/{}", word("type"), word("native_id")))
}

fn told(id: Value, verdict: &Verdict) -> Value {
    let mut line = Map::new();
    line.insert("id".to_owned(), id);
    if let Ok(Value::Object(fields)) = serde_json::to_value(verdict) {
        line.extend(fields);
    }
    line.entry("reason").or_insert_with(|| json!(""));
    Value::Object(line)
}

/// A document to judge, and how.
#[derive(Debug)]
struct Case {
    id: Option<Value>,
    document: Value,
    kind: Option<String>,
    now: Option<DateTime<Utc>>,
}

impl Case {
    /// Reads `{"id", "resource", ...}`, or a document that stands for itself.
    fn read(mut value: Value, kind: Option<&str>) -> Result<Self, String> {
        let Some(fields) = value.as_object_mut() else {
            return Err(format!("a document is a JSON object, not {}", article(&value)));
        };
        let wrapped = fields.contains_key("resource")
            && !["metadata", "spec", "configuration"].iter().any(|name| fields.contains_key(*name));
        if !wrapped {
            return Ok(Self { id: None, document: value, kind: kind.map(str::to_owned), now: None });
        }
        let document = fields.remove("resource").unwrap_or_default();
        if !document.is_object() {
            return Err(format!("`resource` is a JSON object, not {}", article(&document)));
        }
        let now = match fields.get("now") {
            None | Some(Value::Null) => None,
            Some(now) => Some(instant(now)?),
        };
        let word = fields.get("type").and_then(Value::as_str).filter(|word| word.contains("::"));
        Ok(Self {
            id: fields.get("id").filter(|id| !id.is_null()).cloned(),
            document,
            kind: word.or(kind).map(str::to_owned),
            now,
        })
    }
}

fn instant(now: &Value) -> Result<DateTime<Utc>, String> {
    now.as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| format!("`now` is an instant such as 2026-03-03T02:13:00Z, not {now}"))
}

fn article(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
