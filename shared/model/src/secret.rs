//! Where a secret is kept.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A reference to a secret: read at use, never stored, never printed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum SecretRef {
    /// A variable of the environment of the function that uses it.
    Env(String),
    /// A file on the machine of the function that uses it.
    File(String),
    /// A secret of AWS Secrets Manager.
    #[serde(rename_all = "camelCase")]
    SecretsManager {
        /// Its name or ARN.
        id: String,
        /// The key, where the secret is a JSON object.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// A parameter of the SSM parameter store.
    Ssm(String),
    /// A key of a Kubernetes Secret.
    #[serde(rename_all = "camelCase")]
    KubernetesSecret {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The key in its data.
        key: String,
    },
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the file {path}"),
            Self::SecretsManager { id, key: None } => write!(f, "the secret {id} of Secrets Manager"),
            Self::SecretsManager { id, key: Some(key) } => {
                write!(f, "the key {key} of the secret {id} of Secrets Manager")
            }
            Self::Ssm(name) => write!(f, "the parameter {name} of SSM"),
            Self::KubernetesSecret { namespace, name, key } => {
                write!(f, "the key {key} of the Kubernetes Secret {namespace}/{name}")
            }
        }
    }
}
