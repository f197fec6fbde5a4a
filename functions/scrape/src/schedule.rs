//! What is due, planned and listed.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use catalog::{
    Catalog,
    shards::{ClaimedScraper, ClaimedShard, Ended},
};
use chrono::TimeDelta;
use manifest::Scraper;
use model::Timestamp;
use ports::Clock;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::{
    Fault, FaultKind, NamedScraper, Provider,
    listing::{self, LEASE, World},
    scrapers,
};

/// How many scrapers one tick plans, and how many shards it lists, at most.
const SCRAPERS_A_TICK: usize = 8;
const SHARDS_A_TICK: usize = 64;

/// How many shards are listed at once.
const AT_ONCE: usize = 4;

/// How long after a failed planning it is tried again: at first, and at most.
const FIRST_RETRY: TimeDelta = TimeDelta::seconds(60);
const LAST_RETRY: TimeDelta = TimeDelta::seconds(1_800);

/// The function: lists what is due and records it.
#[derive(Debug, Clone)]
pub struct Scrape {
    /// Where it is recorded, and where shards and their leases are kept.
    pub catalog: Catalog,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The worlds that can be listed here.
    pub providers: Providers,
    /// Scrapers beside the `Scraper` manifests: `aws` of `perigee up --aws`, `kubernetes` of `perigee up --kube`. A
    /// manifest of the same name takes their place.
    pub ambient: Vec<NamedScraper>,
}

/// The worlds that can be listed; `None` where this program has no access to one.
#[derive(Debug, Clone, Default)]
pub struct Providers {
    /// AWS, through AWS Config and the tagging API.
    pub aws: Option<Arc<dyn Provider>>,
    /// Kubernetes clusters.
    pub kubernetes: Option<Arc<dyn Provider>>,
}

impl Providers {
    /// The world that a scraper lists.
    ///
    /// # Errors
    /// When it names none or both, or this program has no access to it.
    pub fn of(&self, scraper: &NamedScraper) -> Result<&dyn Provider, Fault> {
        let Scraper { every: _, aws, kubernetes } = &scraper.spec;
        let (provider, world, option) = match (aws, kubernetes) {
            (Some(_), None) => (&self.aws, "AWS", "--aws"),
            (None, Some(_)) => (&self.kubernetes, "Kubernetes", "--kube"),
            (None, None) | (Some(_), Some(_)) => {
                let said =
                    format!("the scraper {} names not exactly one of `aws` and `kubernetes`", scraper.name);
                return Err(Fault::with_advice(FaultKind::Settings, said, "write one scraper for each"));
            }
        };
        provider.as_deref().ok_or_else(|| {
            let said =
                format!("the scraper {} lists {world}, which this program has no access to", scraper.name);
            Fault::with_advice(FaultKind::Settings, said, format!("start it with {option}"))
        })
    }
}

impl Scrape {
    /// Plans the scrapers that are due and lists shards that are due, a bounded number of each. Answers when something
    /// is due next: an instant that is past means "call again at once", `None` that there is no scraper.
    ///
    /// # Errors
    /// What the catalog says. Nothing is lost then: claims run out, and the work is due again.
    pub async fn tick(&self) -> Result<Option<Timestamp>, Error> {
        let scrapers = Arc::new(scrapers::all(&self.catalog, &self.ambient).await?);
        self.catalog.keep_scrapers(&scrapers::versions(&scrapers), self.clock.now()).await?;
        for _ in 0..SCRAPERS_A_TICK {
            let Some(claimed) = self.catalog.claim_scraper(self.clock.now(), LEASE).await? else { break };
            self.plan(&scrapers, &claimed).await?;
        }
        self.list(&scrapers).await?;
        Ok(self.catalog.scrape_due().await?)
    }

    /// Makes a scraper due at once (all without a name) and ticks. See [`Catalog::scrape_now`] for
    /// `accept_deletions`. Answers with the scrapers' names; none when there is none of that name.
    ///
    /// # Errors
    /// What the catalog says.
    pub async fn now(&self, name: Option<&str>, accept_deletions: bool) -> Result<Vec<String>, Error> {
        let all = scrapers::all(&self.catalog, &self.ambient).await?;
        self.catalog.keep_scrapers(&scrapers::versions(&all), self.clock.now()).await?;
        let due = self.catalog.scrape_now(name, accept_deletions, self.clock.now()).await?;
        if !due.is_empty() {
            self.tick().await?;
        }
        Ok(due)
    }

    /// Lists one shard by its name, whether or not it is due. `None` when there is no such shard, or somebody else
    /// lists it.
    ///
    /// # Errors
    /// What the catalog says.
    pub async fn shard(
        &self,
        scraper: &str,
        account: &str,
        region: &str,
        kind: &str,
    ) -> Result<Option<Ended>, Error> {
        let now = self.clock.now();
        let claimed = self.catalog.claim_shard_named(scraper, account, region, kind, now, LEASE).await?;
        let Some(claimed) = claimed else { return Ok(None) };
        let scrapers = scrapers::all(&self.catalog, &self.ambient).await?;
        self.list_one(&scrapers, &claimed).await
    }

    async fn plan(&self, scrapers: &[NamedScraper], claimed: &ClaimedScraper) -> Result<(), Error> {
        // Its manifest went after the row was claimed: the next tick removes the row.
        let Some(scraper) = scrapers.iter().find(|scraper| scraper.name == claimed.name) else {
            return Ok(());
        };
        let now = self.clock.now();
        let planned = match (self.providers.of(scraper), scraper.spec.every.next_after(now)) {
            (Ok(provider), Ok(next)) => provider.plan(scraper, now).await.map(|shards| (shards, next)),
            (Err(fault), _) => Err(fault),
            (_, Err(error)) => Err(listing::unexpected("the scraper's `every`", &error)),
        };
        let now = self.clock.now();
        match planned {
            Ok((shards, next)) => {
                info!(scraper = scraper.name, "Planned {} into {} shards", scraper.name, shards.len());
                self.catalog.plan_shards(claimed, &shards, next, now).await?;
            }
            Err(fault) => {
                warn!(scraper = scraper.name, "Cannot plan {}: {fault}", scraper.name);
                let factor = 2_i32.pow(claimed.failures.clamp(0, 10).cast_unsigned());
                let again = now + (FIRST_RETRY * factor).min(LAST_RETRY);
                self.catalog.planning_failed(claimed, &fault.message, &fault.advice, again).await?;
            }
        }
        Ok(())
    }

    async fn list(&self, scrapers: &Arc<Vec<NamedScraper>>) -> Result<(), Error> {
        let budget = Arc::new(AtomicUsize::new(SHARDS_A_TICK));
        let mut workers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (this, scrapers, budget) = (self.clone(), Arc::clone(scrapers), Arc::clone(&budget));
            workers.spawn(async move {
                let take = |left: usize| left.checked_sub(1);
                while budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                    let claimed = this.catalog.claim_shard(this.clock.now(), LEASE).await?;
                    let Some(claimed) = claimed else { break };
                    this.list_one(&scrapers, &claimed).await?;
                }
                Ok::<(), Error>(())
            });
        }
        // All of them end, so that no shard is left half listed because another failed.
        let mut outcome = Ok(());
        while let Some(ended) = workers.join_next().await {
            outcome = outcome.and(ended.unwrap_or_else(|error| Err(Error::Worker(error))));
        }
        outcome
    }

    async fn list_one(
        &self,
        scrapers: &[NamedScraper],
        claimed: &ClaimedShard,
    ) -> Result<Option<Ended>, Error> {
        let shard = &claimed.shard;
        let Some(scraper) = scrapers.iter().find(|scraper| scraper.name == shard.scraper) else {
            return Ok(None);
        };
        let Ok(provider) = self.providers.of(scraper) else { return Ok(None) };
        let world = World { catalog: &self.catalog, clock: &*self.clock };
        let ended = listing::run(world, provider, scraper, claimed).await?;
        if let Some(ended) = &ended {
            info!(
                scraper = shard.scraper,
                "Listed {} in {} {}: {}, {} resources{}{}",
                shard.kind,
                shard.account,
                shard.region,
                ended.state.as_str(),
                ended.resources,
                if ended.reason.is_empty() { "" } else { "; " },
                ended.reason
            );
        }
        Ok(ended)
    }
}

/// Why a tick stopped. Calling again is always safe.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The catalog does not take or give what is needed.
    #[error("cannot keep the scrapers' shards in the catalog")]
    Catalog(#[from] catalog::Error),
    /// A worker ended before its time.
    #[error("a worker that lists a shard stopped; its claim runs out and the shard is listed again")]
    Worker(#[source] tokio::task::JoinError),
}
