//! The list of resources: which index leads, now and at an instant, and where a page ends.
//!
//! A list is read in the order of an index that knows the most telling of its conditions, and stops when its page is
//! full: what has a tag from the rows of tags, what is in a state of health from those of health, anything else from the
//! resources themselves. What a free word finds comes in classes, the best first.

use selector::{Node, Op, Pattern, Selector, Term};
use sqlx::{PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::Row;
use crate::{
    AsOf, Error, Page, Resource, ResourceQuery,
    cursor::{self, limit_and_one},
    record::states::{MAX_TAG_KEY, MAX_TAG_VALUE},
    search::{Prepared, When, prepare},
};

mod rows;

pub(crate) use rows::Rows;

/// How well a resource fits a free word, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// It is called so.
    Called,
    /// Its name begins so.
    Begins,
    /// The word is somewhere in what is said of it.
    Holds,
}

const CLASSES: [Class; 3] = [Class::Called, Class::Begins, Class::Holds];

/// In which order a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// By type, account, region and native id.
    Place,
    /// By name.
    Name,
    /// By id: what is found by a word lies anywhere, and in no other order equally dense.
    Id,
}

/// Which rows lead.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Lead {
    Resources,
    Tag { key: String, value: String },
    Health { health: String },
}

/// Where a page ended.
#[derive(Debug, Clone)]
struct Last {
    class: usize,
    name: String,
    kind: String,
    account: String,
    region: String,
    native_id: String,
    id: Uuid,
}

impl Last {
    fn read(cursor: &str) -> Result<Self, Error> {
        let [class, name, kind, account, region, native_id, id] = cursor::read::<7>(cursor)?;
        let class = class.parse().ok().filter(|class| *class < CLASSES.len()).ok_or(Error::BadCursor)?;
        let id = id.parse().map_err(|_| Error::BadCursor)?;
        Ok(Self { class, name, kind, account, region, native_id, id })
    }

    fn write(class: usize, resource: &Resource) -> String {
        let Resource { name, kind, account, region, native_id, id, .. } = resource;
        cursor::write(&[&class.to_string(), name, kind, account, region, native_id, &id.to_string()])
    }
}

pub(crate) async fn list(pool: &PgPool, query: &ResourceQuery) -> Result<Page<Resource>, Error> {
    let last = query.cursor.as_deref().map(Last::read).transpose()?;
    let when = When { now: None, at: query.as_of.at };
    let prepared = prepare(pool, &query.selector, when).await?;
    let wanted = limit_and_one(query.limit);
    let Some(word) = first_word(&query.selector) else {
        let rows = read(pool, &prepared, query, None, last.as_ref(), wanted).await?;
        return Ok(cursor::page(rows, query.limit, |resource| Last::write(0, resource)));
    };
    let mut found: Vec<(usize, Resource)> = Vec::new();
    let first = last.as_ref().map_or(0, |last| last.class);
    for (index, class) in CLASSES.into_iter().enumerate().skip(first) {
        let missing = wanted - i64::try_from(found.len()).unwrap_or(wanted);
        if missing <= 0 {
            break;
        }
        let last = last.as_ref().filter(|last| last.class == index);
        let rows = read(pool, &prepared, query, Some((class, word)), last, missing).await?;
        found.extend(rows.into_iter().map(|row| (index, row)));
    }
    // All of it at once can stand in the order in which people look.
    if query.cursor.is_none() && i64::try_from(found.len()).is_ok_and(|found| found < wanted) {
        found.sort_by(|(a_class, a), (b_class, b)| {
            let place = |r: &Resource| [&r.kind, &r.account, &r.region, &r.native_id].map(Clone::clone);
            (a_class, place(a), a.id).cmp(&(b_class, place(b), b.id))
        });
    }
    let page = cursor::page(found, query.limit, |(class, resource)| Last::write(*class, resource));
    Ok(Page { items: page.items.into_iter().map(|(_, resource)| resource).collect(), next: page.next })
}

async fn read(
    pool: &PgPool,
    prepared: &Prepared<'_>,
    query: &ResourceQuery,
    word: Option<(Class, &str)>,
    last: Option<&Last>,
    limit: i64,
) -> Result<Vec<Resource>, Error> {
    let mut sql = QueryBuilder::new("");
    push_list(&mut sql, prepared, query, word, last, limit);
    let rows: Vec<Row> =
        sql.build_query_as().persistent(false).fetch_all(pool).await.map_err(Error::reading("resources"))?;
    Ok(rows.into_iter().map(Resource::from).collect())
}

/// How the database would list what a query asks for.
pub(crate) async fn plan(pool: &PgPool, query: &ResourceQuery) -> Result<Vec<String>, Error> {
    let last = query.cursor.as_deref().map(Last::read).transpose()?;
    let prepared = prepare(pool, &query.selector, When { now: None, at: query.as_of.at }).await?;
    let word = first_word(&query.selector).map(|word| (Class::Holds, word));
    let mut sql = QueryBuilder::new("explain (costs off) ");
    push_list(&mut sql, &prepared, query, word, last.as_ref(), limit_and_one(query.limit));
    sql.build_query_scalar().persistent(false).fetch_all(pool).await.map_err(Error::reading("a plan"))
}

fn push_list(
    sql: &mut QueryBuilder<Postgres>,
    prepared: &Prepared<'_>,
    query: &ResourceQuery,
    word: Option<(Class, &str)>,
    last: Option<&Last>,
    limit: i64,
) {
    sql.push(
        "select p.id, p.provider, p.partition, p.account, p.region, p.type, p.native_id, p.name, p.tags, p.evidence,
                p.since, p.deleted_at, h.health, h.status as health_status, h.ready as health_ready,
                h.reason as health_reason, h.since as health_since
         from (",
    );
    let order = order(&query.selector, word);
    let rows = Rows {
        prepared,
        selector: &query.selector,
        as_of: query.as_of,
        include_deleted: query.include_deleted,
    };
    rows.push(sql, order, word, last, limit);
    sql.push(") p");
    push_health_of_page(sql, query.as_of);
    sql.push(match order {
        Order::Place => " order by p.type, p.account, p.region, p.native_id, p.id",
        Order::Name => " order by p.name, p.id",
        Order::Id => " order by p.id",
    });
}

/// The ids of what a selector describes, in the order of lists.
///
/// # Errors
/// [`Error::TooMany`] when it describes more than `most`.
pub(crate) async fn ids_of(
    pool: &PgPool,
    selector: &Selector,
    as_of: AsOf,
    include_deleted: bool,
    most: usize,
) -> Result<Vec<Uuid>, Error> {
    let prepared = prepare(pool, selector, When { now: None, at: as_of.at }).await?;
    let mut sql = QueryBuilder::new("select p.id from (");
    let rows = Rows { prepared: &prepared, selector, as_of, include_deleted };
    rows.push_all(&mut sql, i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1));
    sql.push(") p order by p.type, p.account, p.region, p.native_id, p.id");
    let ids: Vec<Uuid> = sql
        .build_query_scalar()
        .persistent(false)
        .fetch_all(pool)
        .await
        .map_err(Error::reading("resources"))?;
    if ids.len() > most { Err(Error::TooMany { most }) } else { Ok(ids) }
}

/// The first free word that must be found.
fn first_word(selector: &Selector) -> Option<&str> {
    selector.conjuncts().iter().find_map(|node| match node {
        Node::Term(Term::Word(word)) => Some(word.as_str()),
        _ => None,
    })
}

/// The one text that a field must equal, if there is one.
fn only<'s>(selector: &'s Selector, wanted: &str) -> Option<&'s str> {
    equalities(selector).find(|(name, _, _)| *name == wanted).map(|(_, _, value)| value)
}

/// Fields, keys and values of which one must equal the other.
fn equalities(selector: &Selector) -> impl Iterator<Item = (&str, Option<String>, &str)> {
    selector.conjuncts().iter().filter_map(|node| match node {
        Node::Term(Term::Compare { field, op: Op::Equal, values, .. }) => match values.as_slice() {
            [Pattern::Exact(value)] => Some((field.name(), field.key(), value.as_str())),
            _ => None,
        },
        _ => None,
    })
}

fn lead(selector: &Selector) -> Lead {
    let tag = equalities(selector).find_map(|(name, key, value)| {
        let key =
            key.filter(|key| name == "tags" && key.len() <= MAX_TAG_KEY && value.len() <= MAX_TAG_VALUE)?;
        Some(Lead::Tag { key, value: value.to_owned() })
    });
    tag.or_else(|| only(selector, "health").map(|health| Lead::Health { health: health.to_owned() }))
        .unwrap_or(Lead::Resources)
}

/// What a word finds has no place of its own, unless a type or an account narrows it.
fn order(selector: &Selector, word: Option<(Class, &str)>) -> Order {
    match word {
        None | Some((Class::Called, _)) => Order::Place,
        Some((Class::Begins, _)) => Order::Name,
        Some((Class::Holds, _)) => match lead(selector) {
            Lead::Resources if only(selector, "type").is_none() && only(selector, "account").is_none() => {
                Order::Id
            }
            Lead::Resources | Lead::Tag { .. } | Lead::Health { .. } => Order::Place,
        },
    }
}

/// Joins how well the few resources `p` of a page are or were, one by one.
fn push_health_of_page(sql: &mut QueryBuilder<Postgres>, as_of: AsOf) {
    if as_of.at.is_some() {
        return push_health(sql, as_of, "p.id");
    }
    sql.push(
        " left join lateral (
             select o.health, o.status, o.ready, o.reason, o.since from perigee.health o
             where o.resource_id = p.id and o.health is not null limit 1) h on true",
    );
}

/// Joins how well resources are or were.
pub(crate) fn push_health(sql: &mut QueryBuilder<Postgres>, as_of: AsOf, id: &'static str) {
    let Some(at) = as_of.at else {
        sql.push(" left join perigee.health h on h.resource_id = ")
            .push(id)
            .push(" and h.health is not null");
        return;
    };
    sql.push(
        " left join lateral (
             select o.health, o.status, o.ready, o.reason, o.since from perigee.health o
             where o.health is not null and o.resource_id = ",
    );
    sql.push(id).push(" and o.since <= ").push_bind(at).push(
        " union all
             select c.health, c.status, c.ready, c.reason, c.valid_from from perigee.health_closed c
             where c.resource_id = ",
    );
    sql.push(id).push(" and c.valid_from <= ").push_bind(at).push(" and c.valid_to > ").push_bind(at);
    sql.push(" limit 1) h on true");
}

#[cfg(test)]
mod plans;
#[cfg(test)]
mod tests;
