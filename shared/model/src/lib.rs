//! The words of the program: resources, versions, edges, changes, findings, observations and signals.
//!
//! Plain data and pure transitions. No I/O, no async, no clock, no SQL: a value of these types can be built in a
//! test with a literal, and every function here answers from its arguments alone.
//!
//! Start with [`Observation`], the only thing that is ever written into the catalog, then [`timeline`], which says
//! what a set of facts about one resource means.

mod arn;
mod canonical;
mod change;
mod diff;
mod document;
mod finding;
mod health;
mod identity;
mod ids;
mod observation;
pub mod relation;
mod secret;
mod signal;
pub mod timeline;
mod types;
mod work;

pub use arn::Arn;
pub use canonical::{ContentHash, canonical_json};
pub use change::{Actor, ActorKind, Category, Change, ChangeResource, Role, Severity};
pub use diff::{Difference, diff};
pub use document::{Document, MASK_SET, Relation, shown_config};
pub use finding::{Finding, FindingStatus};
pub use health::{Health, HealthState, Transition, Verdict};
pub use identity::{ResourceKey, Spelling, aws_key, key_from_arn, key_from_arn_seen_in, kubernetes_key};
pub use ids::{
    ChangeId, CheckId, DeliveryId, FindingId, ListingId, ObservationKey, ResourceId, RunId, SignalId,
};
pub use observation::{Completeness, Evidence, Observation, Partition, Rank, ResourceFact, Sighting, Source};
pub use secret::SecretRef;
pub use signal::{Signal, SignalKind};
pub use types::{Plain, ResourceType, Scope, TYPES, known_type, type_of_arn};
pub use work::{CheckState, DeliveryState, RunState, StepState};

/// An instant in UTC. Facts are kept to the microsecond, which is what Postgres keeps.
pub type Timestamp = chrono::DateTime<chrono::Utc>;

/// Cuts an instant to the microsecond, so that a fact compares equal before and after it was stored.
#[must_use]
pub fn to_micros(at: Timestamp) -> Timestamp {
    chrono::DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}
