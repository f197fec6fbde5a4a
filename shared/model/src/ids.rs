//! Ids. Resources, changes, findings and signals are UUIDv5 of what they are, so that the same fact has the same id
//! in every catalog.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ContentHash;

/// The namespace of every UUIDv5 of Perigee.
const NAMESPACE: Uuid = Uuid::from_u128(0x7e0f_2a5c_9d0b_5f1e_a3c4_70e1_9ee0_0001);

/// Joins the parts with a byte that no identifier holds, so that `("a", "bc")` and `("ab", "c")` differ.
pub(crate) fn named(parts: &[&str]) -> Uuid {
    Uuid::new_v5(&NAMESPACE, parts.join("\u{1f}").as_bytes())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// A resource: UUIDv5 of its [`crate::ResourceKey`].
    ResourceId
);
id!(
    /// A change: UUIDv5 of the observation's key and the change's place in it.
    ChangeId
);
id!(
    /// A finding: UUIDv5 of the product that claims it, its account and region, and the product's own id of it.
    FindingId
);
id!(
    /// A listing: one walk over one partition, made of pages and a closing observation.
    ListingId
);
id!(
    /// A signal: UUIDv5 of what it tells, so that it is told once however often the fact arrives.
    SignalId
);

id!(
    /// A run of a playbook: UUIDv5 of the playbook, what triggered it and its target, so that a trigger starts it once.
    RunId
);
id!(
    /// A delivery: UUIDv5 of the notification, the signal and the channel. It is also its `Idempotency-Key`.
    DeliveryId
);
id!(
    /// A check: UUIDv5 of its name.
    CheckId
);

impl RunId {
    /// The id of the run of `playbook` that `trigger` (a signal's id, a fire time, a caller's key) starts on `target`.
    #[must_use]
    pub fn of(playbook: &str, trigger: &str, target: Option<ResourceId>) -> Self {
        let target = target.map_or_else(String::new, |id| id.to_string());
        Self(named(&["run", playbook, trigger, &target]))
    }

    /// The `Idempotency-Key` of a step: the same on every attempt.
    #[must_use]
    pub fn step_key(self, step: &str) -> Uuid {
        named(&["step", &self.to_string(), step])
    }
}

impl DeliveryId {
    /// The id of the delivery of `signal` by `notification` to `channel`.
    #[must_use]
    pub fn of(notification: &str, signal: &str, channel: &str) -> Self {
        Self(named(&["delivery", notification, signal, channel]))
    }
}

impl CheckId {
    /// The id of the check that is called `name`.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self(named(&["check", name]))
    }
}

impl ChangeId {
    /// The id of the `index`th change of the observation `key`.
    #[must_use]
    pub fn of(key: &ObservationKey, index: usize) -> Self {
        Self(named(&["change", &key.to_string(), &index.to_string()]))
    }
}

impl FindingId {
    /// The id of the finding that `product` calls `external_id`, in `account` and `region`.
    #[must_use]
    pub fn of(product: &str, account: &str, region: &str, external_id: &str) -> Self {
        Self(named(&["finding", product, account, region, external_id]))
    }
}

impl ListingId {
    /// The id of a listing, from whatever names it uniquely (a run and a partition, say).
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        Self(named(&[&["listing"], parts].concat()))
    }
}

impl SignalId {
    /// The id of the signal `kind` about `subject` (an id, a source, an instant).
    #[must_use]
    pub fn of(kind: &str, subject: &[&str]) -> Self {
        Self(named(&[&["signal", kind], subject].concat()))
    }
}

/// The idempotency key of an observation: SHA-256 of the canonical unwrapped payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObservationKey(pub ContentHash);

impl ObservationKey {
    /// The key of a payload, whatever it was wrapped in.
    #[must_use]
    pub fn of(payload: &serde_json::Value) -> Self {
        Self(ContentHash::of_json(payload))
    }
}

impl std::fmt::Display for ObservationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
