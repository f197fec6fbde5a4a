//! How fast it answers, one client, warm.

use std::time::Duration;

use catalog::Catalog;

use super::{
    Row, barred,
    questions::{DEPTH, Question, Reader},
    row,
};

/// How often each sort of question is asked.
pub(super) const TIMES: u64 = 300;
/// How long ago the past is that is asked for, and how many times as long the answer may take.
const DAYS_AGO: i64 = 60;
const AGO: f64 = 3.0;
/// How long the query that enumerates paths may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many times faster than it a walk must be.
const FASTER: f64 = 50.0;
/// How large a share of the resources the naive table is made of.
const SHARE: f64 = 0.05;

/// A sort of question, and the most milliseconds that the slowest of a hundred may take.
pub(super) async fn question(
    reader: &Reader,
    (question, most, bar): (Question, f64, &'static str),
    times: u64,
) -> anyhow::Result<Vec<Row>> {
    let now = reader.ask_often(question, times, None).await?;
    let ago = reader.estate.now - chrono::Duration::days(DAYS_AGO);
    let then = reader.ask_often(question, times, Some(ago)).await?;
    let (p99, p99_then) = (now.quantile(0.99), then.quantile(0.99));
    let ratio = p99_then / p99.max(f64::MIN_POSITIVE);
    Ok(vec![
        row(format!("{question}, p50"), now.quantile(0.5), "ms"),
        barred(format!("{question}, p99"), p99, "ms", bar, p99 <= most),
        row(format!("{question}, 60 days ago, p50"), then.quantile(0.5), "ms"),
        row(format!("{question}, 60 days ago, p99"), p99_then, "ms"),
        barred(format!("{question}, p99 60 days ago to now"), ratio, "x", "<= 3", ratio <= AGO),
    ])
}

/// A sort of question of which nothing is demanded.
pub(super) async fn without_bar(reader: &Reader, question: Question) -> anyhow::Result<Vec<Row>> {
    let times = reader.ask_often(question, TIMES / 3, None).await?;
    Ok(vec![
        row(format!("{question}, p50"), times.quantile(0.5), "ms"),
        row(format!("{question}, p99"), times.quantile(0.99), "ms"),
    ])
}

/// The walk into the diamond beside a query that enumerates its paths.
pub(super) async fn beside_paths(reader: &Reader) -> anyhow::Result<Vec<Row>> {
    let walk = reader.ask_often(Question::Diamond, 20, None).await?.quantile(0.5);
    let rival = reader.catalog.enumerate_paths(reader.estate.diamond(), DEPTH, PATIENCE).await?;
    let took = rival.took.as_secs_f64() * 1_000.0;
    let ratio = took / walk.max(f64::MIN_POSITIVE);
    let name = if rival.ended {
        "recursive query that enumerates the diamond's paths"
    } else {
        "recursive query that enumerates the diamond's paths, stopped after a minute"
    };
    Ok(vec![
        row(name, took, "ms"),
        barred("walk into the diamond, times faster than that", ratio, "x", ">= 50", ratio >= FASTER),
    ])
}

/// What lies on the disk, for a million resources.
pub(super) async fn disk(catalog: &Catalog) -> anyhow::Result<Vec<Row>> {
    let disk = catalog.disk(SHARE).await?;
    let per_million = |bytes: i64| bytes as f64 / 1e9 * 1e6 / (disk.resources as f64).max(1.0);
    Ok(vec![
        row("disk per million resources, documents and versions", per_million(disk.versions), "GB"),
        row("disk per million resources, naive copy per version", per_million(disk.naive), "GB"),
        row("text of those documents per million resources", per_million(disk.text), "GB"),
        row("disk per million resources, everything", per_million(disk.all), "GB"),
    ])
}
