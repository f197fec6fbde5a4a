//! Health of resources: where it stands, how it changed, and the worst of many.
//!
//! [`due`] says what is to be judged, [`judge`] judges it and writes what came of it in one transaction.

mod due;
mod judge;
mod subjects;
mod summary;
#[cfg(test)]
mod tests;

pub use due::{Cause, Touched, TypeCursor};
pub use judge::{Judged, Judgement};
pub use subjects::Subject;
pub use summary::{HealthBy, HealthCounts, HealthGroup};

use chrono::{DateTime, Utc};
use model::{Health, HealthState, ResourceId, Timestamp, Transition, Verdict};
use schemars::JsonSchema;
use selector::Selector;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::{
    AsOf, Catalog, Error, HistoryQuery, Page,
    cursor::{self, limit_and_one},
    retention::check_horizon,
    search::{Column, Fields, When, Words, push_conditions},
};

/// A resource and how well it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceHealth {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its account or cluster.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its Kubernetes namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// How well it is.
    #[serde(flatten)]
    pub state: HealthState,
}

/// A resource whose health or status changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HealthChange {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its account or cluster.
    pub account: String,
    /// Its region.
    pub region: String,
    /// When it was judged.
    pub recorded_at: DateTime<Utc>,
    /// From what to what.
    #[serde(flatten)]
    pub transition: Transition,
}

/// Which resources' health to list. The worst first, of those the latest.
#[derive(Debug, Clone, Default)]
pub struct HealthQuery {
    /// Fields: `health`, `status`, `rule`, `ready`, `since`, `type`, `account`, `region`, `namespace`, `name`,
    /// `tags.KEY`; words match the name and the reason.
    pub selector: Selector,
    /// How well they were at this instant, instead of now. Names and tags are those of now.
    pub at: Option<Timestamp>,
    /// How many at most; bounded to 1000.
    pub limit: u16,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

const FIELDS: Fields = Fields {
    columns: &[
        ("health", Column::Word("h.health", Health::WORDS)),
        ("status", Column::Text("h.status")),
        ("rule", Column::Text("h.rule")),
        ("ready", Column::Bool("h.ready")),
        ("since", Column::Time("h.since")),
        ("id", Column::Text("h.resource_id::text")),
        ("type", Column::Text("h.type")),
        ("account", Column::Text("h.account")),
        ("region", Column::Text("h.region")),
        ("namespace", Column::Text("h.namespace")),
        ("name", Column::Text("r.name")),
        ("tags", Column::Map("r.tags")),
    ],
    words: Words::Texts(&["r.name", "h.reason", "h.status"]),
    functions: false,
};

#[derive(Debug, FromRow)]
struct StateRow {
    resource_id: Uuid,
    #[sqlx(rename = "type")]
    kind: String,
    name: String,
    account: String,
    region: String,
    namespace: Option<String>,
    health: String,
    status: String,
    ready: bool,
    reason: String,
    rule: Option<String>,
    until: Option<DateTime<Utc>>,
    since: DateTime<Utc>,
    judged_at: DateTime<Utc>,
}

impl From<StateRow> for ResourceHealth {
    fn from(row: StateRow) -> Self {
        Self {
            kind: row.kind,
            name: row.name,
            account: row.account,
            region: row.region,
            namespace: row.namespace,
            state: HealthState {
                resource: row.resource_id.into(),
                verdict: Verdict {
                    health: row.health.into(),
                    status: row.status,
                    ready: row.ready,
                    reason: row.reason,
                    rule: row.rule,
                    until: row.until,
                },
                since: row.since,
                judged_at: row.judged_at,
            },
        }
    }
}

#[derive(Debug)]
struct TransitionRow {
    id: i64,
    resource_id: Uuid,
    kind: String,
    name: String,
    account: String,
    region: String,
    at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    from_health: Option<String>,
    from_status: Option<String>,
    health: String,
    status: String,
    ready: bool,
    reason: String,
    rule: Option<String>,
    until: Option<DateTime<Utc>>,
}

impl From<TransitionRow> for HealthChange {
    fn from(row: TransitionRow) -> Self {
        Self {
            kind: row.kind,
            name: row.name,
            account: row.account,
            region: row.region,
            recorded_at: row.recorded_at,
            transition: Transition {
                resource: row.resource_id.into(),
                at: row.at,
                from: row.from_health.map(Health::from),
                from_status: row.from_status,
                verdict: Verdict {
                    health: row.health.into(),
                    status: row.status,
                    ready: row.ready,
                    reason: row.reason,
                    rule: row.rule,
                    until: row.until,
                },
            },
        }
    }
}

impl Catalog {
    /// How well a resource is. `None` when no rule judges it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn health_of(&self, id: ResourceId) -> Result<Option<ResourceHealth>, Error> {
        let row = sqlx::query_as!(
            StateRow,
            r#"select h.resource_id, h.type as kind, r.name, h.account, h.region, h.namespace, h.health as "health!", h.status,
                      h.ready, h.reason, h.rule, h.until, h.since as "since!", h.judged_at as "judged_at!"
               from perigee.health h join perigee.resources r on r.id = h.resource_id
               where h.resource_id = $1 and h.health is not null"#,
            Uuid::from(id),
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(Error::reading("health"))?;
        Ok(row.map(ResourceHealth::from))
    }

    /// How well a resource was at an instant. `None` when no rule judged it then.
    ///
    /// # Errors
    /// [`Error::Expired`], or what the database says.
    pub async fn health_at(&self, id: ResourceId, at: Timestamp) -> Result<Option<ResourceHealth>, Error> {
        check_horizon(&self.pool, at).await?;
        let row = sqlx::query_as!(
            StateRow,
            r#"select h.resource_id as "resource_id!", r.type as "kind!", r.name as "name!", r.account as "account!",
                      r.region as "region!", h.namespace as "namespace?", h.health as "health!", h.status as "status!",
                      h.ready as "ready!", h.reason as "reason!", h.rule as "rule?", h.until as "until?",
                      h.since as "since!", h.judged_at as "judged_at!"
               from (
                   select resource_id, namespace, health, status, ready, reason, rule, until, since, judged_at
                   from perigee.health where resource_id = $1 and health is not null and since <= $2
                   union all
                   select resource_id, namespace, health, status, ready, reason, rule, null, valid_from, recorded_at
                   from perigee.health_closed where resource_id = $1 and valid_from <= $2 and valid_to > $2
               ) h
               join perigee.resources r on r.id = h.resource_id
               order by h.since desc limit 1"#,
            Uuid::from(id),
            at,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(Error::reading("health"))?;
        Ok(row.map(ResourceHealth::from))
    }

    /// Lists how well resources are, the worst first, of those the latest.
    ///
    /// # Errors
    /// [`Error::BadSelector`], [`Error::BadCursor`], or what the database says.
    pub async fn health_list(&self, query: &HealthQuery) -> Result<Page<ResourceHealth>, Error> {
        list(&self.pool, query).await
    }

    /// How the health of a resource changed, latest first.
    ///
    /// # Errors
    /// [`Error::BadCursor`], or what the database says.
    pub async fn transitions(
        &self,
        id: ResourceId,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<HealthChange>, Error> {
        self.transitions_by(id, None, limit, cursor).await
    }

    /// The same, of those that came to be by an instant.
    ///
    /// # Errors
    /// [`Error::BadCursor`], or what the database says.
    pub async fn transitions_by(
        &self,
        id: ResourceId,
        at: Option<Timestamp>,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<HealthChange>, Error> {
        let place = cursor.map(read_cursor).transpose()?;
        let as_of = AsOf { at, recorded_at: None };
        let query = HistoryQuery { as_of, limit, ..HistoryQuery::of(id) };
        let rows = transition_rows(&self.pool, &query, place).await?;
        Ok(changes(rows, limit))
    }

    /// How the health of resources changed, latest first.
    ///
    /// # Errors
    /// [`Error::BadCursor`], or what the database says.
    pub async fn recent_transitions(
        &self,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<HealthChange>, Error> {
        // The first page begins after every instant, so that one plan serves all of them.
        let (before, last) = cursor.map_or(Ok((Timestamp::MAX_UTC, i64::MAX)), read_cursor)?;
        let rows = sqlx::query_as!(
            TransitionRow,
            r#"select t.id, t.resource_id, r.type as kind, r.name, r.account, r.region, t.at, t.recorded_at, t.from_health,
                      t.from_status, t.health, t.status, t.ready, t.reason, t.rule, t.until
               from (select * from perigee.health_transitions
                     where (at, id) < ($1, $2)
                     order by at desc, id desc limit $3) t
               join perigee.resources r on r.id = t.resource_id
               order by t.at desc, t.id desc"#,
            before,
            last,
            limit_and_one(limit),
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("transitions"))?;
        Ok(changes(rows, limit))
    }

    /// What a function took note of last under `name`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn mark(&self, name: &str) -> Result<Option<String>, Error> {
        sqlx::query_scalar!("select mark from perigee.marks where name = $1", name)
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::reading("marks"))
    }

    /// Takes note of `mark` under `name`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn set_mark(&self, name: &str, mark: &str, now: Timestamp) -> Result<(), Error> {
        sqlx::query!(
            "insert into perigee.marks (name, mark, noted_at) values ($1, $2, $3)
             on conflict (name) do update set mark = excluded.mark, noted_at = excluded.noted_at",
            name,
            mark,
            now,
        )
        .execute(&self.pool)
        .await
        .map_err(Error::writing("marks"))?;
        Ok(())
    }
}

/// The transitions of a resource that a query of its history asks for, with their numbers, and one more than a page.
pub(crate) async fn transitions_of(
    pool: &PgPool,
    query: &HistoryQuery,
    place: Option<(Timestamp, i64)>,
) -> Result<Vec<(i64, HealthChange)>, Error> {
    let rows = transition_rows(pool, query, place).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.into())).collect())
}

async fn transition_rows(
    pool: &PgPool,
    query: &HistoryQuery,
    place: Option<(Timestamp, i64)>,
) -> Result<Vec<TransitionRow>, Error> {
    let (at, known) = query.as_of.bounds();
    // The first page begins after every instant, so that one plan serves all of them.
    let (before, last) = place.unwrap_or((Timestamp::MAX_UTC, i64::MAX));
    sqlx::query_as!(
        TransitionRow,
        r#"select t.id, t.resource_id, r.type as kind, r.name, r.account, r.region, t.at, t.recorded_at, t.from_health,
                  t.from_status, t.health, t.status, t.ready, t.reason, t.rule, t.until
           from perigee.health_transitions t join perigee.resources r on r.id = t.resource_id
           where t.resource_id = $1 and (t.at, t.id) < ($2, $3) and t.at <= $4 and t.recorded_at <= $5
             and ($6::timestamptz is null or t.at >= $6) and ($7::timestamptz is null or t.at < $7)
           order by t.at desc, t.id desc limit $8"#,
        Uuid::from(query.resource),
        before,
        last,
        at,
        known,
        query.since,
        query.until,
        limit_and_one(query.limit),
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("transitions"))
}

fn read_cursor(cursor: &str) -> Result<(Timestamp, i64), Error> {
    let [at, id] = cursor::read::<2>(cursor)?;
    Ok((cursor::instant(&at)?, id.parse().map_err(|_| Error::BadCursor)?))
}

fn changes(rows: Vec<TransitionRow>, limit: u16) -> Page<HealthChange> {
    let page = cursor::page(rows, limit, |row| {
        cursor::write(&[&row.at.timestamp_micros().to_string(), &row.id.to_string()])
    });
    Page { items: page.items.into_iter().map(HealthChange::from).collect(), next: page.next }
}

/// What is judged now, and what was judged of a time that ended, in the same columns.
const NOW: &str = "perigee.health";
const CLOSED: &str = "(select resource_id, type, account, region, namespace, health, status, ready, reason, rule,
                               null::timestamptz as until, valid_from as since, valid_to, recorded_at as judged_at,
                               case health when 'healthy' then 0 when 'unknown' then 1 when 'warning' then 2
                                           when 'unhealthy' then 3 end::smallint as level
                        from perigee.health_closed)";

async fn list(pool: &PgPool, query: &HealthQuery) -> Result<Page<ResourceHealth>, Error> {
    let mut sql = QueryBuilder::new("");
    match query.at {
        None => push_states(&mut sql, NOW, query)?,
        Some(at) => {
            check_horizon(pool, at).await?;
            sql.push("select * from ((");
            push_states(&mut sql, NOW, query)?;
            sql.push(") union all (");
            push_states(&mut sql, CLOSED, query)?;
            sql.push(")) h order by level desc, since desc, resource_id desc limit ");
            sql.push_bind(limit_and_one(query.limit));
        }
    }
    let rows: Vec<StateRow> =
        sql.build_query_as().persistent(false).fetch_all(pool).await.map_err(Error::reading("health"))?;
    Ok(cursor::page(
        rows.into_iter().map(ResourceHealth::from).collect(),
        query.limit,
        |row: &ResourceHealth| {
            let HealthState { resource, verdict, since, .. } = &row.state;
            cursor::write(&[
                &(verdict.health as i16).to_string(),
                &since.timestamp_micros().to_string(),
                &resource.to_string(),
            ])
        },
    ))
}

/// The first of one table that a query asks for, in order.
fn push_states(
    sql: &mut QueryBuilder<Postgres>,
    table: &'static str,
    query: &HealthQuery,
) -> Result<(), Error> {
    sql.push(
        "select h.resource_id, h.type, r.name, h.account, h.region, h.namespace, h.health, h.status, h.ready, h.reason,
                h.rule, h.until, h.since, h.judged_at, h.level
         from ",
    );
    sql.push(table).push(" h join perigee.resources r on r.id = h.resource_id where h.level is not null");
    if let Some(at) = query.at {
        sql.push(" and h.since <= ").push_bind(at);
        if table == CLOSED {
            sql.push(" and h.valid_to > ").push_bind(at);
        }
    }
    push_conditions(sql, &query.selector, &FIELDS, When::default())?;
    if let Some(cursor) = &query.cursor {
        let [level, since, id] = cursor::read::<3>(cursor)?;
        let level: i16 = level.parse().map_err(|_| Error::BadCursor)?;
        let id: Uuid = id.parse().map_err(|_| Error::BadCursor)?;
        sql.push(" and (h.level, h.since, h.resource_id) < (").push_bind(level);
        sql.push(", ").push_bind(cursor::instant(&since)?).push(", ").push_bind(id).push(")");
    }
    sql.push(" order by h.level desc, h.since desc, h.resource_id desc limit ");
    sql.push_bind(limit_and_one(query.limit));
    Ok(())
}
