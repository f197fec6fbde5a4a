//! Starting runs, each once, and asking for their end.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use model::{ContentHash, ResourceId, RunId, RunState, Signal, SignalId, SignalKind, StepState, Timestamp};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Catalog, Error, connect, outbox};

/// A run that is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// Its id, by which it is started once.
    pub id: RunId,
    /// The playbook.
    pub playbook: String,
    /// The playbook's generation.
    pub generation: i64,
    /// The playbook as it is now.
    pub spec: Value,
    /// The names of its steps, in order.
    pub steps: Vec<String>,
    /// `signal`, `schedule` or `api`.
    pub trigger: &'static str,
    /// The id of the signal, the instant of the schedule, or the caller's key.
    pub trigger_key: String,
    /// The signal.
    pub cause: Option<Value>,
    /// Who asks.
    pub requested_by: Option<String>,
    /// The resource it is run on.
    pub resource: Option<ResourceId>,
    /// The parameters, admitted.
    pub parameters: Value,
    /// How many runs led to this one.
    pub depth: i32,
    /// When what triggers it came to be.
    pub occurred_at: Timestamp,
    /// When it is too old to begin.
    pub begin_by: Timestamp,
    /// Why it shall not be executed: the row is kept for people to see, cancelled.
    pub stopped: Option<String>,
}

/// What became of a run that was to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// It was started now, or is kept as stopped.
    New,
    /// It had been started before.
    Before,
    /// Another run of the same playbook is live on the same target. A signal's and a schedule's run are kept as
    /// cancelled with the reason `already_running`; of the API's there is no trace.
    Beside(RunId),
}

/// Who asks for runs by the API wants to be told; for others a row is kept.
const ASKED: &str = "api";

/// How often a place that was just left is tried again.
const ATTEMPTS: usize = 5;

impl Catalog {
    /// Starts runs, each once. The answers are in the order of `runs`.
    ///
    /// # Errors
    /// What the database says. Nothing was started then, and starting again is safe.
    pub async fn start_runs(&self, runs: &[NewRun], now: Timestamp) -> Result<Vec<Started>, Error> {
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        for _ in 0..ATTEMPTS {
            let mut tx = connect::begin(&self.pool).await.map_err(Error::writing("runs"))?;
            if let Some(started) = start(&mut tx, runs, now).await? {
                tx.commit().await.map_err(Error::writing("runs"))?;
                return Ok(started);
            }
        }
        Err(Error::Contended)
    }

    /// Asks for the end of a run. A worker that executes it notices within seconds; one that waits is ended by the
    /// next worker. Answers whether there is such a run, and whether it had not ended.
    ///
    /// # Errors
    /// What the database says.
    pub async fn cancel_run(
        &self,
        id: RunId,
        by: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<bool>, Error> {
        let mut tx = connect::begin(&self.pool).await.map_err(Error::writing("a run"))?;
        let asked = sqlx::query_scalar!(
            r#"update perigee.runs
               set cancel_requested_at = coalesce(cancel_requested_at, $2),
                   cancel_requested_by = coalesce(cancel_requested_by, $3),
                   due_at = case when state = 'running' then due_at else least(due_at, $2) end
               where id = $1 and ended_at is null
               returning id"#,
            Uuid::from(id),
            now,
            by
        )
        .fetch_optional(&mut *tx)
        .await
        .map_err(Error::writing("a run"))?;
        if asked.is_some() {
            outbox::put(&mut tx, &[requested(id, "cancel", now)], now).await?;
            tx.commit().await.map_err(Error::writing("a run"))?;
            return Ok(Some(true));
        }
        let known = sqlx::query_scalar!("select id from perigee.runs where id = $1", Uuid::from(id))
            .fetch_optional(&mut *tx)
            .await
            .map_err(Error::reading("a run"))?;
        Ok(known.map(|_| false))
    }
}

/// One attempt; `None` when a live run ended under our hands, and its place is free now.
async fn start(
    tx: &mut PgConnection,
    runs: &[NewRun],
    now: DateTime<Utc>,
) -> Result<Option<Vec<Started>>, Error> {
    put_specs(tx, runs).await?;
    let wanted: Vec<&NewRun> = runs.iter().collect();
    let mut new = insert(tx, &wanted, now).await?;
    let ids: Vec<Uuid> = runs.iter().map(|run| run.id.into()).collect();
    let known = sqlx::query_scalar!("select id from perigee.runs where id = any ($1)", &ids)
        .fetch_all(&mut *tx)
        .await
        .map_err(Error::reading("runs"))?;
    let left: Vec<&NewRun> = runs.iter().filter(|run| !known.contains(&Uuid::from(run.id))).collect();
    let live = live(tx, &left).await?;
    let mut beside: BTreeMap<RunId, RunId> = BTreeMap::new();
    for run in &left {
        let Some(other) = live.get(&(run.playbook.clone(), run.resource)) else { return Ok(None) };
        beside.insert(run.id, *other);
    }
    let kept: Vec<NewRun> = left
        .iter()
        .filter(|run| run.trigger != ASKED)
        .map(|run| NewRun { stopped: Some("already_running".to_owned()), ..(*run).clone() })
        .collect();
    insert(tx, &kept.iter().collect::<Vec<_>>(), now).await?;
    let asked: Vec<Signal> = runs
        .iter()
        .filter(|run| run.trigger == ASKED && run.stopped.is_none() && new.contains(&run.id.into()))
        .map(|run| requested(run.id, "start", now))
        .collect();
    outbox::put(tx, &asked, now).await?;
    let mut answer = |run: &NewRun| {
        if let Some(other) = beside.get(&run.id) {
            return Started::Beside(*other);
        }
        // Of two with one id in one batch, the first is the one that was started.
        let found = new.iter().position(|id| *id == Uuid::from(run.id));
        found.map_or(Started::Before, |index| {
            new.swap_remove(index);
            Started::New
        })
    };
    Ok(Some(runs.iter().map(&mut answer).collect()))
}

async fn put_specs(tx: &mut PgConnection, runs: &[NewRun]) -> Result<(), Error> {
    let specs: BTreeMap<Vec<u8>, &Value> = runs.iter().map(|run| (hash(&run.spec), &run.spec)).collect();
    let (hashes, specs): (Vec<Vec<u8>>, Vec<Value>) =
        specs.into_iter().map(|(hash, spec)| (hash, spec.clone())).unzip();
    sqlx::query!(
        "insert into perigee.run_specs (hash, spec) select * from unnest($1::bytea[], $2::jsonb[])
         on conflict (hash) do nothing",
        &hashes,
        &specs
    )
    .execute(tx)
    .await
    .map_err(Error::writing("runs"))?;
    Ok(())
}

fn hash(spec: &Value) -> Vec<u8> {
    ContentHash::of_json(spec).0.to_vec()
}

/// Inserts what collides with nothing, with its steps; answers with the ids.
async fn insert(tx: &mut PgConnection, runs: &[&NewRun], now: DateTime<Utc>) -> Result<Vec<Uuid>, Error> {
    let rows: Vec<Value> = runs.iter().map(|run| row(run)).collect();
    let inserted = sqlx::query_scalar!(
        r#"insert into perigee.runs (id, playbook, generation, spec, trigger, trigger_key, cause, requested_by,
                                     resource_id, parameters, depth, state, reason, occurred_at, created_at, ended_at,
                                     deadline, due_at)
           select n.id, n.playbook, n.generation, decode(n.spec, 'hex'), n.trigger, n.trigger_key, n.cause, n.requested_by,
                  n.resource_id, n.parameters, n.depth,
                  case when n.stopped is null then $3::text else $4::text end, coalesce(n.stopped, ''), n.occurred_at, $2::timestamptz,
                  case when n.stopped is not null then $2::timestamptz end, n.begin_by,
                  case when n.stopped is null then $2::timestamptz end
           from unnest($1::jsonb[]) with ordinality as given (body, place)
           cross join lateral jsonb_to_record(given.body) as n (
               id uuid, playbook text, generation bigint, spec text, trigger text, trigger_key text, cause jsonb,
               requested_by text, resource_id uuid, parameters jsonb, depth integer, stopped text,
               occurred_at timestamptz, begin_by timestamptz)
           order by given.place
           on conflict do nothing
           returning id"#,
        &rows,
        now,
        RunState::Scheduled.as_str(),
        RunState::Cancelled.as_str()
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(Error::writing("runs"))?;
    let mut steps: (Vec<Uuid>, Vec<i32>, Vec<String>) = Default::default();
    for run in runs.iter().filter(|run| run.stopped.is_none() && inserted.contains(&run.id.into())) {
        for (position, name) in (0..).zip(&run.steps) {
            steps.0.push(run.id.into());
            steps.1.push(position);
            steps.2.push(name.clone());
        }
    }
    sqlx::query!(
        "insert into perigee.run_steps (run_id, position, name, state)
         select id, position, name, $4 from unnest($1::uuid[], $2::integer[], $3::text[]) as t (id, position, name)
         on conflict do nothing",
        &steps.0,
        &steps.1,
        &steps.2,
        StepState::Pending.as_str()
    )
    .execute(tx)
    .await
    .map_err(Error::writing("the steps of runs"))?;
    Ok(inserted)
}

fn row(run: &NewRun) -> Value {
    json!({
        "id": run.id,
        "playbook": run.playbook,
        "generation": run.generation,
        "spec": hex::encode(hash(&run.spec)),
        "trigger": run.trigger,
        "trigger_key": run.trigger_key,
        "cause": run.cause,
        "requested_by": run.requested_by,
        "resource_id": run.resource,
        "parameters": run.parameters,
        "depth": run.depth,
        "stopped": run.stopped,
        "occurred_at": run.occurred_at,
        "begin_by": run.begin_by,
    })
}

/// The live runs of the playbooks and targets of `runs`.
async fn live(
    tx: &mut PgConnection,
    runs: &[&NewRun],
) -> Result<BTreeMap<(String, Option<ResourceId>), RunId>, Error> {
    let playbooks: Vec<String> = runs.iter().map(|run| run.playbook.clone()).collect();
    let found = sqlx::query!(
        "select id, playbook, resource_id from perigee.runs where ended_at is null and playbook = any ($1)",
        &playbooks
    )
    .fetch_all(tx)
    .await
    .map_err(Error::reading("runs"))?;
    let target = |id: Option<Uuid>| id.map(ResourceId::from);
    Ok(found.into_iter().map(|row| ((row.playbook, target(row.resource_id)), row.id.into())).collect())
}

/// Tells the workers, who may be elsewhere, that there is something to do.
fn requested(id: RunId, what: &str, now: Timestamp) -> Signal {
    Signal {
        id: SignalId::of("run.requested", &[&id.to_string(), what]),
        kind: SignalKind::RunRequested,
        subject: id.into(),
        occurred_at: now,
        payload: json!({"run": id, "what": what}),
    }
}
