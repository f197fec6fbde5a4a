//! Runs of playbooks: what people see of them, what starts them, and the journal that workers keep.
//!
//! A worker holds a run by a [`Lease`]. Every write of a worker first locks the run's row and looks whether the fence
//! is still its own, so one that lost its lease can change nothing any more.

mod output;
mod read;
mod schedules;
mod start;
mod subjects;
mod work;

pub use output::{Chunk, Kept, NewChunk};
pub use read::RunQuery;
pub use schedules::Schedule;
pub use start::{NewRun, Started};
pub use work::{AttemptEnd, Beat, Ending, Lease, StepChange, Work, WorkStep, Written};

use chrono::{DateTime, Utc};
use model::{ResourceId, RunId, RunState, StepState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// One execution of a playbook, or a trigger that a guard kept from being executed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The playbook.
    pub playbook: String,
    /// Which of the playbook's generations it executes.
    pub generation: i64,
    /// Where it stands.
    pub state: RunState,
    /// Why, where the state does not say it all; `too_old`, `own_action` and the like where a guard stopped it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What started it: `signal`, `schedule` or `api`.
    pub trigger: String,
    /// Who asked for it, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// The resource it is run on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<RunTarget>,
    /// When what triggered it came to be.
    pub occurred_at: DateTime<Utc>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When a worker first took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// When it goes on, where it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// When somebody asked for its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// How many steps it has.
    pub steps_total: i64,
    /// How many of them have ended.
    pub steps_ended: i64,
}

/// The resource that a run is run on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunTarget {
    /// Its id.
    pub id: ResourceId,
    /// Its type; empty where the catalog does not have it any more.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its account.
    pub account: String,
}

/// A run with its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunDetail {
    /// The run.
    #[serde(flatten)]
    pub run: Run,
    /// The parameters as they were admitted. Of a secret there is only where it is kept.
    pub parameters: Value,
    /// The signal that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<Value>,
    /// When it will have taken too long.
    pub deadline: DateTime<Utc>,
    /// The playbook as the run executes it.
    pub spec: Value,
    /// The steps, in the order of the playbook. A run that a guard stopped has none.
    pub steps: Vec<RunStep>,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunStep {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: StepState,
    /// Why, where the state does not say it all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The `Idempotency-Key` that its requests carry.
    pub idempotency_key: Uuid,
    /// When it first began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// When it goes on, where it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// What it gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Bytes of output that are kept.
    pub output_bytes: i64,
    /// Bytes of output beyond what is kept.
    pub output_dropped: i64,
    /// Its attempts, in order.
    pub attempts: Vec<RunAttempt>,
}

/// One attempt at a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunAttempt {
    /// Its number, from 1.
    pub attempt: i32,
    /// Who made it.
    pub worker: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended; absent while it is under way, or where a crash cut it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// `completed`, `failed`, `cancelled`, `unknown`, or `cut`; absent while it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}
