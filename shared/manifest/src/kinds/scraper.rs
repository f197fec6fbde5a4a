//! `Scraper`: what is listed, and how often.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Every;

/// What is listed, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scraper {
    /// How often.
    pub every: Every,
    /// Accounts of AWS, through AWS Config and the tagging API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsScraper>,
    /// A Kubernetes cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<KubernetesScraper>,
}

/// What of AWS is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwsScraper {
    /// A `Connection` with an `aws` block; the ambient credentials without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The regions; the one of the credentials without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// A Config aggregator to ask instead of each account's recorder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregator: Option<String>,
    /// Only these types, as Config spells them; `*` stands for any text. All without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
}

/// What of a cluster is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubernetesScraper {
    /// A `Connection` with a `kubernetes` block; the current context of the kubeconfig without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Only these kinds: `Pod`, `Deployment.apps`. Every kind that can be listed without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Not these kinds. `Event` and `Lease.coordination.k8s.io` are never listed as resources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
}
