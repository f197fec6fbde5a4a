//! Versions: what each source said of a resource, over time.

use chrono::{DateTime, Utc};
use model::{ResourceId, timeline::Content};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    Error, Page, Version, VersionState,
    cursor::{self, limit_and_one},
    record::load::content,
};

#[derive(Debug)]
struct Row {
    source: String,
    valid_from: DateTime<Utc>,
    valid_to: Option<DateTime<Utc>>,
    content: i16,
    document: Option<Vec<u8>>,
    body: Option<Value>,
    recorded_at: DateTime<Utc>,
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
        }
    }
}

/// What the sources say now, the weightiest first.
pub(crate) async fn open(pool: &PgPool, id: ResourceId) -> Result<Vec<Version>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select v.source, v.valid_from, null::timestamptz as valid_to, v.content, v.document, d.body as "body?", v.recorded_at
           from perigee.versions_open v left join perigee.documents d on d.hash = v.document
           where v.resource_id = $1
           order by v.rank desc, v.valid_from desc, v.source"#,
        Uuid::from(id),
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("versions"))?;
    Ok(rows.into_iter().map(Version::from).collect())
}

/// The last document of a resource that no source documents any more.
pub(crate) async fn last_documented(pool: &PgPool, id: ResourceId) -> Result<Option<Value>, Error> {
    sqlx::query_scalar!(
        r#"select d.body
           from perigee.versions_closed c join perigee.documents d on d.hash = c.document
           where c.resource_id = $1 and c.superseded_at is null and c.content = 1
           order by c.rank desc, c.valid_to desc, c.source limit 1"#,
        Uuid::from(id),
    )
    .fetch_optional(pool)
    .await
    .map_err(Error::reading("versions"))
}

pub(crate) async fn list(
    pool: &PgPool,
    id: ResourceId,
    limit: u16,
    cursor: Option<&str>,
) -> Result<Page<Version>, Error> {
    let (before, source) = match cursor.map(cursor::read::<2>).transpose()? {
        None => (None, String::new()),
        Some([micros, source]) => (Some(cursor::instant(&micros)?), source),
    };
    let rows = sqlx::query_as!(
        Row,
        r#"select v.source as "source!", v.valid_from as "valid_from!", v.valid_to as "valid_to?", v.content as "content!",
                  v.document as "document?", d.body as "body?", v.recorded_at as "recorded_at!"
           from (
               select source, valid_from, null::timestamptz as valid_to, content, document, recorded_at
               from perigee.versions_open where resource_id = $1
               union all
               select source, valid_from, valid_to, content, document, recorded_at
               from perigee.versions_closed where resource_id = $1 and superseded_at is null
           ) v left join perigee.documents d on d.hash = v.document
           where $2::timestamptz is null or (v.valid_from, v.source) < ($2, $3)
           order by v.valid_from desc, v.source desc limit $4"#,
        Uuid::from(id),
        before,
        source,
        limit_and_one(limit),
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("versions"))?;
    let versions: Vec<Version> = rows.into_iter().map(Version::from).collect();
    Ok(cursor::page(versions, limit, |version| {
        cursor::write(&[&version.from.timestamp_micros().to_string(), &version.source])
    }))
}
