//! The functions, in one process: what EventBridge, its queues and schedules are on AWS, tasks and a channel are here.
//!
//! The pump hands signals from the outbox to [`Channel`], which is the bus: every function that listens gets them, and
//! its [`Bell`] is rung. Each function's [`attend`]ants do what is due, and sleep until the next is due or the bell
//! rings. All of it may be cut at any instant: what was begun is in the catalog.

use std::{fmt, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use anyhow::Context;
use async_trait::async_trait;
use catalog::Catalog;
use futures_util::{FutureExt, future::BoxFuture};
use health::Health;
use model::{Signal, SignalId, Timestamp};
use notify::Notify;
use playbook::Playbooks;
use ports::{Bus, BusError, Clock, Http, Secrets};
use scrape::Scrape;
use tokio::{sync::Notify as Bell, task::JoinSet, time::timeout};

/// How often the outbox is looked at: other processes write to it too.
const PUMP_EVERY: Duration = Duration::from_millis(200);
/// How long an attendant sleeps at most: other processes make work too.
const SLEEP: Duration = Duration::from_secs(5);
/// How long after an error before the next attempt.
const AFTER_ERROR: Duration = Duration::from_secs(2);
/// How many runs, and how many rounds of deliveries, are worked on at once.
const WORKERS: usize = 4;

/// What the functions need from outside.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) catalog: Catalog,
    pub(super) http: Arc<dyn Http>,
    pub(super) secrets: Arc<dyn Secrets>,
    pub(super) clock: Arc<dyn Clock>,
    /// Where this server's pages are, for links in notifications.
    pub(super) address: String,
    /// Principals of ours beside those that Perigee knows: what they do starts no run.
    pub(super) principals: Vec<String>,
}

/// The functions of this process.
#[derive(Clone)]
pub(super) struct Functions {
    health: Arc<Health>,
    playbooks: Arc<Playbooks>,
    notify: Arc<Notify>,
    scrape: Arc<Scrape>,
}

impl Functions {
    /// The functions over one world.
    pub(super) fn new(world: &World, scrape: Scrape) -> Self {
        let World { catalog, http, secrets, clock, address, principals } = world.clone();
        Self {
            health: Arc::new(Health {
                catalog: catalog.clone(),
                http: Arc::clone(&http),
                secrets: Arc::clone(&secrets),
                clock: Arc::clone(&clock),
                cache: Arc::default(),
            }),
            playbooks: Arc::new(Playbooks {
                catalog: catalog.clone(),
                http: Arc::clone(&http),
                secrets: Arc::clone(&secrets),
                clock: Arc::clone(&clock),
                worker: format!("perigee-up-{}", std::process::id()),
                principals,
                library: Arc::default(),
            }),
            notify: Arc::new(Notify::new(catalog, http, secrets, clock, Some(address))),
            scrape: Arc::new(scrape),
        }
    }
}

/// The bus of one process.
struct Channel {
    functions: Functions,
    bells: Vec<Arc<Bell>>,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}

#[async_trait]
impl Bus for Channel {
    /// All of them or none: who listens acts once on a signal that comes twice.
    async fn publish(&self, signals: &[Signal]) -> Result<Vec<SignalId>, BusError> {
        let Functions { health, playbooks, notify, .. } = &self.functions;
        let told = tokio::join!(health.signals(signals), playbooks.signals(signals), notify.signals(signals));
        self.bells.iter().for_each(|bell| bell.notify_one());
        told.0.map_err(|error| refused("health", error))?;
        told.1.map_err(|error| refused("playbook", error))?;
        told.2.map_err(|error| refused("notify", error))?;
        Ok(signals.iter().map(|signal| signal.id).collect())
    }
}

fn refused(function: &str, error: impl std::error::Error + Send + Sync + 'static) -> BusError {
    BusError { doing: format!("hand signals to {function}"), source: Box::new(error) }
}

/// Runs the functions until it is dropped.
pub(super) async fn run(world: &World, functions: Functions) {
    let mut tasks = JoinSet::new();
    let mut bells = Vec::new();
    let mut attend = |name: &'static str, workers: usize, tick: Tick| {
        for _ in 0..workers {
            let bell = Arc::new(Bell::new());
            bells.push(Arc::clone(&bell));
            tasks.spawn(attendant(name, bell, Arc::clone(&world.clock), Arc::clone(&tick)));
        }
    };
    attend("health", 1, tick(&functions.health, |health| async move { Ok(health.tick().await?) }));
    attend("playbook", WORKERS, tick(&functions.playbooks, |books| async move { Ok(books.tick().await?) }));
    attend("notify", WORKERS, tick(&functions.notify, |notify| async move { Ok(notify.tick().await?) }));
    attend("scrape", 1, tick(&functions.scrape, |scrape| async move { Ok(scrape.tick().await?) }));
    tasks.spawn(pump(world.clone(), Channel { functions, bells }));
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!("A function's task ended, which it never should: {error}");
        }
    }
}

type Tick = Arc<dyn Fn() -> BoxFuture<'static, anyhow::Result<Option<Timestamp>>> + Send + Sync>;

fn tick<F, D>(function: &Arc<F>, due: impl Fn(Arc<F>) -> D + Send + Sync + 'static) -> Tick
where
    F: Send + Sync + 'static,
    D: Future<Output = anyhow::Result<Option<Timestamp>>> + Send + 'static,
{
    let function = Arc::clone(function);
    Arc::new(move || Box::pin(due(Arc::clone(&function))))
}

/// Does what is due, again and again.
async fn attendant(name: &'static str, bell: Arc<Bell>, clock: Arc<dyn Clock>, tick: Tick) {
    loop {
        // A panic of one piece of work must not end the work of all.
        let done = AssertUnwindSafe(tick()).catch_unwind().await;
        let done = done.unwrap_or_else(|_| Err(anyhow::anyhow!("it panicked")));
        let sleep = match done.with_context(|| format!("{name} could not do what is due")) {
            Ok(None) => SLEEP,
            Ok(Some(due)) => (due - clock.now()).to_std().unwrap_or_default().min(SLEEP),
            Err(error) => {
                tracing::warn!("{error:#}; it tries again");
                AFTER_ERROR
            }
        };
        // Rung or slept out: both mean that it is time to look.
        drop(timeout(sleep, bell.notified()).await);
    }
}

async fn pump(world: World, channel: Channel) {
    let mut ticks = tokio::time::interval(PUMP_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let pumped =
            AssertUnwindSafe(runtime::pump(&world.catalog, &channel, &*world.clock)).catch_unwind().await;
        match pumped {
            Ok(Ok(_told)) => {}
            Ok(Err(error)) => tracing::warn!("{:#}; it is tried again", anyhow::Error::new(error)),
            Err(_) => tracing::error!("The pump panicked; it is tried again"),
        }
    }
}
