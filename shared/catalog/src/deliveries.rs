//! Deliveries: what was to be told to whom, and what became of it.
//!
//! [`work`] writes them: rows are added, claimed for a while, and every attempt is written down before it is made.
//! Here they are read.

#[cfg(test)]
mod tests;
mod work;

pub use work::{AttemptEnd, Begun, ClaimedDelivery, Fate, NewDelivery, Outcome, Settled, Told};

use chrono::{DateTime, Utc};
use model::{DeliveryId, DeliveryState, ResourceId, SignalId, SignalKind, Timestamp};
use schemars::JsonSchema;
use selector::Selector;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use crate::{
    Catalog, Error, Page,
    cursor::{self, limit_and_one},
    search::{Column, Fields, When, Words, prepare, push_conditions},
};

/// A delivery, as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// Its id, which every attempt sends as `Idempotency-Key`.
    pub id: DeliveryId,
    /// The notification.
    pub notification: String,
    /// The connection that it is sent to.
    pub channel: String,
    /// The kind of signal.
    pub kind: SignalKind,
    /// The signal.
    pub signal_id: SignalId,
    /// What the signal is about: a resource, a change, a run, a check.
    pub subject: Uuid,
    /// The resource, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceId>,
    /// The resource's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// The resource's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why, as a word: `delivered`, `late`, `waiting`, `retrying`, `too_old`, `repeated`, `silenced:NAME` ...
    pub reason: String,
    /// Why, as a sentence.
    pub detail: String,
    /// When what it tells came to be.
    pub occurred_at: DateTime<Utc>,
    /// When the notification matched.
    pub created_at: DateTime<Utc>,
    /// When it is looked at next, while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// When it was sent, suppressed or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// How many seconds after it should have been it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_seconds: Option<i64>,
    /// How many attempts were begun.
    pub attempts: i32,
    /// The title, once an attempt was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// A delivery with what it told and its attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryDetail {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// The text, once an attempt was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The payload of the signal.
    pub payload: Value,
    /// The attempts, the first first.
    pub tries: Vec<Attempt>,
}

/// One request to a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Its number, from 1.
    pub attempt: i32,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended; absent while it is under way, or when it was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// `sent`, `failed` or `cut`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The HTTP status, where there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
    /// What happened, as a sentence.
    pub detail: String,
}

/// How many deliveries are in a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryCount {
    /// The state.
    pub state: DeliveryState,
    /// How many.
    pub deliveries: i64,
}

/// Which deliveries to list. Newest first.
#[derive(Debug, Clone, Default)]
pub struct DeliveryQuery {
    /// Fields: `id`, `state`, `reason`, `notification`, `channel`, `kind`, `subject`, `type`, `name`, `account`,
    /// `region`, `created_at`, `occurred_at`, `ended_at`; words match the title, the detail and the resource's name.
    pub selector: Selector,
    /// Only those about this resource.
    pub resource: Option<ResourceId>,
    /// How many at most; bounded to 1000.
    pub limit: u16,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

const FIELDS: Fields = Fields {
    columns: &[
        ("id", Column::Text("d.id::text")),
        ("state", Column::Word("d.state", DeliveryState::WORDS)),
        ("reason", Column::Text("d.reason")),
        ("notification", Column::Text("d.notification")),
        ("channel", Column::Text("d.channel")),
        ("kind", Column::Word("d.kind", SignalKind::WORDS)),
        ("subject", Column::Text("d.subject::text")),
        ("type", Column::Text("r.type")),
        ("name", Column::Text("r.name")),
        ("account", Column::Text("r.account")),
        ("region", Column::Text("r.region")),
        ("created_at", Column::Time("d.created_at")),
        ("occurred_at", Column::Time("d.occurred_at")),
        ("ended_at", Column::Time("d.ended_at")),
    ],
    words: Words::Texts(&["d.title", "d.detail", "r.name"]),
    functions: false,
};

#[derive(Debug, FromRow)]
struct Row {
    id: Uuid,
    notification: String,
    channel: String,
    kind: String,
    signal_id: Uuid,
    subject: Uuid,
    resource_id: Option<Uuid>,
    resource_name: Option<String>,
    resource_type: Option<String>,
    state: String,
    reason: String,
    detail: String,
    occurred_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    due_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    late_seconds: Option<i64>,
    attempts: i32,
    title: Option<String>,
}

impl From<Row> for Delivery {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            notification: row.notification,
            channel: row.channel,
            kind: row.kind.into(),
            signal_id: row.signal_id.into(),
            subject: row.subject,
            resource: row.resource_id.map(Into::into),
            resource_name: row.resource_name,
            resource_type: row.resource_type,
            state: row.state.into(),
            reason: row.reason,
            detail: row.detail,
            occurred_at: row.occurred_at,
            created_at: row.created_at,
            due_at: row.due_at,
            ended_at: row.ended_at,
            late_seconds: row.late_seconds,
            attempts: row.attempts,
            title: row.title,
        }
    }
}

const SELECT: &str = "select d.id, d.notification, d.channel, d.kind, d.signal_id, d.subject, d.resource_id,
        r.name as resource_name, r.type as resource_type, d.state, d.reason, d.detail, d.occurred_at, d.created_at,
        d.due_at, d.ended_at, d.late_seconds, d.attempts, d.title
 from perigee.deliveries d left join perigee.resources r on r.id = d.resource_id where true";

impl Catalog {
    /// Lists deliveries, newest first.
    ///
    /// # Errors
    /// [`Error::BadSelector`], [`Error::BadCursor`], or what the database says.
    pub async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, Error> {
        let mut sql = QueryBuilder::new(SELECT);
        push_conditions(&mut sql, &query.selector, &FIELDS, When::default())?;
        if let Some(resource) = query.resource {
            sql.push(" and d.resource_id = ").push_bind(Uuid::from(resource));
        }
        if let Some(cursor) = &query.cursor {
            let (before, last) = cursor::read_instant(cursor)?;
            sql.push(" and (d.created_at, d.id) < (").push_bind(before).push(", ").push_bind(last).push(")");
        }
        sql.push(" order by d.created_at desc, d.id desc limit ").push_bind(limit_and_one(query.limit));
        let rows: Vec<Row> = sql
            .build_query_as()
            .persistent(false)
            .fetch_all(&self.pool)
            .await
            .map_err(Error::reading("deliveries"))?;
        let items: Vec<Delivery> = rows.into_iter().map(Delivery::from).collect();
        Ok(cursor::page(items, query.limit, |delivery| {
            cursor::write_instant(delivery.created_at, delivery.id.into())
        }))
    }

    /// One delivery with its attempts.
    ///
    /// # Errors
    /// What the database says.
    pub async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryDetail>, Error> {
        let mut sql = QueryBuilder::new(SELECT);
        sql.push(" and d.id = ").push_bind(Uuid::from(id));
        let found: Option<Row> = sql
            .build_query_as()
            .persistent(false)
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::reading("deliveries"))?;
        let Some(row) = found else { return Ok(None) };
        let told = sqlx::query!("select body, payload from perigee.deliveries where id = $1", id.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::reading("deliveries"))?;
        let tries = sqlx::query_as!(
            Attempt,
            "select attempt, started_at, ended_at, outcome, status, detail from perigee.delivery_attempts
             where delivery_id = $1 order by attempt",
            id.0
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("attempts of deliveries"))?;
        let (body, payload) = told.map_or((None, Value::Null), |told| (told.body, told.payload));
        Ok(Some(DeliveryDetail { delivery: row.into(), body, payload, tries }))
    }

    /// How many deliveries there are in each state, made since an instant.
    ///
    /// # Errors
    /// What the database says.
    pub async fn delivery_counts(&self, since: Timestamp) -> Result<Vec<DeliveryCount>, Error> {
        let rows = sqlx::query!(
            r#"select state, count(*) as "deliveries!" from perigee.deliveries where created_at >= $1
               group by state order by state"#,
            since
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("deliveries"))?;
        let counts =
            rows.into_iter().map(|row| DeliveryCount { state: row.state.into(), deliveries: row.deliveries });
        Ok(counts.collect())
    }

    /// Which of these resources a selector describes, gone or not.
    ///
    /// # Errors
    /// [`Error::BadSelector`], or what the database says.
    pub async fn described(&self, ids: &[ResourceId], selector: &Selector) -> Result<Vec<ResourceId>, Error> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let mut sql = QueryBuilder::new("select r.id");
        prepare(&self.pool, selector, When::default()).await?.push_described(&mut sql);
        sql.push(" and r.id = any (").push_bind(ids).push(")");
        let found: Vec<(Uuid,)> = sql
            .build_query_as()
            .persistent(false)
            .fetch_all(&self.pool)
            .await
            .map_err(Error::reading("resources"))?;
        Ok(found.into_iter().map(|(id,)| id.into()).collect())
    }

    /// Where checks and findings of these ids stand now, as the words of their states.
    ///
    /// # Errors
    /// What the database says.
    pub async fn standing(&self, subjects: &[Uuid]) -> Result<Vec<(Uuid, String)>, Error> {
        let rows = sqlx::query!(
            r#"select id as "id!", state as "state!" from perigee.checks where id = any ($1)
               union all
               select id, status from perigee.findings where id = any ($1)"#,
            subjects
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("checks and findings"))?;
        Ok(rows.into_iter().map(|row| (row.id, row.state)).collect())
    }
}
