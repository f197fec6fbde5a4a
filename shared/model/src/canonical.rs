//! Canonical JSON and its hash: what makes "the same document" a comparison of 32 bytes.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The SHA-256 of something in canonical form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The hash of a JSON value in canonical form.
    #[must_use]
    pub fn of_json(value: &Value) -> Self {
        Self::of_bytes(&canonical_json(value))
    }

    /// The hash of bytes that are canonical already.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl std::fmt::Display for ContentHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

fn write_fields<'a>(fields: impl Iterator<Item = (&'a String, &'a Value)>, text: &mut Vec<u8>) {
    text.push(b'{');
    for (index, (key, field)) in fields.enumerate() {
        if index > 0 {
            text.push(b',');
        }
        write_scalar(key, text);
        text.push(b':');
        write_canonical(field, text);
    }
    text.push(b'}');
}

/// JSON with sorted keys and no white space. Numbers keep every digit, which RFC 8785 (doubles only) would not:
/// two documents that differ in a 19-digit id must differ.
#[must_use]
pub fn canonical_json(value: &Value) -> Vec<u8> {
    CanonicalText::default().value(value).take()
}

/// Canonical JSON that is put together from parts.
#[derive(Debug, Default)]
pub(crate) struct CanonicalText(Vec<u8>);

impl CanonicalText {
    /// Bytes that are canonical where they stand.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn value(&mut self, value: &Value) -> &mut Self {
        write_canonical(value, &mut self.0);
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        write_scalar(text, &mut self.0);
        self
    }

    pub(crate) fn texts(&mut self, texts: &BTreeMap<String, String>) -> &mut Self {
        self.raw(b"{");
        for (index, (key, text)) in texts.iter().enumerate() {
            if index > 0 {
                self.raw(b",");
            }
            self.text(key).raw(b":").text(text);
        }
        self.raw(b"}")
    }

    /// What was put together.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

fn write_canonical(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => write_scalar(value, text),
        Value::Array(items) => {
            text.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                write_canonical(item, text);
            }
            text.push(b']');
        }
        Value::Object(fields) => {
            // Mostly they are in order already.
            if fields.keys().is_sorted() {
                write_fields(fields.iter(), text);
            } else {
                let mut sorted: Vec<_> = fields.iter().collect();
                sorted.sort_unstable_by_key(|(key, _)| key.as_str());
                write_fields(sorted.into_iter(), text);
            }
        }
    }
}

fn write_scalar<T: serde::Serialize + ?Sized>(scalar: &T, text: &mut Vec<u8>) {
    // Writing a scalar into memory cannot fail: there is no I/O, and no map key that is not a text.
    let written = serde_json::to_writer(text, scalar);
    debug_assert!(written.is_ok(), "a scalar is JSON");
}
