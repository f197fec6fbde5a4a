//! The rows of a list as SQL: where they come from, what leads, and in which order.

use chrono::{DateTime, Utc};
use selector::{Selector, Term};
use sqlx::{Postgres, QueryBuilder};

use super::{Class, Last, Lead, Order, equality, lead, only, push_health};
use crate::{AsOf, ResourceQuery, search::Prepared};

/// How many rows are looked at, in their order, before a word is looked up among all.
const WINDOW: i64 = 2_000;

/// Where a resource lies.
const PLACE: [&str; 4] = ["type", "account", "region", "native_id"];
/// What a list tells of a resource.
const COLUMNS: &str =
    "r.id, r.provider, r.partition, r.account, r.region, r.type, r.native_id, r.name, r.tags, r.evidence,
            r.since, r.deleted_at";
/// What was shown of resources before.
const CLOSED: &str = "(select s.resource_id as id, s.account, s.region, s.type, s.native_id, s.name, s.tags, s.words,
                   s.deleted_at, s.valid_from, s.valid_to, s.recorded_at, s.end_recorded_at, s.superseded_at, s.open_ended
            from perigee.shown_closed s) r";
/// What never changes of a resource stands with what is shown of it now.
const LASTING: [&str; 3] = ["provider", "evidence", "since"];

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
pub(super) enum Source {
    /// Shown as it is now, and there or gone.
    Current { gone: bool },
    /// Shown so before.
    Closed,
}

/// Among which rows a word is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Among the next few in their order: enough where the word is frequent.
    Next,
    /// Among all, by the trigrams of the word: little to read where that was not enough.
    All,
}

/// A part of what a word finds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'p> {
    pub(super) class: Class,
    pub(super) word: &'p str,
    pub(super) source: Source,
    pub(super) scope: Scope,
    pub(super) order: Order,
    pub(super) last: Option<&'p Last>,
}

impl<'p> Part<'p> {
    /// The word, where its class says already that what is said of a resource holds it. What is no ASCII may be another in
    /// lower case where more follows.
    fn said(&self) -> Option<&'p str> {
        (self.class != Class::Holds && self.word.is_ascii()).then_some(self.word)
    }
}

impl<'q> Rows<'q> {
    /// The rows of a query.
    pub(super) fn of(prepared: &'q Prepared<'q>, query: &'q ResourceQuery) -> Self {
        Self {
            prepared,
            selector: &query.selector,
            as_of: query.as_of,
            include_deleted: query.include_deleted,
        }
    }

    /// The places where rows lie.
    pub(super) fn sources(&self) -> Vec<Source> {
        let mut sources = vec![Source::Current { gone: false }];
        sources.extend(self.include_deleted.then_some(Source::Current { gone: true }));
        sources.extend(self.as_of.at.map(|_| Source::Closed));
        sources
    }

    /// Among which rows what fits a word so well is looked for, one scope after the other.
    pub(super) fn scopes(&self, class: Class) -> &'static [Scope] {
        match (class, lead(self.selector)) {
            (Class::Called, _) | (Class::Holds, Lead::Health { .. }) => &[Scope::All],
            (Class::Begins | Class::Holds, _) => &[Scope::Next, Scope::All],
        }
    }

    /// All of the list, as far as `limit`, in the order of places: columns `id`, `type`, `account`, `region`.
    pub(crate) fn push_all(&self, sql: &mut QueryBuilder<Postgres>, limit: i64) {
        self.push(sql, None, limit);
    }

    /// A page of the list, in the order of places.
    pub(super) fn push(&self, sql: &mut QueryBuilder<Postgres>, last: Option<&Last>, limit: i64) {
        let lead = lead(self.selector);
        if let Some(spans) = self.spans(&lead) {
            return self.push_judged(sql, &lead, spans, last, limit);
        }
        let sources = self.sources();
        // Each part ends with its page, so that none is read to its end for the sake of another.
        for (index, source) in sources.iter().enumerate() {
            sql.push(if index == 0 { "select * from ((" } else { ") union all (" });
            push_opening(sql, *source);
            let place = self.push_rows(sql, &lead, *source, None);
            push_after(sql, Order::Place, place, last);
            push_order(sql, Order::Place, place);
            sql.push(" limit ").push_bind(limit);
            push_closing(sql, *source);
        }
        sql.push(")) u");
        if sources.len() > 1 {
            sql.push(" order by u.type, u.account, u.region, u.native_id, u.id");
        }
        sql.push(" limit ").push_bind(limit);
    }

    /// A page of what was in a state of health at an instant: what was shown is looked up of the page alone.
    fn push_judged(
        &self,
        sql: &mut QueryBuilder<Postgres>,
        lead: &Lead,
        spans: Spans<'_>,
        last: Option<&Last>,
        limit: i64,
    ) {
        push_spans(sql, spans);
        sql.push("select ").push(COLUMNS);
        sql.push(
            " from (select * from spans s order by s.type, s.account, s.region, s.native_id, s.resource_id) h
              cross join lateral (",
        );
        for (index, source) in self.sources().into_iter().enumerate() {
            sql.push(if index == 0 { "(select " } else { " union all (select " }).push(COLUMNS);
            sql.push(", r.words from ");
            match source {
                Source::Closed => push_known(sql),
                Source::Current { .. } => push_current(sql, "r"),
            }
            sql.push(" where r.id = h.resource_id");
            self.push_moment(sql, source);
            sql.push(" limit 1)");
        }
        sql.push(") r");
        self.prepared.push_documents(sql);
        sql.push(" where true");
        self.prepared.push_but(sql, |term| self.says(lead, "r", term));
        push_after(sql, Order::Place, "h", last);
        push_order(sql, Order::Place, "h");
        sql.push(" limit ").push_bind(limit);
    }

    /// A page of what a word finds. In the scope [`Scope::Next`] it is only the beginning of the page, unless it is full.
    pub(super) fn push_part(&self, sql: &mut QueryBuilder<Postgres>, part: Part<'_>, limit: i64) {
        let lead = if part.class == Class::Holds { lead(self.selector) } else { Lead::Resources };
        if let Some(spans) = self.spans(&lead) {
            push_spans(sql, spans);
        }
        push_opening(sql, part.source);
        match part.scope {
            Scope::Next => self.push_next(sql, &lead, part),
            Scope::All => {
                sql.push("select * from (");
                let place = self.push_rows(sql, &lead, part.source, part.said());
                push_class(sql, part);
                push_after(sql, part.order, place, part.last);
                // Whoever plans this shall not hope to come upon a full page by reading in the order of the page.
                sql.push(" offset 0) r");
            }
        }
        push_order(sql, part.order, "r");
        sql.push(" limit ").push_bind(limit);
        push_closing(sql, part.source);
    }

    /// Rows of one place; answers with the name of those that lead, in whose order they are read.
    fn push_rows(
        &self,
        sql: &mut QueryBuilder<Postgres>,
        lead: &Lead,
        source: Source,
        word: Option<&str>,
    ) -> &'static str {
        let place = self.place(lead, source);
        self.push_from(sql, source, place);
        if self.spans(lead).is_some() {
            sql.push(" join spans h on h.resource_id = r.id");
        } else if self.asks_for(&["health", "status", "ready"]) && place != "h" {
            push_health(sql, self.as_of, "r.id");
        }
        self.prepared.push_documents(sql);
        sql.push(" where true");
        self.push_moment(sql, source);
        self.push_lead(sql, lead, source, place);
        self.prepared.push_but(sql, |term| match term {
            Term::Word(other) => word == Some(other),
            _ => self.says(lead, place, term),
        });
        place
    }

    /// What a word finds among the next few rows.
    fn push_next(&self, sql: &mut QueryBuilder<Postgres>, lead: &Lead, part: Part<'_>) {
        let place = self.place(lead, part.source);
        sql.push("select r.* from (");
        self.push_from(sql, part.source, place);
        sql.push(" where true");
        self.push_moment(sql, part.source);
        self.push_lead(sql, lead, part.source, place);
        self.push_places(sql, "r");
        if part.class == Class::Begins {
            push_begun(sql, part.word);
        }
        push_after(sql, part.order, place, part.last);
        push_order(sql, part.order, place);
        sql.push(" limit ").push_bind(WINDOW).push(") r");
        if self.asks_for(&["health", "status", "ready"]) {
            push_health(sql, self.as_of, "r.id");
        }
        self.prepared.push_documents(sql);
        sql.push(" where true");
        self.prepared.push_but(sql, |term| matches!(term, Term::Word(word) if part.said() == Some(word)));
        push_class(sql, part);
    }

    /// Everything that is known of the rows of one place.
    fn push_from(&self, sql: &mut QueryBuilder<Postgres>, source: Source, place: &str) {
        sql.push("select r.* from ");
        match source {
            Source::Closed if self.asks_for(&LASTING) => push_known(sql),
            Source::Closed => {
                sql.push(CLOSED);
            }
            Source::Current { .. } => push_current(sql, place),
        }
    }

    /// The name of the rows in whose order rows of one place are read.
    fn place(&self, lead: &Lead, source: Source) -> &'static str {
        match (lead, source) {
            (Lead::Tag { .. }, Source::Current { .. }) => "t",
            (Lead::Health { .. }, Source::Current { .. }) if self.as_of.at.is_none() => "h",
            _ => "r",
        }
    }

    fn asks_for(&self, names: &[&str]) -> bool {
        let fields = self.selector.terms().into_iter().filter_map(Term::field);
        fields.into_iter().any(|field| names.contains(&field.name()))
    }

    /// What leads where it is asked for what was in a state of health then.
    fn spans<'l>(&'l self, lead: &'l Lead) -> Option<Spans<'l>> {
        let Lead::Health { health } = lead else { return None };
        let account = only(self.selector, "account");
        // Nearly everything is healthy: then it is cheaper to look at each.
        (health != "healthy" || account.is_some()).then_some(Spans { at: self.as_of.at?, health, account })
    }

    /// Whether the rows that lead say what a term does.
    fn says(&self, lead: &Lead, place: &str, term: &Term) -> bool {
        let Some((name, key, value)) = equality(term) else { return false };
        let placed = PLACE.contains(&name) && only(self.selector, name) == Some(value);
        match lead {
            Lead::Tag { key: led, value: leading } if place == "t" => {
                placed || (name == "tags" && key.as_deref() == Some(led.as_str()) && value == leading)
            }
            Lead::Health { health } if place == "h" => placed || (name == "health" && value == health),
            Lead::Health { health } if self.spans(lead).is_some() => name == "health" && value == health,
            Lead::Resources | Lead::Tag { .. } | Lead::Health { .. } => false,
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
            Lead::Tag { key, value } if place == "t" => {
                let gone = source == Source::Current { gone: true };
                sql.push(" and t.gone = ").push_bind(gone).push(" and t.key = ").push_bind(key.clone());
                sql.push(" and t.value = ").push_bind(value.clone());
                self.push_places(sql, "t");
            }
            Lead::Health { health } if place == "h" => {
                sql.push(" and h.health = ").push_bind(health.clone());
                self.push_places(sql, "h");
            }
            Lead::Resources | Lead::Tag { .. } | Lead::Health { .. } => {}
        }
    }

    /// The same places once more, of the rows that lead.
    fn push_places(&self, sql: &mut QueryBuilder<Postgres>, alias: &'static str) {
        for field in PLACE {
            if let Some(value) = only(self.selector, field) {
                sql.push(" and ").push(alias).push(".").push(field).push(" = ").push_bind(value.to_owned());
            }
        }
    }
}

/// What was in a state of health at an instant, of one account or all.
#[derive(Debug, Clone, Copy)]
struct Spans<'s> {
    at: DateTime<Utc>,
    health: &'s str,
    account: Option<&'s str>,
}

fn push_spans(sql: &mut QueryBuilder<Postgres>, Spans { at, health, account }: Spans<'_>) {
    let narrow = |sql: &mut QueryBuilder<Postgres>| {
        sql.push(" where s.health = ").push_bind(health.to_owned());
        if let Some(account) = account {
            sql.push(" and s.account = ").push_bind(account.to_owned());
        }
    };
    sql.push(
        "with spans as materialized (
             select s.type, s.account, s.region, s.native_id, s.resource_id, s.health, s.status, s.ready
             from perigee.health s",
    );
    narrow(sql);
    sql.push(" and s.since <= ").push_bind(at).push(
        " union all
             select s.type, s.account, s.region, s.native_id, s.resource_id, s.health, s.status, s.ready
             from perigee.health_closed s",
    );
    narrow(sql);
    sql.push(" and s.valid_from <= ").push_bind(at).push(" and s.valid_to > ").push_bind(at).push(") ");
}

/// What was shown before, with what lasts.
fn push_known(sql: &mut QueryBuilder<Postgres>) {
    sql.push("(select r.*, n.provider, n.partition, n.evidence, n.since from ").push(CLOSED);
    sql.push(" join perigee.resources n on n.id = r.id) r");
}

/// Around rows of one place, so that they have all columns of a list. What lasts is looked up of a page alone.
fn push_opening(sql: &mut QueryBuilder<Postgres>, source: Source) {
    sql.push(match source {
        Source::Current { .. } => {
            "select r.id, r.provider, r.partition, r.account, r.region, r.type, r.native_id, r.name, r.tags, r.evidence,
                    r.since, r.deleted_at from ("
        }
        Source::Closed => {
            "select r.id, n.provider, n.partition, r.account, r.region, r.type, r.native_id, r.name, r.tags, n.evidence,
                    n.since, r.deleted_at from ("
        }
    });
}

fn push_closing(sql: &mut QueryBuilder<Postgres>, source: Source) {
    sql.push(match source {
        Source::Current { .. } => ") r",
        Source::Closed => ") r join perigee.resources n on n.id = r.id",
    });
}

fn push_current(sql: &mut QueryBuilder<Postgres>, place: &str) {
    sql.push(match place {
        "t" => "perigee.resource_tags t join perigee.resources r on r.id = t.resource_id",
        "h" => "perigee.health h join perigee.resources r on r.id = h.resource_id",
        _ => "perigee.resources r",
    });
}

fn push_begun(sql: &mut QueryBuilder<Postgres>, word: &str) {
    sql.push(" and r.name like ").push_bind(format!("{}%", crate::search::escaped(word)));
}

/// Each class leaves out those before it.
fn push_class(sql: &mut QueryBuilder<Postgres>, Part { class, word, .. }: Part<'_>) {
    sql.push(if class == Class::Called { " and " } else { " and not " });
    sql.push("(r.name = ").push_bind(word.to_owned());
    sql.push(" or r.native_id = ").push_bind(word.to_owned()).push(")");
    match class {
        Class::Called => {}
        Class::Begins => push_begun(sql, word),
        Class::Holds => {
            sql.push(" and r.name not like ").push_bind(format!("{}%", crate::search::escaped(word)));
        }
    }
}

/// The id of a resource in the rows that lead.
fn id(place: &str) -> &'static str {
    match place {
        "t" => "t.resource_id",
        "h" => "h.resource_id",
        _ => "r.id",
    }
}

fn push_columns(sql: &mut QueryBuilder<Postgres>, order: Order, place: &str) {
    match order {
        Order::Place => {
            for column in PLACE {
                sql.push(place).push(".").push(column).push(", ");
            }
            sql.push(id(place));
        }
        Order::Name => {
            sql.push("r.name, r.id");
        }
        Order::Id => {
            sql.push("r.id");
        }
    }
}

fn push_order(sql: &mut QueryBuilder<Postgres>, order: Order, place: &str) {
    sql.push(" order by ");
    push_columns(sql, order, place);
}

/// What comes after the end of a page.
fn push_after(sql: &mut QueryBuilder<Postgres>, order: Order, place: &str, last: Option<&Last>) {
    let Some(Last { name, kind, account, region, native_id, id, .. }) = last else { return };
    sql.push(" and (");
    push_columns(sql, order, place);
    sql.push(") > (");
    match order {
        Order::Place => {
            for text in [kind, account, region, native_id] {
                sql.push_bind(text.clone()).push(", ");
            }
        }
        Order::Name => {
            sql.push_bind(name.clone()).push(", ");
        }
        Order::Id => {}
    }
    sql.push_bind(*id).push(")");
}
