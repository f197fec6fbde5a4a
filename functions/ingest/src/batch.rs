//! A batch of SQS messages. <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>

use intake::Input;
use model::ContentHash;
use serde::Deserialize;
use serde_json::Value;

/// The messages of a batch: their ids, and what they hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) ids: Vec<String>,
    pub(crate) inputs: Vec<Input>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    message_id: String,
    body: String,
    #[serde(rename = "eventSourceARN", default)]
    queue: String,
}

/// The batch that a payload is, if it is one.
///
/// # Errors
/// When a message lacks its id or body: it could not be reported as failed, so the whole batch has to come again.
pub(crate) fn read(payload: &Value) -> serde_json::Result<Option<Batch>> {
    let Some(records) = payload.get("Records").and_then(Value::as_array) else { return Ok(None) };
    let is_message = |record: &Value| record.get("eventSource").and_then(Value::as_str) == Some("aws:sqs");
    if records.is_empty() || !records.iter().all(is_message) {
        return Ok(None);
    }
    let messages = records.iter().map(Message::deserialize).collect::<serde_json::Result<Vec<_>>>()?;
    let (ids, inputs) =
        messages.into_iter().map(|message| (message.message_id.clone(), input(message))).unzip();
    Ok(Some(Batch { ids, inputs }))
}

/// The origin holds the hash of the body, so that a message that comes again is the same row of `/rejected`.
fn input(message: Message) -> Input {
    let Message { body, queue, .. } = message;
    let hash = ContentHash::of_bytes(body.as_bytes()).to_string();
    let queue = if queue.is_empty() { "an unnamed queue" } else { &queue };
    Input { origin: format!("{queue}, message body sha256:{hash}"), bytes: body.into_bytes() }
}
