//! Health: what a rule says of a resource, and which of several is the worst.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::words;
use crate::{ResourceId, Timestamp};

words!(
    /// How well something is, from the best to the worst: the order is the order of worst-of.
    Health, Unknown {
        /// It does what it is for.
        Healthy = "healthy",
        /// Nothing says how it is.
        Unknown = "unknown",
        /// It works, but somebody should look.
        Warning = "warning",
        /// It does not do what it is for.
        Unhealthy = "unhealthy",
    }
);

impl Health {
    /// The worst of several; `None` of none. One that a rule could not tell of is worse than one that is well: where
    /// anything is unknown, that all is well would be a guess. What no rule judges has no health and is not among them.
    #[must_use]
    pub fn worst(of: impl IntoIterator<Item = Self>) -> Option<Self> {
        of.into_iter().max()
    }
}

/// What a rule says of a resource at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// How well it is.
    pub health: Health,
    /// A short `PascalCase` text: `Running`, `CrashLoopBackOff`.
    pub status: String,
    /// True when it has settled: nothing is under way that would change it by itself.
    pub ready: bool,
    /// Why, for a person; empty where the status says it all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The rule that said so; absent where no rule knows the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The instant at which the same document would be judged otherwise; absent where time alone changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// The health of a resource as it stands: the verdict, and since when it has been so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthState {
    /// The resource.
    pub resource: ResourceId,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Since when health and status are these.
    pub since: Timestamp,
    /// When it was last judged.
    pub judged_at: Timestamp,
}

/// One change of a resource's health or status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transition {
    /// The resource.
    pub resource: ResourceId,
    /// When it came to be so.
    pub at: Timestamp,
    /// What it was before; absent at the first judgement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Health>,
    /// The status before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_status: Option<String>,
    /// What it is.
    #[serde(flatten)]
    pub verdict: Verdict,
}

#[cfg(test)]
mod tests {
    use super::Health::{self, Healthy, Unhealthy, Unknown, Warning};

    #[test]
    fn the_worst_speaks_for_all_and_what_is_unknown_is_not_called_well() {
        assert_eq!(Health::worst([]), None);
        assert_eq!(Health::worst([Healthy, Healthy]), Some(Healthy));
        assert_eq!(Health::worst([Unknown, Unknown]), Some(Unknown));
        assert_eq!(Health::worst([Unknown, Healthy]), Some(Unknown));
        assert_eq!(Health::worst([Unknown, Healthy, Warning]), Some(Warning));
        assert_eq!(Health::worst([Warning, Unhealthy, Healthy, Healthy]), Some(Unhealthy));
    }
}
