//! `perigee apply -f FILE` and `perigee plan -f FILE`

use std::path::PathBuf;

use catalog::manifests::{Applied, Outcome};
use clap::Args;
use manifest::Manifest;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{manifests, read};
use crate::{
    client::{Client, explain},
    exit::Done,
    output::{self, Format},
};

/// How many bytes of manifests are sent at once.
const AT_ONCE: usize = 800 * 1024;

/// Which manifests.
#[derive(Debug, Args)]
pub struct Options {
    /// Files, folders, or `-` for standard input
    #[arg(long = "file", short = 'f', value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

/// What the server answers.
#[derive(Debug, Deserialize)]
struct Report {
    items: Vec<Applied>,
}

/// Applies what is right; what is refused is said, and the exit status is 3 then.
pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let found = manifests::read(&options.files)?;
    found.say_faults();
    let list = send(client, &found.manifests, false)?;
    output::show(format, &list, table)?;
    Ok(match (found.errors(), found.manifests.len()) {
        (0, _) => Done::All,
        (_, 0) => Done::Failed,
        _ => Done::Partly,
    })
}

/// Shows what applying would do. Exit status 0: nothing; 3: something; 1: a manifest is refused.
pub(crate) fn plan(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let found = manifests::read(&options.files)?;
    found.say_faults();
    let list = send(client, &found.manifests, true)?;
    let items: Vec<Applied> = super::items(&list)?;
    output::show(format, &list, |_| Ok(differences(&items, &found.manifests)))?;
    let same = items.iter().all(|item| item.outcome == Outcome::Unchanged);
    Ok(match (found.errors(), same) {
        (0, true) => Done::All,
        (0, false) => Done::Partly,
        _ => Done::Failed,
    })
}

/// Sends manifests in bodies of a bounded size, and puts the answers together.
fn send(client: &Client, manifests: &[Manifest], dry_run: bool) -> anyhow::Result<Value> {
    let mut items: Vec<Applied> = Vec::new();
    let mut waiting: Vec<Value> = Vec::new();
    let mut size = 0;
    let mut flush = |waiting: &mut Vec<Value>| -> anyhow::Result<()> {
        if waiting.is_empty() {
            return Ok(());
        }
        let body = serde_json::to_vec(&std::mem::take(waiting))?;
        let query = [("dryRun", dry_run.to_string())];
        let answer: Value = client.post("/manifests", &query, "application/json", &body).map_err(explain)?;
        items.extend(read::<Report>(&answer)?.items);
        Ok(())
    };
    for manifest in manifests {
        let body = manifest.body();
        let length = body.to_string().len();
        if size + length > AT_ONCE {
            flush(&mut waiting)?;
            size = 0;
        }
        size += length;
        waiting.push(body);
    }
    flush(&mut waiting)?;
    Ok(json!({ "items": items }))
}

pub(crate) fn table(list: &Value) -> anyhow::Result<String> {
    let rows = super::items::<Applied>(list)?.into_iter().map(|item| {
        [item.kind.clone(), item.name.clone(), item.generation.to_string(), super::word(&item.outcome)]
    });
    Ok(output::table(["KIND", "NAME", "GENERATION", "OUTCOME"], rows))
}

/// What would change, field by field.
fn differences(items: &[Applied], manifests: &[Manifest]) -> String {
    let mut lines = Vec::new();
    for item in items {
        let sign = match item.outcome {
            Outcome::Created => '+',
            Outcome::Changed => '~',
            Outcome::Unchanged => continue,
        };
        lines.push(format!("{sign} {}/{}", item.kind, item.name));
        let after = manifests.iter().rev().find(|m| m.kind().as_str() == item.kind && m.name() == item.name);
        if let (Some(before), Some(after)) = (&item.before, after) {
            let mut changed = Vec::new();
            changes("", before, &after.body(), &mut changed);
            lines.extend(changed);
        }
    }
    let unchanged = items.iter().filter(|item| item.outcome == Outcome::Unchanged).count();
    lines.push(format!("{} would change, {unchanged} would not", items.len() - unchanged));
    output::clean(&lines.join("\n"))
}

fn changes(path: &str, before: &Value, after: &Value, lines: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match (old.get(name), new.get(name)) {
                    (Some(old), Some(new)) => changes(&inner, old, new, lines),
                    (Some(old), None) => lines.push(format!("    - {inner}: {old}")),
                    (None, Some(new)) => lines.push(format!("    + {inner}: {new}")),
                    (None, None) => {}
                }
            }
        }
        (old, new) if old != new => {
            lines.push(format!("    - {path}: {old}"));
            lines.push(format!("    + {path}: {new}"));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_plan_shows_each_field_that_changes() {
        let text = "apiVersion: perigee.dev/v1\nkind: Silence\nmetadata: {name: a}\nspec: {reason: night, until: 2026-03-03T00:00:00Z}\n";
        let (manifests, faults) = manifest::lint(text, "");
        assert_eq!(faults, []);
        let mut before = manifests[0].body();
        before["spec"]["reason"] = json!("day");
        before["spec"]["selector"] = json!("type=x");
        let item = |name: &str, outcome, before| Applied {
            kind: "Silence".to_owned(),
            name: name.to_owned(),
            generation: 2,
            outcome,
            before,
        };
        let items = [
            item("a", Outcome::Changed, Some(before)),
            item("b", Outcome::Created, None),
            item("c", Outcome::Unchanged, None),
        ];
        expect![[r#"
            ~ Silence/a
                - spec.reason: "day"
                + spec.reason: "night"
                - spec.selector: "type=x"
            + Silence/b
            2 would change, 1 would not"#]]
        .assert_eq(&differences(&items, &manifests));
    }
}
