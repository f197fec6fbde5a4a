//! `perigee bench load`: a server of its own under a steady stream of events, for minutes.
//!
//! The stream is CloudTrail calls, and now and then an alarm that goes off. Each of those is judged unhealthy, and a
//! webhook here is told: from the sending of the event to the arrival of the webhook is the lag of the whole loop.

mod receiver;
mod server;
mod stream;

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use manifest::Span;

use self::{receiver::Receiver, server::Server, stream::Sent};
use super::{Row, times::quantile};
use crate::{
    exit::Done,
    output::{self, Format},
};

/// How hard, and how long.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Events a second
    #[arg(long, default_value_t = 500, value_name = "N")]
    pub rate: u32,
    /// How long: 30s, 5m
    #[arg(long, default_value = "5m", value_name = "SPAN")]
    pub duration: Span,
    /// How the table is printed
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
}

/// The greatest lag that the slowest of a hundred may have, in seconds.
const LAG: f64 = 2.0;
/// What memory may grow by between the first fifth of the time and its end.
const GROWTH: f64 = 1.2;
/// How long the last alarms may take to arrive.
const LATEST: Duration = Duration::from_secs(20);

/// What was sampled while the stream ran.
#[derive(Debug, Default)]
struct Samples {
    /// Resident memory of the server, in MiB, a second apart.
    memory: Vec<f64>,
    /// How long the oldest signal had waited, in seconds.
    waited: Vec<f64>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Done> {
    let folder = std::env::temp_dir().join(format!("perigee-load-{}", std::process::id()));
    let measured = measure(options, &folder);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let rows = measured?;
    let missed = rows.iter().any(|row| row.ok == Some(false));
    output::show(options.output, &serde_json::json!({ "items": rows }), |_| Ok(super::table(&rows)))?;
    if missed {
        anyhow::bail!("a bar was missed");
    }
    Ok(Done::All)
}

fn measure(options: &Options, folder: &Path) -> anyhow::Result<Vec<Row>> {
    let receiver = Receiver::start()?;
    let server = Server::start(folder)?;
    server.apply(&receiver.manifests())?;
    let samples = Arc::new(Mutex::new(Samples::default()));
    let began = Instant::now();
    let sent = std::thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            while began.elapsed() < options.duration.0 {
                sample(&server, &samples);
                std::thread::park_timeout(Duration::from_secs(1));
            }
        });
        let sent = stream::send(&server, options.rate, options.duration.0);
        sampler.thread().unpark();
        sent
    })?;
    let took = began.elapsed();
    let arrived = receiver.wait_for(sent.alarms.len(), LATEST);
    server.stop()?;
    let samples = samples.lock().map_err(|_| anyhow::anyhow!("the sampler panicked"))?;
    Ok(rows(&sent, took, &arrived, &samples))
}

fn sample(server: &Server, samples: &Mutex<Samples>) {
    let (memory, waited) = (server.memory(), server.oldest_signal());
    if let Ok(mut samples) = samples.lock() {
        samples.memory.extend(memory);
        samples.waited.extend(waited);
    }
}

fn rows(sent: &Sent, took: Duration, arrived: &receiver::Arrivals, samples: &Samples) -> Vec<Row> {
    let mut lags: Vec<f64> = sent
        .alarms
        .iter()
        .filter_map(|(name, at)| {
            Some(arrived.get(name)?.first()?.saturating_duration_since(*at).as_secs_f64())
        })
        .collect();
    lags.sort_by(f64::total_cmp);
    let told = lags.len();
    let twice = arrived.values().filter(|times| times.len() > 1).count();
    let mut answers = sent.answers.clone();
    answers.sort_by(f64::total_cmp);
    let (early, late) = ends(&samples.memory);
    let growth = late / early.max(1.0);
    let speed = sent.accepted as f64 / took.as_secs_f64();
    let p99 = quantile(&lags, 0.99);
    vec![
        super::row("events taken", sent.accepted as f64, "events"),
        super::row("events taken a second", speed, "events/s"),
        super::row("events that were not accepted", sent.refused as f64, "events"),
        super::row("answer to a batch of events, p99", quantile(&answers, 0.99), "s"),
        super::row("alarms that went off", sent.alarms.len() as f64, "alarms"),
        super::barred(
            "alarms not told",
            (sent.alarms.len() - told) as f64,
            "alarms",
            "= 0",
            told == sent.alarms.len(),
        ),
        super::barred("alarms told twice", twice as f64, "alarms", "= 0", twice == 0),
        super::row("lag from event to webhook, p50", quantile(&lags, 0.5), "s"),
        super::barred("lag from event to webhook, p99", p99, "s", "<= 2", !lags.is_empty() && p99 <= LAG),
        super::row("lag from event to webhook, greatest", quantile(&lags, 1.0), "s"),
        super::row("oldest signal that waited, greatest", quantile(&sorted(&samples.waited), 1.0), "s"),
        super::row("memory after a fifth of the time", early, "MiB"),
        super::row("memory at the end", late, "MiB"),
        super::barred("memory, end beside a fifth", growth, "x", "<= 1.2", growth <= GROWTH),
    ]
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

/// The greatest of ten samples around the first fifth, and of the last ten.
fn ends(samples: &[f64]) -> (f64, f64) {
    let fifth = samples.len() / 5;
    let greatest = |samples: &[f64]| samples.iter().copied().fold(0.0, f64::max);
    let early = samples.get(fifth.saturating_sub(5)..(fifth + 5).min(samples.len())).unwrap_or(samples);
    let late = samples.get(samples.len().saturating_sub(10)..).unwrap_or(samples);
    (greatest(early), greatest(late))
}
