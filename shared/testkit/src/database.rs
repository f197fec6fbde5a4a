//! A database for one test.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, SystemTime},
};

use embedded::process_exists;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, PgConnection, migrate::Migrator};

use crate::server::{Server, drop_database, execute};

const KEEP_FAILED: Duration = Duration::from_secs(24 * 60 * 60);

/// A database of its own for one test. Dropped with the value; kept, and its address printed, when the test fails.
#[derive(Debug)]
pub struct TestDb {
    name: String,
    url: String,
}

impl TestDb {
    /// An empty database.
    ///
    /// # Panics
    /// When there is no server to make it in.
    pub async fn empty() -> Self {
        let server = Server::get().await;
        Self::make(server, &mut server.connect().await, "template1").await
    }

    /// A copy of a template that `migrate` fills once, through the address it is given. `template` names what
    /// `migrate` makes: [`template_name`] makes a name that changes with the migrations.
    ///
    /// # Panics
    /// When `migrate` fails, or there is no server.
    pub async fn from_template<F, R, E>(template: &str, migrate: F) -> Self
    where
        F: AsyncFnOnce(String) -> Result<R, E>,
        E: Debug,
    {
        let server = Server::get().await;
        let mut db = server.connect().await;
        // Other tests and other processes want the same template; the lock ends with the connection.
        let lock = sqlx::query("select pg_advisory_lock(hashtext($1))").bind(template).execute(&mut db).await;
        lock.unwrap_or_else(|error| panic!("cannot wait for template {template}: {error}"));
        if !exists(&mut db, template).await {
            let building = unique("build");
            execute(&mut db, format!("create database {building}")).await;
            let migrated = migrate(server.url(&building)).await;
            migrated.unwrap_or_else(|error| panic!("cannot make template {template}: {error:?}"));
            disconnect(&mut db, &building).await;
            execute(&mut db, format!("alter database {building} rename to {template}")).await;
        }
        let unlock = sqlx::query("select pg_advisory_unlock_all()").execute(&mut db).await;
        unlock.unwrap_or_else(|error| panic!("cannot let go of template {template}: {error}"));
        Self::make(server, &mut db, template).await
    }

    async fn make(server: &Server, db: &mut PgConnection, template: &str) -> Self {
        let name = unique("t");
        execute(db, format!("create database {name} template {template} strategy file_copy")).await;
        Self { url: server.url(&name), name }
    }

    /// Does something to the database that no crate offers: adds a constraint that refuses, say.
    ///
    /// # Panics
    /// When the database refuses the statement.
    pub async fn execute(&self, statement: &str) {
        let connected = PgConnection::connect(&self.url).await;
        let mut db = connected.unwrap_or_else(|error| panic!("cannot connect to {}: {error}", self.url));
        execute(&mut db, statement.to_owned()).await;
    }

    /// All rows of some tables of schema `perigee`, as JSON.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn dump(&self, tables: &[&str]) -> String {
        let connected = PgConnection::connect(&self.url).await;
        let mut connection =
            connected.unwrap_or_else(|error| panic!("cannot connect to {}: {error}", self.url));
        let mut dump = String::new();
        for table in tables {
            let sql = format!("select coalesce(jsonb_agg(to_jsonb(t)), '[]')::text from perigee.{table} t");
            let rows: String = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(&mut connection)
                .await
                .unwrap_or_else(|error| panic!("{table}: {error}"));
            dump.push_str(&rows);
        }
        dump
    }

    /// The database's address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for TestDb {
    #[expect(clippy::print_stderr, reason = "a test's voice")]
    fn drop(&mut self) {
        let failed = thread::panicking();
        if failed {
            eprintln!("the database of this test is kept for a day: {}", self.url);
        }
        let name = self.name.clone();
        // A thread, because this may run inside a runtime, which cannot be waited for from within.
        let done = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                let mut db = Server::get().await.connect().await;
                if failed {
                    execute(&mut db, format!("comment on database {name} is 'kept: its test failed'")).await;
                } else {
                    drop_database(&mut db, &name).await;
                }
            });
        });
        if done.join().is_err() {
            eprintln!("test database {} could not be dropped", self.name);
        }
    }
}

/// A name for a template that changes when any of the migrations does.
#[must_use]
pub fn template_name(prefix: &str, migrator: &Migrator) -> String {
    let mut hash = Sha256::new();
    for migration in migrator.iter() {
        hash.update(&migration.checksum);
    }
    let mut digest = hex::encode(hash.finalize());
    digest.truncate(16);
    format!("{prefix}_{digest}")
}

async fn exists(db: &mut PgConnection, name: &str) -> bool {
    sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(name)
        .fetch_one(db)
        .await
        .unwrap_or_else(|error| panic!("cannot look for database {name}: {error}"))
}

/// Ends the sessions that `migrate` may have left: a database in use can be neither renamed nor copied.
async fn disconnect(db: &mut PgConnection, name: &str) {
    let done = sqlx::query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1")
        .bind(name)
        .execute(db)
        .await;
    done.unwrap_or_else(|error| panic!("cannot end the sessions of {name}: {error}"));
}

/// `t_<process>_<seconds since 1970>_<number>`.
pub(crate) fn unique(prefix: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}_{}_{}_{number}", std::process::id(), seconds_since_1970())
}

/// Whether nobody will use a database of ours any more.
pub(crate) fn is_left_over(name: &str, kept: bool) -> bool {
    let mut parts = name.split('_').skip(1).map(str::parse::<u64>);
    let (Some(Ok(process)), Some(Ok(made))) = (parts.next(), parts.next()) else { return false };
    let gone = i32::try_from(process).is_ok_and(|process| !process_exists(process));
    let old = seconds_since_1970().saturating_sub(made) > KEEP_FAILED.as_secs();
    if kept { old } else { gone }
}

fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
