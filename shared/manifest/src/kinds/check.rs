//! `Check`: a synthetic probe.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Condition, Every, Span, Template, Value};

/// A synthetic probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Check {
    /// What it says, for a person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How often; at least ten seconds apart.
    pub every: Every,
    /// The resource that it probes: an id, an ARN, an alias or `type/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// How many failures in a row make it fail.
    #[serde(default = "one")]
    pub failures: u32,
    /// A request over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpCheck>,
}

/// A request over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpCheck {
    /// The address, or what is put behind the connection's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Template>,
    /// An `http` connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The method.
    #[serde(default = "get")]
    pub method: String,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Value>,
    /// The body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Template>,
    /// How long it may take.
    #[serde(default = "ten_seconds")]
    pub timeout: Span,
    /// How many redirects are followed.
    #[serde(default)]
    pub redirects: u8,
    /// What must hold of `response`: `status`, `headers`, `body`, `json`, `elapsed`. A status below 400 without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Condition>,
}

fn one() -> u32 {
    1
}

fn get() -> String {
    "GET".to_owned()
}

fn ten_seconds() -> Span {
    Span::seconds(10)
}
