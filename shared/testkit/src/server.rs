//! The server that holds the test databases.
//!
//! One per user and machine, in the temporary folder, started by the first test that needs it and adopted by every
//! later run. It is left running, idle, because starting costs a second and a template of migrated tables is kept in
//! it. To be rid of it: `kill -INT $(head -1 /tmp/perigee-tests-$UID/postgres/postmaster.pid)`, and remove the folder.

use std::{env, fs, path::Path};

use embedded::{Postgres, Settings};
use nix::unistd::Uid;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::OnceCell;

/// Where the test databases are made.
#[derive(Debug)]
pub(crate) struct Server {
    url: String,
}

impl Server {
    /// The server of this process: `TEST_DATABASE_URL`, or one of our own.
    pub(crate) async fn get() -> &'static Self {
        static SERVER: OnceCell<Server> = OnceCell::const_new();
        SERVER.get_or_init(Self::find).await
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where tests look for their server")]
    async fn find() -> Self {
        if let Ok(url) = env::var("TEST_DATABASE_URL") {
            return Self { url };
        }
        let folder = env::temp_dir().join(format!("perigee-tests-{}", Uid::effective()));
        let settings = Settings::for_tests(&folder);
        let started = match embedded::start(&settings).await {
            Ok(started) => started,
            Err(error) => start_anew(&settings, &folder, &error).await,
        };
        let server = Self { url: started.url("postgres") };
        server.sweep().await;
        server
    }

    /// The address of one of the databases.
    pub(crate) fn url(&self, database: &str) -> String {
        let (before, after) = self
            .url
            .split_once('?')
            .map_or((&*self.url, String::new()), |(before, after)| (before, format!("?{after}")));
        // After the scheme and the host: `postgres://user@host/database`.
        let (server, _) = before.rsplit_once('/').unwrap_or((before, ""));
        format!("{server}/{database}{after}")
    }

    /// A connection for making and dropping databases.
    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url)
            .await
            .unwrap_or_else(|error| panic!("cannot reach {}: {error}", self.url))
    }

    /// Drops what test processes that were killed left behind. Databases of failed tests are kept for a day.
    async fn sweep(&self) {
        let mut db = self.connect().await;
        let found: Vec<(String, bool)> = sqlx::query_as(
            "select datname, shobj_description(oid, 'pg_database') is not null from pg_database \
             where datname like 't\\_%' or datname like 'build\\_%'",
        )
        .fetch_all(&mut db)
        .await
        .unwrap_or_else(|error| panic!("cannot list the test databases: {error}"));
        for (name, kept) in found {
            if crate::database::is_left_over(&name, kept) {
                drop_database(&mut db, &name).await;
            }
        }
    }
}

/// A server that forgets at a power cut may not start after one. It holds nothing of worth, so it is made anew.
#[expect(clippy::print_stderr, reason = "a test's voice")]
async fn start_anew(settings: &Settings, folder: &Path, error: &embedded::Error) -> Postgres {
    eprintln!("the test server does not start ({error}); making it anew");
    drop(fs::remove_dir_all(folder.join("postgres")));
    embedded::start(settings).await.unwrap_or_else(|error| panic!("no server for the tests: {error}"))
}

/// Drops a database, whoever is connected. Names are our own: letters, digits and underscores.
pub(crate) async fn drop_database(db: &mut PgConnection, name: &str) {
    execute(db, format!("drop database if exists {name} with (force)")).await;
}

/// Runs a statement that takes no parameters, as those that make and drop databases do not.
pub(crate) async fn execute(db: &mut PgConnection, sql: String) {
    let done = sqlx::query(AssertSqlSafe(sql.clone())).execute(db).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}
