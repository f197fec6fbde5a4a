//! Deleted resources that are past their age, and of which nothing else tells any more.

use model::Timestamp;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{
    Allowance, Removed, horizon, lock,
    policy::{Horizons, Kind, Policy},
};
use crate::Error;

/// How many go at once.
const BATCH: i64 = 500;

/// Removes them. False when the allowance ended first.
pub(super) async fn remove(
    pool: &PgPool,
    policy: &Policy,
    now: Timestamp,
    allowance: &mut Allowance,
    removed: &mut Removed,
) -> Result<bool, Error> {
    let horizons = policy.horizons(Kind::Deleted);
    loop {
        let mut db = pool.acquire().await.map_err(Error::connecting)?;
        let candidates = past(&mut db, &horizons, None).await?;
        drop(db);
        if candidates.is_empty() {
            return Ok(true);
        }
        if !allowance.take() {
            return Ok(false);
        }
        let Some(mut tx) = lock::begin(pool).await? else { return Ok(false) };
        if !lock::keep_writers_out(&mut tx).await? {
            removed.busy.push("resources".to_owned());
            return lock::give_up(tx, true).await;
        }
        // Writers may have told of them since; none does now.
        let ids = past(&mut tx, &horizons, Some(&candidates)).await?;
        let (ids, types): (Vec<Uuid>, Vec<String>) = ids.into_iter().unzip();
        delete(&mut tx, &ids, now).await?;
        let types: Vec<String> = types
            .into_iter()
            .map(|kind| if horizons.types.contains(&kind) { kind } else { String::new() })
            .collect();
        horizon::note(&mut tx, Kind::Deleted, &horizons.noted(Kind::Deleted, &types), now).await?;
        tx.commit().await.map_err(Error::writing("resources"))?;
        if ids.is_empty() {
            return Ok(true);
        }
        removed.add("resources", i64::try_from(ids.len()).unwrap_or(i64::MAX));
    }
}

/// Those that may go: all of them, or those among some.
async fn past(
    db: &mut PgConnection,
    horizons: &Horizons,
    among: Option<&[(Uuid, String)]>,
) -> Result<Vec<(Uuid, String)>, Error> {
    let among: Option<Vec<Uuid>> = among.map(|among| among.iter().map(|(id, _)| *id).collect());
    let rows = sqlx::query!(
        r#"select r.id, r.type as kind
           from perigee.resources r
           left join unnest($1::text[], $2::timestamptz[]) o (type, horizon) on o.type = r.type
           where r.deleted_at < $4 and r.deleted_at < coalesce(o.horizon, $3)
             and ($5::uuid[] is null or r.id = any ($5))
             and not exists (select 1 from perigee.hold_resources k where k.resource_id = r.id)
             and not exists (select 1 from perigee.change_resources c where c.resource_id = r.id)
             and not exists (select 1 from perigee.findings f where f.resources @> array[r.id])
             and not exists (select 1 from perigee.edges_open e where e.to_id = r.id and e.from_id <> r.id)
             and not exists (select 1 from perigee.edges_closed e where e.to_id = r.id and e.from_id <> r.id)
           order by r.deleted_at limit $6"#,
        &horizons.types,
        &horizons.own,
        horizons.default,
        horizons.latest(),
        among.as_deref(),
        BATCH,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("resources"))?;
    Ok(rows.into_iter().map(|row| (row.id, row.kind)).collect())
}

/// Removes resources with everything of them.
async fn delete(db: &mut PgConnection, ids: &[Uuid], now: Timestamp) -> Result<(), Error> {
    sqlx::query!(
        r#"with opened as (delete from perigee.versions_open where resource_id = any ($1) returning document),
                closed as (delete from perigee.versions_closed where resource_id = any ($1) returning document),
                loose as (
                    insert into perigee.documents_loose (hash, since)
                    select document, $2::timestamptz from (select document from opened union select document from closed) d
                    where document is not null
                    on conflict do nothing),
                seen as (delete from perigee.sightings where resource_id = any ($1)),
                out_now as (delete from perigee.edges_open where from_id = any ($1)),
                out_once as (delete from perigee.edges_closed where from_id = any ($1)),
                names as (delete from perigee.aliases where resource_id = any ($1)),
                well as (delete from perigee.health where resource_id = any ($1) returning account, region, type, health),
                fewer as (
                    insert into perigee.count_deltas (account, region, type, health, delta, at, recorded_at)
                    select account, region, type, health, -count(*), $2, $2 from well where health is not null
                    group by account, region, type, health),
                well_once as (delete from perigee.health_closed where resource_id = any ($1)),
                turned as (delete from perigee.health_transitions where resource_id = any ($1)),
                shown as (delete from perigee.shown_closed where resource_id = any ($1)),
                tagged as (delete from perigee.resource_tags where resource_id = any ($1))
           delete from perigee.resources where id = any ($1)"#,
        ids,
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("resources"))?;
    Ok(())
}
