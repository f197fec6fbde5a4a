//! What the catalog tells the world after it changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::change::words;
use crate::{SignalId, Timestamp};

words!(
    /// What happened to the catalog.
    SignalKind, ResourceChanged {
        /// A resource was seen for the first time, or came back.
        ResourceCreated = "resource.created",
        /// A source's document of a resource changed.
        ResourceChanged = "resource.changed",
        /// A resource was proven gone.
        ResourceDeleted = "resource.deleted",
        /// A change was recorded.
        ChangeRecorded = "change.recorded",
        /// A finding opened, or opened again.
        FindingOpened = "finding.opened",
        /// A finding was resolved or suppressed.
        FindingClosed = "finding.closed",
        /// The health or the status of a resource changed; the subject is the resource.
        HealthChanged = "health.changed",
        /// A check that passed fails; the subject is the check.
        CheckFailed = "check.failed",
        /// A check that failed passes; the subject is the check.
        CheckRecovered = "check.recovered",
        /// Somebody asks for a run, or for its end; the subject is the run.
        RunRequested = "run.requested",
        /// A run ended well; the subject is the run.
        RunCompleted = "run.completed",
        /// A run failed, or its outcome is unknown; the subject is the run.
        RunFailed = "run.failed",
        /// Somebody asks for a listing now; it wakes who lists.
        ScrapeRequested = "scrape.requested",
        /// A manifest was applied or deleted; the functions read it anew.
        ManifestChanged = "manifest.changed",
    }
);

/// One signal. It is written in the transaction that made it true and delivered at least once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Signal {
    /// UUIDv5 of what it tells: consumers use it to act once.
    pub id: SignalId,
    /// What happened.
    pub kind: SignalKind,
    /// The resource, change or finding it is about.
    pub subject: uuid::Uuid,
    /// When the fact was true.
    pub occurred_at: Timestamp,
    /// The few fields a filter needs.
    pub payload: Value,
}
