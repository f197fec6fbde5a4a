//! CloudTrail records, bare and in EventBridge.

use model::Timestamp;
use serde_json::Value;

use crate::{Reading, Reason, Rejection, envelope::Envelope};

/// Reads a record inside an envelope.
///
/// # Errors
/// What the record lacks.
pub(crate) fn read(_envelope: &Envelope<'_>, _now: Timestamp) -> Result<Reading, Rejection> {
    Err(Rejection::new(Reason::UnknownShape, "not built yet"))
}

/// Reads a bare record.
///
/// # Errors
/// What the record lacks.
pub(crate) fn read_record(_payload: &Value, _now: Timestamp) -> Result<Reading, Rejection> {
    Err(Rejection::new(Reason::UnknownShape, "not built yet"))
}
