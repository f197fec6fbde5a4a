//! One invocation of the Lambda function.

use model::{Signal, Timestamp};
use runtime::wake::{self, Outcome, WakeError};
use serde_json::Value;

use crate::{Error, Notify};

/// How often an invocation looks for more at once, before it leaves the rest to the next.
const ROUNDS: usize = 20;

/// Takes what the function was invoked with, then does what is due.
///
/// # Errors
/// When the payload is not understood, or, for anything but a batch, when the catalog does not answer.
pub async fn handle(notify: &Notify, payload: Value) -> anyhow::Result<Outcome> {
    let signals = |signals: Vec<Signal>| async move { notify.signals(&signals).await };
    wake::take(payload, &*notify.clock, signals, work(notify)).await
}

async fn work(notify: &Notify) -> Result<Option<Timestamp>, Error> {
    let mut due = None;
    for _ in 0..ROUNDS {
        due = notify.tick().await?;
        if due.is_none_or(|due| due > notify.clock.now()) {
            break;
        }
    }
    Ok(due)
}

/// The word by which Lambda's metrics and destinations tell failures apart.
#[must_use]
pub fn error_type(error: &anyhow::Error) -> &'static str {
    if error.is::<WakeError>() {
        "Notify.Payload"
    } else if error.is::<Error>() {
        "Notify.Unavailable"
    } else {
        "Notify.Failed"
    }
}
