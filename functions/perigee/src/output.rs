//! Data as people or programs want it.

use anyhow::Context;
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
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

/// Rows under a heading, as wide as the terminal; unbounded where there is none.
pub(crate) fn table<const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(heading);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for row in rows {
        table.add_row(row.map(|cell| clean(&cell)));
    }
    table.trim_fmt()
}

/// What comes from outside may hold control characters, which a terminal would obey.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
