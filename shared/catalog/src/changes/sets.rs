//! Changes of a set of resources.
//!
//! The database hands out which changes touched the set, newest first, a bounded number at once. What a selector leaves
//! of them may be little: then a page has fewer items than were asked for, and its cursor goes on where it stopped.

use model::Timestamp;
use sqlx::{PgPool, QueryBuilder};
use uuid::Uuid;

use super::{FIELDS, Row, SELECT};
use crate::{
    ChangeQuery, Error, Page, ResourceSet,
    cursor::{self, MAX_LIMIT},
    graph,
    search::{When, push_conditions},
};

/// How many changes of the set are looked at for one page, where a selector leaves few of them: first, and in all.
const FIRST_LOOK: usize = 1_000;
const LOOKS: usize = 16_000;

/// A change's place in a list.
pub(super) type Key = (Timestamp, Uuid);

pub(super) async fn list(pool: &PgPool, query: &ChangeQuery, of: &ResourceSet) -> Result<Page<Row>, Error> {
    let ids = graph::reached(pool, &of.selector, &of.walk).await?;
    let limit = usize::from(query.limit.clamp(1, MAX_LIMIT));
    let mut before = query.cursor.as_deref().map(cursor::read_instant).transpose()?;
    let plain = query.selector.conjuncts().is_empty();
    let mut look = if plain { limit + 1 } else { FIRST_LOOK.max(limit + 1) };
    let mut looked = 0;
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let keys = touching(pool, &ids, query, before, look).await?;
        rows.extend(matching(pool, query, &keys, limit + 1 - rows.len()).await?);
        looked += keys.len();
        let Some(last) = keys.last().copied().filter(|_| keys.len() == look) else {
            return Ok(cursor::page(rows, query.limit, Row::cursor));
        };
        if rows.len() > limit {
            return Ok(cursor::page(rows, query.limit, Row::cursor));
        }
        if looked >= LOOKS {
            return Ok(Page { items: rows, next: Some(cursor::write_instant(last.0, last.1)) });
        }
        before = Some(last);
        look = (look * 4).min(LOOKS);
    }
}

/// The newest changes before a given one that touched any of the resources.
pub(super) async fn touching(
    pool: &PgPool,
    ids: &[Uuid],
    query: &ChangeQuery,
    before: Option<Key>,
    most: usize,
) -> Result<Vec<Key>, Error> {
    let (at, id) = before.unzip();
    let rows = sqlx::query!(
        r#"select occurred_at as "occurred_at!", change_id as "change_id!"
           from perigee.changes_touching(
               $1, least($2::timestamptz, $4::timestamptz, 'infinity'),
               coalesce(case when $4 <= $2 then null else $3::uuid end, '00000000-0000-0000-0000-000000000000'),
               coalesce($5::timestamptz, '-infinity'), $6)
           order by occurred_at desc, change_id desc"#,
        ids,
        at,
        id,
        query.until,
        query.since,
        i32::try_from(most).unwrap_or(i32::MAX),
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("changes"))?;
    Ok(rows.into_iter().map(|row| (row.occurred_at, row.change_id)).collect())
}

/// Those of the changes that the selector describes, newest first.
async fn matching(pool: &PgPool, query: &ChangeQuery, keys: &[Key], most: usize) -> Result<Vec<Row>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (times, ids): (Vec<Timestamp>, Vec<Uuid>) = keys.iter().copied().unzip();
    let mut sql = QueryBuilder::new(SELECT);
    sql.push(" join unnest(").push_bind(times).push("::timestamptz[], ").push_bind(ids);
    sql.push("::uuid[]) k (occurred_at, id) on c.id = k.id and c.occurred_at = k.occurred_at where true");
    push_conditions(&mut sql, &query.selector, &FIELDS, When::default())?;
    sql.push(" order by c.occurred_at desc, c.id desc limit ");
    sql.push_bind(i64::try_from(most).unwrap_or(i64::MAX));
    sql.build_query_as().persistent(false).fetch_all(pool).await.map_err(Error::reading("changes"))
}
