//! `perigee history REF`

use catalog::Version;
use clap::Args;
use model::Difference;
use serde::Deserialize;
use serde_json::Value;

use super::{items, show::versions};
use crate::{
    cli::Amount,
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
    /// How many.
    #[command(flatten)]
    pub amount: Amount,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let path = resource_path(&options.reference, "/history");
    super::list(client, format, (&path, &[]), Some(&options.reference), options.amount, table)
}

/// What the API adds to a version.
#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    diff: Option<Vec<Difference>>,
}

/// A row for each version, and below it what it changed.
pub(crate) fn table(list: &Value) -> anyhow::Result<String> {
    let rows = versions(items::<Version>(list)?);
    let (heading, rows) = rows.split_once('\n').unwrap_or((&rows, ""));
    let mut text = format!("{heading}\n");
    for (row, Told { diff }) in rows.lines().zip(items::<Told>(list)?) {
        text += &format!("{row}\n");
        text += &diff.as_deref().map(differences).unwrap_or_default();
    }
    Ok(text)
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
fn difference(Difference { path, before, after }: &Difference) -> String {
    let value = |value: &Option<Value>| {
        value.as_ref().map_or_else(|| "none".to_owned(), |value| output::cut(&value.to_string(), VALUE))
    };
    let path = if path.is_empty() { "the whole document" } else { path };
    let line = format!("{path}: {} -> {}", value(before), value(after));
    format!("  {}\n", output::clean(&line).replace('\n', " "))
}
