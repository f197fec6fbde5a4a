//! Changes, newest first.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use model::{Category, Role, Severity};
use serde_json::Value;
use sqlx::{FromRow, PgPool, QueryBuilder};
use uuid::Uuid;

use crate::{
    Change, ChangeQuery, ChangeTarget, Error, Page,
    cursor::{self, limit_and_one},
    resources,
    search::{Column, Fields, push_conditions},
};

const SESSION: &str = "c.actor ->> 'session'";

/// What an actor is called: the name, which of a role is the role's; the session, which then is the person's; or both,
/// as they are shown.
const ACTOR: &[&str] = &["c.actor_name", SESSION, "(c.actor_name || '/' || (c.actor ->> 'session'))"];

const FIELDS: Fields = Fields {
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
    ],
    words: &["c.summary", "c.kind", "c.actor_name"],
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

pub(crate) async fn list(pool: &PgPool, query: &ChangeQuery) -> Result<Page<Change>, Error> {
    let mut sql = QueryBuilder::new(
        "select c.id, c.occurred_at, c.recorded_at, c.account, c.region, c.source, c.kind, c.category, c.severity,
                c.read_only, c.summary, c.actor, c.source_address, c.user_agent, c.error_code, c.error_message,
                c.event_id, c.session_id, c.details, c.targets, c.related, c.mentions
         from perigee.changes c",
    );
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
    push_conditions(&mut sql, &query.selector, &FIELDS)?;
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
    let rows: Vec<Row> = sql.build_query_as().fetch_all(pool).await.map_err(Error::reading("changes"))?;
    let page = cursor::page(rows, query.limit, |row: &Row| cursor::write_instant(row.occurred_at, row.id));

    let mut touched: Vec<Uuid> =
        page.items.iter().flat_map(|row| row.targets.iter().chain(&row.related)).copied().collect();
    touched.sort_unstable();
    touched.dedup();
    let names = resources::by_ids(pool, &touched).await?;
    let items = page.items.into_iter().map(|row| change(row, &names)).collect();
    Ok(Page { items, next: page.next })
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
