//! The versions of a resource and the changes of its health in one list, latest first.

use std::collections::{BTreeMap, BTreeSet};

use model::{ResourceId, Timestamp};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use super::Row;
use crate::{
    AsOf, Error, Page, Version,
    cursor::{self, limit_and_one},
    health::{self, HealthChange},
};

/// How much of stored documents a page holds, in bytes as they are stored: a page of great ones ends early.
const PAGE_BYTES: i64 = 8 << 20;

/// Which part of the history of a resource to list. Latest first.
#[derive(Debug, Clone)]
pub struct HistoryQuery {
    /// The resource.
    pub resource: ResourceId,
    /// Only what this source says.
    pub source: Option<String>,
    /// Only what came to be at or after this instant.
    pub since: Option<Timestamp>,
    /// Only what came to be before this instant.
    pub until: Option<Timestamp>,
    /// Also versions that turned out to be otherwise.
    pub superseded: bool,
    /// Also changes of health; not with a source.
    pub transitions: bool,
    /// As of which moment: what came to be by then, as it was known.
    pub as_of: AsOf,
    /// How many at most; bounded to 1000.
    pub limit: u16,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

impl HistoryQuery {
    /// The versions of a resource as they stand now.
    #[must_use]
    pub fn of(resource: ResourceId) -> Self {
        Self {
            resource,
            source: None,
            since: None,
            until: None,
            superseded: false,
            transitions: false,
            as_of: AsOf::default(),
            limit: 50,
            cursor: None,
        }
    }
}

/// Something in the history of a resource.
#[derive(Debug, Clone, PartialEq)]
pub enum HistoryEntry {
    /// A version.
    Version {
        /// The version.
        version: Version,
        /// The document of the version of the same source before it, where both have one.
        before: Option<Value>,
    },
    /// A change of its health.
    Transition(HealthChange),
}

/// Where a page ended, in both lists.
#[derive(Debug, Clone, Default)]
struct Place {
    version: Option<VersionPlace>,
    transition: Option<(Timestamp, i64)>,
}

/// Where a list of versions ended: beginning, source, when it was learned and superseded.
type VersionPlace = (Timestamp, String, Timestamp, Option<Timestamp>);

impl Place {
    fn read(cursor: &str) -> Result<Self, Error> {
        let [from, source, recorded_at, superseded_at, at, id] = cursor::read::<6>(cursor)?;
        let given = |text: &str| (!text.is_empty()).then(|| cursor::instant(text)).transpose();
        let version = match given(&from)? {
            None => None,
            Some(from) => Some((from, source, cursor::instant(&recorded_at)?, given(&superseded_at)?)),
        };
        let transition = match given(&at)? {
            None => None,
            Some(at) => Some((at, id.parse().map_err(|_| Error::BadCursor)?)),
        };
        Ok(Self { version, transition })
    }

    fn write(&self) -> String {
        let text = |at: Timestamp| at.timestamp_micros().to_string();
        let [mut from, mut source, mut recorded, mut superseded] = [const { String::new() }; 4];
        if let Some((began, of, recorded_at, superseded_at)) = &self.version {
            (from, source, recorded) = (text(*began), of.clone(), text(*recorded_at));
            superseded = superseded_at.map(text).unwrap_or_default();
        }
        let (at, id) = self.transition.map(|(at, id)| (text(at), id.to_string())).unwrap_or_default();
        cursor::write(&[&from, &source, &recorded, &superseded, &at, &id])
    }
}

pub(crate) async fn list(pool: &PgPool, query: &HistoryQuery) -> Result<Page<HistoryEntry>, Error> {
    let mut place = query.cursor.as_deref().map(Place::read).transpose()?.unwrap_or_default();
    let told = told(pool, query, place.version.as_ref()).await?;
    let (told, bodies, cut) = with_documents(pool, told).await?;
    let transitions = if query.transitions && query.source.is_none() {
        health::transitions_of(pool, query, place.transition).await?
    } else {
        Vec::new()
    };
    let limit = usize::from(query.limit.clamp(1, cursor::MAX_LIMIT));
    let mut told = told.into_iter().peekable();
    let mut transitions = transitions.into_iter().peekable();
    let mut items = Vec::new();
    let mut more = false;
    loop {
        let next =
            (told.peek().map(|told| told.row.valid_from), transitions.peek().map(|(_, t)| t.transition.at));
        let transition_first = match next {
            // What follows in this list is not at hand, so nothing can be said of what comes next.
            (None, _) if cut => {
                more = true;
                break;
            }
            (None, None) => break,
            (version, transition) => transition >= version,
        };
        if items.len() == limit {
            more = true;
            break;
        }
        if transition_first {
            if let Some((id, change)) = transitions.next() {
                place.transition = Some((change.transition.at, id));
                items.push(HistoryEntry::Transition(change));
            }
        } else if let Some(Told { mut row, before }) = told.next() {
            place.version = Some((row.valid_from, row.source.clone(), row.recorded_at, row.superseded_at));
            let body = |hash: &Vec<u8>| bodies.get(hash).cloned();
            let before = before.as_ref().and_then(body);
            row.body = row.document.as_ref().and_then(body);
            items.push(HistoryEntry::Version { version: row.into(), before });
        }
    }
    Ok(Page { items, next: more.then(|| place.write()) })
}

/// A version without its document, and which document was before it.
#[derive(Debug)]
struct Told {
    row: Row,
    before: Option<Vec<u8>>,
}

async fn told(pool: &PgPool, query: &HistoryQuery, place: Option<&VersionPlace>) -> Result<Vec<Told>, Error> {
    let (at, known) = query.as_of.bounds();
    let (from, source, recorded_at, superseded_at) = match place {
        None => (None, "", None, None),
        Some((from, source, recorded_at, superseded_at)) => {
            (Some(*from), source.as_str(), Some(*recorded_at), *superseded_at)
        }
    };
    let rows = sqlx::query!(
        r#"select v.source as "source!", v.valid_from as "valid_from!", v.valid_to as "valid_to?", v.content as "content!",
                  v.document as "document?", v.recorded_at as "recorded_at!", v.superseded_at as "superseded_at?",
                  before.document as "before?"
           from (
               select * from (
                   select source, valid_from, null::timestamptz as valid_to, content, document, recorded_at,
                          null::timestamptz as superseded_at
                   from perigee.versions_open
                   where resource_id = $1 and valid_from <= $2 and recorded_at <= $3
                   union all
                   select source, valid_from, case when end_recorded_at <= $3 and not open_ended then valid_to end,
                          content, document, recorded_at, case when superseded_at <= $3 then superseded_at end
                   from perigee.versions_closed
                   where resource_id = $1 and valid_from <= $2 and recorded_at <= $3
                     and ($4 or superseded_at is null or superseded_at > $3)
               ) all_of_them
               where ($5::text is null or source = $5)
                 and ($6::timestamptz is null or valid_from >= $6) and ($7::timestamptz is null or valid_from < $7)
                 and ($8::timestamptz is null
                      or (valid_from, source, recorded_at, coalesce(superseded_at, 'infinity'))
                         < ($8, $9, $10, coalesce($11::timestamptz, 'infinity')))
               order by valid_from desc, source desc, recorded_at desc, coalesce(superseded_at, 'infinity') desc
               limit $12
           ) v
           left join lateral (
               select c.document
               from perigee.versions_closed c,
                    lateral (select case when v.superseded_at is null then $3::timestamptz else v.recorded_at end as known) k
               where c.resource_id = $1 and c.source = v.source and c.content = 1 and c.valid_to <= v.valid_from
                 and c.recorded_at <= k.known and c.end_recorded_at <= k.known
                 and (c.superseded_at is null or c.superseded_at > k.known)
               order by c.valid_to desc limit 1
           ) before on v.content = 1
           order by v.valid_from desc, v.source desc, v.recorded_at desc, coalesce(v.superseded_at, 'infinity') desc"#,
        Uuid::from(query.resource),
        at,
        known,
        query.superseded,
        query.source,
        query.since,
        query.until,
        from,
        source,
        recorded_at,
        superseded_at,
        limit_and_one(query.limit),
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("versions"))?;
    let told = rows.into_iter().map(|row| Told {
        row: Row {
            resource_id: query.resource.into(),
            source: row.source,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
            content: row.content,
            document: row.document,
            body: None,
            recorded_at: row.recorded_at,
            superseded_at: row.superseded_at,
        },
        before: row.before,
    });
    Ok(told.collect())
}

/// The versions that fit a page with their documents, the documents by hash, and whether some did not fit.
async fn with_documents(
    pool: &PgPool,
    mut told: Vec<Told>,
) -> Result<(Vec<Told>, BTreeMap<Vec<u8>, Value>, bool), Error> {
    let hashes: BTreeSet<&Vec<u8>> =
        told.iter().flat_map(|told| [&told.row.document, &told.before]).flatten().collect();
    let hashes: Vec<Vec<u8>> = hashes.into_iter().cloned().collect();
    let sizes = sqlx::query!(
        r#"select hash, pg_column_size(body)::bigint as "size!" from perigee.documents where hash = any ($1)"#,
        &hashes,
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("documents"))?;
    let sizes: BTreeMap<Vec<u8>, i64> = sizes.into_iter().map(|row| (row.hash, row.size)).collect();
    let mut wanted: BTreeSet<&Vec<u8>> = BTreeSet::new();
    let (mut bytes, mut fit) = (0, 0);
    for one in &told {
        for hash in [&one.row.document, &one.before].into_iter().flatten() {
            // A document is repeated with each version that names it.
            wanted.insert(hash);
            bytes += sizes.get(hash).copied().unwrap_or_default();
        }
        if fit > 0 && bytes > PAGE_BYTES {
            break;
        }
        fit += 1;
    }
    let cut = fit < told.len();
    let wanted: Vec<Vec<u8>> = wanted.into_iter().cloned().collect();
    told.truncate(fit);
    let rows = sqlx::query!("select hash, body from perigee.documents where hash = any ($1)", &wanted)
        .fetch_all(pool)
        .await
        .map_err(Error::reading("documents"))?;
    Ok((told, rows.into_iter().map(|row| (row.hash, row.body)).collect(), cut))
}
