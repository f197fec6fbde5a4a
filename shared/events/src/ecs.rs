//! To be written by its family.

use model::Timestamp;

use crate::{Reading, Rejection, envelope::Envelope, generic};

/// Reads an event of this family.
///
/// # Errors
/// What the event lacks.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    generic::read(envelope, now)
}
