//! Changes, newest first.

pub(crate) mod groups;
mod sets;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use model::{Category, ChangeId, ResourceId, Role, Severity, Timestamp};
use selector::Selector;
use serde_json::Value;
use sqlx::{FromRow, PgPool, QueryBuilder};
use uuid::Uuid;

use crate::{
    Change, ChangeQuery, ChangeTarget, Error, Page,
    cursor::{self, limit_and_one},
    resources,
    search::{Column, Fields, When, Words, push_conditions},
};

const SESSION: &str = "c.actor ->> 'session'";

/// What an actor is called: the name, which of a role is the role's; the session, which then is the person's; or both,
/// as they are shown.
const ACTOR: &[&str] = &["c.actor_name", SESSION, "(c.actor_name || '/' || (c.actor ->> 'session'))"];

pub(crate) const FIELDS: Fields = Fields {
    columns: &[
        ("id", Column::Text("c.id::text")),
        ("kind", Column::Text("c.kind")),
        ("category", Column::Word("c.category", Category::WORDS)),
        ("severity", Column::Word("c.severity", Severity::WORDS)),
        ("account", Column::Text("c.account")),
        ("region", Column::Text("c.region")),
        ("source", Column::Text("c.source")),
        ("actor", Column::Any(ACTOR)),
        ("session", Column::Text(SESSION)),
        ("session_id", Column::Text("c.session_id")),
        ("source_address", Column::Text("c.source_address")),
        ("event_id", Column::Text("c.event_id")),
        ("error_code", Column::Text("c.error_code")),
        ("read_only", Column::Bool("c.read_only")),
        ("occurred_at", Column::Time("c.occurred_at")),
        ("details", Column::Document("c.details")),
    ],
    words: Words::Texts(&["c.summary", "c.kind", "c.actor_name"]),
    functions: false,
};

#[derive(Debug, FromRow)]
struct Row {
    id: Uuid,
    occurred_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    account: String,
    region: String,
    source: String,
    kind: String,
    category: String,
    severity: String,
    read_only: bool,
    summary: String,
    actor: Option<Value>,
    source_address: Option<String>,
    user_agent: Option<String>,
    error_code: Option<String>,
    error_message: Option<String>,
    event_id: Option<String>,
    session_id: Option<String>,
    details: Value,
    targets: Vec<Uuid>,
    related: Vec<Uuid>,
    mentions: Vec<String>,
}

impl Row {
    /// Where a page ended that ended with it.
    fn cursor(&self) -> String {
        cursor::write_instant(self.occurred_at, self.id)
    }
}

const SELECT: &str =
    "select c.id, c.occurred_at, c.recorded_at, c.account, c.region, c.source, c.kind, c.category, c.severity,
            c.read_only, c.summary, c.actor, c.source_address, c.user_agent, c.error_code, c.error_message,
            c.event_id, c.session_id, c.details, c.targets, c.related, c.mentions
     from perigee.changes c";

/// Changes by their ids and the instants at which they happened.
pub(crate) async fn by_ids(pool: &PgPool, ids: &[(ChangeId, Timestamp)]) -> Result<Vec<Change>, Error> {
    let (ids, times): (Vec<Uuid>, Vec<Timestamp>) = ids.iter().map(|(id, at)| (Uuid::from(*id), *at)).unzip();
    let mut sql = QueryBuilder::new(SELECT);
    sql.push(" where (c.id, c.occurred_at) in (select * from unnest(").push_bind(ids).push(", ");
    sql.push_bind(times).push(")) order by c.occurred_at, c.id");
    let rows: Vec<Row> =
        sql.build_query_as().persistent(false).fetch_all(pool).await.map_err(Error::reading("changes"))?;
    named(pool, rows).await
}

/// The latest changes that touched any of the resources since an instant, newest first.
pub(crate) async fn around(
    pool: &PgPool,
    resources: &[ResourceId],
    selector: &Selector,
    since: Timestamp,
    limit: u16,
) -> Result<Vec<Change>, Error> {
    let resources: Vec<Uuid> = resources.iter().map(|id| Uuid::from(*id)).collect();
    let mut sql = QueryBuilder::new(SELECT);
    sql.push(
        " where (c.id, c.occurred_at) in (select t.change_id, t.occurred_at from perigee.change_resources t
          where t.resource_id = any (",
    );
    sql.push_bind(resources).push(") and t.occurred_at >= ").push_bind(since).push(")");
    // The same once more, so that other months are not even looked at.
    sql.push(" and c.occurred_at >= ").push_bind(since);
    push_conditions(&mut sql, selector, &FIELDS, When::default())?;
    sql.push(" order by c.occurred_at desc, c.id desc limit ").push_bind(limit_and_one(limit) - 1);
    let rows: Vec<Row> =
        sql.build_query_as().persistent(false).fetch_all(pool).await.map_err(Error::reading("changes"))?;
    named(pool, rows).await
}

pub(crate) async fn list(pool: &PgPool, query: &ChangeQuery) -> Result<Page<Change>, Error> {
    let page = match &query.of {
        Some(of) => sets::list(pool, query, of).await?,
        None => plain(pool, query).await?,
    };
    let items = named(pool, page.items).await?;
    Ok(Page { items, next: page.next })
}

/// Those of all resources, or of one.
async fn plain(pool: &PgPool, query: &ChangeQuery) -> Result<Page<Row>, Error> {
    let mut sql = QueryBuilder::new(SELECT);
    // The keys are those of the table that leads, so that its index gives the order.
    let (at, id) = if let Some(resource) = query.resource {
        sql.push(
            " join perigee.change_resources t on t.change_id = c.id and t.occurred_at = c.occurred_at
              where t.resource_id = ",
        );
        sql.push_bind(Uuid::from(resource));
        ("t.occurred_at", "t.change_id")
    } else {
        sql.push(" where true");
        ("c.occurred_at", "c.id")
    };
    push_conditions(&mut sql, &query.selector, &FIELDS, When::default())?;
    if let Some(since) = query.since {
        sql.push(" and ").push(at).push(" >= ").push_bind(since);
    }
    if let Some(until) = query.until {
        sql.push(" and ").push(at).push(" < ").push_bind(until);
    }
    if let Some(cursor) = &query.cursor {
        let (before, last) = cursor::read_instant(cursor)?;
        sql.push(" and (").push(at).push(", ").push(id).push(") < (");
        sql.push_bind(before).push(", ").push_bind(last).push(")");
    }
    sql.push(" order by ").push(at).push(" desc, ").push(id).push(" desc limit ");
    sql.push_bind(limit_and_one(query.limit));
    let rows: Vec<Row> =
        sql.build_query_as().persistent(false).fetch_all(pool).await.map_err(Error::reading("changes"))?;
    Ok(cursor::page(rows, query.limit, Row::cursor))
}

/// The changes, with the names of the resources that they touched.
async fn named(pool: &PgPool, rows: Vec<Row>) -> Result<Vec<Change>, Error> {
    let mut touched: Vec<Uuid> =
        rows.iter().flat_map(|row| row.targets.iter().chain(&row.related)).copied().collect();
    touched.sort_unstable();
    touched.dedup();
    let names = resources::by_ids(pool, &touched).await?;
    Ok(rows.into_iter().map(|row| change(row, &names)).collect())
}

fn change(row: Row, names: &BTreeMap<Uuid, crate::Resource>) -> Change {
    let target = |id: &Uuid, role: Role| {
        names.get(id).map(|r| ChangeTarget { id: r.id, role, kind: r.kind.clone(), name: r.name.clone() })
    };
    let targets = row.targets.iter().filter_map(|id| target(id, Role::Target));
    let related = row.related.iter().filter_map(|id| target(id, Role::Related));
    Change {
        resources: targets.chain(related).collect(),
        id: row.id.into(),
        occurred_at: row.occurred_at,
        recorded_at: row.recorded_at,
        account: row.account,
        region: row.region,
        source: row.source,
        kind: row.kind,
        category: Category::from(row.category),
        severity: Severity::from(row.severity),
        read_only: row.read_only,
        summary: row.summary,
        actor: row.actor.and_then(|actor| serde_json::from_value(actor).ok()),
        source_address: row.source_address,
        user_agent: row.user_agent,
        error_code: row.error_code,
        error_message: row.error_message,
        event_id: row.event_id,
        session_id: row.session_id,
        details: row.details,
        mentions: row.mentions,
    }
}
