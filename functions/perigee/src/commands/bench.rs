//! `perigee bench`: what this machine can do, on a private database of its own that is removed afterwards.

mod estate;
pub mod load;

use std::{sync::Arc, time::Instant};

use anyhow::Context;
use catalog::Catalog;
use clap::{Args, Subcommand};
use intake::Intake;
use ports::{Clock, NoObjects, SystemClock};
use serde::Serialize;

use crate::{
    exit::Done,
    output::{self, Format},
    place::Database,
};

/// How much to measure.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    /// Something else than what is recorded a second.
    #[command(subcommand)]
    pub what: Option<What>,
    /// Resources to record, each with a document of about 1.5 KB and three relations
    #[arg(long, default_value_t = 50_000, value_name = "N")]
    pub resources: usize,
    /// CloudTrail events to take in, as NDJSON
    #[arg(long, default_value_t = 50_000, value_name = "N")]
    pub events: usize,
    /// Resources in one observation batch
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    pub batch: usize,
    /// How the table is printed
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
}

/// What else can be measured.
#[derive(Debug, Clone, Subcommand)]
pub enum What {
    /// A server under a steady stream of events: the lag from an event to the webhook that tells of it, and memory
    Load(load::Options),
}

/// A line of the table.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    value: f64,
    unit: &'static str,
    bar: Option<&'static str>,
    ok: Option<bool>,
}

/// The least share of `COPY`'s speed that `record` must reach.
const BAR: f64 = 0.3;

pub(crate) fn run(options: &Options) -> anyhow::Result<Done> {
    if let Some(What::Load(options)) = &options.what {
        return load::run(options);
    }
    let folder = std::env::temp_dir().join(format!("perigee-bench-{}", std::process::id()));
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let measured = runtime.block_on(measure(options, &folder));
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let rows = measured?;
    let missed = rows.iter().any(|row| row.ok == Some(false));
    output::show(options.output, &serde_json::json!({ "items": rows }), |_| Ok(table(&rows)))?;
    if missed {
        anyhow::bail!("a bar was missed");
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
            row.name.to_owned(),
            value,
            row.unit.to_owned(),
            row.bar.unwrap_or_default().to_owned(),
            verdict.to_owned(),
        ]
    });
    output::table(["MEASURED", "VALUE", "UNIT", "BAR", ""], lines)
}

async fn measure(options: &Options, folder: &std::path::Path) -> anyhow::Result<Vec<Row>> {
    let server = embedded::start(&embedded::Settings::durable(folder)).await?;
    let measured =
        measure_on(options, Catalog::connect(&Database::private(server.url(embedded::DATABASE)))?).await;
    server.stop().await?;
    measured
}

async fn measure_on(options: &Options, catalog: Catalog) -> anyhow::Result<Vec<Row>> {
    let now = SystemClock.now();
    catalog.migrate(now).await?;

    let observations = estate::documented(options.resources, options.batch, now);
    let began = Instant::now();
    for batch in &observations {
        catalog.record(batch, now).await?;
    }
    let recording = began.elapsed();
    let copied = catalog.copy_beside().await?;
    let rows = copied.rows as f64;
    let (record_speed, copy_speed) = (rows / recording.as_secs_f64(), rows / copied.took.as_secs_f64());
    let ratio = record_speed / copy_speed;

    let began = Instant::now();
    for batch in &estate::seen_again(&observations) {
        catalog.record(batch, now).await?;
    }
    let again = began.elapsed();

    catalog.reset().await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let intake = Intake { catalog: catalog.clone(), objects: Arc::new(NoObjects), clock, accounts: None };
    let inputs = estate::events(options.events, now);
    let began = Instant::now();
    let mut taken = 0;
    for input in &inputs {
        taken += intake.take("bench", input).await?.accepted;
    }
    let events_speed = taken as f64 / began.elapsed().as_secs_f64();

    Ok(vec![
        row("record, fresh resources", record_speed, "rows/s"),
        row("COPY of the same rows into identical tables", copy_speed, "rows/s"),
        Row {
            name: "record beside COPY",
            value: ratio,
            unit: "x",
            bar: Some(">= 0.3"),
            ok: Some(ratio >= BAR),
        },
        row("record, fresh resources", options.resources as f64 / recording.as_secs_f64(), "resources/s"),
        row(
            "record, the same documents seen again",
            options.resources as f64 / again.as_secs_f64(),
            "resources/s",
        ),
        row("CloudTrail events, bytes to commit", events_speed, "events/s"),
    ])
}

fn row(name: &'static str, value: f64, unit: &'static str) -> Row {
    Row { name, value, unit, bar: None, ok: None }
}
