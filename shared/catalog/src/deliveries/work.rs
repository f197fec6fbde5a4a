//! Deliveries, from the row to the attempt and its end.
//!
//! A claim has a number, the fence, and nothing is written but under the number of the last claim: a sender that was
//! thought lost, and was not, changes nothing.

use std::time::Duration;

use model::{DeliveryId, DeliveryState, ResourceId, Signal, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use crate::{Catalog, Error, connect};

/// A delivery that a signal makes.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// The notification.
    pub notification: String,
    /// The generation of the notification.
    pub generation: i64,
    /// The connection that it is sent to.
    pub channel: String,
    /// The signal.
    pub signal: Signal,
    /// The resource, where there is one.
    pub resource: Option<ResourceId>,
    /// What expressions see.
    pub snapshot: Value,
    /// Hash of notification, channel, subject and state.
    pub same: String,
    /// Where it stands and why.
    pub fate: Fate,
    /// Until when it waits before it looks again.
    pub wait_until: Option<Timestamp>,
}

/// Where a delivery stands, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// The state.
    pub state: DeliveryState,
    /// The reason, as a word.
    pub reason: String,
    /// The reason, as a sentence.
    pub detail: String,
    /// When it is looked at next; given while it is pending, and only then.
    pub due_at: Option<Timestamp>,
}

impl Fate {
    /// It is looked at again at `due_at`.
    #[must_use]
    pub fn pending(due_at: Timestamp, reason: &str, detail: impl Into<String>) -> Self {
        Self {
            state: DeliveryState::Pending,
            reason: reason.to_owned(),
            detail: detail.into(),
            due_at: Some(due_at),
        }
    }

    /// Nothing more happens to it.
    #[must_use]
    pub fn ended(state: DeliveryState, reason: &str, detail: impl Into<String>) -> Self {
        Self { state, reason: reason.to_owned(), detail: detail.into(), due_at: None }
    }
}

/// A delivery that a sender has claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// The number of the claim.
    pub fence: i64,
    /// The notification.
    pub notification: String,
    /// The connection that it is sent to.
    pub channel: String,
    /// The signal.
    pub signal: Signal,
    /// The resource, where there is one.
    pub resource: Option<ResourceId>,
    /// What expressions saw.
    pub snapshot: Value,
    /// Hash of notification, channel, subject and state.
    pub same: String,
    /// When the notification matched.
    pub created_at: Timestamp,
    /// Until when it waited before it looks again.
    pub wait_until: Option<Timestamp>,
    /// How many attempts were begun.
    pub attempts: i32,
    /// Whether the last attempt has no end: its sender was lost.
    pub cut: bool,
}

/// A delivery that is put elsewhere without an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The delivery.
    pub id: DeliveryId,
    /// The number of the claim.
    pub fence: i64,
    /// Where it stands now, and why.
    pub fate: Fate,
}

/// What an attempt tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told<'a> {
    /// The title.
    pub title: &'a str,
    /// The text.
    pub body: &'a str,
}

/// Whether an attempt may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is written down: make it.
    Yes {
        /// Its number.
        attempt: i32,
    },
    /// The same was sent lately.
    Repeated {
        /// By which delivery.
        by: DeliveryId,
        /// When.
        at: Timestamp,
    },
    /// The same is being sent just now, and what becomes of it is not known yet.
    Busy,
    /// The claim has run out and somebody else has it.
    Lost,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The channel took it.
    Sent,
    /// It did not, or did not say so.
    Failed,
}

/// The end of an attempt, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptEnd {
    /// The delivery.
    pub id: DeliveryId,
    /// The number of the claim.
    pub fence: i64,
    /// The number of the attempt.
    pub attempt: i32,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// What happened, as a sentence.
    pub detail: String,
    /// Where the delivery stands now, and why.
    pub fate: Fate,
    /// How long after it should have been it was sent.
    pub late_seconds: Option<i64>,
}

/// Columns of fates, as arrays.
struct Fates {
    states: Vec<String>,
    reasons: Vec<String>,
    details: Vec<String>,
    due: Vec<Option<Timestamp>>,
}

impl Fates {
    fn of<'a>(fates: impl Iterator<Item = &'a Fate> + Clone) -> Self {
        Self {
            states: fates.clone().map(|fate| fate.state.as_str().to_owned()).collect(),
            reasons: fates.clone().map(|fate| fate.reason.clone()).collect(),
            details: fates.clone().map(|fate| fate.detail.clone()).collect(),
            due: fates.map(|fate| fate.due_at).collect(),
        }
    }
}

impl Catalog {
    /// Adds deliveries, each once: what is there already stays as it is. Returns how many were new.
    ///
    /// # Errors
    /// What the database says.
    pub async fn add_deliveries(&self, new: &[NewDelivery], now: Timestamp) -> Result<u64, Error> {
        if new.is_empty() {
            return Ok(0);
        }
        let Fates { states, reasons, details, due } = Fates::of(new.iter().map(|one| &one.fate));
        let ids: Vec<Uuid> = new.iter().map(|one| one.id.0).collect();
        let notifications: Vec<String> = new.iter().map(|one| one.notification.clone()).collect();
        let generations: Vec<i64> = new.iter().map(|one| one.generation).collect();
        let channels: Vec<String> = new.iter().map(|one| one.channel.clone()).collect();
        let signals: Vec<Uuid> = new.iter().map(|one| one.signal.id.0).collect();
        let kinds: Vec<String> = new.iter().map(|one| one.signal.kind.as_str().to_owned()).collect();
        let subjects: Vec<Uuid> = new.iter().map(|one| one.signal.subject).collect();
        let times: Vec<Timestamp> = new.iter().map(|one| one.signal.occurred_at).collect();
        let payloads: Vec<Value> = new.iter().map(|one| one.signal.payload.clone()).collect();
        let resources: Vec<Option<Uuid>> = new.iter().map(|one| one.resource.map(|id| id.0)).collect();
        let snapshots: Vec<Value> = new.iter().map(|one| one.snapshot.clone()).collect();
        let same: Vec<String> = new.iter().map(|one| one.same.clone()).collect();
        let waits: Vec<Option<Timestamp>> = new.iter().map(|one| one.wait_until).collect();
        let added = sqlx::query!(
            r#"insert into perigee.deliveries
                   (id, notification, generation, channel, signal_id, kind, subject, occurred_at, payload, resource_id,
                    snapshot, same, state, reason, detail, due_at, wait_until, created_at, ended_at)
               select id, notification, generation, channel, signal_id, kind, subject, occurred_at, payload, resource_id,
                      snapshot, same, state, reason, detail, due_at, wait_until, $18::timestamptz,
                      case when due_at is null then $18::timestamptz end
               from unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::uuid[], $6::text[], $7::uuid[],
                           $8::timestamptz[], $9::jsonb[], $10::uuid[], $11::jsonb[], $12::text[], $13::text[],
                           $14::text[], $15::text[], $16::timestamptz[], $17::timestamptz[])
                    as t (id, notification, generation, channel, signal_id, kind, subject, occurred_at, payload,
                          resource_id, snapshot, same, state, reason, detail, due_at, wait_until)
               order by id
               on conflict (id) do nothing"#,
            &ids,
            &notifications,
            &generations,
            &channels,
            &signals,
            &kinds,
            &subjects,
            &times,
            &payloads,
            &resources as &[Option<Uuid>],
            &snapshots,
            &same,
            &states,
            &reasons,
            &details,
            &due as &[Option<Timestamp>],
            &waits as &[Option<Timestamp>],
            now
        )
        .execute(&self.pool)
        .await
        .map_err(Error::writing("deliveries"))?;
        Ok(added.rows_affected())
    }

    /// Claims up to `limit` deliveries that are due, the longest due first, for `lease` from `now`. Senders that claim
    /// at once get different ones.
    ///
    /// # Errors
    /// What the database says.
    pub async fn claim_deliveries(
        &self,
        limit: u32,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Vec<ClaimedDelivery>, Error> {
        let rows = sqlx::query!(
            r#"with due as materialized (
                   select id from perigee.deliveries where state = 'pending' and due_at <= $2
                   order by due_at, id limit $1 for update skip locked),
               claimed as (
                   update perigee.deliveries d set due_at = $3, fence = d.fence + 1 from due where d.id = due.id
                   returning d.id, d.fence, d.notification, d.channel, d.signal_id, d.kind, d.subject, d.occurred_at,
                             d.payload, d.resource_id, d.snapshot, d.same, d.created_at, d.wait_until, d.attempts)
               select id, fence, notification, channel, signal_id, kind, subject, occurred_at, payload, resource_id,
                      snapshot, same, created_at, wait_until, attempts,
                      exists (select 1 from perigee.delivery_attempts a
                              where a.delivery_id = claimed.id and a.ended_at is null) as "cut!"
               from claimed order by occurred_at, id"#,
            i64::from(limit),
            now,
            until(now, lease)
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::writing("deliveries"))?;
        let claimed = rows.into_iter().map(|row| ClaimedDelivery {
            id: row.id.into(),
            fence: row.fence,
            notification: row.notification,
            channel: row.channel,
            signal: Signal {
                id: row.signal_id.into(),
                kind: row.kind.into(),
                subject: row.subject,
                occurred_at: row.occurred_at,
                payload: row.payload,
            },
            resource: row.resource_id.map(Into::into),
            snapshot: row.snapshot,
            same: row.same,
            created_at: row.created_at,
            wait_until: row.wait_until,
            attempts: row.attempts,
            cut: row.cut,
        });
        Ok(claimed.collect())
    }

    /// Puts claimed deliveries elsewhere without an attempt. What of their attempts has no end is marked as cut.
    ///
    /// # Errors
    /// What the database says.
    pub async fn settle_deliveries(&self, settled: &[Settled], now: Timestamp) -> Result<(), Error> {
        if settled.is_empty() {
            return Ok(());
        }
        let Fates { states, reasons, details, due } = Fates::of(settled.iter().map(|one| &one.fate));
        let ids: Vec<Uuid> = settled.iter().map(|one| one.id.0).collect();
        let fences: Vec<i64> = settled.iter().map(|one| one.fence).collect();
        sqlx::query!(
            r#"with wanted as (
                   select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
                        as t (id, fence, state, reason, detail, due_at)),
               settled as (
                   update perigee.deliveries d
                   set state = w.state, reason = w.reason, detail = w.detail, due_at = w.due_at,
                       ended_at = case when w.due_at is null then $7::timestamptz end
                   from wanted w where d.id = w.id and d.fence = w.fence and d.state = 'pending'
                   returning d.id)
               update perigee.delivery_attempts a set ended_at = $7, outcome = 'cut', detail = 'its sender was lost'
               from settled where a.delivery_id = settled.id and a.ended_at is null"#,
            &ids,
            &fences,
            &states,
            &reasons,
            &details,
            &due as &[Option<Timestamp>],
            now
        )
        .execute(&self.pool)
        .await
        .map_err(Error::writing("deliveries"))?;
        Ok(())
    }

    /// Writes down that an attempt is about to be made, with what it tells, and holds the claim for `lease` from
    /// `now`. With `unless_since`, none is made when the same was sent after that instant.
    ///
    /// # Errors
    /// What the database says. No attempt may be made then.
    pub async fn begin_delivery(
        &self,
        claimed: &ClaimedDelivery,
        told: Told<'_>,
        unless_since: Option<Timestamp>,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Begun, Error> {
        let writing = Error::writing("attempts of deliveries");
        let mut tx = connect::begin(&self.pool).await.map_err(Error::connecting)?;
        if let Some(since) = unless_since {
            // Those that tell the same look at one another's rows, so one at a time.
            sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 7))", &claimed.same)
                .execute(&mut *tx)
                .await
                .map_err(&writing)?;
            let other = sqlx::query!(
                r#"select d.id, case when d.state = 'sent' then d.ended_at end as sent_at
                   from perigee.deliveries d
                   where d.same = $1 and d.id <> $2
                     and (d.state = 'sent' and d.ended_at > $3
                          or d.state = 'pending' and d.due_at > $4
                             and exists (select 1 from perigee.delivery_attempts a
                                         where a.delivery_id = d.id and a.ended_at is null))
                   order by sent_at desc nulls last limit 1"#,
                &claimed.same,
                claimed.id.0,
                since,
                now
            )
            .fetch_optional(&mut *tx)
            .await
            .map_err(&writing)?;
            if let Some(other) = other {
                let begun = other.sent_at.map(|at| Begun::Repeated { by: other.id.into(), at });
                return Ok(begun.unwrap_or(Begun::Busy));
            }
        }
        let attempt = sqlx::query_scalar!(
            r#"with held as (
                   update perigee.deliveries set attempts = attempts + 1, due_at = $3, title = $4, body = $5
                   where id = $1 and fence = $2 and state = 'pending' returning id, attempts),
               cut as (
                   update perigee.delivery_attempts a set ended_at = $6, outcome = 'cut', detail = 'its sender was lost'
                   from held where a.delivery_id = held.id and a.ended_at is null)
               insert into perigee.delivery_attempts (delivery_id, attempt, fence, started_at)
               select id, attempts, $2, $6 from held returning attempt"#,
            claimed.id.0,
            claimed.fence,
            until(now, lease),
            told.title,
            told.body,
            now
        )
        .fetch_optional(&mut *tx)
        .await
        .map_err(&writing)?;
        tx.commit().await.map_err(&writing)?;
        Ok(attempt.map_or(Begun::Lost, |attempt| Begun::Yes { attempt }))
    }

    /// Writes down how an attempt ended. False when the claim had run out: then nothing is written.
    ///
    /// # Errors
    /// What the database says. The attempt counts as cut then, unless this is tried again.
    pub async fn end_delivery(&self, end: &AttemptEnd, now: Timestamp) -> Result<bool, Error> {
        let outcome = match end.outcome {
            Outcome::Sent => "sent",
            Outcome::Failed => "failed",
        };
        let done = sqlx::query!(
            r#"with held as (
                   update perigee.deliveries
                   set state = $4, reason = $5, detail = $6, due_at = $7, late_seconds = $8,
                       ended_at = case when $7::timestamptz is null then $12::timestamptz end
                   where id = $1 and fence = $2 and state = 'pending' returning id)
               update perigee.delivery_attempts a set ended_at = $12, outcome = $9, status = $10, detail = $11
               from held where a.delivery_id = held.id and a.attempt = $3 and a.ended_at is null"#,
            end.id.0,
            end.fence,
            end.attempt,
            end.fate.state.as_str(),
            end.fate.reason,
            end.fate.detail,
            end.fate.due_at,
            end.late_seconds,
            outcome,
            end.status.map(i32::from),
            end.detail,
            now
        )
        .execute(&self.pool)
        .await
        .map_err(Error::writing("attempts of deliveries"))?;
        Ok(done.rows_affected() > 0)
    }

    /// When a delivery is due next; `None` when none is pending.
    ///
    /// # Errors
    /// What the database says.
    pub async fn next_delivery(&self) -> Result<Option<Timestamp>, Error> {
        sqlx::query_scalar!("select min(due_at) from perigee.deliveries where state = 'pending'")
            .fetch_one(&self.pool)
            .await
            .map_err(Error::reading("deliveries"))
    }
}

fn until(now: Timestamp, lease: Duration) -> Timestamp {
    now + chrono::TimeDelta::from_std(lease).unwrap_or(chrono::TimeDelta::MAX)
}
