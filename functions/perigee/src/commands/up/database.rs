//! The database of a local server: started and kept alive when it is ours, waited for when it is somebody else's.

use std::time::Duration;

use anyhow::Context;
use catalog::{Catalog, ConnectOptions};
use embedded::{Postgres, Settings};
use ports::Clock;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use crate::{place::Database, print};

/// How often a private server is looked after, and how soon after a failed start the next is tried.
const LOOK_AFTER: Duration = Duration::from_secs(1);
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// How often a database that does not answer is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// A database in use.
pub(crate) struct Running {
    connection: ConnectOptions,
    description: String,
    keeper: Option<Keeper>,
}

/// The task that owns a private server.
struct Keeper {
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    /// Starts a private server; takes somebody else's as it is.
    pub(crate) async fn start(database: Database) -> anyhow::Result<Self> {
        let settings = match database {
            Database::Given(connection) => {
                let description = format!("{}; logs: here", without_secrets(&connection.url));
                return Ok(Self { connection, description, keeper: None });
            }
            Database::Private(settings) => settings,
        };
        let server = embedded::start(&settings).await?;
        let description = format!("{}; its log: {}", settings.data_dir.display(), server.log().display());
        let connection = Database::private(server.url(embedded::DATABASE));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(keep(server, settings, stopped));
        Ok(Self { connection, description, keeper: Some(Keeper { stop, task }) })
    }

    /// How to reach it.
    pub(crate) fn connection(&self) -> &ConnectOptions {
        &self.connection
    }

    /// Where the data and its log lie, for people.
    pub(crate) fn describe(&self) -> &str {
        &self.description
    }

    /// Brings it to this build's schema. One that does not answer is waited for, as long as it takes.
    pub(crate) async fn migrate(&self, catalog: &Catalog, clock: &dyn Clock) -> anyhow::Result<()> {
        let mut ticks = interval(ASK_AGAIN);
        let mut said = false;
        loop {
            ticks.tick().await;
            match catalog.migrate(clock.now()).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_transient() => {
                    if !said {
                        let error = anyhow::Error::new(error);
                        print::note(&format!(
                            "{error:#}; until it does, requests are answered with 503, and it is asked again every {} seconds",
                            ASK_AGAIN.as_secs()
                        ));
                    }
                    said = true;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Stops a private server; leaves somebody else's alone.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let Some(Keeper { stop, task }) = self.keeper else { return Ok(()) };
        if stop.send(()).is_err() {
            tracing::debug!("The keeper of the database is gone already");
        }
        task.await.context("the keeper of the database failed")?
    }
}

/// Starts the server again whenever it dies, until told to stop.
async fn keep(
    server: Postgres,
    settings: Settings,
    mut stopped: oneshot::Receiver<()>,
) -> anyhow::Result<()> {
    let mut server = Some(server);
    let mut ticks = interval(LOOK_AFTER);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            _ = ticks.tick() => {}
        }
        if server.as_mut().is_some_and(Postgres::is_running) {
            continue;
        }
        // Lets go of the folder, which the next start locks again.
        if let Some(dead) = server.take() {
            tracing::warn!(pid = dead.pid(), "PostgreSQL died; starting it again");
        }
        match embedded::start(&settings).await {
            Ok(started) => server = Some(started),
            Err(error) => {
                tracing::error!("PostgreSQL cannot be started again: {:#}", anyhow::Error::new(error));
                ticks.reset_after(TRY_AGAIN);
            }
        }
    }
    match server {
        Some(server) => Ok(server.stop().await?),
        None => Ok(()),
    }
}

/// An address that may be shown: without user, password and parameters.
fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let rest = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    format!("{scheme}://{rest}")
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn a_shown_address_has_no_password() {
        for (url, shown) in [
            ("postgres://ada:p@ss@192.0.2.1:5432/perigee?password=x", "postgres://192.0.2.1:5432/perigee"),
            ("postgres:///perigee?host=/run/postgresql", "postgres:///perigee"),
            ("postgresql://localhost/perigee#x", "postgresql://localhost/perigee"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }
}
