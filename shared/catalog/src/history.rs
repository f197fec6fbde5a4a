//! Versions: what each source said of a resource, over time.

#[cfg(test)]
mod tests;
mod timeline;

pub(crate) use timeline::list;
pub use timeline::{HistoryEntry, HistoryQuery};

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use model::{ResourceId, timeline::Content};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{AsOf, Error, Version, VersionState, record::load::content};

#[derive(Debug)]
struct Row {
    resource_id: Uuid,
    source: String,
    valid_from: DateTime<Utc>,
    valid_to: Option<DateTime<Utc>>,
    content: i16,
    document: Option<Vec<u8>>,
    body: Option<Value>,
    recorded_at: DateTime<Utc>,
    superseded_at: Option<DateTime<Utc>>,
}

impl From<Row> for Version {
    fn from(row: Row) -> Self {
        let (state, hash) = match content(row.content, row.document) {
            Content::Present => (VersionState::Present, None),
            Content::Document(hash) => (VersionState::Documented, Some(hash.to_string())),
            Content::Deleted => (VersionState::Deleted, None),
        };
        Self {
            source: row.source,
            from: row.valid_from,
            to: row.valid_to,
            state,
            hash,
            document: row.body,
            recorded_at: row.recorded_at,
            superseded_at: row.superseded_at,
        }
    }
}

/// What the sources say now, the weightiest first.
pub(crate) async fn open(pool: &PgPool, id: ResourceId) -> Result<Vec<Version>, Error> {
    let mut versions = at(pool, &[id.into()], AsOf::default()).await?;
    Ok(versions.remove(&Uuid::from(id)).unwrap_or_default())
}

/// What the sources said of resources then, of each the weightiest first.
pub(crate) async fn at(
    pool: &PgPool,
    ids: &[Uuid],
    as_of: AsOf,
) -> Result<BTreeMap<Uuid, Vec<Version>>, Error> {
    let (at, known) = as_of.bounds();
    // Nothing that ended can be without end when it is asked for what is now, as it is known now.
    let rows = sqlx::query_as!(
        Row,
        r#"select v.resource_id as "resource_id!", v.source as "source!", v.valid_from as "valid_from!",
                  v.valid_to as "valid_to?", v.content as "content!", v.document as "document?", d.body as "body?",
                  v.recorded_at as "recorded_at!", null::timestamptz as superseded_at
           from (
               select resource_id, source, rank, valid_from, null::timestamptz as valid_to, content, document, recorded_at
               from perigee.versions_open
               where resource_id = any ($1) and valid_from <= $2 and recorded_at <= $3
               union all
               select resource_id, source, rank, valid_from, case when end_recorded_at <= $3 then valid_to end, content,
                      document, recorded_at
               from perigee.versions_closed
               where not $4 and resource_id = any ($1) and valid_from <= $2 and recorded_at <= $3
                 and (superseded_at is null or superseded_at > $3) and (valid_to > $2 or end_recorded_at > $3)
           ) v
           left join perigee.documents d on d.hash = v.document
           order by v.resource_id, v.rank desc, v.valid_from desc, v.source"#,
        ids,
        at,
        known,
        as_of.is_now(),
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("versions"))?;
    let mut versions: BTreeMap<Uuid, Vec<Version>> = BTreeMap::new();
    for row in rows {
        versions.entry(row.resource_id).or_default().push(row.into());
    }
    Ok(versions)
}

/// The last document of each resource that no source documented any more then.
pub(crate) async fn last_documented(
    pool: &PgPool,
    ids: &[Uuid],
    as_of: AsOf,
) -> Result<BTreeMap<Uuid, Value>, Error> {
    let (at, known) = as_of.bounds();
    let rows = sqlx::query!(
        r#"select w.id as "id!", d.body
           from unnest($1::uuid[]) w (id)
           cross join lateral (
               select c.document
               from perigee.versions_closed c
               where c.resource_id = w.id and c.content = 1 and c.valid_to <= $2 and c.recorded_at <= $3
                 and c.end_recorded_at <= $3 and (c.superseded_at is null or c.superseded_at > $3)
               order by c.rank desc, c.valid_to desc, c.source limit 1
           ) last
           join perigee.documents d on d.hash = last.document"#,
        ids,
        at,
        known,
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("versions"))?;
    Ok(rows.into_iter().map(|row| (row.id, row.body)).collect())
}
