//! Resources as they were at an instant, as it is known now or as it was known at another.
//!
//! Everything here is over sets of resources, so that comparing an account costs no statement for each of them. An
//! answer without an instant is of what has no end, and one without an instant of knowledge holds what stands now:
//! both are instants after every other.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use model::{Difference, ResourceId, Timestamp};
use serde_json::{Map, Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    AsOf, Edge, EdgeDifferences, Error, Graph, GraphNode, HealthNow, Resource, ResourceDetail, Version,
    history, resources,
};

impl AsOf {
    /// As it was at an instant, as it is known now.
    #[must_use]
    pub fn at(at: Timestamp) -> Self {
        Self { at: Some(at), recorded_at: None }
    }

    /// Whether it asks for what is now, as it is known now.
    #[must_use]
    pub fn is_now(self) -> bool {
        self == Self::default()
    }

    /// The two instants, after all others where they are not given.
    pub(crate) fn bounds(self) -> (Timestamp, Timestamp) {
        (self.at.unwrap_or(Timestamp::MAX_UTC), self.recorded_at.unwrap_or(Timestamp::MAX_UTC))
    }
}

/// A resource as it was: what was shown of it, and what the sources said.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) resource: Resource,
    pub(crate) document: Value,
    pub(crate) sources: Vec<Version>,
}

impl Moment {
    /// Whether it was there: known, and not gone.
    pub(crate) fn is_there(&self) -> bool {
        self.resource.deleted_at.is_none()
    }
}

/// One resource as it was. `None` when nothing was known of it then.
pub(crate) async fn one(pool: &PgPool, id: ResourceId, as_of: AsOf) -> Result<Option<ResourceDetail>, Error> {
    if as_of.is_now() {
        return resources::one(pool, id).await;
    }
    let uuid = Uuid::from(id);
    let Some(moment) = many(pool, &[uuid], as_of).await?.remove(&uuid) else { return Ok(None) };
    let (at, _) = as_of.bounds();
    let aliases = sqlx::query_scalar!(
        "select alias from perigee.aliases where resource_id = $1 and first_at <= $2 order by alias",
        uuid,
        at,
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("aliases"))?;
    let Moment { resource, document, sources } = moment;
    Ok(Some(ResourceDetail { resource, aliases, document, sources }))
}

/// Resources as they were. Those of which nothing was known then are not among them.
pub(crate) async fn many(pool: &PgPool, ids: &[Uuid], as_of: AsOf) -> Result<BTreeMap<Uuid, Moment>, Error> {
    let shown = shown(pool, ids, as_of).await?;
    let known: Vec<Uuid> = shown.keys().copied().collect();
    let mut now = resources::by_ids(pool, &known).await?;
    let mut health = health(pool, &known, as_of).await?;
    let mut documents = documents(pool, &known, as_of).await?;
    let since = seen_since(pool, &known, as_of).await?;
    let mut moments = BTreeMap::new();
    for (id, shown) in shown {
        let Some(resource) = now.remove(&id) else { continue };
        let (document, sources) = documents.remove(&id).unwrap_or_default();
        let resource = Resource {
            name: shown.name,
            tags: resources::tags(shown.tags),
            deleted_at: shown.deleted_at,
            health: health.remove(&id),
            since: since.get(&id).copied(),
            ..resource
        };
        moments.insert(id, Moment { resource, document, sources });
    }
    Ok(moments)
}

/// The shown documents, and what the sources said. What nobody documented any more is shown as it last looked.
pub(crate) async fn documents(
    pool: &PgPool,
    ids: &[Uuid],
    as_of: AsOf,
) -> Result<BTreeMap<Uuid, (Value, Vec<Version>)>, Error> {
    let mut versions = history::at(pool, ids, as_of).await?;
    let undocumented: Vec<Uuid> = ids
        .iter()
        .filter(|id| versions.get(id).is_none_or(|versions| versions.iter().all(|v| v.document.is_none())))
        .copied()
        .collect();
    let mut last = history::last_documented(pool, &undocumented, as_of).await?;
    let shown = ids.iter().map(|id| {
        let sources = versions.remove(id).unwrap_or_default();
        let document = match resources::merged(&sources) {
            Value::Null => last.remove(id).unwrap_or(Value::Null),
            document => document,
        };
        (*id, (document, sources))
    });
    Ok(shown.collect())
}

#[derive(Debug)]
struct Shown {
    id: Uuid,
    name: String,
    tags: Value,
    deleted_at: Option<DateTime<Utc>>,
}

/// What was shown of them. What was recorded before the catalog kept that is shown as it is now.
async fn shown(pool: &PgPool, ids: &[Uuid], as_of: AsOf) -> Result<BTreeMap<Uuid, Shown>, Error> {
    let (at, known) = as_of.bounds();
    let rows = sqlx::query_as!(
        Shown,
        r#"select distinct on (s.id) s.id as "id!", s.name as "name!", s.tags as "tags!", s.deleted_at as "deleted_at?"
           from (
               select id, name, tags, case when deleted_at <= $2 then deleted_at end as deleted_at, 0 as place
               from perigee.resources
               where id = any ($1) and shown_from <= $2 and shown_recorded_at <= $3
               union all
               select resource_id, name, tags, deleted_at, 1 from perigee.shown_closed
               where resource_id = any ($1) and valid_from <= $2 and recorded_at <= $3
                 and (superseded_at is null or superseded_at > $3) and (valid_to > $2 or end_recorded_at > $3)
               union all
               select id, name, tags, case when deleted_at <= $2 then deleted_at end, 2 from perigee.resources
               where id = any ($1) and named_at <= $2 and $4
           ) s
           order by s.id, s.place"#,
        ids,
        at,
        known,
        as_of.recorded_at.is_none(),
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("resources"))?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// How well they were. What was known of it at another instant is read off the transitions.
async fn health(pool: &PgPool, ids: &[Uuid], as_of: AsOf) -> Result<BTreeMap<Uuid, HealthNow>, Error> {
    let (at, known) = as_of.bounds();
    let rows = sqlx::query!(
        r#"select resource_id as "id!", health as "health!", status as "status!", ready as "ready!", reason as "reason!",
                  since as "since!"
           from perigee.health where $4 and resource_id = any ($1) and health is not null and since <= $2
           union all
           select resource_id, health, status, ready, reason, valid_from
           from perigee.health_closed where $4 and resource_id = any ($1) and valid_from <= $2 and valid_to > $2
           union all
           select t.resource_id, t.health, t.status, t.ready, t.reason, t.at
           from unnest($1::uuid[]) w (id)
           cross join lateral (
               select * from perigee.health_transitions t
               where t.resource_id = w.id and t.at <= $2 and t.recorded_at <= $3
               order by t.at desc, t.id desc limit 1
           ) t
           where not $4 and t.rule is not null"#,
        ids,
        at,
        known,
        as_of.recorded_at.is_none(),
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("health"))?;
    let health = rows.into_iter().map(|row| {
        let (status, ready, reason, since) = (row.status, row.ready, row.reason, row.since);
        (row.id, HealthNow { health: row.health.into(), status, ready, reason, since })
    });
    Ok(health.collect())
}

/// Since when they had been seen there. What was known of that at another instant is read off the versions.
async fn seen_since(
    pool: &PgPool,
    ids: &[Uuid],
    as_of: AsOf,
) -> Result<BTreeMap<Uuid, DateTime<Utc>>, Error> {
    let (at, known) = as_of.bounds();
    let rows = sqlx::query!(
        r#"select id as "id!", since as "since!" from perigee.resources where $4 and id = any ($1) and since <= $2
           union all
           select v.resource_id, min(v.valid_from)
           from (
               select resource_id, valid_from from perigee.versions_open
               where resource_id = any ($1) and valid_from <= $2 and recorded_at <= $3 and content <> 2
               union all
               select resource_id, valid_from from perigee.versions_closed
               where resource_id = any ($1) and valid_from <= $2 and recorded_at <= $3 and content <> 2
                 and (superseded_at is null or superseded_at > $3)
           ) v
           where not $4
           group by v.resource_id"#,
        ids,
        at,
        known,
        as_of.recorded_at.is_none(),
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("versions"))?;
    Ok(rows.into_iter().map(|row| (row.id, row.since)).collect())
}

/// The earliest instant at which anything was said of a resource.
pub(crate) async fn known_since(pool: &PgPool, id: ResourceId) -> Result<Option<Timestamp>, Error> {
    sqlx::query_scalar!("select named_at from perigee.resources where id = $1", Uuid::from(id))
        .fetch_optional(pool)
        .await
        .map_err(Error::reading("resources"))
}

/// The resource that a reference named at an instant: of several that had the alias by then, the latest claim, then the
/// smallest id. What no alias says, is named as it is now.
pub(crate) async fn resolve(
    pool: &PgPool,
    reference: &str,
    at: Timestamp,
) -> Result<Option<ResourceId>, Error> {
    if reference.contains('\0') {
        return Ok(None);
    }
    let by_alias = sqlx::query_scalar!(
        "select resource_id from perigee.aliases where alias = $1 and first_at <= $2
         order by least(last_at, $2) desc, resource_id limit 1",
        reference,
        at,
    )
    .fetch_optional(pool)
    .await
    .map_err(Error::reading("aliases"))?;
    match by_alias {
        Some(id) if reference.parse::<Uuid>().is_err() => Ok(Some(ResourceId(id))),
        Some(_) | None => resources::resolve(pool, reference).await,
    }
}

/// What is compared of a resource: its document, with its shown name and tags and, where it is wanted, how well it was.
pub(crate) fn compared(resource: &Resource, document: &Value, with_health: bool) -> Value {
    let mut all = match document {
        Value::Object(fields) => fields.clone(),
        _ => Map::new(),
    };
    all.insert("name".to_owned(), json!(resource.name));
    all.insert("tags".to_owned(), json!(resource.tags));
    if let Some(deleted_at) = resource.deleted_at {
        all.insert("deleted_at".to_owned(), json!(deleted_at));
    }
    if let Some(HealthNow { health, status, ready, reason, since: _ }) =
        resource.health.as_ref().filter(|_| with_health)
    {
        let health = json!({ "health": health, "status": status, "ready": ready, "reason": reason });
        all.insert("health".to_owned(), health);
    }
    Value::Object(all)
}

/// How many relations that differ are told.
const EDGES: usize = 500;

/// The relations of a resource that held at one of two moments and not at the other, whichever source said so.
pub(crate) async fn edges_between(
    pool: &PgPool,
    id: ResourceId,
    from: AsOf,
    to: AsOf,
) -> Result<EdgeDifferences, Error> {
    let ((from_at, from_known), (to_at, to_known)) = (from.bounds(), to.bounds());
    let rows = sqlx::query!(
        r#"select e.from_id as "from_id!", e.to_id as "to_id!", e.kind as "kind!", min(e.source) as "source!",
                  min(e.valid_from) as "valid_from!", max(e.valid_to) as valid_to, bool_or(e.held_after) as "appeared!"
           from (
               select *,
                      valid_from <= $2 and recorded_at <= $3 and (superseded_at is null or superseded_at > $3)
                      and (valid_to is null or valid_to > $2 or end_recorded_at > $3) as held_before,
                      valid_from <= $4 and recorded_at <= $5 and (superseded_at is null or superseded_at > $5)
                      and (valid_to is null or valid_to > $4 or end_recorded_at > $5) as held_after
               from (
                   select from_id, to_id, kind, source, valid_from, null::timestamptz as valid_to, recorded_at,
                          null::timestamptz as end_recorded_at, null::timestamptz as superseded_at
                   from perigee.edges_open where from_id = $1 or to_id = $1
                   union all
                   select from_id, to_id, kind, source, valid_from, valid_to, recorded_at, end_recorded_at, superseded_at
                   from perigee.edges_closed where from_id = $1 or to_id = $1
               ) told
           ) e
           where e.held_before or e.held_after
           group by e.from_id, e.to_id, e.kind
           having bool_or(e.held_before) <> bool_or(e.held_after)
           order by e.from_id, e.kind, e.to_id limit $6"#,
        Uuid::from(id),
        from_at,
        from_known,
        to_at,
        to_known,
        i64::try_from(EDGES + 1).unwrap_or(i64::MAX),
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("edges"))?;
    let mut differences = EdgeDifferences { truncated: rows.len() > EDGES, ..EdgeDifferences::default() };
    for row in rows.into_iter().take(EDGES) {
        let edge = Edge {
            from_id: row.from_id.into(),
            to_id: row.to_id.into(),
            kind: row.kind,
            source: row.source,
            from: row.valid_from,
            to: row.valid_to,
        };
        let side = if row.appeared { &mut differences.appeared } else { &mut differences.went };
        side.push(edge);
    }
    Ok(differences)
}

/// A resource and those that it was related to at a moment, under their names of now. `None` when there is no such
/// resource.
pub(crate) async fn surroundings(pool: &PgPool, id: ResourceId, as_of: AsOf) -> Result<Option<Graph>, Error> {
    let before_all = AsOf::at(DateTime::UNIX_EPOCH);
    let EdgeDifferences { appeared: edges, truncated, .. } =
        edges_between(pool, id, before_all, as_of).await?;
    let ids: BTreeSet<Uuid> =
        edges.iter().flat_map(|edge| [edge.from_id, edge.to_id]).chain([id]).map(Uuid::from).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let mut found = resources::by_ids(pool, &ids).await?;
    let Some(start) = found.remove(&Uuid::from(id)) else { return Ok(None) };
    let far = found.into_values().map(|resource| GraphNode { resource, distance: 1 });
    let nodes = std::iter::once(GraphNode { resource: start, distance: 0 }).chain(far).collect();
    Ok(Some(Graph { nodes, edges, truncated }))
}

impl ResourceDetail {
    /// What differs between two looks at a resource: fields of the document, `name`, `tags`, `health`, `deleted_at`.
    /// Of a resource that was not known at one of them, everything.
    #[must_use]
    pub fn differences(before: Option<&Self>, after: Option<&Self>) -> Vec<Difference> {
        let side = |detail: Option<&Self>| {
            detail.map_or_else(|| json!({}), |one| compared(&one.resource, &one.document, true))
        };
        model::diff(&side(before), &side(after))
    }
}

#[cfg(test)]
mod tests;
