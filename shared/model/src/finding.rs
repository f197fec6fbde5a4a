//! A claim about resources by a scanner or a rule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::change::words;
use crate::{FindingId, ResourceKey, Severity, Timestamp};

/// One statement of a finding: how it stood at `at`. The latest statement (by instant, then content) is its state.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// UUIDv5 of product, account, region and the product's own id.
    pub id: FindingId,
    /// The instant the statement is true for: the product's "updated at".
    pub at: Timestamp,
    /// When the product first saw it.
    pub first_seen: Timestamp,
    /// The account the finding is about.
    pub account: String,
    /// The region the finding is about, `global` for global services.
    pub region: String,
    /// The product that claims it: `guardduty`, `securityhub`, `config`, `inspector` ...
    pub product: String,
    /// The product's own id of it.
    pub external_id: String,
    /// The product's type or control: `Recon:EC2/PortProbe`, `S3.4`, a rule's name.
    pub kind: String,
    /// One line for a person.
    pub title: String,
    /// The product's explanation, masked.
    pub description: String,
    /// How much it matters.
    pub severity: Severity,
    /// Where it stands.
    pub status: FindingStatus,
    /// The rest of what the product says, masked and bounded.
    pub details: Value,
    /// The resources it is about.
    pub resources: Vec<ResourceKey>,
}

words!(
    /// Where a finding stands.
    FindingStatus, Open {
        /// The claim holds.
        Open = "open",
        /// The claim no longer holds.
        Resolved = "resolved",
        /// Somebody decided that it shall not count.
        Suppressed = "suppressed",
    }
);
