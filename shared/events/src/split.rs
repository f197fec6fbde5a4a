//! Bytes from anywhere, cut into elementary payloads.
//!
//! Undone here: gzip, byte order marks, JSON lines, concatenated and pretty-printed documents, arrays, CloudTrail
//! log files, Config snapshots and history files, Lambda and queue batches, SNS and SQS wrapping in any nesting.
//! What is broken becomes one piece with its reason, and its neighbours are taken.

mod documents;
mod inflate;
mod repair;
mod unwrap;

use serde_json::Value;

use crate::{Reason, Rejection};

/// An elementary payload may have this many bytes of JSON; what is larger comes through S3 in parts.
pub(crate) const MAX_EVENT: usize = 4 << 20;

/// One elementary payload, or why there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Where it stood in the input, for people: `line 3`, `line 3, Records[4]`, `Records[0]`.
    pub place: String,
    /// The raw bytes it came from (the line or record), for rejects files. Shared, not copied, where possible.
    pub raw: Vec<u8>,
    /// The payload.
    pub payload: Result<Value, Rejection>,
}

/// Cuts bytes into elementary payloads, in the order of the input.
#[must_use]
pub fn split(bytes: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let inflated = inflate::inflate(bytes);
    let text = String::from_utf8_lossy(&inflated.bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    unwrap::text(text, &mut pieces);
    if inflated.broken.is_some() && pieces.last().is_some_and(is_cut) {
        // Where a stream was cut, what stands at the cut is part of what the cut cost.
        pieces.pop();
    }
    if let Some(rejection) = inflated.broken {
        pieces.push(Piece { place: inflated.place, raw: bytes.to_vec(), payload: Err(rejection) });
    }
    pieces
}

fn is_cut(piece: &Piece) -> bool {
    piece.payload.as_ref().is_err_and(|rejection| rejection.reason == Reason::MalformedJson)
}

fn too_large(size: usize) -> Rejection {
    let message = format!(
        "The event has {size} bytes, more than the {MAX_EVENT} that are taken; send it through S3, or without its bulk"
    );
    Rejection::new(Reason::TooLarge, message)
}

#[cfg(test)]
mod tests;
