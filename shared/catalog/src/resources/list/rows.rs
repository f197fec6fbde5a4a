//! The rows of a list as SQL: where they come from, what leads, and in which order.

use chrono::{DateTime, Utc};
use selector::{Selector, Term};
use sqlx::{Postgres, QueryBuilder};

use super::{Class, Last, Lead, Order, lead, only, push_health};
use crate::{AsOf, search::Prepared};

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

    pub(super) fn push(
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
