//! One invocation of the Lambda function.

use chrono::TimeDelta;
use model::{Signal, Timestamp};
use runtime::wake::{self, Outcome, WakeError};
use serde_json::Value;

use crate::{Error, Health};

/// How long an invocation goes on with what is due, before it leaves the rest to the next.
const WORK: TimeDelta = TimeDelta::seconds(60);

/// Takes what the function was invoked with, then does what is due.
///
/// # Errors
/// When the payload is not understood, or, for anything but a batch, when the catalog does not answer.
pub async fn handle(health: &Health, payload: Value) -> anyhow::Result<Outcome> {
    let signals = |signals: Vec<Signal>| async move { health.signals(&signals).await };
    wake::take(payload, &*health.clock, signals, work(health)).await
}

async fn work(health: &Health) -> Result<Option<Timestamp>, Error> {
    let until = health.clock.now() + WORK;
    loop {
        let due = health.tick().await?;
        let now = health.clock.now();
        if due.is_none_or(|due| due > now) || now >= until {
            return Ok(due);
        }
    }
}

/// The word by which Lambda's metrics and destinations tell failures apart.
#[must_use]
pub fn error_type(error: &anyhow::Error) -> &'static str {
    if error.is::<WakeError>() {
        "Health.Payload"
    } else if error.is::<Error>() {
        "Health.Unavailable"
    } else {
        "Health.Failed"
    }
}
