//! `perigee up`: every function in one process.
//!
//! [`listen`] takes the port, [`database`] starts and keeps Postgres, [`host`] runs the functions, [`manifests`] watches
//! a folder, [`sample`] tells the story of the sample estate, and [`inbox`] is the webhook that is told of it. What is
//! served is `api`'s router; what comes in goes through `intake`, as everywhere.

mod coverage;
mod database;
mod host;
mod inbox;
mod listen;
mod manifests;
mod sample;
mod scrapers;

use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use catalog::Catalog;
use clap::Args;
use connections::{Chain, Client, Guard, LocalSecrets};
use intake::Intake;
use ports::{Clock, NoObjects, Objects, SystemClock};
use runtime::{config, telemetry};
use tokio::{net::TcpListener, sync::watch};

pub(crate) use self::listen::address;
use self::{
    database::Running,
    host::{Functions, World},
    manifests::Folder,
    sample::{Loaded, Wanted},
    scrapers::Sources,
};
use crate::{
    OpenObjects,
    exit::{Done, Usage},
    place::{Database, Place},
    print,
    signals::Signals,
};

/// How long answers under way may take after the first signal to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// How often partitions are made ahead, counts folded and old signals removed.
const HOUSEKEEPING: Duration = Duration::from_secs(60 * 60);

const ACCOUNTS_HELP: &str =
    "The accounts that are ours, separated by commas; events of others are refused [env: PERIGEE_ACCOUNTS]";

/// What to serve, and where.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The address and port to listen on; other machines are let in only with a token
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = listen::address)]
    pub listen: SocketAddr,
    /// Where the data lies.
    #[command(flatten)]
    pub place: Place,
    /// Load the sample estate: a small shop whose checkout breaks, told by its AWS events
    #[arg(long, conflicts_with = "no_sample")]
    pub sample: bool,
    /// Start without the sample estate
    #[arg(long)]
    pub no_sample: bool,
    /// The accounts that are ours.
    #[arg(long, value_name = "LIST", help = ACCOUNTS_HELP)]
    pub accounts: Option<String>,
    /// What every request must bring as a bearer token
    #[arg(long, env = "PERIGEE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// List what the AWS credentials of this environment may read, and fetch from S3 what events point at
    #[arg(long)]
    pub aws: bool,
    /// List the cluster of the current kube context
    #[arg(long)]
    pub kube: bool,
    /// Apply the manifests of a folder, and again whenever they change
    #[arg(long, value_name = "DIR")]
    pub manifests: Option<PathBuf>,
}

pub(crate) fn run(options: &Options, objects: Option<OpenObjects>) -> anyhow::Result<Done> {
    telemetry::init(telemetry::Format::Compact);
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(up(options, objects))
}

async fn up(options: &Options, objects: Option<OpenObjects>) -> anyhow::Result<Done> {
    let accounts = accounts(options)?;
    let listener = listen::bind(options.listen, options.token.as_deref()).await?;
    let mut signals = Signals::new()?;
    let objects = open_objects(options, objects).await?;
    let sources = Sources::open(options.aws, options.kube).await?;
    let database = options.place.database()?;
    let wanted = wanted(options, &database);
    let running = Running::start(database).await?;

    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let catalog = Catalog::connect(running.connection())?;
    let folder = options.manifests.as_deref().map(|path| Folder::new(&catalog, &clock, path)).transpose()?;
    let intake =
        Intake { catalog: catalog.clone(), objects, clock: Arc::clone(&clock), accounts: accounts.clone() };
    let story = Arc::clone(&clock);
    let context = api::Context {
        catalog: catalog.clone(),
        intake: intake.clone(),
        clock: Arc::clone(&clock),
        config: api::Config { token: options.token.clone(), local: options.listen.ip().is_loopback() },
        sample: Some(Arc::new(move || sample::events(story.now()))),
    };
    let (stop, stopped) = watch::channel(false);
    let address = listener.local_addr().context("cannot read the address that is listened on")?;
    let world = World {
        catalog: catalog.clone(),
        http: Arc::new(Client::new(Guard { loopback: true })),
        secrets: Arc::new(Chain([vec![Arc::new(LocalSecrets) as _], sources.secrets()].concat())),
        clock,
        address: format!("http://{address}"),
        principals: config::principals(config::var),
    };
    let scrape = sources.scrape(&world, accounts);
    let shown = Shown { address, folder: options.place.folder().ok(), wanted };
    let mut server = tokio::spawn(serve(listener, context, stopped));

    let work = async {
        running.migrate(&catalog, &*world.clock).await?;
        let ambient: Vec<String> = scrape.ambient.iter().map(|scraper| scraper.name.clone()).collect();
        let functions = Functions::new(&world, scrape);
        let told = async {
            if let Err(error) = coverage::say(&catalog, &*world.clock, &ambient).await {
                tracing::warn!("Cannot say what is listed: {error:#}");
            }
            std::future::pending::<()>().await;
        };
        let watched = async {
            match folder {
                Some(folder) => folder.watch().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = host::run(&world, functions) => Ok(()),
            () = watched => Ok(()),
            () = told => Ok(()),
            outcome = attend(&shown, &running, &intake) => outcome,
        }
    };
    let outcome = tokio::select! {
        () = signals.next() => Ok(()),
        outcome = work => outcome,
    };
    // Whatever happens from here on, the database is stopped at the end.
    stop.send_replace(true);
    let drained = async {
        drop((&mut server).await);
        catalog.close().await;
    };
    tokio::select! {
        () = signals.next() => {}
        _ = tokio::time::timeout(DRAIN, drained) => {}
    }
    running.stop().await?;
    outcome.map(|()| Done::All)
}

/// What is said of this server, and what it is to show.
struct Shown {
    address: SocketAddr,
    /// The data folder, where there may be one.
    folder: Option<PathBuf>,
    wanted: Wanted,
}

/// Loads the sample where it is wanted, says that the server is ready, and then keeps house until it is dropped.
async fn attend(shown: &Shown, running: &Running, intake: &Intake) -> anyhow::Result<()> {
    let estate = sample::Estate { address: shown.address, folder: shown.folder.clone() };
    let loaded = sample::load(intake, &estate, shown.wanted).await?;
    say(shown.address, running, intake, &loaded).await?;
    let mut hour = tokio::time::interval(HOUSEKEEPING);
    loop {
        hour.tick().await;
        if let Err(error) = intake.catalog.maintain(intake.clock.now()).await {
            tracing::warn!(
                "Could not keep house in the catalog, will try again: {:#}",
                anyhow::Error::new(error)
            );
        }
    }
}

async fn serve(
    listener: TcpListener,
    context: api::Context,
    mut stopped: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let until = async move {
        // An error means that the sender is gone, which is the end as well.
        drop(stopped.wait_for(|stopped| *stopped).await);
    };
    let inbox = inbox::router(Arc::clone(&context.clock)).layer(axum::middleware::from_fn(api::local_only));
    let local = context.config.local;
    let router = api::router(context);
    let router = if local { router.merge(inbox) } else { router };
    axum::serve(listener, router).with_graceful_shutdown(until).await
}

async fn say(address: SocketAddr, running: &Running, intake: &Intake, loaded: &Loaded) -> anyhow::Result<()> {
    let resources: i64 = intake.catalog.counts().await?.iter().map(|count| count.count).sum();
    print::line(&format!("Perigee {} serves http://{address}", api::VERSION))?;
    print::line(&format!("Data: {}", running.describe()))?;
    print::line(&match loaded {
        Loaded::Nothing => format!("Catalog: {resources} resources"),
        Loaded::Sample { events } => format!(
            "Catalog: {resources} resources; the sample estate of {events} events is loaded, `perigee reset` removes it"
        ),
    })?;
    print::line("Stop with Ctrl-C")
}

fn accounts(options: &Options) -> anyhow::Result<Option<BTreeSet<String>>> {
    let accounts = config::accounts(|name| options.accounts.clone().or_else(|| config::var(name)));
    accounts.map_err(|error| Usage(error.to_string().replace("PERIGEE_ACCOUNTS", "--accounts")).into())
}

async fn open_objects(options: &Options, objects: Option<OpenObjects>) -> anyhow::Result<Arc<dyn Objects>> {
    match (options.aws, objects) {
        (false, _) => Ok(Arc::new(NoObjects)),
        (true, Some(open)) => Ok(open().await),
        (true, None) => {
            bail!("this build has no AWS in it; build it with feature `aws`, which is on by default")
        }
    }
}

/// The sample is for somebody who only looks: not where real sources or a database of theirs are named.
fn wanted(options: &Options, database: &Database) -> Wanted {
    if options.sample {
        Wanted::Yes
    } else if options.no_sample || options.aws || options.kube || matches!(database, Database::Given(_)) {
        Wanted::No
    } else {
        Wanted::IfEmpty
    }
}
