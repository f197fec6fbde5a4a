//! What `record` writes: a fixed number of statements, each over columns of values.

use std::collections::{BTreeMap, BTreeSet};

use model::{ContentHash, MASK_SET, Observation, ObservationKey, ResourceId, Timestamp};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Touched,
    decide::{Shown, unchanged},
    load,
    plan::Plan,
};
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

/// Columns of resources to insert.
#[derive(Debug, Default)]
struct NewResources {
    ids: Vec<Uuid>,
    providers: Vec<String>,
    partitions: Vec<String>,
    accounts: Vec<String>,
    regions: Vec<String>,
    types: Vec<String>,
    native_ids: Vec<String>,
    evidence: Vec<i16>,
    names: Vec<String>,
    tags: Vec<Value>,
    since: Vec<Option<Timestamp>>,
    named: Vec<Timestamp>,
}

/// Inserts the resources that are new and updates those that changed. `None` when another writer was first to insert
/// a resource that this batch decided about as new.
pub(super) async fn resources(
    db: &mut PgConnection,
    plan: &Plan<'_>,
    touched: &Touched,
    shown: &BTreeMap<ResourceId, Shown>,
    now: Timestamp,
) -> Result<Option<BTreeSet<ResourceId>>, Error> {
    let unlocked: Vec<Uuid> = plan
        .resources
        .keys()
        .filter(|id| !touched.stored.contains_key(id))
        .map(|id| Uuid::from(*id))
        .collect();
    let held = if unlocked.is_empty() { BTreeMap::new() } else { load::evidence(db, &unlocked).await? };
    let mut new = NewResources::default();
    let mut decided_as_new = BTreeSet::new();
    for (id, planned) in plan.resources.iter().filter(|(id, _)| !touched.stored.contains_key(id)) {
        if held.get(id).is_some_and(|evidence| *evidence >= planned.evidence as i16) && !planned.stateful {
            continue;
        }
        let key = &planned.key;
        let shown = shown.get(id);
        if shown.is_some() {
            decided_as_new.insert(*id);
        }
        new.ids.push((*id).into());
        new.providers.push(key.provider.clone());
        new.partitions.push(key.partition.clone());
        new.accounts.push(key.account.clone());
        new.regions.push(key.region.clone());
        new.types.push(key.kind.clone());
        new.native_ids.push(key.native_id.clone());
        new.evidence.push(planned.evidence as i16);
        new.names.push(shown.map_or_else(|| key.native_id.clone(), |s| s.name.clone()));
        new.tags.push(shown.map_or_else(|| json!({}), |s| s.tags.clone()));
        new.since.push(shown.and_then(|s| s.since));
        new.named.push(planned.named);
    }
    let born = if new.ids.is_empty() { BTreeSet::new() } else { insert_resources(db, &new, now).await? };
    if !decided_as_new.is_subset(&born) {
        return Ok(None);
    }
    update_resources(db, touched, shown).await?;
    Ok(Some(born))
}

async fn insert_resources(
    db: &mut PgConnection,
    new: &NewResources,
    now: Timestamp,
) -> Result<BTreeSet<ResourceId>, Error> {
    let rows = sqlx::query!(
        r#"insert into perigee.resources as r
               (id, provider, partition, account, region, type, native_id, evidence, name, tags, since, named_at, shown_from,
                recorded_at, shown_recorded_at)
           select *, named, $13, $13
           from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::smallint[],
                       $9::text[], $10::jsonb[], $11::timestamptz[], $12::timestamptz[])
                w (id, provider, partition, account, region, type, native_id, evidence, name, tags, since, named)
           on conflict (id) do update set evidence = excluded.evidence where r.evidence < excluded.evidence
           returning id, (xmax = 0) as "born!""#,
        &new.ids,
        &new.providers,
        &new.partitions,
        &new.accounts,
        &new.regions,
        &new.types,
        &new.native_ids,
        &new.evidence,
        &new.names,
        &new.tags,
        &new.since as _,
        &new.named,
        now,
    )
    .fetch_all(db)
    .await
    .map_err(Error::writing("resources"))?;
    Ok(rows.into_iter().filter(|row| row.born).map(|row| ResourceId(row.id)).collect())
}

async fn update_resources(
    db: &mut PgConnection,
    touched: &Touched,
    shown: &BTreeMap<ResourceId, Shown>,
) -> Result<(), Error> {
    let changed: Vec<(&ResourceId, &Shown)> = shown
        .iter()
        .filter(|(id, shown)| touched.stored.get(id).is_some_and(|stored| !unchanged(stored, shown)))
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = changed.iter().map(|(id, _)| Uuid::from(**id)).collect();
    let names: Vec<String> = changed.iter().map(|(_, s)| s.name.clone()).collect();
    let tags: Vec<Value> = changed.iter().map(|(_, s)| s.tags.clone()).collect();
    let since: Vec<Option<Timestamp>> = changed.iter().map(|(_, s)| s.since).collect();
    let evidence: Vec<i16> = changed.iter().map(|(_, s)| s.evidence).collect();
    sqlx::query!(
        r#"update perigee.resources r
           set name = w.name, tags = w.tags, since = w.since, evidence = w.evidence
           from unnest($1::uuid[], $2::text[], $3::jsonb[], $4::timestamptz[], $5::smallint[])
                w (id, name, tags, since, evidence)
           where r.id = w.id"#,
        &ids,
        &names,
        &tags,
        &since as _,
        &evidence,
    )
    .execute(db)
    .await
    .map_err(Error::writing("resources"))?;
    Ok(())
}

/// A resource that no source documents any more is shown by its last document.
pub(super) async fn names_from_history(
    db: &mut PgConnection,
    shown: &BTreeMap<ResourceId, Shown>,
) -> Result<(), Error> {
    let ids: Vec<Uuid> =
        shown.iter().filter(|(_, s)| s.name_from_history).map(|(id, _)| Uuid::from(*id)).collect();
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"update perigee.resources r set name = coalesce(d.name, r.native_id), tags = d.tags
           from (
               select distinct on (c.resource_id) c.resource_id, c.document
               from perigee.versions_closed c
               where c.resource_id = any($1) and c.superseded_at is null and c.content = 1
               order by c.resource_id, c.rank desc, c.valid_to desc, c.source
           ) last
           join perigee.documents d on d.hash = last.document
           where r.id = last.resource_id"#,
        &ids,
    )
    .execute(db)
    .await
    .map_err(Error::writing("resources"))?;
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

/// Works out, from what is written, whether the resources are gone of which any source says or said so, and stores
/// it. Returns when each of these was proven gone, `None` for those that are there.
///
/// A resource is gone when a source that calls it gone said so after the last that any other source saw of it; it is
/// gone since the earliest such word. Words of one instant are ordered by state id, then rank; deletion wins a tie.
pub(super) async fn lifecycle(
    db: &mut PgConnection,
    touched: &Touched,
    shown: &BTreeMap<ResourceId, Shown>,
) -> Result<BTreeMap<ResourceId, Option<Timestamp>>, Error> {
    let was_gone = |id| touched.stored.get(id).is_some_and(|stored| stored.deleted_at.is_some());
    let contested: Vec<Uuid> = shown
        .iter()
        .filter(|(id, shown)| shown.said_gone || was_gone(id))
        .map(|(id, _)| Uuid::from(*id))
        .collect();
    if contested.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query_file!("queries/lifecycle.sql", &contested)
        .fetch_all(db)
        .await
        .map_err(Error::writing("resources"))?;
    Ok(rows.into_iter().map(|row| (ResourceId(row.id), row.deleted_at)).collect())
}

/// Tells how many resources came and went, by account, region and type.
pub(super) async fn counts(
    db: &mut PgConnection,
    plan: &Plan<'_>,
    touched: &Touched,
    gone: &BTreeMap<ResourceId, Option<Timestamp>>,
    born: &BTreeSet<ResourceId>,
    now: Timestamp,
) -> Result<(), Error> {
    let there = |id| gone.get(id).is_none_or(Option::is_none);
    let mut deltas: BTreeMap<(&str, &str, &str), i64> = BTreeMap::new();
    for id in born {
        if let Some(planned) = plan.resources.get(id).filter(|_| there(id)) {
            let key = &planned.key;
            *deltas.entry((&key.account, &key.region, &key.kind)).or_default() += 1;
        }
    }
    for (id, stored) in &touched.stored {
        let delta = i64::from(there(id)) - i64::from(stored.deleted_at.is_none());
        *deltas.entry((&stored.account, &stored.region, &stored.kind)).or_default() += delta;
    }
    deltas.retain(|_, delta| *delta != 0);
    if deltas.is_empty() {
        return Ok(());
    }
    let accounts: Vec<String> = deltas.keys().map(|(account, _, _)| (*account).to_owned()).collect();
    let regions: Vec<String> = deltas.keys().map(|(_, region, _)| (*region).to_owned()).collect();
    let types: Vec<String> = deltas.keys().map(|(_, _, kind)| (*kind).to_owned()).collect();
    let deltas: Vec<i64> = deltas.into_values().collect();
    sqlx::query!(
        r#"insert into perigee.count_deltas (account, region, type, delta, at, recorded_at)
           select *, $5, $5 from unnest($1::text[], $2::text[], $3::text[], $4::bigint[])"#,
        &accounts,
        &regions,
        &types,
        &deltas,
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("counts"))?;
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
