//! What a function does with what woke it.

use std::{error::Error, future::Future};

use model::{Signal, Timestamp};
use ports::Clock;
use serde::Serialize;
use serde_json::Value;
use tracing::{error, warn};

use super::{BatchFailures, Woken, read};

/// What an invocation answers that may say when something is due next.
pub trait Due: Serialize {
    /// When something is due next: the function's schedule is set to it.
    fn due(&self) -> Option<Timestamp>;
}

/// What an invocation answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// To a batch: the messages that shall come again.
    #[serde(flatten)]
    pub failures: BatchFailures,
    /// When something is due next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

impl Due for Outcome {
    fn due(&self) -> Option<Timestamp> {
        self.due
    }
}

/// Gives the signals that `payload` holds to `signals`, then awaits `work`, which does what is due and says when
/// something is due next.
///
/// # Errors
/// When the payload is not understood, or, for anything but a batch, what `signals` or `work` says. A batch fails by
/// message.
pub async fn take<E, T, W>(
    payload: Value,
    clock: &dyn Clock,
    signals: impl FnOnce(Vec<Signal>) -> T,
    work: W,
) -> anyhow::Result<Outcome>
where
    E: Error + Send + Sync + 'static,
    T: Future<Output = Result<(), E>>,
    W: Future<Output = Result<Option<Timestamp>, E>>,
{
    let (mut failed, mut is_batch) = (Vec::new(), false);
    if let Woken::Signals { told, unreadable } = read(payload)? {
        for one in unreadable {
            warn!(message.id = %one.message, "Message {} is not acknowledged: {}", one.message, one.reason);
            is_batch = true;
            failed.push(one.message);
        }
        let (messages, told): (Vec<Option<String>>, Vec<Signal>) = told.into_iter().unzip();
        let messages: Vec<String> = messages.into_iter().flatten().collect();
        is_batch |= !messages.is_empty();
        if let Err(error) = signals(told).await {
            if !is_batch {
                return Err(error.into());
            }
            let error = anyhow::Error::new(error);
            error!("{} messages are not acknowledged: {error:#}", messages.len());
            failed.extend(messages);
        }
    }
    let due = match work.await {
        Ok(due) => due,
        // What the messages told is kept, and due: the schedule does it, and this asks for it at once.
        Err(error) if is_batch => {
            let error = anyhow::Error::new(error);
            error!("What is due stays due: {error:#}");
            Some(clock.now())
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Outcome { failures: failed.into_iter().collect(), due })
}

#[cfg(test)]
mod tests;
