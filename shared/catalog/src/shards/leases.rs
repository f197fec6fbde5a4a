//! Who plans and lists what, until when.

use std::time::Duration;

use model::{Signal, SignalId, SignalKind, Timestamp};
use serde_json::json;

use super::{ClaimedScraper, ClaimedShard, Ended, Shard};
use crate::{Catalog, Error, connect, outbox};

const SCRAPERS: &str = "scrapers";
const SHARDS: &str = "shards";

fn until(now: Timestamp, lease: Duration) -> Timestamp {
    now + chrono::TimeDelta::from_std(lease).unwrap_or(chrono::TimeDelta::MAX)
}

impl Catalog {
    /// Makes the scrapers' rows those of `scrapers`, names and versions: a new one is due at once, and so is one whose
    /// version is another; one that is not named goes with its shards. What they saw stays.
    ///
    /// # Errors
    /// What the database says.
    pub async fn keep_scrapers(&self, scrapers: &[(String, String)], now: Timestamp) -> Result<(), Error> {
        let (names, versions): (Vec<String>, Vec<String>) = scrapers.iter().cloned().unzip();
        let mut tx = connect::begin(&self.pool).await.map_err(Error::connecting)?;
        sqlx::query!("delete from perigee.scrapers where not name = any ($1)", &names)
            .execute(&mut *tx)
            .await
            .map_err(Error::writing(SCRAPERS))?;
        sqlx::query!(
            "insert into perigee.scrapers as s (name, version, due_at)
             select name, version, $3 from unnest($1::text[], $2::text[]) n (name, version) order by name
             on conflict (name) do update set version = excluded.version, due_at = excluded.due_at
             where s.version <> excluded.version",
            &names,
            &versions,
            now
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing(SCRAPERS))?;
        tx.commit().await.map_err(Error::writing(SCRAPERS))
    }

    /// Makes a scraper (all of them without a name) due at once, with all its shards once they are planned.
    /// `accept_deletions` lets those listings delete whatever they do not have. Answers with the scrapers' names.
    ///
    /// # Errors
    /// What the database says.
    pub async fn scrape_now(
        &self,
        name: Option<&str>,
        accept_deletions: bool,
        now: Timestamp,
    ) -> Result<Vec<String>, Error> {
        let mut tx = connect::begin(&self.pool).await.map_err(Error::writing(SCRAPERS))?;
        let names = sqlx::query_scalar!(
            r#"update perigee.scrapers set due_at = $2, accept_deletions = accept_deletions or $3
               where $1::text is null or name = $1 returning name"#,
            name,
            now,
            accept_deletions
        )
        .fetch_all(&mut *tx)
        .await
        .map_err(Error::writing(SCRAPERS))?;
        let asked = |name: &String| {
            let id = SignalId::of("scrape", &[name, &now.timestamp_micros().to_string()]);
            let payload = json!({"scraper": name, "accept_deletions": accept_deletions});
            Signal { id, kind: SignalKind::ScrapeRequested, subject: id.into(), occurred_at: now, payload }
        };
        let signals: Vec<Signal> = names.iter().map(asked).collect();
        outbox::put(&mut tx, &signals, now).await?;
        tx.commit().await.map_err(Error::writing(SCRAPERS))?;
        Ok(names)
    }

    /// Claims a scraper that is due for planning.
    ///
    /// # Errors
    /// What the database says.
    pub async fn claim_scraper(
        &self,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<ClaimedScraper>, Error> {
        sqlx::query_as!(
            ClaimedScraper,
            r#"update perigee.scrapers s set leased_until = $2, fence = s.fence + 1
               from (select name from perigee.scrapers
                     where due_at <= $1 and (leased_until is null or leased_until <= $1)
                     order by due_at, name limit 1 for update skip locked) due
               where s.name = due.name
               returning s.name, s.fence, s.failures, s.accept_deletions"#,
            now,
            until(now, lease)
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(Error::writing(SCRAPERS))
    }

    /// Stores a planning's shards, all due at once; those of before that it does not have go. False when the claim
    /// was lost in the meantime: then nothing is stored.
    ///
    /// # Errors
    /// What the database says.
    pub async fn plan_shards(
        &self,
        claimed: &ClaimedScraper,
        shards: &[Shard],
        next_due: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let mut tx = connect::begin(&self.pool).await.map_err(Error::connecting)?;
        let ours = sqlx::query!(
            r#"update perigee.scrapers
               set state = 'planned', reason = '', advice = '', failures = 0, accept_deletions = false,
                   planned_at = $3, due_at = $4, leased_until = null
               where name = $1 and fence = $2"#,
            claimed.name,
            claimed.fence,
            now,
            next_due
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing(SCRAPERS))?;
        if ours.rows_affected() == 0 {
            return Ok(false);
        }
        let accounts: Vec<String> = shards.iter().map(|shard| shard.account.clone()).collect();
        let regions: Vec<String> = shards.iter().map(|shard| shard.region.clone()).collect();
        let kinds: Vec<String> = shards.iter().map(|shard| shard.kind.clone()).collect();
        let specs: Vec<_> = shards.iter().map(|shard| shard.spec.clone()).collect();
        sqlx::query!(
            r#"delete from perigee.shards s where s.scraper = $1
               and not exists (select 1 from unnest($2::text[], $3::text[], $4::text[]) p (account, region, type)
                               where p.account = s.account and p.region = s.region and p.type = s.type)"#,
            claimed.name,
            &accounts,
            &regions,
            &kinds
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing(SHARDS))?;
        sqlx::query!(
            r#"insert into perigee.shards as s (scraper, account, region, type, spec, due_at, accept_deletions)
               select $1, account, region, type, spec, $6, $7
               from unnest($2::text[], $3::text[], $4::text[], $5::jsonb[]) p (account, region, type, spec)
               order by account, region, type
               on conflict (scraper, account, region, type) do update
               set spec = excluded.spec, due_at = excluded.due_at,
                   accept_deletions = s.accept_deletions or excluded.accept_deletions"#,
            claimed.name,
            &accounts,
            &regions,
            &kinds,
            &specs,
            now,
            claimed.accept_deletions
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing(SHARDS))?;
        tx.commit().await.map_err(Error::writing(SHARDS))?;
        Ok(true)
    }

    /// Says that a planning failed, and when it is tried again. The shards of before stay as they are.
    ///
    /// # Errors
    /// What the database says.
    pub async fn planning_failed(
        &self,
        claimed: &ClaimedScraper,
        reason: &str,
        advice: &str,
        again_at: Timestamp,
    ) -> Result<(), Error> {
        sqlx::query!(
            r#"update perigee.scrapers
               set state = 'failed', reason = $3, advice = $4, failures = failures + 1, due_at = $5, leased_until = null
               where name = $1 and fence = $2"#,
            claimed.name,
            claimed.fence,
            reason,
            advice,
            again_at
        )
        .execute(&self.pool)
        .await
        .map_err(Error::writing(SCRAPERS))?;
        Ok(())
    }

    /// Claims a shard that is due for listing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn claim_shard(&self, now: Timestamp, lease: Duration) -> Result<Option<ClaimedShard>, Error> {
        let row = sqlx::query!(
            r#"update perigee.shards s set leased_until = $2, fence = s.fence + 1
               from (select scraper, account, region, type from perigee.shards
                     where due_at <= $1 and (leased_until is null or leased_until <= $1)
                     order by due_at, scraper, account, region, type limit 1 for update skip locked) due
               where s.scraper = due.scraper and s.account = due.account and s.region = due.region and s.type = due.type
               returning s.scraper, s.account, s.region, s.type as kind, s.spec, s.fence, s.failures, s.accept_deletions"#,
            now,
            until(now, lease)
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(Error::writing(SHARDS))?;
        Ok(row.map(|row| ClaimedShard {
            shard: Shard {
                scraper: row.scraper,
                account: row.account,
                region: row.region,
                kind: row.kind,
                spec: row.spec,
            },
            fence: row.fence,
            failures: row.failures,
            accept_deletions: row.accept_deletions,
        }))
    }

    /// Claims one shard by its name, due or not. `None` when there is no such shard, or somebody is listing it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn claim_shard_named(
        &self,
        scraper: &str,
        account: &str,
        region: &str,
        kind: &str,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<ClaimedShard>, Error> {
        let row = sqlx::query!(
            r#"update perigee.shards s set leased_until = $6, fence = s.fence + 1
               where s.scraper = $1 and s.account = $2 and s.region = $3 and s.type = $4
                 and (s.leased_until is null or s.leased_until <= $5)
               returning s.spec, s.fence, s.failures, s.accept_deletions"#,
            scraper,
            account,
            region,
            kind,
            now,
            until(now, lease)
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(Error::writing(SHARDS))?;
        Ok(row.map(|row| ClaimedShard {
            shard: Shard {
                scraper: scraper.to_owned(),
                account: account.to_owned(),
                region: region.to_owned(),
                kind: kind.to_owned(),
                spec: row.spec,
            },
            fence: row.fence,
            failures: row.failures,
            accept_deletions: row.accept_deletions,
        }))
    }

    /// Prolongs a claim. False when it was lost: then whoever has it now does the work.
    ///
    /// # Errors
    /// What the database says.
    pub async fn renew_shard(
        &self,
        claimed: &ClaimedShard,
        now: Timestamp,
        lease: Duration,
    ) -> Result<bool, Error> {
        let Shard { scraper, account, region, kind, spec: _ } = &claimed.shard;
        let renewed = sqlx::query!(
            r#"update perigee.shards set leased_until = $6
               where scraper = $1 and account = $2 and region = $3 and type = $4 and fence = $5"#,
            scraper,
            account,
            region,
            kind,
            claimed.fence,
            until(now, lease)
        )
        .execute(&self.pool)
        .await
        .map_err(Error::writing(SHARDS))?;
        Ok(renewed.rows_affected() == 1)
    }

    /// Stores how a listing ended and gives the shard back. What was planned after it began stays due. False when the
    /// claim was lost: then nothing is stored.
    ///
    /// # Errors
    /// What the database says.
    pub async fn end_shard(
        &self,
        claimed: &ClaimedShard,
        ended: &Ended,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let Shard { scraper, account, region, kind, spec: _ } = &claimed.shard;
        let stored = sqlx::query!(
            r#"update perigee.shards
               set state = $6, reason = $7, advice = $8, resources = $9, pages = $10, missing = $11, began_at = $12,
                   ended_at = $13, leased_until = null,
                   due_at = case when due_at > $12 then due_at else $14 end,
                   completed_at = case when $6 = 'complete' then $12 else completed_at end,
                   failures = case when $14::timestamptz is null then 0 else failures + 1 end,
                   accept_deletions = accept_deletions and ($14::timestamptz is not null or coalesce(due_at > $12, false))
               where scraper = $1 and account = $2 and region = $3 and type = $4 and fence = $5"#,
            scraper,
            account,
            region,
            kind,
            claimed.fence,
            ended.state.as_str(),
            ended.reason,
            ended.advice,
            ended.resources,
            ended.pages,
            ended.missing,
            ended.began_at,
            now,
            ended.again_at
        )
        .execute(&self.pool)
        .await
        .map_err(Error::writing(SHARDS))?;
        Ok(stored.rows_affected() == 1)
    }

    /// When something is to be planned or listed next, or is listed by somebody who may die over it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn scrape_due(&self) -> Result<Option<Timestamp>, Error> {
        sqlx::query_scalar!(
            r#"select min(due) from (
                   select greatest(due_at, leased_until) as due from perigee.scrapers
                   union all
                   select greatest(due_at, leased_until) from perigee.shards where due_at is not null) everything"#
        )
        .fetch_one(&self.pool)
        .await
        .map_err(Error::reading(SHARDS))
    }
}
