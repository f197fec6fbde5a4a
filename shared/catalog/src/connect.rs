//! The pool, the migrations, and whether the database is one of ours.

use std::{str::FromStr, time::Duration};

use chrono::Datelike;
use model::Timestamp;
use sqlx::{
    PgPool, Postgres, Transaction,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::Error;

#[cfg(test)]
mod tests;

/// Where the applied migrations are listed.
const MIGRATIONS_TABLE: &str = "perigee.migrations";

/// How many months of history get partitions of their own when a database is made; what is older shares one.
const MONTHS_BACK: u32 = 3;

/// How many months ahead partitions are made.
const MONTHS_AHEAD: i32 = 3;

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The address: `postgres://...` or, for a Unix socket, `postgres:///db?host=/dir`.
    pub url: String,
    /// How many connections at most.
    pub max_connections: u32,
    /// True behind a pooler that cannot keep prepared statements (`PERIGEE_DB_POOLER=1`).
    pub pooler: bool,
}

impl ConnectOptions {
    /// The host, the port and the user that the address names, or `None` where it cannot be read.
    #[must_use]
    pub fn address(&self) -> Option<(String, u16, String)> {
        let connect = PgConnectOptions::from_str(&self.url).ok()?;
        Some((connect.get_host().to_owned(), connect.get_port(), connect.get_username().to_owned()))
    }
}

pub(crate) fn pool(options: &ConnectOptions, role: Option<&str>) -> Result<PgPool, Error> {
    let mut connect = PgConnectOptions::from_str(&options.url).map_err(Error::Address)?;
    if let Some(role) = role {
        connect = connect.options([("role", role)]);
    }
    if options.pooler {
        connect = connect.statement_cache_capacity(0);
    }
    Ok(PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(Duration::from_secs(5))
        .connect_lazy_with(connect.application_name("perigee")))
}

/// Begins a transaction. All of the catalog's begin here.
///
/// Callers may be dropped at any await, and one that is dropped while `BEGIN` is under way would leave the connection
/// in a transaction that nobody ends: the pool hands it on, and what the next ones write holds its locks and is never
/// committed (sqlx 0.9.0, <https://github.com/transact-rs/sqlx/issues/4393>). So the transaction begins in a task of its
/// own, which goes on when its caller is gone, and then ends what it began.
pub(crate) async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    match tokio::spawn(async move { pool.begin().await }).await {
        Ok(begun) => begun,
        Err(lost) => Err(sqlx::Error::Io(std::io::Error::other(lost))),
    }
}

/// The migrations of this build. For tests, which name their template databases after them.
#[must_use]
pub fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("../../migrations");
    migrator.dangerous_set_table_name(MIGRATIONS_TABLE);
    // sqlx locks with a session advisory lock, which a pooler may hand to somebody else; ours is a row.
    migrator.set_locking(false);
    migrator
}

/// The newest schema version this build knows.
pub(crate) fn known_version() -> i64 {
    migrator().iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// The schema version of the database: `None` when there is no catalog yet.
async fn found_version(pool: &PgPool) -> Result<Option<i64>, Error> {
    // One statement, so that another process that is migrating is seen either before or after it began.
    let found = sqlx::query!(
        r#"select to_regclass('perigee.migrations') is not null as "ours!",
                  exists (select 1 from pg_tables
                          where schemaname = 'perigee' and tablename <> 'migration_lock') as "tables!""#
    )
    .fetch_one(pool)
    .await
    .map_err(Error::reading("the schema"))?;
    match (found.ours, found.tables) {
        (true, _) => sqlx::query_scalar!("select max(version) from perigee.migrations")
            .fetch_one(pool)
            .await
            .map_err(Error::reading("the schema version")),
        (false, true) => Err(Error::ForeignTables),
        (false, false) => Ok(None),
    }
}

pub(crate) async fn check(pool: &PgPool) -> Result<(), Error> {
    let known = known_version();
    match found_version(pool).await? {
        None => Err(Error::NotMigrated),
        Some(found) if found > known => Err(Error::NewerSchema { found, known }),
        Some(found) if found < known => Err(Error::NotMigrated),
        Some(_) => Ok(()),
    }
}

pub(crate) async fn migrate(pool: &PgPool, now: Timestamp) -> Result<(), Error> {
    let known = known_version();
    if let Some(found) = found_version(pool).await?.filter(|found| *found > known) {
        return Err(Error::NewerSchema { found, known });
    }
    prepare_schema(pool).await?;
    // The lock is held by a transaction of its own while another connection migrates.
    let mut lock = begin(pool).await.map_err(Error::connecting)?;
    sqlx::query!("select holder from perigee.migration_lock for update")
        .fetch_all(&mut *lock)
        .await
        .map_err(Error::writing("the migration lock"))?;
    migrator().run(pool).await.map_err(Error::Migrate)?;
    lock.commit().await.map_err(Error::writing("the migration lock"))?;
    make_partitions(pool, now, MONTHS_BACK).await
}

/// Makes the schema and the lock row. Two processes may do this at once; one of them then finds both there.
async fn prepare_schema(pool: &PgPool) -> Result<(), Error> {
    let prepared = async {
        let mut tx = begin(pool).await?;
        sqlx::query!("create schema if not exists perigee").execute(&mut *tx).await?;
        sqlx::query!("create table if not exists perigee.migration_lock (holder boolean primary key)")
            .execute(&mut *tx)
            .await?;
        sqlx::query!("insert into perigee.migration_lock values (true) on conflict do nothing")
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    };
    match prepared.await {
        // unique_violation or duplicate_object: the other process made it between our look and our doing
        Err(sqlx::Error::Database(error))
            if error.code().is_some_and(|c| c == "23505" || c == "42P06" || c == "42P07") =>
        {
            Ok(())
        }
        Err(source) => Err(Error::writing("the schema")(source)),
        Ok(()) => Ok(()),
    }
}

/// Makes the monthly partitions around `now`, from some months back on. Maintenance calls this; `record` never does.
/// Months that retention dropped are not to come back, so that maintenance makes none of the past.
pub(crate) async fn make_partitions(pool: &PgPool, now: Timestamp, months_back: u32) -> Result<(), Error> {
    let today = now.date_naive();
    let first = today
        .checked_sub_months(chrono::Months::new(months_back))
        .unwrap_or(today)
        .with_day(1)
        .unwrap_or(today);
    sqlx::query_scalar!(
        "select perigee.make_partitions($1, $2)",
        first,
        i32::try_from(months_back).unwrap_or(0) + 1 + MONTHS_AHEAD,
    )
    .fetch_one(pool)
    .await
    .map_err(Error::writing("partitions"))?;
    Ok(())
}

/// The role that owns the catalog where functions sign in by IAM.
pub(crate) const OWNER: &str = "perigee";

/// Makes that role, and lets whoever asks act as it.
pub(crate) async fn make_owner(pool: &PgPool) -> Result<(), Error> {
    sqlx::raw_sql(include_str!("../queries/owner.sql"))
        .execute(pool)
        .await
        .map_err(Error::writing("the role that owns the catalog"))?;
    Ok(())
}

/// Signs in with another password from now on; connections that are open stay.
pub(crate) fn renew_password(pool: &PgPool, password: &str) {
    let options = PgConnectOptions::clone(&pool.connect_options());
    pool.set_connect_options(options.password(password));
}

pub(crate) async fn reset(pool: &PgPool) -> Result<(), Error> {
    sqlx::query!(
        "truncate perigee.ledger, perigee.resources, perigee.documents, perigee.versions_open, perigee.versions_closed,
                  perigee.sightings, perigee.edges_open, perigee.edges_closed, perigee.aliases, perigee.changes,
                  perigee.change_resources, perigee.findings, perigee.finding_statements, perigee.listings,
                  perigee.listing_pages, perigee.page_sets, perigee.shown_closed, perigee.resource_tags,
                  perigee.health_closed, perigee.count_log, perigee.count_days, perigee.outbox, perigee.rejected, perigee.source_status,
                  perigee.count_deltas, perigee.counts, perigee.health, perigee.health_transitions, perigee.checks,
                  perigee.check_results, perigee.marks, perigee.deliveries,
                  perigee.delivery_attempts, perigee.runs, perigee.run_specs, perigee.run_steps, perigee.run_attempts,
                  perigee.step_output, perigee.playbook_schedules, perigee.scrapers, perigee.shards,
                  perigee.documents_loose, perigee.hold_resources, perigee.retention_walks, perigee.horizons"
    )
    .execute(pool)
    .await
    .map_err(Error::writing("the catalog"))?;
    Ok(())
}
