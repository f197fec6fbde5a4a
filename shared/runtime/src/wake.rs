//! What a function that listens to signals is woken by: a batch of SQS messages that hold EventBridge events, such an
//! event itself, or a schedule. [`read`] is pure, [`take`] is what all such functions do then.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>

mod taken;
#[cfg(test)]
mod tests;

use model::Signal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use taken::{Due, Outcome, take};

/// The task of a schedule: do what is due.
const TICK: &str = "tick";

/// What a function is woken by.
#[derive(Debug, Clone, PartialEq)]
pub enum Woken {
    /// Signals, and what else a batch held.
    Signals {
        /// Each signal with the id of the message that held it; without one where no queue was between.
        told: Vec<(Option<String>, Signal)>,
        /// Messages that hold no signal. They can only end in the dead-letter queue.
        unreadable: Vec<Unreadable>,
    },
    /// A schedule: do what is due.
    Tick,
}

/// A message that holds no signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The message's `messageId`.
    pub message: String,
    /// Why it cannot be read.
    pub reason: String,
}

/// Why a payload cannot be understood. The invocation fails.
#[derive(Debug, thiserror::Error)]
pub enum WakeError {
    /// It is none of the payloads that such a function takes.
    #[error(
        "the payload is neither a batch of SQS messages, nor an EventBridge event with a signal, nor {{\"task\":\"tick\"}}"
    )]
    Unknown,
    /// A message has no id or body: it could not be reported as failed, so the whole batch has to come again.
    #[error("a message of the batch has no messageId or no body")]
    Message(#[source] serde_json::Error),
    /// The event's detail is no signal.
    #[error("the detail of the event is no signal")]
    Detail(#[source] serde_json::Error),
    /// There is no such task.
    #[error("there is no task `{0}`; the only one is `tick`")]
    Task(String),
}

/// The answer to a batch: the messages that shall come again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchFailures {
    /// They are delivered again, and end in the dead-letter queue when that does not help.
    pub batch_item_failures: Vec<BatchFailure>,
}

/// A message that shall come again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchFailure {
    /// The message's `messageId`.
    pub item_identifier: String,
}

impl FromIterator<String> for BatchFailures {
    fn from_iter<T: IntoIterator<Item = String>>(messages: T) -> Self {
        let failure = |item_identifier| BatchFailure { item_identifier };
        Self { batch_item_failures: messages.into_iter().map(failure).collect() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    message_id: String,
    body: String,
}

/// What `payload` wakes the function for.
///
/// # Errors
/// See [`WakeError`].
pub fn read(payload: Value) -> Result<Woken, WakeError> {
    let is_message = |record: &Value| record.get("eventSource").and_then(Value::as_str) == Some("aws:sqs");
    match payload.get("Records").and_then(Value::as_array) {
        Some(records) if !records.is_empty() && records.iter().all(is_message) => batch(records),
        Some(_) => Err(WakeError::Unknown),
        None => Ok(match event(payload)? {
            Some(signal) => Woken::Signals { told: vec![(None, signal)], unreadable: Vec::new() },
            None => Woken::Tick,
        }),
    }
}

fn batch(records: &[Value]) -> Result<Woken, WakeError> {
    let (mut told, mut unreadable) = (Vec::new(), Vec::new());
    for record in records {
        let Message { message_id, body } = Message::deserialize(record).map_err(WakeError::Message)?;
        let read = serde_json::from_str(&body).map_err(|error| format!("its body is no JSON: {error}"));
        match read.and_then(|body| event(body).map_err(|error| reason(&error))) {
            Ok(Some(signal)) => told.push((Some(message_id), signal)),
            // Whoever is woken by signals does what is due afterwards, so there is nothing more to do.
            Ok(None) => {}
            Err(reason) => unreadable.push(Unreadable { message: message_id, reason }),
        }
    }
    Ok(Woken::Signals { told, unreadable })
}

fn reason(error: &WakeError) -> String {
    match error {
        WakeError::Detail(source) | WakeError::Message(source) => format!("{error}: {source}"),
        WakeError::Unknown => "its body is neither an EventBridge event nor a task".to_owned(),
        WakeError::Task(_) => error.to_string(),
    }
}

/// The signal of an event, or none where it is the tick of a schedule.
fn event(mut payload: Value) -> Result<Option<Signal>, WakeError> {
    if let Some(task) = payload.get("task").and_then(Value::as_str) {
        return if task == TICK { Ok(None) } else { Err(WakeError::Task(task.to_owned())) };
    }
    let detail = payload.get_mut("detail").map(Value::take).ok_or(WakeError::Unknown)?;
    serde_json::from_value(detail).map(Some).map_err(WakeError::Detail)
}
