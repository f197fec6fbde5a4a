//! What the catalog answers with. These shapes are the bodies of the API.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use model::{
    Actor, Category, ChangeId, Evidence, FindingId, FindingStatus, Health, ResourceId, Role, Severity,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A page of a list in a stable order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A resource as it stands now, without its document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resource {
    /// Its id.
    pub id: ResourceId,
    /// Who provides it.
    pub provider: String,
    /// The provider's partition.
    pub partition: String,
    /// The account or cluster.
    pub account: String,
    /// The region, `global` for global services.
    pub region: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The provider's id of it.
    pub native_id: String,
    /// The name people know it by; the native id where no source has a name.
    pub name: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The best evidence that it exists or existed.
    pub evidence: Evidence,
    /// The earliest instant at which a source saw it there; absent when it was only ever named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// When it was proven gone; absent while it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime<Utc>>,
    /// How well it is; absent where no rule judges it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthNow>,
}

/// How well a resource is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthNow {
    /// How well it is.
    pub health: Health,
    /// A short text in `PascalCase`.
    pub status: String,
    /// True when it has settled.
    pub ready: bool,
    /// Why, for a person; empty where the status says it all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Since when health and status are these.
    pub since: DateTime<Utc>,
}

/// A resource with what the sources say of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceDetail {
    /// The resource.
    #[serde(flatten)]
    pub resource: Resource,
    /// Its other names: ARNs, opaque ids, DNS names.
    pub aliases: Vec<String>,
    /// The shown document: the sources' documents merged by rank.
    pub document: Value,
    /// What each source says now.
    pub sources: Vec<Version>,
}

/// What one source said of a resource over `[from, to)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Version {
    /// The source.
    pub source: String,
    /// Where it begins.
    pub from: DateTime<Utc>,
    /// Where it ends; absent while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    /// What is known over it.
    pub state: VersionState,
    /// The content hash of the document, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// The document, masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Value>,
    /// When the catalog learned it.
    pub recorded_at: DateTime<Utc>,
    /// When it learned that it was otherwise; absent while it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_at: Option<DateTime<Utc>>,
}

/// What is known over a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VersionState {
    /// It was there; how it looked is not known.
    Present,
    /// It was there and looked like the document.
    Documented,
    /// It was gone.
    Deleted,
}

/// A relation between two resources over `[from, to)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Edge {
    /// The resource it starts at.
    pub from_id: ResourceId,
    /// The resource it ends at.
    pub to_id: ResourceId,
    /// The kind of relation.
    pub kind: String,
    /// The source that says so.
    pub source: String,
    /// Where it begins.
    pub from: DateTime<Utc>,
    /// Where it ends; absent while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
}

/// Relations that held at one of two moments and not at the other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EdgeDifferences {
    /// Those that held at the later moment only.
    pub appeared: Vec<Edge>,
    /// Those that held at the earlier moment only.
    pub went: Vec<Edge>,
    /// True when there are more than are told.
    pub truncated: bool,
}

/// Resources and the relations between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Graph {
    /// The resources, the starting point first, then by distance.
    pub nodes: Vec<GraphNode>,
    /// The relations among them.
    pub edges: Vec<Edge>,
    /// True when a bound on nodes or edges cut the walk.
    pub truncated: bool,
}

/// A resource of a graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GraphNode {
    /// The resource.
    #[serde(flatten)]
    pub resource: Resource,
    /// Steps from the starting point.
    pub distance: u32,
}

/// Which way a walk follows relations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From a resource to what it points at.
    Out,
    /// From a resource to what points at it.
    In,
    /// Both ways.
    #[default]
    Both,
}

/// A recorded change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Its id.
    pub id: ChangeId,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// When the catalog learned it.
    pub recorded_at: DateTime<Utc>,
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The stream that told of it.
    pub source: String,
    /// What happened, in the source's word.
    pub kind: String,
    /// The same in ours.
    pub category: Category,
    /// How much it matters.
    pub severity: Severity,
    /// True when nothing was altered.
    pub read_only: bool,
    /// One sentence.
    pub summary: String,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// Where the call came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_address: Option<String>,
    /// The caller's user agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The provider's error code, when the call failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The provider's error text, when the call failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// The provider's id of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// What binds the calls of one session together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Request, response and the rest, masked and bounded.
    pub details: Value,
    /// The resources it touched.
    pub resources: Vec<ChangeTarget>,
    /// Names that are no resources here.
    pub mentions: Vec<String>,
}

/// A resource that a change touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeTarget {
    /// The resource.
    pub id: ResourceId,
    /// How it was touched.
    pub role: Role,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A finding as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Its id.
    pub id: FindingId,
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The product that claims it.
    pub product: String,
    /// The product's own id of it.
    pub external_id: String,
    /// The product's type or control.
    pub kind: String,
    /// One line.
    pub title: String,
    /// The product's explanation.
    pub description: String,
    /// How much it matters.
    pub severity: Severity,
    /// Where it stands.
    pub status: FindingStatus,
    /// When the product first saw it.
    pub first_seen: DateTime<Utc>,
    /// The instant of its latest statement.
    pub updated_at: DateTime<Utc>,
    /// The rest, masked and bounded.
    pub details: Value,
    /// The resources it is about.
    pub resources: Vec<ResourceId>,
}

/// Input that could not be taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rejected {
    /// Its id: derived from origin, place and content, so that sending it again adds nothing.
    pub id: uuid::Uuid,
    /// Where it came from: a file's name, a queue, a request.
    pub origin: String,
    /// Where in it the item stood.
    pub place: String,
    /// A stable word.
    pub reason: String,
    /// What was wrong, and what would be right.
    pub message: String,
    /// Its size in bytes.
    pub size: i64,
    /// SHA-256 of its bytes, in hex: the bytes stay with the sender.
    pub hash: String,
    /// When it was refused.
    pub recorded_at: DateTime<Utc>,
}

/// Coverage and freshness of one source in one account and region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceStatus {
    /// The source.
    pub source: String,
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// Observations recorded.
    pub observations: i64,
    /// The latest instant it told of.
    pub latest: DateTime<Utc>,
    /// When the catalog last heard from it.
    pub heard_at: DateTime<Utc>,
}

/// How many resources there are of one type in one account and region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many are there now.
    pub count: i64,
}
