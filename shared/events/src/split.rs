//! Bytes from anywhere, cut into elementary payloads.

use serde_json::Value;

use crate::Rejection;

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

/// Cuts bytes into elementary payloads.
#[must_use]
pub fn split(_bytes: &[u8]) -> Vec<Piece> {
    Vec::new()
}
