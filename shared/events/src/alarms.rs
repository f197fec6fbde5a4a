//! To be written by its family.

use model::Timestamp;
use serde_json::Value;

use crate::{Reading, Reason, Rejection, envelope::Envelope, generic};

/// Reads an event of this family.
///
/// # Errors
/// What the event lacks.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    generic::read(envelope, now)
}

/// Reads a bare alarm: an SNS body, or as DescribeAlarms has it.
///
/// # Errors
/// What it lacks.
pub(crate) fn read_notification(_payload: &Value, _now: Timestamp) -> Result<Reading, Rejection> {
    Err(Rejection::new(Reason::UnknownShape, "not built yet"))
}
