//! `perigee history REF`

use catalog::{Version, health::HealthChange};
use clap::Args;
use model::{Difference, Transition};
use serde::Deserialize;
use serde_json::Value;

use super::{
    items, second,
    show::{self, VERSIONS},
    word,
};
use crate::{
    cli::{Amount, Moment, given},
    client::{Client, resource_path},
    exit::Done,
    output::{self, Format},
};

/// How many differences of a version are shown, and how much of each value, in characters.
const DIFFERENCES: usize = 5;
const VALUE: usize = 60;

/// Which resource's versions.
#[derive(Debug, Args)]
pub struct Options {
    /// An id, an ARN, another of its names, or type/name
    #[arg(value_name = "REF")]
    pub reference: String,
    /// Only what this source says
    #[arg(long, value_name = "SOURCE", conflicts_with = "transitions")]
    pub source: Option<String>,
    /// Only what came to be at or after this: 2026-03-03T02:13:00Z, 2026-03-03, or, before now, 90m, 24h, 7d
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only what came to be before this
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Also versions that turned out to be otherwise
    #[arg(long)]
    pub superseded: bool,
    /// Also changes of its health
    #[arg(long)]
    pub transitions: bool,
    /// As of which moment.
    #[command(flatten)]
    pub moment: Moment,
    /// How many.
    #[command(flatten)]
    pub amount: Amount,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let path = resource_path(&options.reference, "/history");
    let mut query: Vec<_> = options.moment.query().collect();
    query.extend(given([("since", &options.since), ("until", &options.until)]));
    query.extend(options.source.clone().map(|source| ("source", source)));
    let asked = [("superseded", options.superseded), ("transitions", options.transitions)];
    query.extend(asked.into_iter().filter(|(_, asked)| *asked).map(|(name, _)| (name, "true".to_owned())));
    super::list(client, format, (&path, &query), Some(&options.reference), options.amount, table)
}

/// A version with what the API adds to it, or a change of health.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Transition {
        transition: Box<HealthChange>,
    },
    Version {
        #[serde(flatten)]
        version: Box<Version>,
        #[serde(default)]
        diff: Option<Vec<Difference>>,
    },
}

/// A row for each version, and below it what it changed.
pub(crate) fn table(list: &Value) -> anyhow::Result<String> {
    let told = items::<Told>(list)?;
    let below: Vec<String> = told
        .iter()
        .map(|told| match told {
            Told::Version { diff, .. } => diff.as_deref().map(differences).unwrap_or_default(),
            Told::Transition { .. } => String::new(),
        })
        .collect();
    let rows = output::table(VERSIONS, told.into_iter().map(row));
    let (heading, rows) = rows.split_once('\n').unwrap_or((&rows, ""));
    let mut text = format!("{heading}\n");
    for (row, below) in rows.lines().zip(below) {
        text += &format!("{row}\n{below}");
    }
    Ok(text)
}

fn row(told: Told) -> [String; 5] {
    match told {
        Told::Version { version, .. } => show::version(*version),
        Told::Transition { transition } => {
            let Transition { at, verdict, .. } = transition.transition;
            let status = verdict.status.replace('\n', " ");
            [
                second(at),
                String::new(),
                "health".to_owned(),
                format!("{} {status}", word(&verdict.health)),
                String::new(),
            ]
        }
    }
}

fn differences(differences: &[Difference]) -> String {
    if differences.is_empty() {
        return "  the document is the same; its relations changed\n".to_owned();
    }
    let mut lines: String = differences.iter().take(DIFFERENCES).map(difference).collect();
    match differences.len().saturating_sub(DIFFERENCES) {
        0 => {}
        more => lines += &format!("  and {more} more; -o yaml shows all\n"),
    }
    lines
}

/// `path: old -> new`, values as JSON, so that a text `none` is not taken for no value.
pub(crate) fn difference(Difference { path, before, after }: &Difference) -> String {
    let value = |value: &Option<Value>| {
        value.as_ref().map_or_else(|| "none".to_owned(), |value| output::cut(&value.to_string(), VALUE))
    };
    let path = if path.is_empty() { "the whole document" } else { path };
    let line = format!("{path}: {} -> {}", value(before), value(after));
    format!("  {}\n", output::clean(&line).replace('\n', " "))
}
