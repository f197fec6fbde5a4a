//! One invocation of the Lambda function.

use chrono::TimeDelta;
use model::{Signal, Timestamp};
use runtime::wake::{self, BatchFailures, WakeError, Woken};
use serde::Serialize;
use serde_json::Value;
use tracing::{error, warn};

use crate::{Error, Health};

/// How long an invocation goes on with what is due, before it leaves the rest to the next.
const WORK: TimeDelta = TimeDelta::seconds(60);

/// What an invocation answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// To a batch: the messages that shall come again.
    #[serde(flatten)]
    pub failures: BatchFailures,
    /// When something is due next: the schedule is set to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// Takes what the function was invoked with, then does what is due.
///
/// # Errors
/// When the payload is not understood, or, for anything but a batch, when the catalog does not answer.
pub async fn handle(health: &Health, payload: Value) -> anyhow::Result<Outcome> {
    let mut failed: Vec<String> = Vec::new();
    let mut is_batch = false;
    match wake::read(payload)? {
        Woken::Tick => {}
        Woken::Signals { told, unreadable } => {
            for one in unreadable {
                warn!(message.id = %one.message, "Message {} is not acknowledged: {}", one.message, one.reason);
                is_batch = true;
                failed.push(one.message);
            }
            let (messages, signals): (Vec<Option<String>>, Vec<Signal>) = told.into_iter().unzip();
            let messages: Vec<String> = messages.into_iter().flatten().collect();
            is_batch |= !messages.is_empty();
            if let Err(error) = health.signals(&signals).await {
                if !is_batch {
                    return Err(error.into());
                }
                let error = anyhow::Error::new(error);
                error!("{} messages are not acknowledged: {error:#}", messages.len());
                failed.extend(messages);
            }
        }
    }
    let due = match work(health).await {
        Ok(due) => due,
        // What the messages told is kept, and due: the schedule does it, and this asks for it at once.
        Err(error) if is_batch => {
            let error = anyhow::Error::new(error);
            error!("What is due stays due: {error:#}");
            Some(health.clock.now())
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Outcome { failures: failed.into_iter().collect(), due })
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
