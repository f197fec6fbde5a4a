//! `HealthRule`: how well resources of some types are.

use model::Health;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Condition, Selector, Span, Template};

/// How well resources of some types are. The rules of a type are tried by priority, then by name; in the first that
/// applies, the first case that holds is the verdict. A rule of which no case holds passes on to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HealthRule {
    /// What it says, for a person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The types that it judges: `AWS::ECS::Service`, `Kubernetes::apps::Deployment`; `*` stands for any text.
    pub types: Vec<String>,
    /// Only resources of this set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
    /// Rules of a higher priority are tried first. Built-in rules have -100.
    #[serde(default)]
    pub priority: i32,
    /// Judge again at least this often, besides when the document changes and when a case's `until` comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// Named values that the cases use as `let.NAME`, evaluated in order; each may use those before it.
    #[serde(default, rename = "let", skip_serializing_if = "Vec::is_empty")]
    pub lets: Vec<Let>,
    /// What is tried, in order.
    pub cases: Vec<Case>,
}

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Let {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Condition,
}

/// One possible verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Case {
    /// When it holds; always, without.
    #[serde(default, rename = "if", skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// The health.
    pub health: Health,
    /// A short `PascalCase` text.
    pub status: Template,
    /// Whether it has settled; true for healthy and unhealthy, false otherwise, where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<bool>,
    /// Why, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Template>,
    /// The instant (a timestamp) at which this verdict may change by time alone; it is judged again then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Condition>,
}
