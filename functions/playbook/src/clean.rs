//! What a step leaves, made fit to be kept: without the secrets it was given, and without NUL.

use connections::Redactor;
use serde_json::Value;

/// NUL, which Postgres cannot hold, becomes this.
const NO_NUL: &str = "\u{fffd}";

/// A text without secrets.
pub(crate) fn text(redactor: &Redactor, text: &str) -> String {
    redactor.redact(text).replace('\0', NO_NUL)
}

/// A value without secrets, in its keys neither.
pub(crate) fn value(redactor: &Redactor, of: Value) -> Value {
    match of {
        Value::String(held) => Value::String(text(redactor, &held)),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| value(redactor, item)).collect()),
        Value::Object(fields) => Value::Object(
            fields.into_iter().map(|(key, held)| (text(redactor, &key), value(redactor, held))).collect(),
        ),
        Value::Number(number) => {
            let written = number.to_string();
            let shown = redactor.redact(&written);
            if shown == written { Value::Number(number) } else { Value::String(shown.into_owned()) }
        }
        Value::Null | Value::Bool(_) => of,
    }
}

/// The last `most` bytes of a text, and whether that is all of it.
pub(crate) fn tail(text: &str, most: usize) -> (&str, bool) {
    let from = text.len().saturating_sub(most);
    let from = (from..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    (text.get(from..).unwrap_or_default(), from == 0)
}

/// The first `most` bytes of a text, and whether that is all of it.
pub(crate) fn head(text: &str, most: usize) -> (&str, bool) {
    let to = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    (text.get(..to).unwrap_or_default(), to == text.len())
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
