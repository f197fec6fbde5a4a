//! When the schedules of playbooks fire.

use model::Timestamp;

use crate::{Catalog, Error, connect};

/// A schedule of a playbook, and when it fires next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The playbook.
    pub playbook: String,
    /// Its place among the schedules of the playbook, from 0.
    pub position: i32,
    /// When, as it was written.
    pub every: String,
    /// When it fires next.
    pub next_at: Timestamp,
}

impl Catalog {
    /// Makes the schedules those that are given: an instant that is known already stays, unless the schedule reads
    /// otherwise now; those that are not given are removed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn set_playbook_schedules(&self, schedules: &[Schedule]) -> Result<(), Error> {
        let playbooks: Vec<String> = schedules.iter().map(|s| s.playbook.clone()).collect();
        let positions: Vec<i32> = schedules.iter().map(|s| s.position).collect();
        let every: Vec<String> = schedules.iter().map(|s| s.every.clone()).collect();
        let next: Vec<Timestamp> = schedules.iter().map(|s| s.next_at).collect();
        let mut tx = connect::begin(&self.pool).await.map_err(Error::writing("schedules"))?;
        sqlx::query!(
            "delete from perigee.playbook_schedules
             where (playbook, position) not in (select * from unnest($1::text[], $2::integer[]))",
            &playbooks,
            &positions
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("schedules"))?;
        sqlx::query!(
            "insert into perigee.playbook_schedules as s (playbook, position, every, next_at)
             select * from unnest($1::text[], $2::integer[], $3::text[], $4::timestamptz[])
             on conflict (playbook, position) do update set every = excluded.every, next_at = excluded.next_at
             where s.every <> excluded.every",
            &playbooks,
            &positions,
            &every,
            &next
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("schedules"))?;
        tx.commit().await.map_err(Error::writing("schedules"))
    }

    /// The schedules that are due, at most `limit`, and when the next one after those fires.
    ///
    /// # Errors
    /// What the database says.
    pub async fn playbook_schedules_due(
        &self,
        now: Timestamp,
        limit: i64,
    ) -> Result<(Vec<Schedule>, Option<Timestamp>), Error> {
        let mut found = sqlx::query_as!(
            Schedule,
            "select playbook, position, every, next_at from perigee.playbook_schedules
             order by next_at, playbook, position limit $1",
            limit.saturating_add(1)
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("schedules"))?;
        let next = found.iter().find(|schedule| schedule.next_at > now).map(|schedule| schedule.next_at);
        found.retain(|schedule| schedule.next_at <= now);
        Ok((found, next))
    }

    /// Moves a schedule on from the instant that was dealt with. Does nothing when another copy has moved it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn move_playbook_schedule(&self, schedule: &Schedule, next: Timestamp) -> Result<(), Error> {
        sqlx::query!(
            "update perigee.playbook_schedules set next_at = $4
             where playbook = $1 and position = $2 and next_at = $3",
            schedule.playbook,
            schedule.position,
            schedule.next_at,
            next
        )
        .execute(&self.pool)
        .await
        .map_err(Error::writing("schedules"))?;
        Ok(())
    }
}
