//! Signals that are yet to be told.
//!
//! They are written in the transaction that made them true, claimed by a pump for a while, told, and marked. A pump
//! that dies leaves its claim to run out, and they are told again: at least once, never not at all.

use std::time::Duration;

use model::{Signal, SignalId, SignalKind, Timestamp};
use sqlx::PgConnection;

use crate::{Catalog, Error};

/// How long signals that were told are kept for people to look at.
const KEPT_AFTER_TELLING: chrono::TimeDelta = chrono::TimeDelta::hours(6);
/// Signals that nobody was told in this time are removed: whoever comes later acts on none so old.
const KEPT: chrono::TimeDelta = chrono::TimeDelta::days(7);

/// A signal that a pump has claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The signal.
    pub signal: Signal,
    /// When it was written.
    pub recorded_at: Timestamp,
}

/// What waits to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// How many signals.
    pub signals: i64,
    /// When the oldest of them was written.
    pub oldest: Option<Timestamp>,
}

/// Puts signals into the outbox, each once, as part of what made them true.
pub(crate) async fn put(
    connection: &mut PgConnection,
    signals: &[Signal],
    now: Timestamp,
) -> Result<(), Error> {
    if signals.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = signals.iter().map(|signal| signal.id.0).collect();
    let kinds: Vec<_> = signals.iter().map(|signal| signal.kind.as_str().to_owned()).collect();
    let subjects: Vec<_> = signals.iter().map(|signal| signal.subject).collect();
    let times: Vec<_> = signals.iter().map(|signal| signal.occurred_at).collect();
    let payloads: Vec<_> = signals.iter().map(|signal| signal.payload.clone()).collect();
    sqlx::query!(
        r#"insert into perigee.outbox (id, kind, subject, occurred_at, payload, recorded_at)
           select id, kind, subject, occurred_at, payload, $6
           from unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::jsonb[])
                as t (id, kind, subject, occurred_at, payload)
           order by id
           on conflict (id) do nothing"#,
        &ids,
        &kinds,
        &subjects,
        &times,
        &payloads,
        now
    )
    .execute(connection)
    .await
    .map_err(Error::writing("the outbox"))?;
    Ok(())
}

impl Catalog {
    /// Claims up to `limit` signals that wait, the oldest first, for `lease` from `now`. Pumps that claim at once get
    /// different ones.
    ///
    /// # Errors
    /// What the database says.
    pub async fn claim_signals(
        &self,
        limit: u32,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Vec<Claimed>, Error> {
        let until = now + chrono::TimeDelta::from_std(lease).unwrap_or(chrono::TimeDelta::MAX);
        let rows = sqlx::query!(
            r#"with claimed as (
                   update perigee.outbox o set claimed_until = $3
                   from (select id from perigee.outbox
                         where sent_at is null and (claimed_until is null or claimed_until <= $2)
                         order by recorded_at, id limit $1 for update skip locked) waiting
                   where o.id = waiting.id
                   returning o.id, o.kind, o.subject, o.occurred_at, o.payload, o.recorded_at)
               select id, kind, subject, occurred_at, payload, recorded_at from claimed order by recorded_at, id"#,
            i64::from(limit),
            now,
            until
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::writing("the outbox"))?;
        let claimed = rows.into_iter().map(|row| Claimed {
            signal: Signal {
                id: row.id.into(),
                kind: SignalKind::from(row.kind),
                subject: row.subject,
                occurred_at: row.occurred_at,
                payload: row.payload,
            },
            recorded_at: row.recorded_at,
        });
        Ok(claimed.collect())
    }

    /// Marks signals as told.
    ///
    /// # Errors
    /// What the database says.
    pub async fn signals_told(&self, ids: &[SignalId], now: Timestamp) -> Result<(), Error> {
        let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
        sqlx::query!("update perigee.outbox set sent_at = $2 where id = any ($1)", &ids, now)
            .execute(&self.pool)
            .await
            .map_err(Error::writing("the outbox"))?;
        Ok(())
    }

    /// What waits to be told, claimed or not.
    ///
    /// # Errors
    /// What the database says.
    pub async fn signals_waiting(&self) -> Result<Waiting, Error> {
        sqlx::query_as!(
            Waiting,
            r#"select count(*) as "signals!", min(recorded_at) as oldest from perigee.outbox where sent_at is null"#
        )
        .fetch_one(&self.pool)
        .await
        .map_err(Error::reading("the outbox"))
    }
}

/// Removes signals that were told a while ago, and those that nobody was told in a week.
pub(crate) async fn prune(pool: &sqlx::PgPool, now: Timestamp) -> Result<(), Error> {
    sqlx::query!(
        "delete from perigee.outbox where sent_at < $1 or recorded_at < $2",
        now - KEPT_AFTER_TELLING,
        now - KEPT
    )
    .execute(pool)
    .await
    .map_err(Error::writing("the outbox"))?;
    Ok(())
}

#[cfg(test)]
mod tests;
