//! Coverage and freshness, as people and programs read them.

use model::Timestamp;

use super::{Coverage, ScraperStatus, ShardState, ShardStatus};
use crate::{Catalog, Error};

impl Catalog {
    /// Coverage and freshness of everything that is listed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn coverage(&self, now: Timestamp) -> Result<Coverage, Error> {
        let scrapers = sqlx::query_as!(
            ScraperStatus,
            "select name, state, reason, advice, planned_at, due_at from perigee.scrapers order by name"
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("scrapers"))?;
        let shards = sqlx::query!(
            r#"select scraper, account, region, type as kind, state, reason, advice, resources, pages, missing, began_at,
                      ended_at, completed_at, due_at, coalesce(leased_until > $1, false) as "running!"
               from perigee.shards order by scraper, account, region, type"#,
            now
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("shards"))?;
        let shards = shards.into_iter().map(|row| ShardStatus {
            scraper: row.scraper,
            account: row.account,
            region: row.region,
            kind: row.kind,
            state: ShardState::of(&row.state),
            reason: row.reason,
            advice: row.advice,
            resources: row.resources,
            pages: row.pages,
            missing: row.missing,
            began_at: row.began_at,
            ended_at: row.ended_at,
            completed_at: row.completed_at,
            due_at: row.due_at,
            running: row.running,
        });
        Ok(Coverage { scrapers, shards: shards.collect() })
    }
}
