//! `Playbook`: a procedure.

use std::collections::BTreeMap;

use model::SignalKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Condition, Every, Selector, Span, Template, Value};

/// A procedure: what starts it, what it wants to know, and its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Playbook {
    /// A title for people; the name without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it does, for a person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What starts it, beside the API.
    #[serde(default, skip_serializing_if = "Triggers::is_empty")]
    pub on: Triggers,
    /// The resources it may be run on. Without, it is run on none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Selector>,
    /// What it wants to know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// How long a run may take.
    #[serde(default = "half_an_hour")]
    pub timeout: Span,
    /// Older triggers (by when what they tell came to be) act on nothing, and leave a run that says `too_old`.
    #[serde(default = "an_hour")]
    pub max_age: Span,
    /// The steps, in order; each begins when those it needs have ended.
    pub steps: Vec<Step>,
}

/// What starts a playbook.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Triggers {
    /// Signals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<SignalTrigger>,
    /// Schedules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<ScheduleTrigger>,
}

impl Triggers {
    fn is_empty(&self) -> bool {
        self.signals.is_empty() && self.schedules.is_empty()
    }
}

/// A signal that starts a run on the resource it is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignalTrigger {
    /// The kinds of signals.
    pub kinds: Vec<SignalKind>,
    /// What must hold of `signal`, `resource`, `change`; everything without.
    #[serde(default, rename = "if", skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// The parameters of the run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, serde_json::Value>,
}

/// Instants that start a run on every resource of the target (at most 100), or on none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduleTrigger {
    /// When.
    pub every: Every,
    /// The parameters of the run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, serde_json::Value>,
}

/// Something that a run wants to know. It is checked on the server, whoever starts the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parameter {
    /// Its name, used as `params.NAME`.
    pub name: String,
    /// What it means, for a person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What it may be.
    #[serde(default, rename = "type")]
    pub kind: ParameterType,
    /// Whether it must be given.
    #[serde(default)]
    pub required: bool,
    /// What it is when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// The values that are allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<serde_json::Value>,
    /// A regular expression that the whole text must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The least number, or the shortest text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest number, or the longest text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// What a parameter may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ParameterType {
    /// Text.
    #[default]
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A length of time, as in `5m`.
    Duration,
    /// A resource: an id, an ARN, an alias or `type/name`; steps see the resource.
    Resource,
    /// A secret. What is given is a reference to it, never the secret: `{"env": "TOKEN"}`. Only `http` headers and
    /// bodies and the environment of `exec` may use it.
    Secret,
}

/// One durable unit of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// Its name, used as `steps.NAME`.
    pub name: String,
    /// When it is done; otherwise it is skipped. Without, it is done when all the steps it needs completed. One that
    /// speaks of `steps` decides alone, once they ended: `steps.build.state == 'failed'` cleans up after a failure.
    #[serde(default, rename = "if", skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// The steps that must have ended before; the one written before it without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<Vec<String>>,
    /// How long one attempt may take.
    #[serde(default = "five_minutes")]
    pub timeout: Span,
    /// What happens when an attempt fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// True when doing it twice is as doing it once: after a crash it is done again instead of becoming `unknown`.
    #[serde(default)]
    pub idempotent: bool,
    /// A request over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpStep>,
    /// A script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec: Option<ExecStep>,
    /// A wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<WaitStep>,
    /// A question to the catalog, or an entry in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog: Option<CatalogStep>,
}

/// What happens when an attempt fails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retry {
    /// How many attempts in all.
    pub attempts: u32,
    /// How long after the first failure.
    #[serde(default = "ten_seconds")]
    pub delay: Span,
    /// Each further delay is this many times the last.
    #[serde(default = "two")]
    pub factor: f64,
}

/// A request over HTTP. A status of 400 or more fails the step, unless `expect` says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpStep {
    /// The address, or what is put behind the connection's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Template>,
    /// An `http` connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The method.
    #[serde(default = "get")]
    pub method: String,
    /// Headers; texts may hold `${{ CEL }}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Value>,
    /// The body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Template>,
    /// What must hold of `response`: `status`, `headers`, `body`, `json`, `elapsed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Condition>,
}

/// A script. Values travel as environment variables, never as text of the script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExecStep {
    /// The script; it holds no `${{ }}`.
    pub script: String,
    /// What runs it; the script is its standard input's file argument. `["bash", "-euo", "pipefail"]` without.
    #[serde(default = "bash")]
    pub interpreter: Vec<String>,
    /// The environment; texts may hold `${{ CEL }}`. Nothing of our own environment but PATH, HOME, LANG and TMPDIR,
    /// and `PERIGEE_RUN`, `PERIGEE_STEP` and `IDEMPOTENCY_KEY`, which is the same on every attempt.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Value>,
}

/// A wait: for a length of time, or until something holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WaitStep {
    /// For how long.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub duration: Option<Span>,
    /// Until this holds; `resource` is as it then stands. The step's timeout bounds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Condition>,
    /// How often `until` is looked at.
    #[serde(default = "ten_seconds")]
    pub every: Span,
}

/// A question to the catalog, or an entry in it. One of the fields is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogStep {
    /// The resources of a set: `result.items`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Template>,
    /// The latest changes of the target and of what is within two steps around it: `result.items`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<CatalogChanges>,
    /// Records a change on the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<CatalogRecord>,
}

/// Which changes are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogChanges {
    /// How far back.
    #[serde(default = "a_day")]
    pub since: Span,
    /// How far around the target in the graph.
    #[serde(default = "two_steps")]
    pub depth: u32,
    /// A selector over changes: `actor=*dana* read_only=false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Template>,
}

/// A change that is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogRecord {
    /// What it was, as in `Diagnosis`.
    pub kind: String,
    /// One sentence.
    pub summary: Template,
}

fn get() -> String {
    "GET".to_owned()
}

fn bash() -> Vec<String> {
    ["bash", "-euo", "pipefail"].map(str::to_owned).to_vec()
}

fn two() -> f64 {
    2.0
}

fn two_steps() -> u32 {
    2
}

fn ten_seconds() -> Span {
    Span::seconds(10)
}

fn five_minutes() -> Span {
    Span::minutes(5)
}

fn half_an_hour() -> Span {
    Span::minutes(30)
}

fn an_hour() -> Span {
    Span::hours(1)
}

fn a_day() -> Span {
    Span::hours(24)
}
