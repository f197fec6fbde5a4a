//! `Connection`: where an API is, and with which credentials it is reached.

use std::collections::BTreeMap;

use model::SecretRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Value;

/// Where an API is and with which credentials it is reached; the credentials stay where they are kept. One of the
/// fields is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Connection {
    /// An HTTP API, for `http` steps and checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpConnection>,
    /// A webhook, for notifications; signed as standard-webhooks says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookConnection>,
    /// A Slack incoming webhook, for notifications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack: Option<SlackConnection>,
    /// A role in an account of AWS, for scrapers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsConnection>,
    /// A Kubernetes cluster, for scrapers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<KubernetesConnection>,
}

/// An HTTP API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpConnection {
    /// The address that every request begins with.
    pub url: Value,
    /// Headers of every request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Value>,
    /// A bearer token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer: Option<SecretRef>,
    /// A user name and a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic: Option<Basic>,
}

/// A user name and a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Basic {
    /// The user's name.
    pub username: Value,
    /// The password.
    pub password: SecretRef,
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookConnection {
    /// Its address.
    pub url: Value,
    /// The key of the signature: `whsec_` and base64. Unsigned without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretRef>,
    /// Headers of every request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Value>,
    /// True when the receiver drops what comes again under one `webhook-id` (which is also the `Idempotency-Key`): a
    /// delivery that a crash cut is sent again. Otherwise it becomes `failed` with the reason `unknown_outcome`.
    #[serde(default)]
    pub idempotent: bool,
}

/// A Slack incoming webhook. Its address is a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SlackConnection {
    /// Its address.
    pub url: SecretRef,
}

/// A role in an account of AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwsConnection {
    /// A role to assume; the ambient credentials without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The external id that the role's trust asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The region of the first request; the ambient one without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// A Kubernetes cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubernetesConnection {
    /// A context of the kubeconfig; the current one without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// A kubeconfig in place of the ambient one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<SecretRef>,
}
