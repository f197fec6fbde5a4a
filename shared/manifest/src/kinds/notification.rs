//! `Notification`: who is told of what.

use model::SignalKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Condition, Span, Template};

/// Who is told of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notification {
    /// The kinds of signals.
    pub on: Vec<SignalKind>,
    /// What must hold of `signal`, `resource`, `change`; everything without.
    #[serde(default, rename = "if", skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// `Connection`s with a `webhook` or a `slack` block.
    pub to: Vec<String>,
    /// One line; made from the signal without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Template>,
    /// The text; made from the signal without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Template>,
    /// The same of the same resource is not told again within this time of the last that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_interval: Option<Span>,
    /// Wait this long, then look again: what no longer holds is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_for: Option<Span>,
    /// Older signals are not told, and leave a delivery that says `too_old`.
    #[serde(default = "an_hour")]
    pub max_age: Span,
}

fn an_hour() -> Span {
    Span::hours(1)
}
