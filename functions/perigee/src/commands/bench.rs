//! `perigee bench`: what this machine can do with an estate of a million resources, on a database of its own that is
//! removed afterwards.

mod events;
mod ground;
pub mod load;
mod machine;
pub mod mixed;
mod pages;
mod questions;
mod reading;
#[cfg(test)]
mod tests;
mod times;
mod writing;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use ports::{Clock, SystemClock};
use serde::Serialize;

use self::{
    ground::Found,
    machine::Fact,
    questions::{Question, Reader},
};
use crate::{
    exit::Done,
    output::{self, Format},
    print,
};

/// How much to measure.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    /// Something else than the table.
    #[command(subcommand)]
    pub what: Option<What>,
    /// Where it is measured.
    #[command(flatten)]
    pub ground: ground::Choice,
    /// Only these parts of the table
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    pub only: Vec<Part>,
    /// How the table is printed
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
}

/// A part of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// What lies on the disk
    Disk,
    /// Lists that are narrowed by types, tags, health and words
    Search,
    /// Counts by type, account, region and health
    Facets,
    /// Walks over relations
    Graph,
    /// Changes of a set of resources
    Changes,
    /// How fast resources are recorded
    Record,
    /// Readers beside a writer
    Readers,
}

/// What else can be done.
#[derive(Debug, Clone, Subcommand)]
pub enum What {
    /// Only make the estate, to look at it, and keep it
    Estate(ground::Choice),
    /// A server under a steady stream of events: the lag from an event to the webhook that tells of it, and memory
    Load(load::Options),
    /// Everything at once for half an hour: whether memory or latency grows
    Mixed(mixed::Options),
}

/// A line of the table.
#[derive(Debug, Clone, Serialize)]
struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    bar: Option<&'static str>,
    ok: Option<bool>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Done> {
    match &options.what {
        Some(What::Load(options)) => load::run(options),
        Some(What::Estate(options)) => make(options),
        Some(What::Mixed(options)) => mixed::run(options),
        None => measure(options),
    }
}

fn make(options: &ground::Choice) -> anyhow::Result<Done> {
    let options = ground::Choice { keep: true, ..options.clone() };
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(ground::with_estate(&options, async |_| Ok(())))?;
    Ok(Done::All)
}

fn measure(options: &Options) -> anyhow::Result<Done> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let measuring =
        ground::with_estate(&options.ground, async |found| measure_on(found, &options.only).await);
    let (facts, rows) = runtime.block_on(measuring)?;
    report(options.output, &facts, &rows)
}

async fn measure_on(found: &Found, only: &[Part]) -> anyhow::Result<(Vec<Fact>, Vec<Row>)> {
    let Found { catalog, estate, .. } = found;
    let reader = Reader { catalog: catalog.clone(), estate: *estate };
    let facts = machine::facts(&catalog.server_facts().await?);
    let mut rows = vec![row("resources of the estate", estate.resources as f64, "resources")];
    let mut told = |measured: Vec<Row>| {
        print::note(&table(&measured));
        rows.extend(measured);
    };
    let wanted = |part| only.is_empty() || only.contains(&part);
    if wanted(Part::Disk) {
        told(reading::disk(catalog).await?);
    }
    for question in Question::WITH_BARS {
        if wanted(question.0.part()) {
            told(reading::question(&reader, question, reading::TIMES).await?);
        }
    }
    if wanted(Part::Graph) {
        told(reading::without_bar(&reader, Question::Graph).await?);
        told(reading::beside_paths(&reader).await?);
    }
    if wanted(Part::Record) {
        told(writing::fresh(catalog, estate).await?);
    }
    if wanted(Part::Readers) {
        // Measured again on the same estate, other resources are fresh.
        let salt = SystemClock.now().timestamp().unsigned_abs();
        told(writing::beside_readers(&reader, salt, writing::SPAN).await?);
    }
    Ok((facts, rows))
}

/// Prints the machine and what was measured on it. A bar that was missed is a failure.
fn report(format: Format, facts: &[Fact], rows: &[Row]) -> anyhow::Result<Done> {
    let missed = rows.iter().filter(|row| row.ok == Some(false)).count();
    output::show(format, &serde_json::json!({ "machine": facts, "items": rows }), |_| {
        Ok(format!("{}\n\n{}", machine::table(facts), table(rows)))
    })?;
    if missed > 0 {
        anyhow::bail!("{} missed", output::count(missed, "bar"));
    }
    Ok(Done::All)
}

fn table(rows: &[Row]) -> String {
    let lines = rows.iter().map(|row| {
        let verdict = match row.ok {
            Some(true) => "ok",
            Some(false) => "missed",
            None => "",
        };
        let value = if row.value < 10.0 { format!("{:.2}", row.value) } else { format!("{:.0}", row.value) };
        [
            row.name.clone(),
            value,
            row.unit.to_owned(),
            row.bar.unwrap_or_default().to_owned(),
            verdict.to_owned(),
        ]
    });
    output::table(["MEASURED", "VALUE", "UNIT", "BAR", ""], lines)
}

fn row(name: impl Into<String>, value: f64, unit: &'static str) -> Row {
    Row { name: name.into(), value, unit, bar: None, ok: None }
}

fn barred(name: impl Into<String>, value: f64, unit: &'static str, bar: &'static str, ok: bool) -> Row {
    Row { name: name.into(), value, unit, bar: Some(bar), ok: Some(ok) }
}
