//! Relations: those of a resource, and those among many.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use model::ResourceId;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    AsOf, Edge, Error, Page,
    cursor::{self, limit_and_one},
};

/// How many relations are read to find those among many resources, and of each of these at least and at most.
const MAX_READS: usize = 200_000;
const LEAST_EACH: usize = 100;
const MOST_EACH: usize = 2_000;
/// How many resources with more than that are asked for each of the others.
const MAX_WIDE: usize = 20;

#[derive(Debug)]
struct Row {
    from_id: Uuid,
    to_id: Uuid,
    kind: String,
    source: String,
    valid_from: DateTime<Utc>,
    valid_to: Option<DateTime<Utc>>,
}

impl From<Row> for Edge {
    fn from(row: Row) -> Self {
        Self {
            from_id: row.from_id.into(),
            to_id: row.to_id.into(),
            kind: row.kind,
            source: row.source,
            from: row.valid_from,
            to: row.valid_to,
        }
    }
}

pub(crate) async fn list(
    pool: &PgPool,
    id: ResourceId,
    as_of: AsOf,
    limit: u16,
    cursor: Option<&str>,
) -> Result<Page<Edge>, Error> {
    let [from, kind, to, source] = match cursor {
        None => [Uuid::nil().to_string(), String::new(), Uuid::nil().to_string(), String::new()],
        Some(cursor) => cursor::read::<4>(cursor)?,
    };
    let from: Uuid = from.parse().map_err(|_| Error::BadCursor)?;
    let to: Uuid = to.parse().map_err(|_| Error::BadCursor)?;
    // A relation that ended and began again may be there twice as it was known once; the later is told.
    let rows = sqlx::query_as!(
        Row,
        r#"select distinct on (e.from_id, e.kind, e.to_id, e.source)
                  e.from_id as "from_id!", e.to_id as "to_id!", e.kind as "kind!", e.source as "source!",
                  e.valid_from as "valid_from!", e.valid_to
           from (
               select * from perigee.edges_as_of($7, $8) o where o.from_id = $1
               union all
               select * from perigee.edges_as_of($7, $8) o where o.to_id = $1 and o.from_id <> $1
           ) e
           where (e.from_id, e.kind, e.to_id, e.source) > ($2, $3, $4, $5)
           order by e.from_id, e.kind, e.to_id, e.source, e.valid_from desc limit $6"#,
        Uuid::from(id),
        from,
        kind,
        to,
        source,
        limit_and_one(limit),
        as_of.at,
        as_of.recorded_at,
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("edges"))?;
    Ok(cursor::page(rows.into_iter().map(Edge::from).collect(), limit, |edge: &Edge| {
        cursor::write(&[&edge.from_id.to_string(), &edge.kind, &edge.to_id.to_string(), &edge.source])
    }))
}

/// The relations among resources, in order, at most `most`, and whether these are all of them.
pub(super) async fn among(
    pool: &PgPool,
    ids: &[Uuid],
    kinds: &[String],
    as_of: AsOf,
    most: usize,
) -> Result<(Vec<Edge>, bool), Error> {
    let kinds = (!kinds.is_empty()).then_some(kinds);
    let limit = i32::try_from(most + 1).unwrap_or(i32::MAX);
    let each = (MAX_READS / ids.len().max(1)).clamp(LEAST_EACH, MOST_EACH);
    let rows = sqlx::query_as!(
        Found,
        "select from_id, to_id, kind, source, valid_from, valid_to
         from perigee.relations_among($1, $2, $3, $4, $5, $6)",
        ids,
        kinds as Option<&[String]>,
        as_of.at,
        as_of.recorded_at,
        i32::try_from(each).unwrap_or(i32::MAX),
        limit,
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("edges"))?;
    let mut all = rows.len() <= most;
    let wide: BTreeSet<Uuid> =
        rows.iter().filter(|row| row.to_id.is_none()).filter_map(|row| row.from_id).collect();
    let asked: Vec<Uuid> = wide.into_iter().take(MAX_WIDE).collect();
    all &= rows.iter().all(|row| row.to_id.is_some() || row.from_id.is_some_and(|id| asked.contains(&id)));
    let mut edges: Vec<Edge> = rows
        .into_iter()
        .filter(|row| row.from_id.is_some_and(|id| !asked.contains(&id)))
        .filter_map(Found::edge)
        .collect();
    if !asked.is_empty() {
        let rows = sqlx::query_as!(
            Found,
            "select from_id, to_id, kind, source, valid_from, valid_to
             from perigee.relations_between($1, $2, $3, $4, $5, $6)",
            &asked,
            ids,
            kinds as Option<&[String]>,
            as_of.at,
            as_of.recorded_at,
            limit,
        )
        .fetch_all(pool)
        .await
        .map_err(Error::reading("edges"))?;
        edges.extend(rows.into_iter().filter_map(Found::edge));
    }
    all &= edges.len() <= most;
    edges.truncate(most);
    edges.sort_by_cached_key(|edge| {
        (edge.from_id, edge.kind.clone(), edge.to_id, edge.source.clone(), edge.from)
    });
    Ok((edges, all))
}

/// A row of the database's functions, which say of no column that it has a value.
#[derive(Debug)]
struct Found {
    from_id: Option<Uuid>,
    to_id: Option<Uuid>,
    kind: Option<String>,
    source: Option<String>,
    valid_from: Option<DateTime<Utc>>,
    valid_to: Option<DateTime<Utc>>,
}

impl Found {
    fn edge(self) -> Option<Edge> {
        Some(Edge {
            from_id: self.from_id?.into(),
            to_id: self.to_id?.into(),
            kind: self.kind?,
            source: self.source?,
            from: self.valid_from?,
            to: self.valid_to,
        })
    }
}
