//! The server that is measured: what it is, what it may use, and what lies on its disk.

use sqlx::AssertSqlSafe;

use crate::{Catalog, Error};

/// The settings that matter to the figures.
const SETTINGS: [&str; 9] = [
    "shared_buffers",
    "effective_cache_size",
    "work_mem",
    "max_wal_size",
    "wal_level",
    "fsync",
    "synchronous_commit",
    "jit",
    "default_toast_compression",
];

/// What the server says of itself.
#[derive(Debug, Clone)]
pub struct ServerFacts {
    /// Its version.
    pub version: String,
    /// Its settings, as they are shown.
    pub settings: Vec<(&'static str, String)>,
}

impl Catalog {
    /// What the server says of itself.
    ///
    /// # Errors
    /// What the database says.
    pub async fn server_facts(&self) -> Result<ServerFacts, Error> {
        let reading = Error::reading("the settings");
        let version: String = sqlx::query_scalar("select current_setting('server_version')")
            .fetch_one(&self.pool)
            .await
            .map_err(&reading)?;
        let mut settings = Vec::new();
        for name in SETTINGS {
            let value: String = sqlx::query_scalar("select current_setting($1)")
                .bind(name)
                .fetch_one(&self.pool)
                .await
                .map_err(&reading)?;
            settings.push((name, value));
        }
        Ok(ServerFacts { version, settings })
    }

    /// Lets a server that is ours alone use so much memory for pages, from its next start on; the rest of the machine's
    /// is the system's, which keeps files in it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn give_memory(&self, shared_mib: u64) -> Result<(), Error> {
        let shared = shared_mib.clamp(128, 8_192);
        for sql in [
            format!("alter system set shared_buffers = '{shared}MB'"),
            format!("alter system set effective_cache_size = '{}MB'", shared * 6),
        ] {
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&self.pool)
                .await
                .map_err(Error::writing("the settings"))?;
        }
        Ok(())
    }
}
