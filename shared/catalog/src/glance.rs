//! What the pages and the metrics ask beside the lists: sums, ends of output, what fits one resource.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use model::{ResourceId, RunId, Timestamp};
use selector::Selector;
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::{
    Catalog, Error,
    search::{When, prepare},
};

/// Over which time runs and deliveries are counted, beside those that are live.
const WINDOW: TimeDelta = TimeDelta::hours(24);

/// How many things there are in which state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Judged resources, by health.
    pub health: BTreeMap<String, i64>,
    /// Runs that are live or were asked for in the last 24 hours, by state.
    pub runs: BTreeMap<String, i64>,
    /// Deliveries that wait or were made in the last 24 hours, by state.
    pub deliveries: BTreeMap<String, i64>,
    /// Probes, by state.
    pub checks: BTreeMap<String, i64>,
    /// Shards, by how their last listing ended.
    pub shards: BTreeMap<String, i64>,
    /// Regions (and clusters) that have such shards.
    pub places: BTreeMap<String, i64>,
}

/// The end of what a step wrote, in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The step.
    pub step: String,
    /// `stdout` or `stderr`.
    pub stream: String,
    /// What was written.
    pub text: String,
}

impl Catalog {
    /// How many things there are in which state.
    ///
    /// # Errors
    /// What the database says.
    pub async fn tally(&self, now: Timestamp) -> Result<Tally, Error> {
        let rows = sqlx::query!(
            r#"select 'health' as "what!", health as "state!", count(*) as "count!" from perigee.health
               where health is not null group by health
               union all
               select 'runs', state, count(*) from perigee.runs
               where ended_at is null or created_at > $1 group by state
               union all
               select 'deliveries', state, count(*) from perigee.deliveries
               where state = 'pending' or created_at > $1 group by state
               union all
               select 'checks', state, count(*) from perigee.checks group by state
               union all
               select 'shards', state, count(*) from perigee.shards group by state
               union all
               select 'places', state, count(distinct (account, region)) from perigee.shards group by state"#,
            now - WINDOW,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("sums"))?;
        let mut tally = Tally::default();
        for row in rows {
            let sums = match row.what.as_str() {
                "health" => &mut tally.health,
                "runs" => &mut tally.runs,
                "deliveries" => &mut tally.deliveries,
                "checks" => &mut tally.checks,
                "shards" => &mut tally.shards,
                _ => &mut tally.places,
            };
            sums.insert(row.state, row.count);
        }
        Ok(tally)
    }

    /// The last `bytes` or a little more of what each step of a run wrote, in the order of writing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn run_tails(&self, run: RunId, bytes: i64) -> Result<Vec<Tail>, Error> {
        sqlx::query_as!(
            Tail,
            r#"select step, stream, text from (
                   select step, stream, text, seq,
                          sum(octet_length(text)) over (partition by step order by seq desc) - octet_length(text) as behind
                   from perigee.step_output where run_id = $1) pieces
               where behind < $2 order by step, seq"#,
            Uuid::from(run),
            bytes,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("the output of a run"))
    }

    /// Which of several selectors describe a resource, by their places. One that cannot be read describes none.
    ///
    /// # Errors
    /// What the database says.
    pub async fn described_by(&self, id: ResourceId, selectors: &[Selector]) -> Result<Vec<usize>, Error> {
        let mut sql = QueryBuilder::new("select place from (select null::bigint as place where false");
        for (place, selector) in (0_i64..).zip(selectors) {
            let prepared = match prepare(&self.pool, selector, When::default()).await {
                Ok(prepared) => prepared,
                Err(Error::BadSelector { .. }) => continue,
                Err(error) => return Err(error),
            };
            sql.push(" union all select ").push_bind(place);
            prepared.push_described(&mut sql);
            sql.push(" and r.deleted_at is null and r.id = ").push_bind(Uuid::from(id));
        }
        sql.push(") described order by place");
        let places: Vec<i64> = sql
            .build_query_scalar()
            .persistent(false)
            .fetch_all(&self.pool)
            .await
            .map_err(Error::reading("resources"))?;
        Ok(places.into_iter().filter_map(|place| usize::try_from(place).ok()).collect())
    }
}

#[cfg(test)]
mod tests;
