//! `Retention`: how long what is no longer so is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Span;

/// How long what is no longer so is kept. There is one, named `default`; what it leaves out is as the schema says. Without
/// one, what is known of the world is kept for ever. What is so now is never removed: ages count from when something ended. A month of history goes
/// in one piece, so that it may be there up to a month longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Retention {
    /// What resources were before: versions, edges, names and tags, health and its transitions.
    pub history: Span,
    /// Changes.
    pub changes: Span,
    /// Findings that are closed, from their last statement on.
    pub findings: Span,
    /// That the same was seen again. The last of each is kept.
    pub sightings: Span,
    /// Results of checks.
    pub checks: Span,
    /// Runs that ended, with what their steps wrote.
    pub runs: Span,
    /// Deliveries that ended, with their attempts.
    pub deliveries: Span,
    /// Which observations were recorded: a payload that is sent again later than this is recorded again.
    pub ledger: Span,
    /// Listings and their pages. The last of each page is kept.
    pub listings: Span,
    /// How many resources there were.
    pub counts: Span,
    /// Input that could not be taken.
    pub rejected: Span,
    /// Deleted resources, from their end on, with everything of them; those go last, when nothing else tells of them.
    pub deleted: Span,
    /// Ages of resources of some types, instead of the above. The first that fits a type counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<TypeRetention>,
}

/// Ages of resources of some types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TypeRetention {
    /// A type; `*` stands for anything: `Kubernetes::*`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What they were before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<Span>,
    /// Changes that touched no other resources, or others whose age is past, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Span>,
    /// That the same was seen again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sightings: Option<Span>,
    /// Those that are deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Span>,
}

impl Default for Retention {
    fn default() -> Self {
        let days = |days: u64| Span::hours(24 * days);
        Self {
            history: days(400),
            changes: days(400),
            findings: days(400),
            sightings: days(30),
            checks: days(7),
            runs: days(90),
            deliveries: days(90),
            ledger: days(400),
            listings: days(30),
            counts: days(400),
            rejected: days(90),
            deleted: days(400),
            types: Vec::new(),
        }
    }
}
