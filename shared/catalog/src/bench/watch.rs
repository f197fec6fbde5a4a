//! What is looked at while something else is measured, and a second database for what wants an empty one.

use std::time::Duration;

use sqlx::{AssertSqlSafe, postgres::PgPoolOptions};

use crate::{Catalog, Error};

impl Catalog {
    /// An empty catalog in another database of the same server; what was there is removed.
    ///
    /// # Errors
    /// What the database says: the user may not be allowed to make databases.
    pub async fn beside(&self, database: &str, now: model::Timestamp) -> Result<Self, Error> {
        self.remove_beside(database).await?;
        let sql = format!("create database {database} template template0");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&self.pool)
            .await
            .map_err(Error::writing("another database"))?;
        let options = (*self.pool.connect_options()).clone().database(database);
        let pool = PgPoolOptions::new().max_connections(4).connect_lazy_with(options);
        let catalog = Self { pool };
        catalog.migrate(now).await?;
        Ok(catalog)
    }

    /// Removes that database.
    ///
    /// # Errors
    /// What the database says.
    pub async fn remove_beside(&self, database: &str) -> Result<(), Error> {
        let sql = format!("drop database if exists {database} with (force)");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&self.pool)
            .await
            .map_err(Error::writing("another database"))?;
        Ok(())
    }

    /// How many versions there are, those that turned out to be otherwise too.
    ///
    /// # Errors
    /// What the database says.
    pub async fn versions_stored(&self) -> Result<i64, Error> {
        sqlx::query_scalar(
            "select (select count(*) from perigee.versions_open) + (select count(*) from perigee.versions_closed)",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(Error::reading("versions"))
    }

    /// How long the one that waits longest for a lock has waited by now.
    ///
    /// # Errors
    /// What the database says.
    pub async fn longest_wait(&self) -> Result<Duration, Error> {
        let seconds: f64 = sqlx::query_scalar(
            "select coalesce(extract(epoch from max(clock_timestamp() - waitstart)), 0)::double precision
             from pg_locks where not granted",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(Error::reading("the locks"))?;
        Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }
}
