//! What every function does around its own work: a password for the database before, the pump and the schedule after.

use std::time::Duration;

use anyhow::Context;
use catalog::{Catalog, ConnectOptions};
use chrono::TimeDelta;
use model::Timestamp;
use ports::{Bus, Clock, SystemClock, Wake};
use tokio::sync::Mutex;

use crate::{config, pump};

/// A password signed by IAM lets one sign in for a quarter of an hour; it is renewed well before.
const RENEWED_AFTER: TimeDelta = TimeDelta::minutes(10);

/// A function is woken at least so often, so that nothing that a crash left waits for longer.
const SWEEP: TimeDelta = TimeDelta::days(1);

/// How often the catalog's house is kept, and the function that does so.
const HOUSEKEEPING: TimeDelta = TimeDelta::hours(1);
const HOUSEKEEPER: &str = "health";

/// What every function does around its own work.
///
/// | variable | means |
/// |---|---|
/// | `PERIGEE_BUS` | the EventBridge bus of signals; without, they stay in the outbox |
/// | `PERIGEE_SCHEDULES` | the group of EventBridge schedules, one of each function's name; without, nothing wakes it |
/// | `PERIGEE_DATABASE_IAM` | `1` to sign in to the database by IAM, with the user that its address names |
#[derive(Debug)]
pub struct Around {
    function: &'static str,
    catalog: Catalog,
    clock: SystemClock,
    bus: Option<aws::EventBus>,
    schedule: Option<aws::Scheduler>,
    password: Option<Password>,
    kept_house: Mutex<Option<Timestamp>>,
}

/// A password that is signed anew again and again.
#[derive(Debug)]
struct Password {
    signer: aws::Signer,
    host: String,
    port: u16,
    user: String,
    renewed: Mutex<Option<Timestamp>>,
}

impl Around {
    /// From the environment, for the function of this name.
    ///
    /// # Errors
    /// When a variable cannot be understood.
    pub async fn from_env(
        function: &'static str,
        catalog: &Catalog,
        database: &ConnectOptions,
    ) -> anyhow::Result<Self> {
        let ambient = aws::ambient().await;
        let password = match config::flag("PERIGEE_DATABASE_IAM", config::var)? {
            false => None,
            true => Some(Password::of(database, aws::Signer::new(&ambient))?),
        };
        Ok(Self {
            function,
            catalog: catalog.clone(),
            clock: SystemClock,
            bus: config::var("PERIGEE_BUS").map(|name| aws::EventBus::new(&ambient, &name)),
            schedule: config::var("PERIGEE_SCHEDULES").map(|group| aws::Scheduler::new(&ambient, &group)),
            password,
            kept_house: Mutex::default(),
        })
    }

    /// Before an invocation: a password that still holds.
    pub(super) async fn before(&self) -> anyhow::Result<()> {
        match &self.password {
            Some(password) => password.renew(&self.catalog, self.clock.now()).await,
            None => Ok(()),
        }
    }

    /// After an invocation: tells what waits in the outbox, and has the function woken when something is due.
    pub(super) async fn after(&self, due: Option<Timestamp>) -> anyhow::Result<()> {
        if let Some(bus) = &self.bus {
            pump(&self.catalog, bus as &dyn Bus, &self.clock).await?;
        }
        if let Some(schedule) = &self.schedule {
            let sweep = self.clock.now() + SWEEP;
            let due = due.map_or(sweep, |due| due.min(sweep));
            schedule.at(self.function, due).await.context("nothing would wake the function")?;
        }
        if self.function == HOUSEKEEPER {
            self.keep_house().await;
        }
        Ok(())
    }

    /// Makes partitions ahead of time and removes what is old, now and then. Nothing waits for it.
    async fn keep_house(&self) {
        let now = self.clock.now();
        let mut kept = self.kept_house.lock().await;
        if kept.is_some_and(|at| now - at < HOUSEKEEPING) {
            return;
        }
        match self.catalog.maintain(now).await {
            Ok(()) => *kept = Some(now),
            Err(error) => tracing::warn!("Could not keep house: {:#}", anyhow::Error::new(error)),
        }
    }
}

impl Password {
    fn of(database: &ConnectOptions, signer: aws::Signer) -> anyhow::Result<Self> {
        let (host, port, user) =
            database.address().context("PERIGEE_DATABASE_IAM needs an address with a user and a host")?;
        Ok(Self { signer, host, port, user, renewed: Mutex::default() })
    }

    async fn renew(&self, catalog: &Catalog, now: Timestamp) -> anyhow::Result<()> {
        let mut renewed = self.renewed.lock().await;
        if renewed.is_some_and(|at| now - at < RENEWED_AFTER) {
            return Ok(());
        }
        let signed = self.signer.database_password(&self.host, self.port, &self.user).await;
        catalog.renew_password(&signed.context("cannot sign in to the database")?);
        *renewed = Some(now);
        Ok(())
    }
}

/// How long CloudFormation is answered in at most.
pub(super) const PATIENCE: Duration = Duration::from_secs(540);
