//! What people see of runs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use model::{ResourceId, RunId, RunState, StepState};
use selector::Selector;
use sqlx::{FromRow, PgPool, QueryBuilder};
use uuid::Uuid;

use super::{Run, RunAttempt, RunDetail, RunStep, RunTarget};
use crate::{
    Catalog, Error, Page,
    cursor::{self, limit_and_one},
    search::{Column, Fields, When, Words, push_conditions},
};

const TRIGGERS: &[&str] = &["signal", "schedule", "api"];

const FIELDS: Fields = Fields {
    columns: &[
        ("id", Column::Text("u.id::text")),
        ("playbook", Column::Text("u.playbook")),
        ("state", Column::Word("u.state", RunState::WORDS)),
        ("reason", Column::Text("u.reason")),
        ("trigger", Column::Word("u.trigger", TRIGGERS)),
        ("requested_by", Column::Text("u.requested_by")),
        ("resource", Column::Text("u.resource_id::text")),
        ("type", Column::Text("r.type")),
        ("account", Column::Text("r.account")),
        ("created_at", Column::Time("u.created_at")),
        ("ended_at", Column::Time("u.ended_at")),
    ],
    words: Words::Texts(&["u.playbook", "u.reason", "r.name"]),
    functions: false,
};

/// Which runs to list. Newest first.
#[derive(Debug, Clone, Default)]
pub struct RunQuery {
    /// Fields: `id`, `playbook`, `state`, `reason`, `trigger`, `requested_by`, `resource` (an id), `type`, `account`,
    /// `created_at`, `ended_at`; words match the playbook, the reason and the resource's name.
    pub selector: Selector,
    /// Only those on this resource.
    pub resource: Option<ResourceId>,
    /// How many at most; bounded to 1000.
    pub limit: u16,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

#[derive(Debug, FromRow)]
struct Row {
    id: Uuid,
    playbook: String,
    generation: i64,
    state: String,
    reason: String,
    trigger: String,
    requested_by: Option<String>,
    resource_id: Option<Uuid>,
    #[sqlx(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    account: Option<String>,
    occurred_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    due_at: Option<DateTime<Utc>>,
    cancel_requested_at: Option<DateTime<Utc>>,
    steps_total: i64,
    steps_ended: i64,
}

impl From<Row> for Run {
    fn from(row: Row) -> Self {
        let state = RunState::from(row.state);
        let target = |id: Uuid| RunTarget {
            id: id.into(),
            kind: row.kind.unwrap_or_default(),
            name: row.name.unwrap_or_default(),
            account: row.account.unwrap_or_default(),
        };
        Self {
            id: row.id.into(),
            playbook: row.playbook,
            generation: row.generation,
            // While a worker has it, `due_at` is when its claim runs out, which is nobody else's business.
            due_at: row.due_at.filter(|_| matches!(state, RunState::Waiting | RunState::Scheduled)),
            state,
            reason: row.reason,
            trigger: row.trigger,
            requested_by: row.requested_by,
            resource: row.resource_id.map(target),
            occurred_at: row.occurred_at,
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            cancel_requested_at: row.cancel_requested_at,
            steps_total: row.steps_total,
            steps_ended: row.steps_ended,
        }
    }
}

const SELECT: &str =
    "select u.id, u.playbook, u.generation, u.state, u.reason, u.trigger, u.requested_by, u.resource_id,
            r.type, r.name, r.account, u.occurred_at, u.created_at, u.started_at, u.ended_at, u.due_at,
            u.cancel_requested_at, s.total as steps_total, s.ended as steps_ended
     from perigee.runs u
     left join perigee.resources r on r.id = u.resource_id
     cross join lateral (select count(*) as total, count(*) filter (where s.ended_at is not null) as ended
                         from perigee.run_steps s where s.run_id = u.id) s
     where true";

impl Catalog {
    /// Lists runs, newest first.
    ///
    /// # Errors
    /// [`Error::BadSelector`], [`Error::BadCursor`], or what the database says.
    pub async fn runs(&self, query: &RunQuery) -> Result<Page<Run>, Error> {
        let mut sql = QueryBuilder::new(SELECT);
        push_conditions(&mut sql, &query.selector, &FIELDS, When::default())?;
        if let Some(resource) = query.resource {
            sql.push(" and u.resource_id = ").push_bind(Uuid::from(resource));
        }
        if let Some(cursor) = &query.cursor {
            let (before, last) = cursor::read_instant(cursor)?;
            sql.push(" and (u.created_at, u.id) < (").push_bind(before).push(", ").push_bind(last).push(")");
        }
        sql.push(" order by u.created_at desc, u.id desc limit ").push_bind(limit_and_one(query.limit));
        let rows: Vec<Row> = sql
            .build_query_as()
            .persistent(false)
            .fetch_all(&self.pool)
            .await
            .map_err(Error::reading("runs"))?;
        let items: Vec<Run> = rows.into_iter().map(Run::from).collect();
        Ok(cursor::page(items, query.limit, |run| cursor::write_instant(run.created_at, run.id.into())))
    }

    /// One run with its steps and their attempts.
    ///
    /// # Errors
    /// What the database says.
    pub async fn run(&self, id: RunId) -> Result<Option<RunDetail>, Error> {
        let mut sql = QueryBuilder::new(SELECT);
        sql.push(" and u.id = ").push_bind(Uuid::from(id));
        let row: Option<Row> = sql
            .build_query_as()
            .persistent(false)
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::reading("a run"))?;
        let Some(run) = row.map(Run::from) else { return Ok(None) };
        let rest = sqlx::query!(
            "select u.parameters, u.cause, u.deadline, p.spec
             from perigee.runs u join perigee.run_specs p on p.hash = u.spec where u.id = $1",
            Uuid::from(id)
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(Error::reading("a run"))?;
        let Some(rest) = rest else { return Ok(None) };
        Ok(Some(RunDetail {
            steps: steps(&self.pool, id).await?,
            run,
            parameters: rest.parameters,
            signal: rest.cause,
            deadline: rest.deadline,
            spec: rest.spec,
        }))
    }
}

async fn steps(pool: &PgPool, id: RunId) -> Result<Vec<RunStep>, Error> {
    let mut attempts: BTreeMap<String, Vec<RunAttempt>> = BTreeMap::new();
    let rows = sqlx::query!(
        "select step, attempt, worker, started_at, ended_at, outcome, reason
         from perigee.run_attempts where run_id = $1 order by step, attempt",
        Uuid::from(id)
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("the attempts of a run"))?;
    for row in rows {
        attempts.entry(row.step).or_default().push(RunAttempt {
            attempt: row.attempt,
            worker: row.worker,
            started_at: row.started_at,
            ended_at: row.ended_at,
            outcome: row.outcome,
            reason: row.reason,
        });
    }
    let rows = sqlx::query!(
        "select name, state, reason, started_at, ended_at, due_at, result, output_bytes, output_dropped
         from perigee.run_steps where run_id = $1 order by position",
        Uuid::from(id)
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("the steps of a run"))?;
    let steps = rows.into_iter().map(|row| RunStep {
        idempotency_key: id.step_key(&row.name),
        attempts: attempts.remove(&row.name).unwrap_or_default(),
        name: row.name,
        state: StepState::from(row.state),
        reason: row.reason,
        started_at: row.started_at,
        ended_at: row.ended_at,
        due_at: row.due_at,
        result: row.result,
        output_bytes: row.output_bytes,
        output_dropped: row.output_dropped,
    });
    Ok(steps.collect())
}
