//! Where it is measured: a database of its own with an estate in it.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use catalog::{Catalog, ConnectOptions, bench::Estate};
use clap::Args;
use embedded::{Postgres, Settings};
use ports::{Clock, SystemClock};

use crate::{output, print, signals::Signals};

/// More than there are readers.
const CONNECTIONS: u32 = 48;

/// Which estate, and where.
#[derive(Debug, Clone, Args)]
pub struct Choice {
    /// Resources of the estate; ten relations, ten changes and three versions each
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    pub resources: u64,
    /// What the estate is drawn from: the same seed gives the same
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Leave the database where it is, and say how to open it
    #[arg(long)]
    pub keep: bool,
    /// The folder of the database, which is kept; one with an estate is measured as it is [default: a temporary one]
    #[arg(long, value_name = "DIR", conflicts_with = "database_url")]
    pub data_dir: Option<PathBuf>,
    /// An empty Postgres of yours, or one with an estate, instead of a private one
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
}

/// A database for an estate.
struct Ground {
    catalog: Catalog,
    server: Option<Postgres>,
    folder: Option<PathBuf>,
    remove: bool,
}

/// An estate, and where it lies.
pub(super) struct Found {
    pub(super) catalog: Catalog,
    pub(super) estate: Estate,
    /// The process of the database's server, where it is ours.
    pub(super) server: Option<i32>,
}

/// Does something with an estate, which is made where there is none, and leaves nothing behind that is not to be kept;
/// also when it fails or is told to stop.
pub(super) async fn with_estate<T>(
    options: &Choice,
    work: impl AsyncFnOnce(&Found) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut signals = Signals::new()?;
    let ground = Ground::open(options).await?;
    let catalog = ground.catalog.clone();
    let server = ground.server.as_ref().map(Postgres::pid);
    let doing = async {
        let estate = estate(&catalog, options).await?;
        work(&Found { catalog: catalog.clone(), estate, server }).await
    };
    let done = tokio::select! {
        done = doing => {
            ground.catalog.close().await;
            done
        }
        () = signals.next() => Err(anyhow::anyhow!("stopped before it was done")),
    };
    ground.close().await?;
    done
}

impl Ground {
    async fn open(options: &Choice) -> anyhow::Result<Self> {
        if let Some(url) = &options.database_url {
            return Ok(Self { catalog: connect(url.clone())?, server: None, folder: None, remove: false });
        }
        let folder = options
            .data_dir
            .clone()
            .unwrap_or_else(|| std::env::temp_dir().join(format!("perigee-bench-{}", std::process::id())));
        let folder = std::path::absolute(folder)?;
        let remove = !options.keep && options.data_dir.is_none();
        let opened = open_private(&folder).await;
        if opened.is_err() && remove {
            drop(std::fs::remove_dir_all(&folder));
        }
        let (catalog, server) = opened?;
        Ok(Self { catalog, server: Some(server), folder: Some(folder), remove })
    }

    /// Stops the server. What is not to be kept is removed.
    async fn close(self) -> anyhow::Result<()> {
        if let Some(server) = self.server {
            server.stop().await?;
        }
        let Some(folder) = self.folder else { return Ok(()) };
        if self.remove {
            return std::fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot remove {}", folder.display()));
        }
        print::note(&kept(&folder));
        Ok(())
    }
}

fn kept(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "The estate lies in {folder}. To look at it: perigee up --no-sample --data-dir {folder}\nTo measure it again: perigee bench --data-dir {folder}"
    )
}

fn connect(url: String) -> anyhow::Result<Catalog> {
    Ok(Catalog::connect(&ConnectOptions { url, max_connections: CONNECTIONS, pooler: false })?)
}

async fn open_private(folder: &Path) -> anyhow::Result<(Catalog, Postgres)> {
    let settings = Settings::durable(folder);
    let server = embedded::start(&settings).await?;
    // What needs a start takes effect at the next one.
    let catalog = connect(server.url(embedded::DATABASE))?;
    catalog.give_memory(super::machine::memory_mib() / 8).await?;
    catalog.close().await;
    server.stop().await?;
    let server = embedded::start(&settings).await?;
    Ok((connect(server.url(embedded::DATABASE))?, server))
}

/// The estate that lies there, or a new one.
async fn estate(catalog: &Catalog, options: &Choice) -> anyhow::Result<Estate> {
    let now = SystemClock.now();
    catalog.migrate(now).await?;
    if let Some(estate) = catalog.estate().await? {
        print::note(&format!("Found an estate of {}", output::count(estate.resources as usize, "resource")));
        return Ok(estate);
    }
    if !catalog.is_empty().await? {
        bail!("the database holds something already; an estate takes one that is empty");
    }
    let estate =
        Estate { resources: options.resources.max(100), seed: options.seed, now: model::to_micros(now) };
    catalog
        .build_estate(&estate, &|part, took| {
            print::note(&format!("Made the estate's {part} in {:.1} s", took.as_secs_f64()));
        })
        .await?;
    Ok(estate)
}
