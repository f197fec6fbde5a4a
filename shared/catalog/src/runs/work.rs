//! The journal of workers: claiming a run, writing down what is about to be done and what came of it, letting go.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use model::{ResourceId, RunId, RunState, Signal, StepState, Timestamp};
use serde_json::Value;
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use crate::{Catalog, Error, connect, outbox};

/// A worker's hold on a run. It holds while no other worker has claimed the run since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run: RunId,
    /// The number of the claim.
    pub fence: i64,
}

/// A run that a worker has claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// The hold on it.
    pub lease: Lease,
    /// The playbook's name.
    pub playbook: String,
    /// The playbook, as it was when the run was asked for.
    pub spec: Value,
    /// The signal that started it.
    pub cause: Option<Value>,
    /// The resource it is run on.
    pub resource: Option<ResourceId>,
    /// The parameters.
    pub parameters: Value,
    /// How many runs led to this one.
    pub depth: i32,
    /// Where it stood before it was claimed.
    pub state: RunState,
    /// When a worker first took it; absent when this is the first.
    pub started_at: Option<Timestamp>,
    /// Until the first claim: when it is too old to begin. After it: when it has taken too long.
    pub deadline: Timestamp,
    /// Who asked for its end: an empty name where that is not known.
    pub cancelled_by: Option<String>,
    /// Its steps, in order.
    pub steps: Vec<WorkStep>,
}

/// A step as its worker knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkStep {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: StepState,
    /// Why.
    pub reason: String,
    /// How many attempts were begun.
    pub attempts: i32,
    /// How many are known to have failed.
    pub failures: i32,
    /// When it goes on, where it waits.
    pub due_at: Option<Timestamp>,
    /// When it first began.
    pub started_at: Option<Timestamp>,
    /// What it gave.
    pub result: Option<Value>,
    /// How many pieces of output it has.
    pub output_chunks: i64,
    /// How many bytes of output are kept.
    pub output_bytes: i64,
    /// How many bytes of output are not.
    pub output_dropped: i64,
}

/// Whether a write took place.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It did.
    Yes,
    /// Another worker has the run now, or it has ended: nothing was written.
    LeaseLost,
}

/// What a worker learns when it renews its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// Go on.
    Held,
    /// Somebody asked for the end of the run.
    CancelRequested,
    /// Another worker has the run now, or it has ended.
    LeaseLost,
}

/// What becomes of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepChange {
    /// The step.
    pub step: String,
    /// Where it stands now.
    pub state: StepState,
    /// Why.
    pub reason: String,
    /// What it gave.
    pub result: Option<Value>,
    /// When it goes on.
    pub due_at: Option<Timestamp>,
    /// How many attempts are known to have failed.
    pub failures: i32,
    /// The attempt that this ends.
    pub attempt: Option<AttemptEnd>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptEnd {
    /// Its number.
    pub attempt: i32,
    /// `completed`, `failed`, `cancelled`, `unknown` or `cut`.
    pub outcome: &'static str,
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// One of the states that are final.
    pub state: RunState,
    /// Why.
    pub reason: String,
    /// What becomes of steps that have not begun, and why.
    pub others: (StepState, &'static str),
    /// What the world is told.
    pub signals: Vec<Signal>,
}

impl Catalog {
    /// Claims the run that has been due for the longest, until `now` + `lease`. Workers that claim at once get
    /// different ones.
    ///
    /// # Errors
    /// What the database says.
    pub async fn claim_run(
        &self,
        worker: &str,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Work>, Error> {
        let mut tx = connect::begin(&self.pool).await.map_err(Error::writing("a run"))?;
        let claimed = sqlx::query!(
            r#"update perigee.runs u
               set worker = $1, due_at = $3, fence = u.fence + 1, state = $4
               from (select id, state from perigee.runs
                     where ended_at is null and due_at <= $2
                     order by due_at, id limit 1 for update skip locked) due
               where u.id = due.id
               returning u.id, u.fence, u.playbook, u.spec, u.cause, u.resource_id, u.parameters, u.depth,
                         due.state as "before!", u.started_at, u.deadline,
                         u.cancel_requested_at, u.cancel_requested_by"#,
            worker,
            now,
            now + delta(lease),
            RunState::Running.as_str()
        )
        .fetch_optional(&mut *tx)
        .await
        .map_err(Error::writing("a run"))?;
        let Some(row) = claimed else { return Ok(None) };
        let spec = sqlx::query_scalar!("select spec from perigee.run_specs where hash = $1", row.spec)
            .fetch_one(&mut *tx)
            .await
            .map_err(Error::reading("the playbook of a run"))?;
        let steps = steps(&mut tx, row.id).await?;
        tx.commit().await.map_err(Error::writing("a run"))?;
        Ok(Some(Work {
            lease: Lease { run: row.id.into(), fence: row.fence },
            playbook: row.playbook,
            spec,
            cause: row.cause,
            resource: row.resource_id.map(Into::into),
            parameters: row.parameters,
            depth: row.depth,
            state: row.before.into(),
            started_at: row.started_at,
            deadline: row.deadline,
            cancelled_by: row.cancel_requested_at.map(|_| row.cancel_requested_by.unwrap_or_default()),
            steps,
        }))
    }

    /// Says when the earliest run is due; `None` when none is live.
    ///
    /// # Errors
    /// What the database says.
    pub async fn runs_due(&self) -> Result<Option<Timestamp>, Error> {
        sqlx::query_scalar!("select min(due_at) from perigee.runs where ended_at is null")
            .fetch_one(&self.pool)
            .await
            .map_err(Error::reading("runs"))
    }

    /// Notes that a run began now, and by when it must have ended.
    ///
    /// # Errors
    /// What the database says.
    pub async fn begin_run(
        &self,
        lease: &Lease,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<Written, Error> {
        let done = sqlx::query!(
            "update perigee.runs set started_at = $3, deadline = $4
             where id = $1 and fence = $2 and ended_at is null",
            Uuid::from(lease.run),
            lease.fence,
            now,
            deadline
        )
        .execute(&self.pool)
        .await
        .map_err(Error::writing("a run"))?;
        Ok(written(done.rows_affected()))
    }

    /// Renews a lease, and says whether somebody asked for the end of the run.
    ///
    /// # Errors
    /// What the database says.
    pub async fn renew_run(&self, lease: &Lease, now: Timestamp, length: Duration) -> Result<Beat, Error> {
        let held = sqlx::query_scalar!(
            r#"update perigee.runs set due_at = $3 where id = $1 and fence = $2 and ended_at is null
               returning cancel_requested_at is not null as "asked!""#,
            Uuid::from(lease.run),
            lease.fence,
            now + delta(length)
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(Error::writing("a run"))?;
        Ok(match held {
            None => Beat::LeaseLost,
            Some(true) => Beat::CancelRequested,
            Some(false) => Beat::Held,
        })
    }

    /// Writes down that an attempt at a step begins, before it has any effect.
    ///
    /// # Errors
    /// What the database says.
    pub async fn begin_attempt(
        &self,
        lease: &Lease,
        worker: &str,
        step: &str,
        attempt: i32,
        now: Timestamp,
    ) -> Result<Written, Error> {
        let Some(mut tx) = self.held(lease).await? else { return Ok(Written::LeaseLost) };
        sqlx::query!(
            "insert into perigee.run_attempts (run_id, step, attempt, fence, worker, started_at)
             values ($1, $2, $3, $4, $5, $6)",
            Uuid::from(lease.run),
            step,
            attempt,
            lease.fence,
            worker,
            now
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("an attempt"))?;
        sqlx::query!(
            "update perigee.run_steps
             set state = $4, attempts = $3, started_at = coalesce(started_at, $5), due_at = null, reason = ''
             where run_id = $1 and name = $2",
            Uuid::from(lease.run),
            step,
            attempt,
            StepState::Running.as_str(),
            now
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("a step"))?;
        tx.commit().await.map_err(Error::writing("a step"))?;
        Ok(Written::Yes)
    }

    /// Writes down what became of a step, and of the attempt that ended with it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn change_step(
        &self,
        lease: &Lease,
        change: &StepChange,
        now: Timestamp,
    ) -> Result<Written, Error> {
        let Some(mut tx) = self.held(lease).await? else { return Ok(Written::LeaseLost) };
        if let Some(end) = &change.attempt {
            sqlx::query!(
                "update perigee.run_attempts set ended_at = $4, outcome = $5, reason = $6
                 where run_id = $1 and step = $2 and attempt = $3 and outcome is null",
                Uuid::from(lease.run),
                change.step,
                end.attempt,
                now,
                end.outcome,
                change.reason
            )
            .execute(&mut *tx)
            .await
            .map_err(Error::writing("an attempt"))?;
        }
        let ended = change.state.is_final().then_some(now);
        let begun = (change.state == StepState::Waiting).then_some(now);
        sqlx::query!(
            "update perigee.run_steps
             set state = $3, reason = $4, result = coalesce($5, result), due_at = $6, failures = $7, ended_at = $8,
                 started_at = coalesce(started_at, $9)
             where run_id = $1 and name = $2",
            Uuid::from(lease.run),
            change.step,
            change.state.as_str(),
            change.reason,
            change.result,
            change.due_at,
            change.failures,
            ended,
            begun
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("a step"))?;
        tx.commit().await.map_err(Error::writing("a step"))?;
        Ok(Written::Yes)
    }

    /// Lets go of a run that goes on at `due`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn release_run(&self, lease: &Lease, due: Timestamp, now: Timestamp) -> Result<Written, Error> {
        // Whoever asked for the end while this worker held the run shall not wait for the instant.
        let done = sqlx::query!(
            "update perigee.runs
             set state = $3, worker = null,
                 due_at = case when cancel_requested_at is null then least($4, deadline) else $5 end
             where id = $1 and fence = $2 and ended_at is null",
            Uuid::from(lease.run),
            lease.fence,
            RunState::Waiting.as_str(),
            due,
            now
        )
        .execute(&self.pool)
        .await
        .map_err(Error::writing("a run"))?;
        Ok(written(done.rows_affected()))
    }

    /// Ends a run, and tells the world in the same transaction.
    ///
    /// # Errors
    /// What the database says.
    pub async fn end_run(&self, lease: &Lease, ending: &Ending, now: Timestamp) -> Result<Written, Error> {
        let Some(mut tx) = self.held(lease).await? else { return Ok(Written::LeaseLost) };
        sqlx::query!(
            "update perigee.runs set state = $2, reason = $3, ended_at = $4, due_at = null, worker = null
             where id = $1",
            Uuid::from(lease.run),
            ending.state.as_str(),
            ending.reason,
            now
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("a run"))?;
        sqlx::query!(
            "update perigee.run_steps set state = $2, reason = $3, ended_at = $4, due_at = null
             where run_id = $1 and ended_at is null",
            Uuid::from(lease.run),
            ending.others.0.as_str(),
            ending.others.1,
            now
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("the steps of a run"))?;
        outbox::put(&mut tx, &ending.signals, now).await?;
        tx.commit().await.map_err(Error::writing("a run"))?;
        Ok(Written::Yes)
    }

    /// A transaction in which nobody else can claim the run; `None` when somebody did.
    pub(super) async fn held(&self, lease: &Lease) -> Result<Option<Transaction<'static, Postgres>>, Error> {
        let mut tx = connect::begin(&self.pool).await.map_err(Error::writing("a run"))?;
        let held = sqlx::query_scalar!(
            "select id from perigee.runs where id = $1 and fence = $2 and ended_at is null for update",
            Uuid::from(lease.run),
            lease.fence
        )
        .fetch_optional(&mut *tx)
        .await
        .map_err(Error::writing("a run"))?;
        Ok(held.map(|_| tx))
    }
}

fn written(rows: u64) -> Written {
    if rows == 0 { Written::LeaseLost } else { Written::Yes }
}

fn delta(length: Duration) -> TimeDelta {
    TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX)
}

async fn steps(tx: &mut PgConnection, run: Uuid) -> Result<Vec<WorkStep>, Error> {
    struct Row {
        name: String,
        state: String,
        reason: String,
        attempts: i32,
        failures: i32,
        due_at: Option<DateTime<Utc>>,
        started_at: Option<DateTime<Utc>>,
        result: Option<Value>,
        output_chunks: i64,
        output_bytes: i64,
        output_dropped: i64,
    }
    let rows = sqlx::query_as!(
        Row,
        "select name, state, reason, attempts, failures, due_at, started_at, result, output_chunks, output_bytes,
                output_dropped
         from perigee.run_steps where run_id = $1 order by position",
        run
    )
    .fetch_all(tx)
    .await
    .map_err(Error::reading("the steps of a run"))?;
    let steps = rows.into_iter().map(|row| WorkStep {
        name: row.name,
        state: row.state.into(),
        reason: row.reason,
        attempts: row.attempts,
        failures: row.failures,
        due_at: row.due_at,
        started_at: row.started_at,
        result: row.result,
        output_chunks: row.output_chunks,
        output_bytes: row.output_bytes,
        output_dropped: row.output_dropped,
    });
    Ok(steps.collect())
}
