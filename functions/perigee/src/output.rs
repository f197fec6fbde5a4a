//! Data as people or programs want it.

use anyhow::Context;
use clap::ValueEnum;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use serde_json::Value;

use crate::print;

/// How data is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// As the API answers
    Json,
    /// One item a line
    Jsonl,
    /// As the API answers, in YAML
    Yaml,
}

/// Prints what the API answered: `table` makes the form for people from it.
pub(crate) fn show(
    format: Format,
    value: &Value,
    table: impl FnOnce(&Value) -> anyhow::Result<String>,
) -> anyhow::Result<()> {
    let text = match format {
        Format::Table => table(value)?,
        Format::Json => serde_json::to_string_pretty(value).context("cannot write JSON")?,
        Format::Jsonl => lines(value),
        Format::Yaml => yaml(value)?,
    };
    print::line(text.trim_end())
}

/// A list's items one a line; anything else on one line.
fn lines(value: &Value) -> String {
    match value.get("items").and_then(Value::as_array) {
        Some(items) => items.iter().map(|item| format!("{item}\n")).collect(),
        None => value.to_string(),
    }
}

/// A value as YAML.
pub(crate) fn yaml(value: &Value) -> anyhow::Result<String> {
    serde_yaml_ng::to_string(value).context("cannot write YAML")
}

/// Rows under a heading. Nothing is broken: a name that was cut could not be copied.
pub(crate) fn table<const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    build(heading, rows).trim_fmt()
}

/// Rows under a heading whose last column is prose: it breaks at the terminal's edge, where there is one.
pub(crate) fn prose<const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = build(heading, rows);
    let widths = table.column_max_content_widths();
    let names: usize = widths.iter().take(N - 1).map(|width| usize::from(width + GAP)).sum();
    let room = table.width().map_or(0, usize::from).saturating_sub(names);
    if room >= LEAST_PROSE {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        for column in table.column_iter_mut().take(N - 1) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.trim_fmt()
}

/// The space between columns, in characters.
const GAP: u16 = 2;
/// The narrowest column in which prose can be read; with less it runs on.
const LEAST_PROSE: usize = 24;

fn build<const N: usize>(heading: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(heading);
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    for row in rows {
        table.add_row(row.map(|cell| clean(&cell)));
    }
    table
}

/// What comes from outside may hold control characters, which a terminal would obey.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// At most `length` characters, the last of them an ellipsis where some were cut.
pub(crate) fn cut(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    text.chars().take(length.saturating_sub(1)).chain(['\u{2026}']).collect()
}

/// So many of something: `1 file`, `2 files`.
pub(crate) fn count(number: usize, one: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {one}{ending}")
}
