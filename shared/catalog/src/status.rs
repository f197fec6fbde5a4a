//! What the catalog knows of itself: coverage, freshness, counts.

use std::collections::BTreeMap;

use model::Timestamp;
use sqlx::{PgConnection, PgPool, QueryBuilder};

use crate::{AsOf, Count, Error, SourceStatus, facets};

pub(crate) async fn sources(pool: &PgPool) -> Result<Vec<SourceStatus>, Error> {
    sqlx::query_as!(
        SourceStatus,
        r#"select source, account, region, observations, latest, heard_at
           from perigee.source_status order by source, account, region"#
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("source status"))
}

pub(crate) async fn counts(pool: &PgPool, as_of: AsOf) -> Result<Vec<Count>, Error> {
    let mut sql = QueryBuilder::new(r#"select c.account, c.region, c.type, sum(c.n)::bigint as count from "#);
    facets::push_counts(&mut sql, as_of);
    sql.push(
        " c where c.health = '' group by c.account, c.region, c.type having sum(c.n) <> 0
          order by c.account, c.region, c.type",
    );
    let rows: Vec<(String, String, String, i64)> =
        sql.build_query_as().persistent(false).fetch_all(pool).await.map_err(Error::reading("counts"))?;
    Ok(rows
        .into_iter()
        .map(|(account, region, kind, count)| Count { account, region, kind, count })
        .collect())
}

/// How many more of something there are from an instant on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delta<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) kind: &'a str,
    /// Empty where resources are counted, a health where judged ones are.
    pub(crate) health: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) number: i64,
}

/// Adds to what is counted.
pub(crate) async fn add_deltas(
    db: &mut PgConnection,
    deltas: &[Delta<'_>],
    now: Timestamp,
) -> Result<(), Error> {
    let mut sums: BTreeMap<_, i64> = BTreeMap::new();
    for Delta { account, region, kind, health, at, number } in deltas {
        *sums.entry((account, region, kind, health, at)).or_default() += number;
    }
    let (mut accounts, mut regions, mut types, mut healths) = (vec![], vec![], vec![], vec![]);
    let (mut instants, mut numbers) = (vec![], vec![]);
    for ((account, region, kind, health, at), number) in sums.into_iter().filter(|(_, sum)| *sum != 0) {
        accounts.push((*account).to_owned());
        regions.push((*region).to_owned());
        types.push((*kind).to_owned());
        healths.push((*health).to_owned());
        instants.push(*at);
        numbers.push(number);
    }
    if numbers.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"insert into perigee.count_deltas (account, region, type, health, at, delta, recorded_at)
           select *, $7 from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bigint[])"#,
        &accounts,
        &regions,
        &types,
        &healths,
        &instants,
        &numbers,
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("counts"))?;
    Ok(())
}

/// Folds the deltas into the counts, in one statement, so that no reader sees them twice or not at all.
pub(crate) async fn fold_counts(pool: &PgPool) -> Result<(), Error> {
    sqlx::query!(
        r#"with folded as (
               delete from perigee.count_deltas returning at, account, region, type, health, delta, recorded_at
           ), logged as (
               insert into perigee.count_log (at, account, region, type, health, delta, recorded_at)
               select at, account, region, type, health, delta, recorded_at from folded
           ), by_day as (
               insert into perigee.count_days as c (day, account, region, type, health, delta)
               select (at at time zone 'UTC')::date, account, region, type, health, sum(delta)::bigint
               from folded group by 1, 2, 3, 4, 5
               order by 1, 2, 3, 4, 5
               on conflict (day, account, region, type, health) do update set delta = c.delta + excluded.delta
           )
           insert into perigee.counts as c (account, region, type, health, count)
           select account, region, type, health, sum(delta)::bigint from folded group by account, region, type, health
           order by account, region, type, health
           on conflict (account, region, type, health) do update set count = c.count + excluded.count"#
    )
    .execute(pool)
    .await
    .map_err(Error::writing("counts"))?;
    Ok(())
}

pub(crate) async fn is_empty(pool: &PgPool) -> Result<bool, Error> {
    sqlx::query_scalar!(r#"select not exists (select 1 from perigee.ledger) as "empty!""#)
        .fetch_one(pool)
        .await
        .map_err(Error::reading("the ledger"))
}
