//! The list of resources: which index leads, now and at an instant, and where a page ends.
//!
//! A list is read in the order of an index that knows the most telling of its conditions, and stops when its page is
//! full: what has a tag from the rows of tags, what is in a state of health from those of health, anything else from the
//! resources themselves. What a free word finds comes in classes, the best first.

use chrono::{DateTime, Utc};
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
    let rows: Vec<Row> = sql.build_query_as().fetch_all(pool).await.map_err(Error::reading("resources"))?;
    Ok(rows.into_iter().map(Resource::from).collect())
}

/// How the database would list what a query asks for.
pub(crate) async fn plan(pool: &PgPool, query: &ResourceQuery) -> Result<Vec<String>, Error> {
    let last = query.cursor.as_deref().map(Last::read).transpose()?;
    let prepared = prepare(pool, &query.selector, When { now: None, at: query.as_of.at }).await?;
    let word = first_word(&query.selector).map(|word| (Class::Holds, word));
    let mut sql = QueryBuilder::new("explain (costs off) ");
    push_list(&mut sql, &prepared, query, word, last.as_ref(), limit_and_one(query.limit));
    sql.build_query_scalar().fetch_all(pool).await.map_err(Error::reading("a plan"))
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
    push_health(sql, query.as_of, "p.id");
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
    let ids: Vec<Uuid> =
        sql.build_query_scalar().fetch_all(pool).await.map_err(Error::reading("resources"))?;
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

/// The rows that a list is of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'q> {
    pub(crate) prepared: &'q Prepared<'q>,
    pub(crate) selector: &'q Selector,
    pub(crate) as_of: AsOf,
    pub(crate) include_deleted: bool,
}

/// Where a row of a list lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Shown as it is now, and there or gone.
    Current { gone: bool },
    /// Shown so before.
    Closed,
}

impl Rows<'_> {
    /// All of the list, as far as `limit`, in the order of places: columns `id`, `type`, `account`, `region`.
    pub(crate) fn push_all(&self, sql: &mut QueryBuilder<Postgres>, limit: i64) {
        self.push(sql, Order::Place, None, None, limit);
    }

    fn push(
        &self,
        sql: &mut QueryBuilder<Postgres>,
        order: Order,
        word: Option<(Class, &str)>,
        last: Option<&Last>,
        limit: i64,
    ) {
        let mut sources = vec![Source::Current { gone: false }];
        sources.extend(self.include_deleted.then_some(Source::Current { gone: true }));
        sources.extend(self.as_of.at.map(|_| Source::Closed));
        // Each part ends with its page, so that none is read to its end for the sake of another.
        for (index, source) in sources.iter().enumerate() {
            sql.push(if index == 0 { "select * from ((" } else { ") union all (" });
            self.push_part(sql, *source, order, word, last, limit);
        }
        sql.push(")) u");
        if sources.len() > 1 {
            sql.push(match order {
                Order::Place => " order by u.type, u.account, u.region, u.native_id, u.id",
                Order::Name => " order by u.name, u.id",
                Order::Id => " order by u.id",
            });
        }
        sql.push(" limit ").push_bind(limit);
    }

    fn push_part(
        &self,
        sql: &mut QueryBuilder<Postgres>,
        source: Source,
        order: Order,
        word: Option<(Class, &str)>,
        last: Option<&Last>,
        limit: i64,
    ) {
        let lead = if word.is_some_and(|(class, _)| class != Class::Holds) {
            Lead::Resources
        } else {
            lead(self.selector)
        };
        // In the order of the rows that lead.
        let place = match (&lead, source) {
            (Lead::Tag { .. }, Source::Current { .. }) if order == Order::Place => "t",
            (Lead::Health { .. }, Source::Current { .. })
                if order == Order::Place && self.as_of.at.is_none() =>
            {
                "h"
            }
            _ => "r",
        };
        sql.push("select r.id, r.provider, r.partition, r.account, r.region, r.type, r.native_id, r.name, r.tags, ");
        sql.push("r.evidence, r.since, r.deleted_at from ");
        Self::push_source(sql, source, place);
        if self.asks_for_health() && place != "h" {
            push_health(sql, self.as_of, "r.id");
        }
        self.prepared.push_documents(sql);
        sql.push(" where true");
        self.push_moment(sql, source);
        self.push_lead(sql, &lead, source, place);
        self.prepared.push(sql);
        if let Some((class, word)) = word {
            push_class(sql, class, word);
        }
        push_order(sql, order, place, last);
        sql.push(" limit ").push_bind(limit);
    }

    fn asks_for_health(&self) -> bool {
        let fields = self.selector.terms().into_iter().filter_map(Term::field);
        fields.into_iter().any(|field| ["health", "status", "ready"].contains(&field.name()))
    }

    fn push_source(sql: &mut QueryBuilder<Postgres>, source: Source, place: &str) {
        match source {
            Source::Closed => {
                sql.push(
                    "(select s.resource_id as id, n.provider, n.partition, s.account, s.region, s.type, s.native_id, s.name,
                             s.tags, s.words, n.evidence, n.since, s.deleted_at, s.valid_from, s.valid_to, s.recorded_at,
                             s.end_recorded_at, s.superseded_at, s.open_ended
                      from perigee.shown_closed s join perigee.resources n on n.id = s.resource_id) r",
                );
            }
            Source::Current { .. } => {
                sql.push(match place {
                    "t" => "perigee.resource_tags t join perigee.resources r on r.id = t.resource_id",
                    "h" => "perigee.health h join perigee.resources r on r.id = h.resource_id",
                    _ => "perigee.resources r",
                });
            }
        }
    }

    /// What was shown at the instant that is asked for, as it is known now or was known then.
    fn push_moment(&self, sql: &mut QueryBuilder<Postgres>, source: Source) {
        match source {
            Source::Current { gone } => {
                sql.push(if gone { " and r.deleted_at is not null" } else { " and r.deleted_at is null" });
                if let Some(at) = self.as_of.at {
                    sql.push(" and r.shown_from <= ").push_bind(at);
                }
                if let Some(known) = self.as_of.recorded_at {
                    sql.push(" and r.shown_recorded_at <= ").push_bind(known);
                }
            }
            Source::Closed => {
                if !self.include_deleted {
                    sql.push(" and r.deleted_at is null");
                }
                let at = self.as_of.at.unwrap_or(DateTime::<Utc>::MAX_UTC);
                sql.push(" and r.valid_from <= ").push_bind(at);
                match self.as_of.recorded_at {
                    None => {
                        sql.push(" and r.superseded_at is null and r.valid_to > ").push_bind(at);
                    }
                    Some(known) => {
                        sql.push(" and r.recorded_at <= ").push_bind(known);
                        sql.push(" and (r.superseded_at is null or r.superseded_at > ").push_bind(known);
                        sql.push(") and (r.open_ended or r.end_recorded_at > ").push_bind(known);
                        sql.push(" or r.valid_to > ").push_bind(at).push(")");
                    }
                }
            }
        }
    }

    fn push_lead(&self, sql: &mut QueryBuilder<Postgres>, lead: &Lead, source: Source, place: &'static str) {
        match lead {
            Lead::Resources => {}
            Lead::Tag { key, value } if place == "t" => {
                let gone = source == Source::Current { gone: true };
                sql.push(" and t.gone = ").push_bind(gone).push(" and t.key = ").push_bind(key.clone());
                sql.push(" and t.value = ").push_bind(value.clone());
                self.push_places(sql, "t");
            }
            Lead::Tag { .. } => {}
            Lead::Health { health } if place == "h" => {
                sql.push(" and h.health = ").push_bind(health.clone());
                self.push_places(sql, "h");
            }
            Lead::Health { health } => {
                let Some(at) = self.as_of.at else { return };
                let account = only(self.selector, "account");
                // Nearly everything is healthy: then it is cheaper to look at each.
                if health == "healthy" && account.is_none() {
                    return;
                }
                sql.push(" and r.id in (select o.resource_id from perigee.health o where o.health = ");
                sql.push_bind(health.clone()).push(" and o.since <= ").push_bind(at);
                if let Some(account) = account {
                    sql.push(" and o.account = ").push_bind(account.to_owned());
                }
                sql.push(" union all select c.resource_id from perigee.health_closed c where c.health = ");
                sql.push_bind(health.clone()).push(" and c.valid_from <= ").push_bind(at);
                sql.push(" and c.valid_to > ").push_bind(at);
                if let Some(account) = account {
                    sql.push(" and c.account = ").push_bind(account.to_owned());
                }
                sql.push(")");
            }
        }
    }

    /// The same places once more, of the rows that lead.
    fn push_places(&self, sql: &mut QueryBuilder<Postgres>, alias: &'static str) {
        for field in ["type", "account", "region", "native_id"] {
            if let Some(value) = only(self.selector, field) {
                sql.push(" and ").push(alias).push(".").push(field).push(" = ").push_bind(value.to_owned());
            }
        }
    }
}

fn push_class(sql: &mut QueryBuilder<Postgres>, class: Class, word: &str) {
    let begins = format!("{}%", crate::search::escaped(word));
    let (called, begun) = match class {
        Class::Called => ("", None),
        Class::Begins => ("not ", Some(" and r.name like ")),
        Class::Holds => ("not ", Some(" and r.name not like ")),
    };
    sql.push(" and ").push(called).push("(r.name = ").push_bind(word.to_owned());
    sql.push(" or r.native_id = ").push_bind(word.to_owned()).push(")");
    if let Some(begun) = begun {
        sql.push(begun).push_bind(begins);
    }
}

fn push_order(sql: &mut QueryBuilder<Postgres>, order: Order, place: &'static str, last: Option<&Last>) {
    let id = if place == "r" {
        "r.id"
    } else if place == "t" {
        "t.resource_id"
    } else {
        "h.resource_id"
    };
    match order {
        Order::Place => {
            let columns = |sql: &mut QueryBuilder<Postgres>| {
                for column in ["type", "account", "region", "native_id"] {
                    sql.push(place).push(".").push(column).push(", ");
                }
                sql.push(id);
            };
            if let Some(Last { kind, account, region, native_id, id, .. }) = last {
                sql.push(" and (");
                columns(sql);
                sql.push(") > (").push_bind(kind.clone()).push(", ").push_bind(account.clone());
                sql.push(", ").push_bind(region.clone()).push(", ").push_bind(native_id.clone());
                sql.push(", ").push_bind(*id).push(")");
            }
            sql.push(" order by ");
            columns(sql);
        }
        Order::Name => {
            if let Some(Last { name, id, .. }) = last {
                sql.push(" and (r.name, r.id) > (")
                    .push_bind(name.clone())
                    .push(", ")
                    .push_bind(*id)
                    .push(")");
            }
            sql.push(" order by r.name, r.id");
        }
        Order::Id => {
            if let Some(Last { id, .. }) = last {
                sql.push(" and r.id > ").push_bind(*id);
            }
            sql.push(" order by r.id");
        }
    }
}

#[cfg(test)]
mod tests;
