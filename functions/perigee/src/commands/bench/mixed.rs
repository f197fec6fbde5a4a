//! `perigee bench mixed`: everything at once for half an hour, and whether it grows.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use ports::{Clock, SystemClock};
use serde::Serialize;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::{
    Row, barred,
    ground::{self, Found},
    machine,
    pages::Pages,
    questions::{Question, Reader},
    report, row,
    times::{Times, timed},
};
use crate::{exit::Done, output::Format, print};

/// How long, and where.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// How many minutes
    #[arg(long, default_value_t = 30, value_name = "N")]
    pub minutes: u32,
    /// Where it is measured.
    #[command(flatten)]
    pub ground: ground::Choice,
    /// How the table is printed
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
}

/// How many read at once, and how often each asks.
const READERS: u64 = 8;
const READ_EVERY: Duration = Duration::from_millis(100);
/// How often a page is recorded: fresh, as it was, or its changes, in turn.
const WRITE_EVERY: Duration = Duration::from_millis(500);
/// What the last third may be of the first.
const GROWTH: f64 = 1.2;
const MINUTE: Duration = Duration::from_secs(60);
const QUESTIONS: [Question; 7] = [
    Question::TypeAndTag,
    Question::HealthAndAccount,
    Question::Words,
    Question::Graph,
    Question::Shown,
    Question::History,
    Question::Changes,
];

/// What was measured in a minute, by what was done.
type Minute = BTreeMap<String, Times>;

/// A minute as it is printed.
#[derive(Debug, Serialize)]
struct Line {
    minute: usize,
    done_per_second: f64,
    perigee_mib: f64,
    postgres_mib: f64,
    latencies: BTreeMap<String, [f64; 2]>,
}

/// What all share while it runs.
struct Load {
    reader: Reader,
    began: Instant,
    minute: Duration,
    span: Duration,
    minutes: Mutex<Vec<Minute>>,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Done> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let measuring = ground::with_estate(&options.ground, async |found| measure(options, found).await);
    let (facts, rows) = runtime.block_on(measuring)?;
    report(options.output, &facts, &rows)
}

async fn measure(options: &Options, found: &Found) -> anyhow::Result<(Vec<machine::Fact>, Vec<Row>)> {
    let facts = machine::facts(&found.catalog.server_facts().await?);
    let reader = Reader { catalog: found.catalog.clone(), estate: found.estate };
    Ok((facts, load(&reader, options.minutes, MINUTE, found.server).await?))
}

/// Everything at once, for so many minutes of such a length.
pub(super) async fn load(
    reader: &Reader,
    minutes: u32,
    minute: Duration,
    server: Option<i32>,
) -> anyhow::Result<Vec<Row>> {
    let load = Arc::new(Load {
        reader: reader.clone(),
        began: Instant::now(),
        minute,
        span: minute * minutes,
        minutes: Mutex::new(vec![Minute::new(); minutes as usize]),
    });
    // Each has a task of its own, so that none waits until another has read its answer.
    let mut tasks = JoinSet::new();
    for who in 0..READERS {
        let load = Arc::clone(&load);
        tasks.spawn(async move { load.read(who).await });
    }
    let writer = Arc::clone(&load);
    tasks.spawn(async move { writer.write().await });
    let keeper = Arc::clone(&load);
    tasks.spawn(async move { keeper.keep_house().await });
    let lines = load.tell(server).await?;
    while let Some(ended) = tasks.join_next().await {
        ended.context("somebody panicked")??;
    }
    load.rows(&lines)
}

impl Load {
    fn goes_on(&self) -> bool {
        self.began.elapsed() < self.span
    }

    fn note(&self, what: String, took: Duration) -> anyhow::Result<()> {
        let minute = self.began.elapsed().div_duration_f64(self.minute) as usize;
        let mut minutes = self.minutes.lock().map_err(|_| anyhow::anyhow!("somebody panicked"))?;
        if let Some(minute) = minutes.get_mut(minute) {
            minute.entry(what).or_default().add(took);
        }
        Ok(())
    }

    async fn read(&self, who: u64) -> anyhow::Result<()> {
        let mut ticks = ticks(READ_EVERY);
        let mut n = who * 10_000_000;
        while self.goes_on() {
            ticks.tick().await;
            let question = QUESTIONS[n as usize % QUESTIONS.len()];
            let took = self.reader.ask(question, n, None).await?;
            self.note(question.to_string(), took)?;
            n += 1;
        }
        Ok(())
    }

    async fn write(&self) -> anyhow::Result<()> {
        let began = SystemClock.now();
        // Another half hour on the same estate records other resources.
        let salt = began.timestamp().unsigned_abs() % 1_000_000 + 100;
        let pages = Pages { estate: self.reader.estate, salt, began };
        let mut ticks = ticks(WRITE_EVERY);
        let mut n = 0;
        while self.goes_on() {
            ticks.tick().await;
            let (page, now) = (n / 3, SystemClock.now());
            let since = now - began;
            let (what, seen) = match n % 3 {
                0 => ("record fresh", pages.page(page, "fresh", since)?),
                1 => ("record unchanged", pages.page(page, "again", since)?),
                _ => ("record changes", pages.changes(page, now)?),
            };
            let (_, took) =
                timed(async { Ok(self.reader.catalog.record(&[seen], SystemClock.now()).await?) }).await?;
            self.note(what.to_owned(), took)?;
            n += 1;
        }
        Ok(())
    }

    async fn keep_house(&self) -> anyhow::Result<()> {
        let mut ticks = ticks(self.minute);
        while self.goes_on() {
            ticks.tick().await;
            self.reader.catalog.maintain(SystemClock.now()).await?;
            let rest = self.span.saturating_sub(self.began.elapsed());
            if rest < self.minute {
                break;
            }
        }
        Ok(())
    }

    /// Tells of each minute when it is over.
    async fn tell(&self, server: Option<i32>) -> anyhow::Result<Vec<Line>> {
        let start = tokio::time::Instant::from_std(self.began + self.minute);
        let mut ticks = tokio::time::interval_at(start, self.minute);
        let mut lines = Vec::new();
        while self.minute * u32::try_from(lines.len())? < self.span {
            ticks.tick().await;
            let line = self.line(lines.len(), server)?;
            print::note(&serde_json::to_string(&line).context("cannot write a line")?);
            lines.push(line);
        }
        Ok(lines)
    }

    fn line(&self, minute: usize, server: Option<i32>) -> anyhow::Result<Line> {
        let minutes = self.minutes.lock().map_err(|_| anyhow::anyhow!("somebody panicked"))?;
        let measured = minutes.get(minute).cloned().unwrap_or_default();
        let done: usize = measured.values().map(Times::count).sum();
        let pid = i32::try_from(std::process::id()).unwrap_or_default();
        Ok(Line {
            minute: minute + 1,
            done_per_second: done as f64 / self.minute.as_secs_f64(),
            perigee_mib: machine::resident_mib(pid).unwrap_or_default(),
            postgres_mib: server.and_then(machine::private_mib).unwrap_or_default(),
            latencies: measured
                .iter()
                .map(|(what, times)| (what.clone(), [times.quantile(0.5), times.quantile(0.99)]))
                .collect(),
        })
    }

    fn rows(&self, lines: &[Line]) -> anyhow::Result<Vec<Row>> {
        let minutes = self.minutes.lock().map_err(|_| anyhow::anyhow!("somebody panicked"))?;
        let third = minutes.len().div_ceil(3);
        let thirds = [&minutes[..third], &minutes[minutes.len() - third..]].map(|third| {
            let mut all = Minute::new();
            for (what, times) in third.iter().flatten() {
                all.entry(what.clone()).or_default().join(times);
            }
            all
        });
        let [first, last] = &thirds;
        let mut rows = vec![row(
            "pages of 500 recorded a minute",
            first
                .iter()
                .filter(|(what, _)| what.starts_with("record "))
                .map(|(_, times)| times.count())
                .sum::<usize>() as f64
                / third as f64,
            "pages",
        )];
        for (what, late) in last {
            let early = first.get(what).cloned().unwrap_or_default();
            rows.push(row(format!("{what}, p50, last third"), late.quantile(0.5), "ms"));
            rows.push(row(format!("{what}, p99, first third"), early.quantile(0.99), "ms"));
            rows.push(row(format!("{what}, p99, last third"), late.quantile(0.99), "ms"));
            rows.push(growth(&format!("{what}, p99"), early.quantile(0.99), late.quantile(0.99)));
        }
        let memory = |of: fn(&Line) -> f64, lines: &[Line]| lines.iter().map(of).fold(0.0, f64::max);
        let (early, late) = (&lines[..third.min(lines.len())], &lines[lines.len().saturating_sub(third)..]);
        for (what, of) in [
            ("memory of perigee", (|line| line.perigee_mib) as fn(&Line) -> f64),
            ("memory of Postgres beside what is shared", |line| line.postgres_mib),
        ] {
            let (early, late) = (memory(of, early), memory(of, late));
            rows.push(row(format!("{what}, last third"), late, "MiB"));
            rows.push(growth(what, early, late));
        }
        Ok(rows)
    }
}

fn growth(what: &str, early: f64, late: f64) -> Row {
    let ratio = late / early.max(f64::MIN_POSITIVE);
    let ratio = if early == 0.0 { 1.0 } else { ratio };
    barred(format!("{what}, last third to first"), ratio, "x", "<= 1.2", ratio <= GROWTH)
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
