//! What the Lambda function does when it is woken.

use std::time::Duration;

use model::{Signal, Timestamp};
use runtime::wake::{self, Outcome};
use serde_json::Value;
use tokio::time::Instant;
use tracing::info;

use crate::{Error, Playbooks};

/// How long one invocation goes on beginning runs; a function lives for 15 minutes at most.
const WORK: Duration = Duration::from_secs(8 * 60);

/// Makes runs of the signals that the function was woken with, and executes what is due.
///
/// # Errors
/// When the payload cannot be understood, or nothing could be done at all.
pub async fn handle(playbooks: &Playbooks, payload: Value) -> anyhow::Result<Outcome> {
    let signals = |signals: Vec<Signal>| async move { playbooks.signals(&signals).await };
    let outcome = wake::take(payload, &*playbooks.clock, signals, work(playbooks)).await?;
    info!(
        due = ?outcome.due,
        "Did what was due; next at {}",
        outcome.due.map_or_else(|| "no time".to_owned(), |due| due.to_rfc3339())
    );
    Ok(outcome)
}

/// The word by which Lambda's metrics and destinations tell failures apart.
#[must_use]
pub fn error_type(error: &anyhow::Error) -> &'static str {
    if error.is::<wake::WakeError>() {
        "Playbook.Payload"
    } else if error.is::<Error>() {
        "Playbook.Unavailable"
    } else {
        "Playbook.Failed"
    }
}

/// Does what is due until nothing is, or until this invocation has worked for long enough.
async fn work(playbooks: &Playbooks) -> Result<Option<Timestamp>, Error> {
    let begun = Instant::now();
    loop {
        let due = playbooks.tick().await?;
        let at_once = due.is_some_and(|due| due <= playbooks.clock.now());
        if !at_once || begun.elapsed() > WORK {
            return Ok(due);
        }
    }
}
