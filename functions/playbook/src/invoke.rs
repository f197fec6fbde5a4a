//! What the Lambda function does when it is woken.

use std::time::Duration;

use model::{Signal, Timestamp};
use runtime::wake::{self, BatchFailures, Woken};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::{Error, Playbooks};

/// How long one invocation goes on beginning runs; a function lives for 15 minutes at most.
const WORK: Duration = Duration::from_secs(8 * 60);

/// What an invocation answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The messages that shall come again.
    #[serde(flatten)]
    pub failures: BatchFailures,
    /// When something is due next: for that instant the function is to be woken.
    pub due: Option<Timestamp>,
}

/// Makes runs of the signals that the function was woken with, and executes what is due.
///
/// # Errors
/// When the payload cannot be understood, or nothing could be done at all.
pub async fn handle(playbooks: &Playbooks, payload: Value) -> anyhow::Result<Outcome> {
    let (mut failures, mut is_batch) = (Vec::new(), false);
    if let Woken::Signals { told, unreadable } = wake::read(payload)? {
        for message in unreadable {
            warn!(
                message.id = message.message,
                "Message {} holds no signal: {}", message.message, message.reason
            );
            is_batch = true;
            failures.push(message.message);
        }
        let (messages, signals): (Vec<_>, Vec<Signal>) = told.into_iter().unzip();
        let messages: Vec<String> = messages.into_iter().flatten().collect();
        is_batch |= !messages.is_empty();
        if let Err(error) = playbooks.signals(&signals).await {
            if !is_batch {
                return Err(error.into());
            }
            warn!("The signals come again: {:#}", anyhow::Error::new(error));
            failures.extend(messages);
        }
    }
    let due = match work(playbooks).await {
        Ok(due) => due,
        // The runs are kept, and due: whoever is woken next executes them, and this asks for it at once.
        Err(error) if is_batch => {
            warn!("What is due stays due: {:#}", anyhow::Error::new(error));
            Some(playbooks.clock.now())
        }
        Err(error) => return Err(error.into()),
    };
    info!(
        ?due,
        "Did what was due; next at {}",
        due.map_or_else(|| "no time".to_owned(), |due| due.to_rfc3339())
    );
    Ok(Outcome { failures: failures.into_iter().collect(), due })
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
