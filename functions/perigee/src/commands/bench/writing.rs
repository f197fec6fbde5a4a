//! How fast it is recorded: beside `COPY`, seen again unchanged, and while others read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use catalog::{Catalog, bench::Estate};
use model::{Observation, Timestamp};
use ports::{Clock, SystemClock};
use tokio::time::{MissedTickBehavior, interval};

use super::{
    Row, barred,
    pages::{PAGE, Pages},
    questions::{Question, Reader},
    row,
    times::{Times, timed},
};

/// The most resources that are recorded and seen again.
const MOST: u64 = 100_000;
/// The least share of `COPY`'s speed that `record` must reach.
const BESIDE_COPY: f64 = 0.5;
/// The greatest share of the time of fresh resources that unchanged ones may take.
const UNCHANGED: f64 = 0.05;
/// How many read at once.
const READERS: u64 = 32;
/// How often each of them asks.
const EVERY: Duration = Duration::from_millis(250);
/// How long they read without a writer, and with one.
pub(super) const SPAN: Duration = Duration::from_secs(30);
/// Resources recorded a second meanwhile.
const RATE: u64 = 2_000;
/// The database for what is recorded into empty tables.
const BESIDE: &str = "perigee_bench_fresh";

/// `record` beside `COPY`, both into empty tables that have the same indexes; then the same documents again.
pub(super) async fn fresh(catalog: &Catalog, estate: &Estate) -> anyhow::Result<Vec<Row>> {
    let now = SystemClock.now();
    let empty = catalog.beside(BESIDE, now).await?;
    let rows = fresh_in(&empty, estate, now).await;
    empty.close().await;
    catalog.remove_beside(BESIDE).await?;
    rows
}

async fn fresh_in(catalog: &Catalog, estate: &Estate, now: Timestamp) -> anyhow::Result<Vec<Row>> {
    let pages = (estate.resources / 10).clamp(PAGE, MOST) / PAGE;
    let resources = (pages * PAGE) as f64;
    let made = Pages { estate: *estate, salt: 1, began: now - chrono::Duration::hours(2) };
    let batches = |listing: &'static str, after| (0..pages).map(move |page| made.page(page, listing, after));
    // What is measured is the catalog: the documents are made beforehand.
    let first: Vec<Observation> =
        batches("first", chrono::Duration::zero()).collect::<anyhow::Result<_>>()?;
    let again: Vec<Observation> =
        batches("second", chrono::Duration::hours(1)).collect::<anyhow::Result<_>>()?;

    let ((), recording) = timed(record_all(catalog, &first)).await?;
    let copied = catalog.copy_beside().await?;
    let before = catalog.versions_stored().await?;
    let ((), repeating) = timed(record_all(catalog, &again)).await?;
    let versions = catalog.versions_stored().await? - before;

    let rows = copied.rows as f64;
    let (record_speed, copy_speed) = (rows / recording.as_secs_f64(), rows / copied.took.as_secs_f64());
    let share = repeating.as_secs_f64() / recording.as_secs_f64();
    let ratio = record_speed / copy_speed;
    Ok(vec![
        row("record, fresh resources into empty tables", record_speed, "rows/s"),
        row("COPY of the same rows into identical tables", copy_speed, "rows/s"),
        barred("record beside COPY", ratio, "x", ">= 0.5", ratio >= BESIDE_COPY),
        row("record, fresh resources into empty tables", resources / recording.as_secs_f64(), "resources/s"),
        row(
            "record, the same documents in the next listing",
            resources / repeating.as_secs_f64(),
            "resources/s",
        ),
        barred("the same documents, time beside fresh", share, "x", "<= 0.05", share <= UNCHANGED),
        barred("the same documents, new versions", versions as f64, "versions", "= 0", versions == 0),
    ])
}

async fn record_all(catalog: &Catalog, batches: &[Observation]) -> anyhow::Result<()> {
    for batch in batches {
        catalog.record(std::slice::from_ref(batch), SystemClock.now()).await?;
    }
    Ok(())
}

/// Readers alone, then readers while resources are recorded into the estate. Each has a task of its own, so that none
/// waits until another has read its answer.
pub(super) async fn beside_readers(reader: &Reader, salt: u64, span: Duration) -> anyhow::Result<Vec<Row>> {
    // Once for nothing, so that what they need is in memory.
    readers(reader, 0, span / 3).await?;
    let alone = readers(reader, 1, span).await?;
    let written = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn(write(reader.clone(), salt, Arc::clone(&written), Arc::clone(&done)));
    let waiting = tokio::spawn(longest_wait(reader.catalog.clone(), Arc::clone(&done)));
    let began = Instant::now();
    let times = readers(reader, 2, span).await;
    done.store(true, Ordering::Relaxed);
    let took = began.elapsed();
    writing.await??;
    let waited = waiting.await??.as_secs_f64();
    let beside = times?;
    let speed = written.load(Ordering::Relaxed) as f64 / took.as_secs_f64();
    let (p99_alone, p99_beside) = (alone.quantile(0.99), beside.quantile(0.99));
    let ratio = p99_beside / p99_alone.max(f64::MIN_POSITIVE);
    Ok(vec![
        row("32 readers alone, p50", alone.quantile(0.5), "ms"),
        row("32 readers alone, p99", p99_alone, "ms"),
        row("32 readers beside a writer, p50", beside.quantile(0.5), "ms"),
        row("32 readers beside a writer, p99", p99_beside, "ms"),
        barred("32 readers, p99 beside a writer to alone", ratio, "x", "<= 2", ratio <= 2.0),
        barred("recorded beside 32 readers", speed, "resources/s", ">= 1900", speed >= 0.95 * RATE as f64),
        barred("longest wait for a lock", waited, "s", "<= 1", waited <= 1.0),
    ])
}

/// Everyone asks four times a second, beginning one after the other.
async fn readers(reader: &Reader, round: u64, span: Duration) -> anyhow::Result<Times> {
    let everyone: Vec<_> =
        (0..READERS).map(|who| tokio::spawn(read(reader.clone(), who, round, span))).collect();
    let mut all = Times::default();
    for one in everyone {
        all.join(&one.await??);
    }
    Ok(all)
}

async fn read(reader: Reader, who: u64, round: u64, span: Duration) -> anyhow::Result<Times> {
    let began = Instant::now();
    let start = tokio::time::Instant::now() + EVERY * u32::try_from(who)? / u32::try_from(READERS)?;
    let mut ticks = tokio::time::interval_at(start, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut times = Times::default();
    let mut n = who * 1_000 + round * 1_000_000;
    while began.elapsed() < span {
        ticks.tick().await;
        let question = Question::OF_READERS[n as usize % Question::OF_READERS.len()];
        times.add(reader.ask(question, n, None).await?);
        n += 1;
    }
    Ok(times)
}

async fn write(
    reader: Reader,
    salt: u64,
    written: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
) -> anyhow::Result<()> {
    let began = SystemClock.now() - chrono::Duration::minutes(10);
    let pages = Pages { estate: reader.estate, salt, began };
    let mut ticks = interval(Duration::from_secs(1) * u32::try_from(PAGE)? / u32::try_from(RATE)?);
    // What was late is made up for.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut page = 0;
    while !done.load(Ordering::Relaxed) {
        ticks.tick().await;
        let batch = pages.page(page, "beside readers", chrono::Duration::zero())?;
        reader.catalog.record(&[batch], SystemClock.now()).await?;
        // What was begun while they read and ended afterwards does not count.
        if !done.load(Ordering::Relaxed) {
            written.fetch_add(PAGE, Ordering::Relaxed);
        }
        page += 1;
    }
    Ok(())
}

async fn longest_wait(catalog: Catalog, done: Arc<AtomicBool>) -> anyhow::Result<Duration> {
    let mut ticks = interval(Duration::from_millis(100));
    let mut longest = Duration::ZERO;
    while !done.load(Ordering::Relaxed) {
        ticks.tick().await;
        longest = longest.max(catalog.longest_wait().await?);
    }
    Ok(longest)
}
