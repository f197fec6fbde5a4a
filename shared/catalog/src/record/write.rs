//! What `record` writes: a fixed number of statements, each over columns of values.

use std::collections::{BTreeMap, BTreeSet};

use model::{ContentHash, MASK_SET, Observation, ObservationKey, Timestamp};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::plan::Plan;
use crate::Error;

mod facts;
mod runs;

pub(super) use facts::{changes, findings};
pub(super) use runs::{edges, runs, sightings};

/// Claims the keys of the observations; the answer holds those that nobody had claimed before.
pub(super) async fn claim(
    db: &mut PgConnection,
    observations: &[Observation],
    now: Timestamp,
) -> Result<BTreeSet<ObservationKey>, Error> {
    let unique: BTreeMap<ObservationKey, &Observation> =
        observations.iter().rev().map(|o| (o.key, o)).collect();
    let keys: Vec<Vec<u8>> = unique.keys().map(|key| key.0.0.to_vec()).collect();
    let sources: Vec<String> = unique.values().map(|o| o.source.name.clone()).collect();
    let accounts: Vec<String> = unique.values().map(|o| o.account.clone()).collect();
    let regions: Vec<String> = unique.values().map(|o| o.region.clone()).collect();
    let instants: Vec<Timestamp> = unique.values().map(|o| o.occurred_at).collect();
    let claimed = sqlx::query_scalar!(
        r#"insert into perigee.ledger (key, source, account, region, occurred_at, recorded_at)
           select *, $6 from unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
           on conflict do nothing
           returning key"#,
        &keys,
        &sources,
        &accounts,
        &regions,
        &instants,
        now,
    )
    .fetch_all(db)
    .await
    .map_err(Error::writing("the ledger"))?;
    Ok(claimed
        .into_iter()
        .filter_map(|key| Some(ObservationKey(ContentHash(key.try_into().ok()?))))
        .collect())
}

/// Stores the documents that are new. One that is there already is marked as heard of, to the hour, so that it is not
/// collected while a version of it is on its way.
pub(super) async fn documents(db: &mut PgConnection, plan: &Plan<'_>, now: Timestamp) -> Result<(), Error> {
    if plan.documents.is_empty() {
        return Ok(());
    }
    let hashes: Vec<Vec<u8>> = plan.documents.keys().map(|hash| hash.0.to_vec()).collect();
    let names: Vec<Option<String>> = plan.documents.values().map(|d| d.name.clone()).collect();
    let tags: Vec<&Value> = plan.documents.values().map(|d| &d.tags).collect();
    let descriptions: Vec<Option<String>> = plan.documents.values().map(|d| d.description.clone()).collect();
    let bodies: Vec<&Value> = plan.documents.values().map(|d| &d.body).collect();
    sqlx::query!(
        r#"insert into perigee.documents as d (hash, mask_set, name, description, tags, body, heard_at)
           select hash, $6, name, description, tags, body, $7
           from unnest($1::bytea[], $2::text[], $3::text[], $4::jsonb[], $5::jsonb[]) w (hash, name, description, tags, body)
           on conflict (hash) do update set heard_at = excluded.heard_at
           where d.heard_at < excluded.heard_at - interval '1 hour'"#,
        &hashes,
        &names as _,
        &descriptions as _,
        &tags as _,
        &bodies as _,
        MASK_SET,
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("documents"))?;
    Ok(())
}

pub(super) async fn aliases(db: &mut PgConnection, plan: &Plan<'_>) -> Result<(), Error> {
    if plan.aliases.is_empty() {
        return Ok(());
    }
    let aliases: Vec<String> = plan.aliases.keys().map(|(alias, _)| alias.clone()).collect();
    let ids: Vec<Uuid> = plan.aliases.keys().map(|(_, id)| Uuid::from(*id)).collect();
    let first: Vec<Timestamp> = plan.aliases.values().map(|(first, _)| *first).collect();
    let last: Vec<Timestamp> = plan.aliases.values().map(|(_, last)| *last).collect();
    sqlx::query!(
        r#"insert into perigee.aliases as a (alias, resource_id, first_at, last_at)
           select * from unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
           on conflict (alias, resource_id) do update
           set first_at = least(a.first_at, excluded.first_at), last_at = greatest(a.last_at, excluded.last_at)
           where excluded.first_at < a.first_at or excluded.last_at > a.last_at"#,
        &aliases,
        &ids,
        &first,
        &last,
    )
    .execute(db)
    .await
    .map_err(Error::writing("aliases"))?;
    Ok(())
}

/// Tells from whom and until when was heard. The last write before the commit, since its rows are the busiest.
pub(super) async fn heard(db: &mut PgConnection, plan: &Plan<'_>, now: Timestamp) -> Result<(), Error> {
    let sources: Vec<String> = plan.heard.keys().map(|(source, _, _)| source.clone()).collect();
    let accounts: Vec<String> = plan.heard.keys().map(|(_, account, _)| account.clone()).collect();
    let regions: Vec<String> = plan.heard.keys().map(|(_, _, region)| region.clone()).collect();
    let observations: Vec<i64> = plan.heard.values().map(|heard| heard.observations).collect();
    let latest: Vec<Timestamp> = plan.heard.values().map(|heard| heard.latest).collect();
    sqlx::query!(
        r#"insert into perigee.source_status as s (source, account, region, observations, latest, heard_at)
           select *, $6 from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[])
           on conflict (source, account, region) do update
           set observations = s.observations + excluded.observations,
               latest = greatest(s.latest, excluded.latest),
               heard_at = greatest(s.heard_at, excluded.heard_at)"#,
        &sources,
        &accounts,
        &regions,
        &observations,
        &latest,
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("source status"))?;
    Ok(())
}
