//! Who may run a probe now, and what came of it: leases with a fence.

use model::{CheckId, CheckState, ResourceId, Signal, SignalId, SignalKind, Timestamp};
use serde_json::json;
use uuid::Uuid;

use crate::{Catalog, Error, connect, outbox};

/// A probe as its manifest says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCheck {
    /// Its name.
    pub name: String,
    /// The manifest's generation.
    pub generation: i64,
    /// What it asks, for people.
    pub target: String,
    /// The resource it probes, as the manifest names it.
    pub resource: Option<String>,
    /// When it runs first.
    pub due_at: Timestamp,
    /// How long whoever runs it may take before another does.
    pub lease_seconds: i32,
}

/// A probe that a worker may run until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedCheck {
    /// Its id.
    pub id: CheckId,
    /// Its name.
    pub name: String,
    /// The generation of its manifest when it was last taken note of.
    pub generation: i64,
    /// When it was due.
    pub due_at: Timestamp,
    /// The number of this claim.
    pub fence: i64,
    /// The resource it probes as the manifest names it, where that named nothing so far.
    pub unresolved: Option<String>,
}

/// How a run of a probe went.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// When it began.
    pub at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Passing, failing, or unknown where it could not be made.
    pub state: CheckState,
    /// The status of the answer.
    pub status: Option<u16>,
    /// How long the answer took, in milliseconds.
    pub latency_ms: Option<f64>,
    /// Why it did not pass.
    pub reason: String,
    /// How many failures in a row make it fail.
    pub threshold: u32,
    /// When it runs next.
    pub due_at: Timestamp,
}

/// What became of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It was written.
    Written,
    /// The lease had run out and another worker has the probe, or it was deleted: nothing was written.
    Lost,
}

impl Catalog {
    /// Takes note of the probes that there are: new ones begin, edited ones run again at once, others end.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sync_checks(&self, checks: &[NewCheck], now: Timestamp) -> Result<(), Error> {
        // A reference is looked up here and, where it named nothing yet, again with every run.
        let mut targets = Vec::with_capacity(checks.len());
        for check in checks {
            let target = match &check.resource {
                Some(reference) => self.resolve(reference).await?,
                None => None,
            };
            targets.push(target.map(Uuid::from));
        }
        let ids: Vec<Uuid> = checks.iter().map(|check| CheckId::of(&check.name).into()).collect();
        let names: Vec<String> = checks.iter().map(|check| check.name.clone()).collect();
        let generations: Vec<i64> = checks.iter().map(|check| check.generation).collect();
        let asks: Vec<String> = checks.iter().map(|check| check.target.clone()).collect();
        let references: Vec<Option<String>> = checks.iter().map(|check| check.resource.clone()).collect();
        let dues: Vec<Timestamp> = checks.iter().map(|check| check.due_at).collect();
        let leases: Vec<i32> = checks.iter().map(|check| check.lease_seconds).collect();
        let mut tx = connect::begin(&self.pool).await.map_err(Error::connecting)?;
        sqlx::query!(
            r#"insert into perigee.checks as c
                   (id, name, generation, target, resource, resource_id, state, reason, since, due_at, lease_seconds)
               select id, name, generation, target, resource, resource_id, 'unknown', 'it has not run yet', $9, due_at,
                      lease_seconds
               from unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::uuid[], $7::timestamptz[],
                           $8::integer[])
                    w (id, name, generation, target, resource, resource_id, due_at, lease_seconds)
               order by id
               on conflict (id) do update set
                   generation = excluded.generation, target = excluded.target, resource = excluded.resource,
                   resource_id = excluded.resource_id, lease_seconds = excluded.lease_seconds,
                   due_at = least(c.due_at, excluded.due_at)
               where c.generation < excluded.generation"#,
            &ids,
            &names,
            &generations,
            &asks,
            &references as _,
            &targets as _,
            &dues,
            &leases,
            now,
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("checks"))?;
        let ended =
            sqlx::query_scalar!("delete from perigee.checks where not id = any ($1) returning id", &ids)
                .fetch_all(&mut *tx)
                .await
                .map_err(Error::writing("checks"))?;
        sqlx::query!("delete from perigee.check_results where check_id = any ($1)", &ended)
            .execute(&mut *tx)
            .await
            .map_err(Error::writing("check results"))?;
        tx.commit().await.map_err(Error::writing("checks"))
    }

    /// Claims up to `limit` probes that are due. Workers that claim at once get different ones.
    ///
    /// # Errors
    /// What the database says.
    pub async fn claim_checks(&self, limit: u32, now: Timestamp) -> Result<Vec<ClaimedCheck>, Error> {
        let rows = sqlx::query!(
            r#"update perigee.checks c
               set leased_until = $1 + make_interval(secs => c.lease_seconds), fence = c.fence + 1
               from (select id from perigee.checks
                     where due_at <= $1 and (leased_until is null or leased_until <= $1)
                     order by due_at, id limit $2 for update skip locked) due
               where c.id = due.id
               returning c.id, c.name, c.generation, c.due_at, c.fence,
                         case when c.resource_id is null then c.resource end as unresolved"#,
            now,
            i64::from(limit),
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::writing("checks"))?;
        let claimed = rows.into_iter().map(|row| ClaimedCheck {
            id: row.id.into(),
            name: row.name,
            generation: row.generation,
            due_at: row.due_at,
            fence: row.fence,
            unresolved: row.unresolved,
        });
        Ok(claimed.collect())
    }

    /// Writes how a run went: the result, where the probe stands now, and the signal if it failed or recovered.
    ///
    /// # Errors
    /// What the database says. The lease runs out then, and the probe is run again.
    pub async fn settle_check(&self, claimed: &ClaimedCheck, outcome: &Outcome) -> Result<Settled, Error> {
        let Outcome { at, ended_at, state, status, latency_ms, reason, threshold, due_at } = outcome;
        let found = match &claimed.unresolved {
            Some(reference) => self.resolve(reference).await?.map(Uuid::from),
            None => None,
        };
        let mut tx = connect::begin(&self.pool).await.map_err(Error::connecting)?;
        let before = sqlx::query!(
            r#"select state, since, failures, told, resource_id from perigee.checks
               where id = $1 and fence = $2 for update"#,
            Uuid::from(claimed.id),
            claimed.fence,
        )
        .fetch_optional(&mut *tx)
        .await
        .map_err(Error::writing("checks"))?;
        let Some(before) = before else { return Ok(Settled::Lost) };
        let was = CheckState::from(before.state);
        let failures = match state {
            CheckState::Passing => 0,
            CheckState::Failing => before.failures.saturating_add(1),
            CheckState::Unknown => before.failures,
        };
        let limit = i32::try_from(*threshold).unwrap_or(i32::MAX);
        // A failure that is not yet one too many leaves the state as it was.
        let is = if *state == CheckState::Failing && failures < limit { was } else { *state };
        let since = if is == was { before.since } else { *at };
        let told = match is {
            CheckState::Passing => false,
            CheckState::Failing => true,
            CheckState::Unknown => before.told,
        };
        let resource_id = before.resource_id.or(found);
        let status = status.map(i32::from);
        sqlx::query!(
            r#"update perigee.checks
               set state = $2, reason = $3, since = $4, failures = $5, told = $6, ran_at = $7, status = $8,
                   latency_ms = $9, due_at = $10, leased_until = null, resource_id = $11
               where id = $1"#,
            Uuid::from(claimed.id),
            is.as_str(),
            reason,
            since,
            failures,
            told,
            at,
            status,
            *latency_ms,
            due_at,
            resource_id,
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("checks"))?;
        sqlx::query!(
            r#"insert into perigee.check_results (check_id, at, state, status, latency_ms, reason)
               values ($1, $2, $3, $4, $5, $6) on conflict do nothing"#,
            Uuid::from(claimed.id),
            at,
            state.as_str(),
            status,
            *latency_ms,
            reason,
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("check results"))?;
        if told != before.told {
            let signal = signal(claimed, outcome, told, was, resource_id.map(ResourceId));
            outbox::put(&mut tx, &[signal], *ended_at).await?;
        }
        tx.commit().await.map_err(Error::writing("checks"))?;
        Ok(Settled::Written)
    }

    /// When the next probe is due, or its lease runs out.
    ///
    /// # Errors
    /// What the database says.
    pub async fn checks_next_due(&self) -> Result<Option<Timestamp>, Error> {
        sqlx::query_scalar!("select min(greatest(due_at, leased_until)) from perigee.checks")
            .fetch_one(&self.pool)
            .await
            .map_err(Error::reading("checks"))
    }
}

fn signal(
    claimed: &ClaimedCheck,
    outcome: &Outcome,
    failed: bool,
    previous: CheckState,
    resource: Option<ResourceId>,
) -> Signal {
    let kind = if failed { SignalKind::CheckFailed } else { SignalKind::CheckRecovered };
    let (id, at) = (claimed.id.to_string(), outcome.at.timestamp_micros().to_string());
    Signal {
        id: SignalId::of("check", &[&id, &at, kind.as_str()]),
        kind,
        subject: claimed.id.into(),
        occurred_at: outcome.at,
        payload: json!({
            "name": claimed.name, "state": outcome.state, "previous": previous, "reason": outcome.reason,
            "since": outcome.at, "resource": resource, "status": outcome.status, "latency_ms": outcome.latency_ms,
        }),
    }
}
