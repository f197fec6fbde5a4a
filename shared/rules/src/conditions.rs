//! What the conditions of any Kubernetes object say.

use model::Timestamp;
use serde_json::Value;

use crate::compiled::Opinion;

/// Judges a Kubernetes object by what nearly all of them have in common.
pub(crate) fn judge(_resource: &Value, _now: Timestamp) -> Option<Opinion> {
    None
}
