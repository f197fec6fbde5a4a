//! Something that happened to a resource at an instant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ChangeId, ResourceKey, Timestamp};

/// A recorded change: an API call, an event, a deployment. Diffs between versions are derived, never recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// UUIDv5 of the observation's key and the change's place in it.
    pub id: ChangeId,
    /// When it happened, by the source's clock.
    pub occurred_at: Timestamp,
    /// The account it happened in.
    pub account: String,
    /// The region it happened in, `global` for global services.
    pub region: String,
    /// The stream that told of it: `cloudtrail`, `config`, `ecs` ...
    pub source: String,
    /// What happened in the source's own word: `RunInstances`, `ECS Task State Change` ...
    pub kind: String,
    /// The same in ours.
    pub category: Category,
    /// How much it matters, as far as the source says.
    pub severity: Severity,
    /// True when nothing was altered (Get, List, Describe ...).
    pub read_only: bool,
    /// One sentence for a person.
    pub summary: String,
    /// Who did it.
    pub actor: Option<Actor>,
    /// The address the call came from; a service's name when a service called.
    pub source_address: Option<String>,
    /// The caller's user agent.
    pub user_agent: Option<String>,
    /// The provider's error code, when the call failed.
    pub error_code: Option<String>,
    /// The provider's error text, masked, when the call failed.
    pub error_message: Option<String>,
    /// The provider's id of the event. Data, not identity: such ids repeat in the wild.
    pub event_id: Option<String>,
    /// What binds the calls of one session together: an access key id or a session name.
    pub session_id: Option<String>,
    /// A masked, bounded summary of what was asked, of what was answered, and whatever else the event says.
    pub details: Value,
    /// The resources it touched.
    pub resources: Vec<ChangeResource>,
    /// Names that could not become a resource: ARNs of foreign accounts, types without an identity rule.
    pub mentions: Vec<String>,
}

/// A resource that a change touched, and how.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangeResource {
    /// The resource.
    pub key: ResourceKey,
    /// How the change touched it.
    pub role: Role,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $default:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every word, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The same as they are stored and shown.
            pub const WORDS: &[&str] = &[$($word),+];

            /// The word as it is stored and shown.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl From<String> for $name {
            /// Total: a word this build does not know reads as the most general one.
            fn from(word: String) -> Self {
                match word.as_str() { $($word => Self::$variant,)+ _ => Self::$default }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words!(
    /// How a change touched a resource.
    Role, Related {
        /// It was done to this resource.
        Target = "target",
        /// It names this resource.
        Related = "related",
    }
);

words!(
    /// What sort of change it was.
    Category, Other {
        /// Something came to be.
        Create = "create",
        /// Something was altered.
        Update = "update",
        /// Something ceased to be.
        Delete = "delete",
        /// Something was read, or a session began.
        Access = "access",
        /// A state moved by itself: an instance stopped, an alarm rang.
        State = "state",
        /// A deployment or a pipeline moved.
        Deployment = "deployment",
        /// Permissions, keys, findings.
        Security = "security",
        /// The provider announced something: maintenance, an outage.
        Notice = "notice",
        /// Anything else.
        Other = "other",
    }
);

words!(
    /// How much something matters.
    Severity, Info {
        /// Nothing to do.
        Info = "info",
        /// Worth a look some day.
        Low = "low",
        /// Worth a look.
        Medium = "medium",
        /// Needs a look soon.
        High = "high",
        /// Needs a person now.
        Critical = "critical",
    }
);

words!(
    /// What sort of thing acted.
    ActorKind, Unknown {
        /// A person's or program's own user.
        User = "user",
        /// A role session.
        Role = "role",
        /// An AWS service.
        Service = "service",
        /// Another account.
        Account = "account",
        /// The root of an account.
        Root = "root",
        /// A federated or web identity.
        Federated = "federated",
        /// The source does not say.
        Unknown = "unknown",
    }
);

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// What sort of thing acted.
    pub kind: ActorKind,
    /// The name people know: a user name, a role name, a service.
    pub name: String,
    /// The role session's name, which for people is often an e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The service that called on the actor's behalf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// The principal's ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The account the actor belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        if let Some(session) = &self.session {
            write!(f, "/{session}")?;
        }
        Ok(())
    }
}
