//! Wrappings undone: lists of payloads, queue and topic messages, log files.

use serde_json::{Map, Value};

use super::{
    MAX_EVENT, Piece,
    documents::{Document, documents, documents_after},
    too_large,
};
use crate::{Reason, Rejection};

/// How many messages may be wrapped in one another.
const MAX_WRAPPINGS: usize = 8;

/// The keys under which documents hold lists of payloads, in the order in which they are taken: Lambda batches and log
/// files, Config snapshots and history, `BatchGetResourceConfig` and its aggregate form, `ReceiveMessage`,
/// `LookupEvents`, findings and alarms as their APIs list them.
const LISTS: &[&str] = &[
    "Records",
    "configurationItems",
    "baseConfigurationItems",
    "BaseConfigurationItems",
    "Messages",
    "Events",
    "Findings",
    "MetricAlarms",
    "CompositeAlarms",
];

/// Cuts a whole input.
pub(super) fn text(text: &str, pieces: &mut Vec<Piece>) {
    let found = documents(text);
    let alone = found.len() == 1;
    for document in found {
        let mut place = Place::default();
        // One document that is a list needs no line: its elements say enough.
        if !alone || document.line != 1 || !document.value.as_ref().is_ok_and(is_list) {
            place = place.at(&document);
        }
        one(document, &place, 0, pieces);
    }
}

/// Where a payload stood: `line 3, Records[4]`.
#[derive(Debug, Clone, Default)]
struct Place(String);

impl Place {
    fn at(&self, document: &Document<'_>) -> Self {
        let Document { line, column, .. } = document;
        match (self.0.is_empty(), *column) {
            (true, 1) => Self(format!("line {line}")),
            (true, _) => Self(format!("line {line}, column {column}")),
            (false, _) => self.clone(),
        }
    }

    fn then(&self, part: &str) -> Self {
        if self.0.is_empty() { Self(part.to_owned()) } else { Self(format!("{}, {part}", self.0)) }
    }

    fn index(&self, list: &str, index: usize) -> Self {
        self.then(&format!("{list}[{index}]"))
    }
}

fn is_list(value: &Value) -> bool {
    value.is_array() || !list_keys(value).is_empty()
}

/// The lists that a document holds: one as a rule, and two where `DescribeAlarms` answers.
fn list_keys(value: &Value) -> Vec<&'static str> {
    LISTS.iter().copied().filter(|key| value.get(key).is_some_and(Value::is_array)).collect()
}

fn one(document: Document<'_>, place: &Place, wrappings: usize, pieces: &mut Vec<Piece>) {
    let raw = document.text.as_bytes();
    match document.value {
        Ok(value) => payload(value, Some(raw), place, wrappings, pieces),
        Err(rejection) => match broken_list(document.text, &rejection) {
            Some((key, start)) => salvage(key, document.text, start, place, wrappings, pieces),
            None => pieces.push(Piece { place: place.0.clone(), raw: raw.to_vec(), payload: Err(rejection) }),
        },
    }
}

/// The name of a list whose document is cut or broken somewhere, and where its elements begin: a log file that was
/// still being written, or that holds one bad record.
fn broken_list(text: &str, rejection: &Rejection) -> Option<(&'static str, usize)> {
    if rejection.reason != Reason::MalformedJson {
        return None;
    }
    let named = text.strip_prefix('{')?.trim_start().strip_prefix('"')?;
    let (name, rest) = named.split_once('"')?;
    let key = LISTS.iter().copied().find(|key| *key == name)?;
    let elements = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('[')?;
    Some((key, text.len() - elements.len()))
}

/// Takes the elements of a broken list that are whole, and refuses the others one by one.
fn salvage(key: &str, text: &str, start: usize, place: &Place, wrappings: usize, pieces: &mut Vec<Piece>) {
    let is_end = |text: &str| {
        text.starts_with(']') && text.chars().all(|c| matches!(c, ']' | '}') || c.is_whitespace())
    };
    let elements = documents_after(text, start).into_iter().filter(|document| !is_end(document.text));
    for (index, document) in elements.enumerate() {
        one(document, &place.index(key, index), wrappings, pieces);
    }
}

/// Takes a value apart. `raw` is the text it was read from, where it was not part of something larger.
fn payload(mut value: Value, raw: Option<&[u8]>, place: &Place, wrappings: usize, pieces: &mut Vec<Piece>) {
    if let Value::Array(items) = value {
        return list(items, "", place, wrappings, pieces);
    }
    let lists = list_keys(&value);
    if !lists.is_empty() {
        for key in lists {
            if let Some(Value::Array(items)) = value.get_mut(key).map(Value::take) {
                list(items, key, place, wrappings, pieces);
            }
        }
    } else if let Some((part, inner)) = wrapped(&mut value) {
        message(inner, &place.then(part), wrappings + 1, pieces);
    } else if let Some(keys) = log_file_keys(&value) {
        for (index, key) in keys.into_iter().enumerate() {
            let mut one = value.clone();
            one["s3ObjectKey"] = key;
            elementary(one, None, &place.index("s3ObjectKey", index), pieces);
        }
    } else {
        read_detail(&mut value);
        elementary(value, raw, place, pieces);
    }
}

/// Reads the detail of an event as it is put on a bus: the text of a document.
fn read_detail(value: &mut Value) {
    if value.get("detail-type").is_none() {
        return;
    }
    let Some(Value::String(text)) = value.get("detail") else { return };
    if let [Document { value: Ok(detail @ Value::Object(_)), .. }] = &*documents(text) {
        let detail = detail.clone();
        value["detail"] = detail;
    }
}

fn list(items: Vec<Value>, key: &str, place: &Place, wrappings: usize, pieces: &mut Vec<Piece>) {
    for (index, item) in items.into_iter().enumerate() {
        payload(item, None, &place.index(key, index), wrappings, pieces);
    }
}

fn elementary(value: Value, raw: Option<&[u8]>, place: &Place, pieces: &mut Vec<Piece>) {
    let raw = raw.map_or_else(|| value.to_string().into_bytes(), <[u8]>::to_vec);
    let payload = if raw.len() > MAX_EVENT { Err(too_large(raw.len())) } else { Ok(value) };
    pieces.push(Piece { place: place.0.clone(), raw, payload });
}

/// The message inside a wrapping, and what the wrapping calls it.
fn wrapped(value: &mut Value) -> Option<(&'static str, Value)> {
    let fields = value.as_object_mut()?;
    let is = |fields: &Map<String, Value>, key: &str, word: &str| fields.get(key).is_some_and(|v| v == word);
    let part = if is(fields, "Type", "Notification") && fields.contains_key("Message") {
        "Message"
    } else if fields.contains_key("body")
        && ["messageId", "receiptHandle"].iter().any(|k| fields.contains_key(*k))
    {
        "body"
    } else if fields.contains_key("Body")
        && ["MessageId", "ReceiptHandle"].iter().any(|k| fields.contains_key(*k))
    {
        "Body"
    } else if fields.contains_key("Sns") && fields.contains_key("EventSource") {
        "Sns"
    } else if fields.contains_key("CloudTrailEvent") {
        "CloudTrailEvent"
    } else {
        return None;
    };
    let inner = fields.get_mut(part)?.take();
    // What SNS gives to Lambda says `Type` as well, but not every sender fills it.
    match inner {
        Value::Object(mut sns) if part == "Sns" => Some(("Sns.Message", sns.get_mut("Message")?.take())),
        inner => Some((part, inner)),
    }
}

/// The keys that a CloudTrail notification names, when they are several.
fn log_file_keys(value: &Value) -> Option<Vec<Value>> {
    value.get("s3Bucket")?;
    value.get("s3ObjectKey")?.as_array().cloned()
}

/// A message: a document, or the text of one.
fn message(inner: Value, place: &Place, wrappings: usize, pieces: &mut Vec<Piece>) {
    let refuse = |reason, message: &str, raw: &[u8], pieces: &mut Vec<Piece>| {
        let payload = Err(Rejection::new(reason, message));
        pieces.push(Piece { place: place.0.clone(), raw: raw.to_vec(), payload });
    };
    if wrappings > MAX_WRAPPINGS {
        let message = format!("Messages are wrapped in one another more than {MAX_WRAPPINGS} times");
        return refuse(Reason::TooDeep, &message, inner.to_string().as_bytes(), pieces);
    }
    match inner {
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            for document in documents(&text) {
                one(document, place, wrappings, pieces);
            }
        }
        Value::String(text) => {
            let message = "The message is text for people, not an event in JSON; only events can be taken";
            refuse(Reason::UnknownShape, message, text.as_bytes(), pieces);
        }
        other => payload(other, None, place, wrappings, pieces),
    }
}
