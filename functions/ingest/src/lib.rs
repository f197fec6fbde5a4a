//! Normalises events to observations.
//!
//! Woken by: EventBridge through SQS, EventBridge directly, SNS, and S3 object notifications (CloudTrail log files,
//! Config snapshots and history), directly or through SQS. Reads: the event, and the object that it points at.
//! Writes: the catalog, through [`intake`]. Never calls another function.
//!
//! # What becomes of bad input
//!
//! The raw bytes of what cannot be taken never enter Postgres; they stay with the sender. So:
//!
//! - **A message of a batch** is reported as failed when the catalog or S3 did not answer (SQS delivers it again), and
//!   also when it holds an item that can never be taken: after the queue's `maxReceiveCount` SQS moves it to the
//!   dead-letter queue, where it can be inspected and sent again. Its good items are recorded at the first attempt and
//!   are duplicates afterwards. The rejected ones are listed once under `/rejected`, however often the message comes:
//!   their origin is the queue and the hash of the body, not the receipt. The other messages of the batch are
//!   acknowledged. The event source mapping needs `ReportBatchItemFailures`.
//! - **A direct invocation** fails as a whole, with a message that names the first rejected item: Lambda tries it twice
//!   more and then hands the event to the function's on-failure destination or dead-letter queue.

mod batch;
#[cfg(test)]
mod tests;

use anyhow::Context as _;
use intake::{Intake, Report};
use model::Timestamp;
use runtime::wake::Due;
use serde::Serialize;
use serde_json::Value;
use tracing::{info, warn};

use batch::Batch;

/// Everything from outside.
#[derive(Debug, Clone)]
pub struct Context {
    /// The way into the catalog.
    pub intake: Intake,
}

/// What an invocation answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// To a batch: the messages that shall not be acknowledged.
    #[serde(rename_all = "camelCase")]
    Batch {
        /// They are delivered again, and end in the dead-letter queue when that does not help.
        batch_item_failures: Vec<Failure>,
    },
    /// To anything else: what became of its items.
    Report(Report),
}

impl Due for Outcome {
    fn due(&self) -> Option<Timestamp> {
        None
    }
}

/// A message that shall not be acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The message's `messageId`.
    pub item_identifier: String,
}

/// The event of a direct invocation holds items that can never be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", refusal(.0))]
pub struct Refused(pub Report);

/// Takes what the function was invoked with.
///
/// # Errors
/// For a direct invocation: when the catalog or S3 does not answer, or when items were rejected ([`Refused`]). For a
/// batch: when its messages cannot be told apart.
pub async fn handle(ctx: &Context, payload: Value) -> anyhow::Result<Outcome> {
    match batch::read(&payload).context("cannot read the batch of messages")? {
        Some(batch) => Ok(take_batch(ctx, batch).await),
        None => take_event(ctx, payload).await,
    }
}

/// The word by which Lambda's metrics and destinations tell failures apart.
#[must_use]
pub fn error_type(error: &anyhow::Error) -> &'static str {
    if error.is::<Refused>() {
        "Ingest.Rejected"
    } else if error.is::<intake::Error>() {
        "Ingest.Unavailable"
    } else {
        "Ingest.Failed"
    }
}

async fn take_batch(ctx: &Context, batch: Batch) -> Outcome {
    let Batch { ids, inputs } = batch;
    let mut whole = Report::default();
    let mut batch_item_failures = Vec::new();
    for (id, taken) in ids.into_iter().zip(ctx.intake.take_each(inputs).await) {
        let taken = taken.map_err(anyhow::Error::from).and_then(|report| {
            whole.add(report.clone());
            if report.rejected == 0 { Ok(()) } else { Err(Refused(report).into()) }
        });
        if let Err(error) = taken {
            warn!(message.id = %id, "Message {id} is not acknowledged: {error:#}");
            batch_item_failures.push(Failure { item_identifier: id });
        }
    }
    log(&whole);
    Outcome::Batch { batch_item_failures }
}

async fn take_event(ctx: &Context, payload: Value) -> anyhow::Result<Outcome> {
    let report = ctx.intake.take_payloads("direct invocation", &[payload]).await?;
    log(&report);
    anyhow::ensure!(report.rejected == 0, Refused(report));
    Ok(Outcome::Report(report))
}

fn log(report: &Report) {
    let Report { total, accepted, duplicate, ignored, rejected, .. } = report;
    info!(
        total,
        accepted,
        duplicate,
        ignored,
        rejected,
        "Took {total} items: {accepted} accepted, {duplicate} duplicate, {ignored} ignored, {rejected} rejected"
    );
}

fn refusal(report: &Report) -> String {
    let first = report.rejections.first().map(|r| {
        let at = if r.place.is_empty() { String::new() } else { format!(", at {}", r.place) };
        format!("; the first{at}: {} ({})", r.message, r.reason)
    });
    format!(
        "{} of {} items cannot be taken and are listed under /rejected{}",
        report.rejected,
        report.total,
        first.unwrap_or_default()
    )
}
