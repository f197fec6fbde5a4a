//! Resources: the list, one of them, and what a reference means.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use model::{Evidence, Health, ResourceId};
use selector::Selector;
use serde_json::{Value, json};
use sqlx::{FromRow, PgExecutor, PgPool, QueryBuilder};
use uuid::Uuid;

use crate::{
    AsOf, Error, HealthNow, Resource, ResourceDetail, Version, VersionState, history,
    search::{Column, Fields, When, Words, prepare},
};

/// The words for [`Evidence`], least first.
const EVIDENCE: &[&str] = &["reference", "event", "document"];

mod list;

pub(crate) use list::{Rows, ids_of, list, plan, push_health};

pub(crate) const FIELDS: Fields = Fields {
    columns: &[
        ("id", Column::Text("r.id::text")),
        ("type", Column::Text("r.type")),
        ("account", Column::Text("r.account")),
        ("region", Column::Text("r.region")),
        ("name", Column::Text("r.name")),
        ("native_id", Column::Text("r.native_id")),
        ("provider", Column::Text("r.provider")),
        ("evidence", Column::Word("(array['reference', 'event', 'document'])[r.evidence + 1]", EVIDENCE)),
        ("since", Column::Time("r.since")),
        ("deleted_at", Column::Time("r.deleted_at")),
        ("changed", Column::Changed),
        ("tags", Column::Map("r.tags")),
        ("labels", Column::Labels),
        ("config", Column::Config),
        ("properties", Column::Config),
        ("health", Column::Word("h.health", Health::WORDS)),
        ("status", Column::Text("h.status")),
        ("ready", Column::Bool("h.ready")),
    ],
    words: Words::Kept,
    functions: true,
};

/// A row of `perigee.resources`; lists say afterwards how well those of a page are.
#[derive(Debug, FromRow)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) provider: String,
    pub(crate) partition: String,
    pub(crate) account: String,
    pub(crate) region: String,
    #[sqlx(rename = "type")]
    pub(crate) kind: String,
    pub(crate) native_id: String,
    pub(crate) name: String,
    pub(crate) tags: Value,
    pub(crate) evidence: i16,
    pub(crate) since: Option<DateTime<Utc>>,
    pub(crate) deleted_at: Option<DateTime<Utc>>,
    #[sqlx(default)]
    pub(crate) health: Option<String>,
    #[sqlx(default)]
    pub(crate) health_status: Option<String>,
    #[sqlx(default)]
    pub(crate) health_ready: Option<bool>,
    #[sqlx(default)]
    pub(crate) health_reason: Option<String>,
    #[sqlx(default)]
    pub(crate) health_since: Option<DateTime<Utc>>,
}

impl From<Row> for Resource {
    fn from(row: Row) -> Self {
        let evidence = match row.evidence {
            0 => Evidence::Reference,
            1 => Evidence::Event,
            _ => Evidence::Document,
        };
        let health = row.health.zip(row.health_since).map(|(health, since)| HealthNow {
            health: health.into(),
            status: row.health_status.unwrap_or_default(),
            ready: row.health_ready.unwrap_or_default(),
            reason: row.health_reason.unwrap_or_default(),
            since,
        });
        Self {
            id: row.id.into(),
            provider: row.provider,
            partition: row.partition,
            account: row.account,
            region: row.region,
            kind: row.kind,
            native_id: row.native_id,
            name: row.name,
            tags: tags(row.tags),
            evidence,
            since: row.since,
            deleted_at: row.deleted_at,
            health,
        }
    }
}

/// Tags as they are stored.
pub(crate) fn tags(stored: Value) -> BTreeMap<String, String> {
    match stored {
        Value::Object(tags) => tags
            .into_iter()
            .map(|(key, value)| match value {
                Value::String(text) => (key, text),
                other => (key, other.to_string()),
            })
            .collect(),
        _ => BTreeMap::new(),
    }
}

/// Whether there is such a resource.
pub(crate) async fn exists(pool: &PgPool, id: ResourceId) -> Result<bool, Error> {
    let found = sqlx::query_scalar!("select id from perigee.resources where id = $1", Uuid::from(id))
        .fetch_optional(pool)
        .await
        .map_err(Error::reading("resources"))?;
    Ok(found.is_some())
}

/// Those of the resources that a selector describes.
pub(crate) async fn selected(
    pool: &PgPool,
    selector: &Selector,
    ids: &[ResourceId],
    include_deleted: bool,
) -> Result<Vec<ResourceId>, Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| Uuid::from(*id)).collect();
    let mut sql = QueryBuilder::new("select r.id");
    prepare(pool, selector, When::default()).await?.push_described(&mut sql);
    sql.push(" and r.id = any (").push_bind(ids).push(")");
    if !include_deleted {
        sql.push(" and r.deleted_at is null");
    }
    sql.push(" order by r.id");
    let found: Vec<Uuid> = sql
        .build_query_scalar()
        .persistent(false)
        .fetch_all(pool)
        .await
        .map_err(Error::reading("resources"))?;
    Ok(found.into_iter().map(ResourceId).collect())
}

/// Resources by their ids, in the order of the ids.
pub(crate) async fn by_ids(db: impl PgExecutor<'_>, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Resource>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select r.id as "id!", r.provider as "provider!", r.partition as "partition!", r.account as "account!",
                  r.region as "region!", r.type as "kind!", r.native_id as "native_id!", r.name as "name!",
                  r.tags as "tags!", r.evidence as "evidence!", r.since as "since?", r.deleted_at as "deleted_at?",
                  h.health as "health?", h.status as "health_status?", h.ready as "health_ready?",
                  h.reason as "health_reason?", h.since as "health_since?"
           from perigee.resources r left join perigee.health h on h.resource_id = r.id
           where r.id = any($1)"#,
        ids,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("resources"))?;
    Ok(rows.into_iter().map(|row| (row.id, row.into())).collect())
}

/// How well resources are, or were at an instant; those that no rule judges are left out.
pub(crate) async fn health_of(
    pool: &PgPool,
    ids: &[Uuid],
    as_of: AsOf,
) -> Result<BTreeMap<Uuid, HealthNow>, Error> {
    let rows = sqlx::query!(
        r#"select x.id as "id!", h.health as "health!", h.status as "status!", h.ready as "ready!", h.reason as "reason!",
                  h.since as "since!"
           from unnest($1::uuid[]) x (id) cross join lateral (
               select o.health, o.status, o.ready, o.reason, o.since from perigee.health o
               where o.resource_id = x.id and o.health is not null and ($2::timestamptz is null or o.since <= $2)
               union all
               select c.health, c.status, c.ready, c.reason, c.valid_from from perigee.health_closed c
               where $2 is not null and c.resource_id = x.id and c.valid_from <= $2 and c.valid_to > $2
               limit 1) h"#,
        ids,
        as_of.at,
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("health"))?;
    let told = rows.into_iter().map(|row| {
        let (status, ready, reason, since) = (row.status, row.ready, row.reason, row.since);
        (row.id, HealthNow { health: row.health.into(), status, ready, reason, since })
    });
    Ok(told.collect())
}

pub(crate) async fn one(pool: &PgPool, id: ResourceId) -> Result<Option<ResourceDetail>, Error> {
    let Some(resource) = by_ids(pool, &[id.into()]).await?.remove(&Uuid::from(id)) else { return Ok(None) };
    let aliases = sqlx::query_scalar!(
        "select alias from perigee.aliases where resource_id = $1 order by alias",
        Uuid::from(id)
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("aliases"))?;
    let sources = history::open(pool, id).await?;
    let mut document = merged(&sources);
    if document.is_null() {
        let mut last = history::last_documented(pool, &[id.into()], AsOf::default()).await?;
        document = last.remove(&Uuid::from(id)).unwrap_or_default();
    }
    Ok(Some(ResourceDetail { resource, aliases, document, sources }))
}

/// The documents of the sources in one, by rank: of two that name the same field, the weightier source's is shown.
pub(crate) fn merged(sources: &[Version]) -> Value {
    let mut shown = Value::Null;
    for version in sources.iter().filter(|version| version.state == VersionState::Documented) {
        if let Some(document) = &version.document {
            merge(&mut shown, document);
        }
    }
    shown
}

/// Adds a lesser source's document to what is shown.
pub(crate) fn merge(shown: &mut Value, document: &Value) {
    if shown.is_null() {
        *shown = json!({});
    }
    fill(shown, document, 2);
}

/// Adds the fields that are missing, `depth` levels of objects deep.
fn fill(shown: &mut Value, lesser: &Value, depth: u8) {
    let (Value::Object(shown), Value::Object(lesser)) = (shown, lesser) else { return };
    for (key, value) in lesser {
        match shown.get_mut(key) {
            None => {
                shown.insert(key.clone(), value.clone());
            }
            Some(held) if depth > 1 => fill(held, value, depth - 1),
            Some(_) => {}
        }
    }
}

/// An id, an alias, `type/native id`, `type/name`, a native id or a name; of several aliases, the latest claim, then
/// the smallest id.
pub(crate) async fn resolve(pool: &PgPool, reference: &str) -> Result<Option<ResourceId>, Error> {
    if reference.contains('\0') {
        return Ok(None);
    }
    if let Ok(id) = reference.parse::<Uuid>() {
        let found = sqlx::query_scalar!("select id from perigee.resources where id = $1", id)
            .fetch_optional(pool)
            .await
            .map_err(Error::reading("resources"))?;
        if found.is_some() {
            return Ok(found.map(ResourceId));
        }
    }
    let by_alias = sqlx::query_scalar!(
        "select resource_id from perigee.aliases where alias = $1 order by last_at desc, resource_id limit 1",
        reference,
    )
    .fetch_optional(pool)
    .await
    .map_err(Error::reading("aliases"))?;
    if by_alias.is_some() {
        return Ok(by_alias.map(ResourceId));
    }
    let by_name = match reference.split_once('/') {
        Some((kind, name)) if kind.contains("::") => resolve_name(pool, Some(kind), name).await?,
        _ => resolve_name(pool, None, reference).await?,
    };
    if by_name.is_some() {
        return Ok(by_name);
    }
    resolve_arn(pool, reference).await
}

/// A native id or a name, of one type or any; what is there before what is gone.
async fn resolve_name(pool: &PgPool, kind: Option<&str>, name: &str) -> Result<Option<ResourceId>, Error> {
    let found = sqlx::query_scalar!(
        r#"select id from perigee.resources
           where (native_id = $2 or name = $2) and ($1::text is null or type = $1)
           order by deleted_at nulls first, (native_id = $2) desc, id limit 1"#,
        kind,
        name,
    )
    .fetch_optional(pool)
    .await
    .map_err(Error::reading("resources"))?;
    Ok(found.map(ResourceId))
}

/// An ARN that no source claimed still says which resource it names.
async fn resolve_arn(pool: &PgPool, reference: &str) -> Result<Option<ResourceId>, Error> {
    let Some(key) = model::Arn::parse(reference).and_then(|arn| model::key_from_arn(&arn)) else {
        return Ok(None);
    };
    let found = sqlx::query_scalar!("select id from perigee.resources where id = $1", Uuid::from(key.id()))
        .fetch_optional(pool)
        .await
        .map_err(Error::reading("resources"))?;
    Ok(found.map(ResourceId))
}
