//! One manifest: its envelope, and one of the kinds in it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    API_VERSION, Check, Connection, HealthRule, Notification, Playbook, Retention, Scraper, Silence,
};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// The kinds of manifests.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Kind { $($(#[$doc])* $name),+ }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name),+];
            /// Every kind's word.
            pub const WORDS: &[&str] = &[$(stringify!($name)),+];

            /// The word in `kind:`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }
        }

        /// What a manifest says, by its kind.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Spec { $($(#[$doc])* $name(Box<$name>)),+ }

        impl Spec {
            /// The kind.
            #[must_use]
            pub fn kind(&self) -> Kind {
                match self { $(Self::$name(_) => Kind::$name),+ }
            }

            /// Reads the spec of a kind; an error names the field within it.
            pub(crate) fn read(
                kind: Kind,
                spec: &Value,
            ) -> Result<Self, serde_path_to_error::Error<serde_json::Error>> {
                Ok(match kind {
                    $(Kind::$name => Self::$name(Box::new(serde_path_to_error::deserialize(spec)?))),+
                })
            }

            fn body(&self) -> Value {
                match self {
                    $(Self::$name(spec) => serde_json::to_value(spec).unwrap_or_default()),+
                }
            }
        }

        /// The JSON Schema of the spec of a kind.
        pub(crate) fn spec_schema(kind: Kind, generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
            match kind { $(Kind::$name => generator.subschema_for::<$name>()),+ }
        }
    };
}

kinds!(
    /// What is listed, and how often.
    Scraper,
    /// How well resources of some types are.
    HealthRule,
    /// A synthetic probe.
    Check,
    /// A procedure.
    Playbook,
    /// Who is told of what.
    Notification,
    /// What is not told for a while.
    Silence,
    /// Where an API is, and with which credentials it is reached.
    Connection,
    /// How long what is no longer so is kept.
    Retention,
);

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Kind {
    type Err = String;

    /// Reads a kind, whatever the case and with or without the `s` of several.
    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let found = Self::ALL.iter().find(|kind| {
            let word = kind.as_str().to_ascii_lowercase();
            lower == word
                || lower.strip_suffix('s') == Some(&word)
                || lower == word.replace("check", "checks")
        });
        found.copied().ok_or_else(|| {
            format!("there is no kind `{text}`{}", expr::did_you_mean(text, Self::WORDS.iter().copied()))
        })
    }
}

/// What a manifest is called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// Its name: unique among those of its kind; lower-case letters, digits, `-` and `.`.
    pub name: String,
    /// Labels, to find it by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Notes that mean nothing to Perigee.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// One manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// What it is called.
    pub metadata: Metadata,
    /// What it says.
    pub spec: Spec,
}

impl Manifest {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.spec.kind()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The whole document, with everything that was left out as it is then.
    #[must_use]
    pub fn body(&self) -> Value {
        json!({
            "apiVersion": API_VERSION,
            "kind": self.kind(),
            "metadata": self.metadata,
            "spec": self.spec.body(),
        })
    }
}
