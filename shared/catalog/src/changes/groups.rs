//! Changes with the repeats of the same one as one item.
//!
//! A group stands where its latest change stands. Changes are looked at newest first; one begins a group unless a newer
//! one of the same fingerprint belongs to the list. What repeats endlessly would be looked at endlessly, so a page looks
//! at a bounded number of changes; its cursor goes on where it stopped.

use std::collections::{BTreeMap, BTreeSet};

use model::{ChangeId, Timestamp};
use serde_json::Value;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{
    FIELDS, by_ids,
    sets::{Key, touching},
};
use crate::{
    ChangeGroup, ChangeQuery, Error, Page, Variant,
    cursor::{self, MAX_LIMIT},
    graph,
    search::{When, push_conditions},
};

/// How many changes are looked at at once, and for one page.
const LOOK: usize = 2_000;
const LOOKS: usize = 20_000;
/// How far a group is counted.
const MOST: i64 = 100_000;
/// How many of a group's latest changes are compared, and how many different ones are told.
const COMPARED: i64 = 100;
const VARIANTS: i64 = 5;

#[derive(Debug, Clone, Copy, FromRow)]
struct Seen {
    occurred_at: Timestamp,
    id: Uuid,
    fingerprint: Uuid,
}

/// A list and the resources that it was narrowed to.
#[derive(Debug)]
struct Listed<'a> {
    query: &'a ChangeQuery,
    ids: Option<Vec<Uuid>>,
}

pub(crate) async fn list(pool: &PgPool, query: &ChangeQuery) -> Result<Page<ChangeGroup>, Error> {
    let ids = match (&query.of, query.resource) {
        (Some(of), _) => Some(graph::reached(pool, &of.selector, &of.walk).await?),
        (None, Some(resource)) => Some(vec![resource.into()]),
        (None, None) => None,
    };
    let listed = Listed { query, ids };
    let limit = usize::from(query.limit.clamp(1, MAX_LIMIT));
    let mut before = query.cursor.as_deref().map(cursor::read_instant).transpose()?;
    let mut groups: Vec<Seen> = Vec::new();
    let mut looked = 0;
    let stopped = loop {
        let (seen, last) = listed.look(pool, before).await?;
        groups.extend(listed.latest(pool, &groups, &seen).await?);
        if groups.len() > limit {
            groups.truncate(limit);
            break groups.last().map(|group| (group.occurred_at, group.id));
        }
        looked += LOOK;
        if last.is_none() || looked >= LOOKS {
            break last;
        }
        before = last;
    };
    let next = stopped.map(|(at, id)| cursor::write_instant(at, id));
    Ok(Page { items: listed.told(pool, &groups).await?, next })
}

impl Listed<'_> {
    /// The next changes of the list, and the last that was looked at where there may be more.
    async fn look(&self, pool: &PgPool, before: Option<Key>) -> Result<(Vec<Seen>, Option<Key>), Error> {
        let mut sql = QueryBuilder::new("select c.occurred_at, c.id, c.fingerprint from perigee.changes c");
        let mut last = None;
        if let Some(ids) = &self.ids {
            let keys = touching(pool, ids, self.query, before, LOOK).await?;
            last = keys.last().copied().filter(|_| keys.len() == LOOK);
            let (times, ids): (Vec<Timestamp>, Vec<Uuid>) = keys.into_iter().unzip();
            sql.push(" join unnest(").push_bind(times).push("::timestamptz[], ").push_bind(ids);
            sql.push("::uuid[]) k (occurred_at, id) on c.id = k.id and c.occurred_at = k.occurred_at");
        }
        sql.push(" where true");
        self.push(&mut sql)?;
        if let Some((at, id)) = before {
            sql.push(" and (c.occurred_at, c.id) < (").push_bind(at).push(", ").push_bind(id).push(")");
        }
        sql.push(" order by c.occurred_at desc, c.id desc limit ").push_bind(whole(LOOK));
        let seen: Vec<Seen> = self.fetch(pool, sql).await?;
        if self.ids.is_none() {
            last = seen.last().filter(|_| seen.len() == LOOK).map(|seen| (seen.occurred_at, seen.id));
        }
        Ok((seen, last))
    }

    /// Those of what was looked at that are the latest of their group.
    async fn latest(&self, pool: &PgPool, groups: &[Seen], seen: &[Seen]) -> Result<Vec<Seen>, Error> {
        let mut known: BTreeSet<Uuid> = groups.iter().map(|group| group.fingerprint).collect();
        let first: Vec<Seen> = seen.iter().copied().filter(|seen| known.insert(seen.fingerprint)).collect();
        let mut sql = QueryBuilder::new("select f.fingerprint from unnest(");
        sql.push_bind(first.iter().map(|seen| seen.fingerprint).collect::<Vec<_>>()).push("::uuid[], ");
        sql.push_bind(first.iter().map(|seen| seen.occurred_at).collect::<Vec<_>>())
            .push("::timestamptz[], ");
        sql.push_bind(first.iter().map(|seen| seen.id).collect::<Vec<_>>());
        sql.push(
            "::uuid[]) f (fingerprint, occurred_at, id)
             where exists (select from perigee.changes c where c.fingerprint = f.fingerprint
                           and (c.occurred_at, c.id) > (f.occurred_at, f.id) and c.occurred_at >= f.occurred_at",
        );
        self.push(&mut sql)?;
        self.push_set(&mut sql);
        sql.push(")");
        let newer: Vec<Uuid> = sql
            .build_query_scalar()
            .persistent(false)
            .fetch_all(pool)
            .await
            .map_err(Error::reading("changes"))?;
        Ok(first.into_iter().filter(|seen| !newer.contains(&seen.fingerprint)).collect())
    }

    /// The groups as they are told.
    async fn told(&self, pool: &PgPool, groups: &[Seen]) -> Result<Vec<ChangeGroup>, Error> {
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let mut counts = self.counts(pool, groups).await?;
        let mut variants = self.variants(pool, groups).await?;
        let keys: Vec<_> = groups.iter().map(|group| (ChangeId(group.id), group.occurred_at)).collect();
        let changes = by_ids(pool, &keys).await?;
        let mut changes: BTreeMap<ChangeId, _> =
            changes.into_iter().map(|change| (change.id, change)).collect();
        let told = groups.iter().filter_map(|group| {
            let counted = counts.remove(&group.fingerprint)?;
            Some(ChangeGroup {
                count: counted.count.min(MOST),
                more: counted.count > MOST,
                first_at: counted.first_at,
                first_id: counted.first_id.into(),
                last_at: group.occurred_at,
                last_id: group.id.into(),
                variants: variants.remove(&group.fingerprint).unwrap_or_default(),
                change: changes.remove(&ChangeId(group.id))?,
            })
        });
        Ok(told.collect())
    }

    async fn counts(&self, pool: &PgPool, groups: &[Seen]) -> Result<BTreeMap<Uuid, Counted>, Error> {
        let mut sql = QueryBuilder::new("select f.fingerprint, n.count, e.first_at, e.first_id from unnest(");
        sql.push_bind(groups.iter().map(|group| group.fingerprint).collect::<Vec<_>>());
        sql.push(
            "::uuid[]) f (fingerprint)
             cross join lateral (select count(*) from (
                 select from perigee.changes c where c.fingerprint = f.fingerprint",
        );
        self.push(&mut sql)?;
        self.push_set(&mut sql);
        sql.push(" limit ").push_bind(MOST + 1);
        sql.push(
            ") c) n
             cross join lateral (
                 select c.occurred_at, c.id from perigee.changes c where c.fingerprint = f.fingerprint",
        );
        self.push(&mut sql)?;
        self.push_set(&mut sql);
        sql.push(" order by c.occurred_at, c.id limit 1) e (first_at, first_id)");
        let rows: Vec<Counted> = self.fetch(pool, sql).await?;
        Ok(rows.into_iter().map(|row| (row.fingerprint, row)).collect())
    }

    async fn variants(&self, pool: &PgPool, groups: &[Seen]) -> Result<BTreeMap<Uuid, Vec<Variant>>, Error> {
        let mut sql = QueryBuilder::new("select f.fingerprint, v.* from unnest(");
        sql.push_bind(groups.iter().map(|group| group.fingerprint).collect::<Vec<_>>());
        sql.push(
            "::uuid[]) f (fingerprint)
             cross join lateral (select * from (
                 select distinct on (l.summary, l.error_message, l.details) l.* from (
                     select c.id, c.occurred_at, c.summary, c.error_message, c.details
                     from perigee.changes c where c.fingerprint = f.fingerprint",
        );
        self.push(&mut sql)?;
        self.push_set(&mut sql);
        sql.push(" order by c.occurred_at desc, c.id desc limit ").push_bind(COMPARED);
        sql.push(
            ") l order by l.summary, l.error_message, l.details, l.occurred_at desc, l.id desc) d
             order by d.occurred_at desc, d.id desc limit ",
        );
        sql.push_bind(VARIANTS).push(") v order by v.occurred_at desc, v.id desc");
        let rows: Vec<VariantRow> = self.fetch(pool, sql).await?;
        let mut variants: BTreeMap<Uuid, Vec<Variant>> = BTreeMap::new();
        for row in rows {
            variants.entry(row.fingerprint).or_default().push(Variant {
                id: row.id.into(),
                occurred_at: row.occurred_at,
                summary: row.summary,
                error_message: row.error_message,
                details: row.details,
            });
        }
        Ok(variants)
    }

    /// What belongs to the list, but for the resources.
    fn push(&self, sql: &mut QueryBuilder<Postgres>) -> Result<(), Error> {
        if let Some(since) = self.query.since {
            sql.push(" and c.occurred_at >= ").push_bind(since);
        }
        if let Some(until) = self.query.until {
            sql.push(" and c.occurred_at < ").push_bind(until);
        }
        push_conditions(sql, &self.query.selector, &FIELDS, When::default())
    }

    /// The repeats of a change have its targets, but may be related to others.
    fn push_set(&self, sql: &mut QueryBuilder<Postgres>) {
        if let Some(ids) = &self.ids {
            sql.push(" and exists (select from unnest(c.targets || c.related) x (id) where x.id in (select unnest(");
            sql.push_bind(ids.clone()).push("::uuid[])))");
        }
    }

    async fn fetch<T>(&self, pool: &PgPool, mut sql: QueryBuilder<Postgres>) -> Result<Vec<T>, Error>
    where
        T: for<'r> FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin,
    {
        sql.build_query_as().persistent(false).fetch_all(pool).await.map_err(Error::reading("changes"))
    }
}

#[derive(Debug, FromRow)]
struct Counted {
    fingerprint: Uuid,
    count: i64,
    first_at: Timestamp,
    first_id: Uuid,
}

#[derive(Debug, FromRow)]
struct VariantRow {
    fingerprint: Uuid,
    id: Uuid,
    occurred_at: Timestamp,
    summary: String,
    error_message: Option<String>,
    details: Value,
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
