//! The list of resources: which index leads, now and at an instant, and where a page ends.
//!
//! A list is read in the order of an index that knows the most telling of its conditions, and stops when its page is
//! full: what has a tag from the rows of tags, what is in a state of health from those of health, anything else from the
//! resources themselves. What a free word finds comes in classes, the best first.

use selector::{Node, Op, Pattern, Selector, Term};
use sqlx::{PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Row, health_of};
use crate::{
    AsOf, Error, Page, Resource, ResourceQuery,
    cursor::{self, limit_and_one},
    record::states::{MAX_TAG_KEY, MAX_TAG_VALUE},
    search::{When, prepare},
};

mod rows;

use rows::Part;
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
    let prepared = prepare(pool, &query.selector, When { now: None, at: query.as_of.at }).await?;
    let rows = Rows::of(&prepared, query);
    let wanted = limit_and_one(query.limit);
    let mut page = match first_word(&query.selector) {
        None => {
            let mut sql = QueryBuilder::new("");
            rows.push(&mut sql, last.as_ref(), wanted);
            let mut listed = fetch(pool, sql).await?;
            sort(&mut listed, Order::Place);
            cursor::page(listed, query.limit, |resource| Last::write(0, resource))
        }
        Some(word) => {
            let found = found(pool, &rows, word, last.as_ref(), wanted).await?;
            let page = cursor::page(found, query.limit, |(class, resource)| Last::write(*class, resource));
            Page { items: page.items.into_iter().map(|(_, resource)| resource).collect(), next: page.next }
        }
    };
    say_health(pool, &mut page.items, query.as_of).await?;
    Ok(page)
}

/// What a word finds, each with the place of its class, the best first.
async fn found(
    pool: &PgPool,
    rows: &Rows<'_>,
    word: &str,
    last: Option<&Last>,
    wanted: i64,
) -> Result<Vec<(usize, Resource)>, Error> {
    let wanted_rows = usize::try_from(wanted).unwrap_or(usize::MAX);
    let mut found: Vec<(usize, Resource)> = Vec::new();
    let first = last.map_or(0, |last| last.class);
    for (index, class) in CLASSES.into_iter().enumerate().skip(first) {
        let missing = wanted_rows - found.len();
        if missing == 0 {
            break;
        }
        let order = order(rows.selector, class);
        let last = last.filter(|last| last.class == index);
        let mut of_class = Vec::new();
        for source in rows.sources() {
            let mut part = Vec::new();
            for scope in rows.scopes(class).iter().copied() {
                let mut sql = QueryBuilder::new("");
                rows.push_part(&mut sql, Part { class, word, source, scope, order, last }, wanted);
                part = fetch(pool, sql).await?;
                if part.len() >= missing {
                    break;
                }
            }
            of_class.extend(part);
        }
        sort(&mut of_class, order);
        of_class.truncate(missing);
        found.extend(of_class.into_iter().map(|resource| (index, resource)));
    }
    // All of it at once can stand in the order in which people look.
    if last.is_none() && found.len() < wanted_rows {
        for class in found.chunk_by_mut(|(a, _), (b, _)| a == b) {
            class.sort_by(|(_, a), (_, b)| place(a).cmp(&place(b)));
        }
    }
    Ok(found)
}

fn place(of: &Resource) -> (&str, &str, &str, &str, Uuid) {
    (&of.kind, &of.account, &of.region, &of.native_id, of.id.into())
}

fn sort(resources: &mut [Resource], order: Order) {
    match order {
        Order::Place => resources.sort_by(|a, b| place(a).cmp(&place(b))),
        Order::Name => resources.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id))),
        Order::Id => resources.sort_by_key(|one| one.id),
    }
}

async fn fetch(pool: &PgPool, mut sql: QueryBuilder<Postgres>) -> Result<Vec<Resource>, Error> {
    let rows: Vec<Row> =
        sql.build_query_as().persistent(false).fetch_all(pool).await.map_err(Error::reading("resources"))?;
    Ok(rows.into_iter().map(Resource::from).collect())
}

/// Says how well the resources of a page are or were.
async fn say_health(pool: &PgPool, page: &mut [Resource], as_of: AsOf) -> Result<(), Error> {
    let ids: Vec<Uuid> = page.iter().map(|resource| resource.id.into()).collect();
    let mut told = health_of(pool, &ids, as_of).await?;
    for resource in page {
        resource.health = told.remove(&Uuid::from(resource.id));
    }
    Ok(())
}

/// How the database would list what a query asks for: each statement that its first page may take.
pub(crate) async fn plan(pool: &PgPool, query: &ResourceQuery) -> Result<Vec<String>, Error> {
    let last = query.cursor.as_deref().map(Last::read).transpose()?;
    let last = last.as_ref();
    let prepared = prepare(pool, &query.selector, When { now: None, at: query.as_of.at }).await?;
    let rows = Rows::of(&prepared, query);
    let limit = limit_and_one(query.limit);
    let explain = || QueryBuilder::new("explain (costs off) ");
    let mut statements = Vec::new();
    match first_word(&query.selector) {
        None => {
            let mut sql = explain();
            rows.push(&mut sql, last, limit);
            statements.push(sql);
        }
        Some(word) => {
            for class in CLASSES {
                let order = order(&query.selector, class);
                for (source, scope) in rows
                    .sources()
                    .into_iter()
                    .flat_map(|source| rows.scopes(class).iter().map(move |s| (source, *s)))
                {
                    let mut sql = explain();
                    rows.push_part(&mut sql, Part { class, word, source, scope, order, last }, limit);
                    statements.push(sql);
                }
            }
        }
    }
    let mut lines = Vec::new();
    for mut sql in statements {
        let plan: Vec<String> = sql
            .build_query_scalar()
            .persistent(false)
            .fetch_all(pool)
            .await
            .map_err(Error::reading("a plan"))?;
        lines.extend(plan);
    }
    Ok(lines)
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
    selector.conjuncts().iter().filter_map(|node| equality(node.as_term()?))
}

/// The field, the key and the one text that it must equal.
fn equality(term: &Term) -> Option<(&str, Option<String>, &str)> {
    match term {
        Term::Compare { field, op: Op::Equal, values, .. } => match values.as_slice() {
            [Pattern::Exact(value)] => Some((field.name(), field.key(), value.as_str())),
            _ => None,
        },
        _ => None,
    }
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
fn order(selector: &Selector, class: Class) -> Order {
    match class {
        Class::Called => Order::Place,
        Class::Begins => Order::Name,
        Class::Holds => match lead(selector) {
            Lead::Resources if only(selector, "type").is_none() && only(selector, "account").is_none() => {
                Order::Id
            }
            Lead::Resources | Lead::Tag { .. } | Lead::Health { .. } => Order::Place,
        },
    }
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
