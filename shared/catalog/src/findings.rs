//! Findings, latest statement first.

use chrono::{DateTime, Utc};
use model::{FindingStatus, Severity, Timestamp};
use serde_json::Value;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::{
    Error, Finding, FindingQuery, Page,
    cursor::{self, limit_and_one},
    search::{Column, Fields, When, Words, push_conditions},
};

pub(crate) const FIELDS: Fields = Fields {
    columns: &[
        ("id", Column::Text("f.id::text")),
        ("product", Column::Text("f.product")),
        ("kind", Column::Text("f.kind")),
        ("title", Column::Text("f.title")),
        ("severity", Column::Word("f.severity", Severity::WORDS)),
        ("status", Column::Word("f.status", FindingStatus::WORDS)),
        ("account", Column::Text("f.account")),
        ("region", Column::Text("f.region")),
        ("updated_at", Column::Time("f.at")),
        ("first_seen", Column::Time("f.first_seen")),
        ("details", Column::Document("f.details")),
    ],
    words: Words::Texts(&["f.title", "f.kind"]),
    functions: false,
};

#[derive(Debug, FromRow)]
struct Row {
    id: Uuid,
    at: DateTime<Utc>,
    first_seen: DateTime<Utc>,
    account: String,
    region: String,
    product: String,
    external_id: String,
    kind: String,
    title: String,
    description: String,
    severity: String,
    status: String,
    details: Value,
    resources: Vec<Uuid>,
}

impl From<Row> for Finding {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            account: row.account,
            region: row.region,
            product: row.product,
            external_id: row.external_id,
            kind: row.kind,
            title: row.title,
            description: row.description,
            severity: Severity::from(row.severity),
            status: FindingStatus::from(row.status),
            first_seen: row.first_seen,
            updated_at: row.at,
            details: row.details,
            resources: row.resources.into_iter().map(Into::into).collect(),
        }
    }
}

pub(crate) async fn list(pool: &PgPool, query: &FindingQuery) -> Result<Page<Finding>, Error> {
    let mut sql = QueryBuilder::new("");
    if query.as_of.is_now() {
        push_list(&mut sql, Stated::Now, query)?;
    } else {
        sql.push("select * from ((");
        push_list(&mut sql, Stated::Latest, query)?;
        sql.push(") union all (");
        push_list(&mut sql, Stated::Earlier, query)?;
        sql.push(")) f order by f.at desc, f.id desc limit ").push_bind(limit_and_one(query.limit));
    }
    let rows: Vec<Row> =
        sql.build_query_as().persistent(false).fetch_all(pool).await.map_err(Error::reading("findings"))?;
    let items: Vec<Finding> = rows.into_iter().map(Finding::from).collect();
    Ok(cursor::page(items, query.limit, |finding| {
        cursor::write_instant(finding.updated_at, finding.id.into())
    }))
}

/// Which statement of a finding is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stated {
    /// The latest.
    Now,
    /// The latest, of those findings of which it was the latest at the asked moment as well.
    Latest,
    /// The one that was the latest at the asked moment, of the other findings.
    Earlier,
}

/// The first findings that a query asks for, in order, by one statement of each. What no statement keeps is as it is now.
fn push_list(sql: &mut QueryBuilder<Postgres>, stated: Stated, query: &FindingQuery) -> Result<(), Error> {
    let (at, known) = query.as_of.bounds();
    sql.push(
        "select f.id, f.at, f.first_seen, f.account, f.region, f.product, f.external_id, f.kind, f.title,
                f.description, f.severity, f.status, f.details, f.resources
         from ",
    );
    if stated == Stated::Earlier {
        sql.push(
            "(select f.id, s.at, f.first_seen, f.account, f.region, f.product, f.external_id, f.kind, s.title,
                     f.description, s.severity, s.status, f.details, f.resources
              from perigee.findings f
              cross join lateral (
                  select * from perigee.finding_statements s where s.finding_id = f.id and s.at <= ",
        );
        sql.push_bind(at).push(" and s.recorded_at <= ").push_bind(known);
        sql.push(" order by s.at desc, s.hash desc limit 1) s where not (");
        push_is_latest(sql, at, known);
        sql.push(")) f where true");
    } else {
        sql.push("perigee.findings f where true");
    }
    if stated == Stated::Latest {
        sql.push(" and ");
        push_is_latest(sql, at, known);
    }
    push_conditions(sql, &query.selector, &FIELDS, When::default())?;
    if let Some(resource) = query.resource {
        sql.push(" and f.resources @> ").push_bind(vec![Uuid::from(resource)]);
    }
    if let Some(cursor) = &query.cursor {
        let (before, last) = cursor::read_instant(cursor)?;
        sql.push(" and (f.at, f.id) < (").push_bind(before).push(", ").push_bind(last).push(")");
    }
    sql.push(" order by f.at desc, f.id desc limit ").push_bind(limit_and_one(query.limit));
    Ok(())
}

/// Whether the latest statement of `f` was made by the asked moment, and known.
fn push_is_latest(sql: &mut QueryBuilder<Postgres>, at: Timestamp, known: Timestamp) {
    sql.push("f.at <= ").push_bind(at);
    if known != Timestamp::MAX_UTC {
        sql.push(
            " and exists (select from perigee.finding_statements k where k.finding_id = f.id and k.at = f.at
                          and k.hash = f.hash and k.recorded_at <= ",
        );
        sql.push_bind(known).push(")");
    }
}
