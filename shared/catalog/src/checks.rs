//! Synthetic probes: where each stands, how its runs went, and who may run it now.

mod lease;

pub use lease::{ClaimedCheck, NewCheck, Outcome, Settled};

use chrono::{DateTime, TimeDelta, Utc};
use model::{CheckId, CheckState, ResourceId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Catalog, Error, Page,
    cursor::{self, limit_and_one},
};

/// Over which time uptime and latency are worked out.
const WINDOW: TimeDelta = TimeDelta::hours(24);

/// Where a probe stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Its id.
    pub id: CheckId,
    /// Its name: that of its manifest.
    pub name: String,
    /// What it asks, as its manifest says it: `GET https://example.com/healthz`.
    pub target: String,
    /// The resource it probes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceId>,
    /// How it went: failing once it failed as often in a row as its manifest asks.
    pub state: CheckState,
    /// Why the last run did not pass, for a person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Since when the state is this.
    pub since: DateTime<Utc>,
    /// How many times in a row it failed.
    pub failures: i32,
    /// When it last ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ran_at: Option<DateTime<Utc>>,
    /// The status of the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
    /// How long the last answer took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// When it runs next.
    pub due_at: DateTime<Utc>,
    /// Of the last 24 hours, the share of runs that passed, from 0 to 1; runs that could not be made do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime: Option<f64>,
    /// Of the last 24 hours, the latency that 95 of 100 answers kept within, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<f64>,
    /// How many runs the last 24 hours had.
    pub runs: i64,
}

/// How a run of a probe went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// When it began.
    pub at: DateTime<Utc>,
    /// Passing, failing, or unknown where it could not be made.
    pub state: CheckState,
    /// The status of the answer, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
    /// How long the answer took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Why it did not pass.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Which probes to read.
#[derive(Default)]
struct Which<'a> {
    name: Option<&'a str>,
    resource: Option<Uuid>,
    after: &'a str,
    limit: i64,
}

impl Catalog {
    /// Lists probes by name.
    ///
    /// # Errors
    /// [`Error::BadCursor`], or what the database says.
    pub async fn checks(
        &self,
        now: Timestamp,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<Check>, Error> {
        let [after] = cursor.map_or(Ok([String::new()]), cursor::read::<1>)?;
        let which = Which { after: &after, limit: limit_and_one(limit), ..Which::default() };
        let checks = self.read_checks(which, now).await?;
        Ok(cursor::page(checks, limit, |check| cursor::write(&[&check.name])))
    }

    /// The probe that is called `name`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn check_of_name(&self, name: &str, now: Timestamp) -> Result<Option<Check>, Error> {
        let which = Which { name: Some(name), limit: 1, ..Which::default() };
        Ok(self.read_checks(which, now).await?.pop())
    }

    /// The probes of a resource, by name.
    ///
    /// # Errors
    /// What the database says.
    pub async fn checks_of(&self, resource: ResourceId, now: Timestamp) -> Result<Vec<Check>, Error> {
        let limit = i64::from(cursor::MAX_LIMIT);
        self.read_checks(Which { resource: Some(resource.into()), limit, ..Which::default() }, now).await
    }

    async fn read_checks(&self, which: Which<'_>, now: Timestamp) -> Result<Vec<Check>, Error> {
        let rows = sqlx::query!(
            r#"select c.id, c.name, c.target, c.resource_id, c.state, c.reason, c.since, c.failures, c.ran_at, c.status,
                      c.latency_ms, c.due_at, s.uptime, s.p95_ms, s.runs as "runs!"
               from (select * from perigee.checks
                     where name > $1 and ($2::text is null or name = $2) and ($3::uuid is null or resource_id = $3)
                     order by name limit $4) c
               cross join lateral (
                   select count(*) filter (where r.state = 'passing')::float8
                              / nullif(count(*) filter (where r.state in ('passing', 'failing')), 0) as uptime,
                          percentile_cont(0.95) within group (order by r.latency_ms) as p95_ms,
                          count(*) as runs
                   from perigee.check_results r where r.check_id = c.id and r.at > $5) s
               order by c.name"#,
            which.after,
            which.name,
            which.resource,
            which.limit,
            now - WINDOW,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("checks"))?;
        let checks = rows.into_iter().map(|row| Check {
            id: row.id.into(),
            name: row.name,
            target: row.target,
            resource: row.resource_id.map(ResourceId),
            state: row.state.into(),
            reason: row.reason,
            since: row.since,
            failures: row.failures,
            ran_at: row.ran_at,
            status: row.status,
            latency_ms: row.latency_ms,
            due_at: row.due_at,
            uptime: row.uptime,
            p95_ms: row.p95_ms,
            runs: row.runs,
        });
        Ok(checks.collect())
    }

    /// How the runs of a probe went, latest first. They are kept for a week.
    ///
    /// # Errors
    /// [`Error::BadCursor`], or what the database says.
    pub async fn check_results(
        &self,
        id: CheckId,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<CheckResult>, Error> {
        let before = match cursor.map(cursor::read::<1>).transpose()? {
            None => None,
            Some([at]) => Some(cursor::instant(&at)?),
        };
        let rows = sqlx::query!(
            r#"select at, state, status, latency_ms, reason from perigee.check_results
               where check_id = $1 and ($2::timestamptz is null or at < $2) order by at desc limit $3"#,
            Uuid::from(id),
            before,
            limit_and_one(limit),
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("check results"))?;
        let results = rows.into_iter().map(|row| CheckResult {
            at: row.at,
            state: row.state.into(),
            status: row.status,
            latency_ms: row.latency_ms,
            reason: row.reason,
        });
        Ok(cursor::page(results.collect(), limit, |result| {
            cursor::write(&[&result.at.timestamp_micros().to_string()])
        }))
    }
}
