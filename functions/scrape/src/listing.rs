//! One listing of one shard, whatever world it is of: pages in, observations recorded, and at the end the proof that
//! what was not seen is gone, or the reason why there is none.

mod pages;

use std::time::Duration;

use catalog::{
    Catalog,
    shards::{ClaimedShard, Ended, ShardState},
};
use chrono::TimeDelta;
use model::{Completeness, ListingId, Observation, ObservationKey, Partition, Timestamp};
use ports::Clock;
use serde_json::json;

use self::pages::Seen;
use crate::{Fault, FaultKind, Lister, NamedScraper, Provider, Verdict};

/// How long a claim lasts. It is prolonged with every page, so this is how long a single page may take.
pub(crate) const LEASE: Duration = Duration::from_secs(300);

/// More resources or pages than these are no listing that we believe.
const MAX_RESOURCES: usize = 1_000_000;
const MAX_PAGES: i32 = 20_000;

/// A listing that would delete more than this many resources, and more than half of a partition, is held until a
/// person says that it is right.
pub(crate) const HELD_ABOVE: i64 = 10;
pub(crate) const HELD_SHARE: (i64, i64) = (1, 2);

/// How often a listing that was throttled or cut is tried again before its scraper's next turn, and after how long.
const RETRIES: i32 = 5;
const FIRST_RETRY: TimeDelta = TimeDelta::seconds(60);

/// What a listing needs of the world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) clock: &'a dyn Clock,
}

/// How far a listing came.
#[derive(Debug, Default)]
struct Progress {
    seen: Seen,
    missing: i64,
    /// Whether it was recorded as the proof that what it does not have is gone.
    closed: bool,
}

/// Why a listing is not the proof of anything.
#[derive(Debug)]
enum Stop {
    /// It failed, or it cannot be complete.
    Short { state: ShardState, reason: String, advice: String, passes: bool },
    /// Another worker has the shard now. Whatever is to be said, it says.
    Lost,
    /// The catalog cannot be written.
    Catalog(catalog::Error),
}

impl From<catalog::Error> for Stop {
    fn from(error: catalog::Error) -> Self {
        Self::Catalog(error)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        let passes = fault.passes();
        Self::Short { state: ShardState::Failed, reason: fault.message, advice: fault.advice, passes }
    }
}

impl Stop {
    fn short(state: ShardState, reason: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Short { state, reason: reason.into(), advice: advice.into(), passes: false }
    }
}

/// Lists a claimed shard and stores how it ended. `None` when another worker took it over in the meantime.
///
/// # Errors
/// What the catalog says; the claim runs out then, and the shard is listed again.
pub(crate) async fn run(
    world: World<'_>,
    provider: &dyn Provider,
    scraper: &NamedScraper,
    claimed: &ClaimedShard,
) -> Result<Option<Ended>, catalog::Error> {
    let began = world.clock.now();
    let mut progress = Progress::default();
    let stopped = match provider.open(scraper, &claimed.shard, began).await {
        Ok(mut lister) => walk(world, &mut *lister, claimed, began, &mut progress).await,
        Err(fault) => Err(fault.into()),
    };
    let (state, reason, advice, passes) = match stopped {
        Ok(()) => (ShardState::Complete, String::new(), String::new(), false),
        Err(Stop::Short { state, reason, advice, passes }) => (state, reason, advice, passes),
        Err(Stop::Lost) => return Ok(None),
        Err(Stop::Catalog(error)) => return Err(error),
    };
    // What broke off after it had begun is a partial success.
    let began_well = state == ShardState::Failed && progress.seen.pages > 0;
    let ended = Ended {
        state: if began_well { ShardState::Incomplete } else { state },
        reason,
        advice,
        resources: i64::try_from(progress.seen.ids.len()).unwrap_or(i64::MAX),
        pages: progress.seen.pages,
        missing: progress.missing,
        began_at: began,
        again_at: again_at(passes, claimed.failures, world.clock.now()),
    };
    Ok(world.catalog.end_shard(claimed, &ended, world.clock.now()).await?.then_some(ended))
}

/// When a listing that stopped is tried again, if before its scraper's next turn.
fn again_at(passes: bool, failures: i32, now: Timestamp) -> Option<Timestamp> {
    (passes && failures < RETRIES)
        .then(|| now + FIRST_RETRY * 2_i32.pow(failures.clamp(0, RETRIES).cast_unsigned()))
}

async fn walk(
    world: World<'_>,
    lister: &mut dyn Lister,
    claimed: &ClaimedShard,
    began: Timestamp,
    progress: &mut Progress,
) -> Result<(), Stop> {
    let shard = &claimed.shard;
    let fence = claimed.fence.to_string();
    let parts =
        [&*shard.scraper, &*shard.account, &*shard.region, &*shard.kind, &*began.to_rfc3339(), &*fence];
    let listing = ListingId::of(&parts);
    let run =
        pages::Run { world, shard, listing, began, source: lister.source(), certainty: lister.certainty() };
    while let Some(page) = lister.page().await? {
        if page.is_empty() {
            continue;
        }
        run.take(page, &mut progress.seen).await?;
        if progress.seen.ids.len() > MAX_RESOURCES || progress.seen.pages > MAX_PAGES {
            let reason = format!("the list does not end: {} resources so far", progress.seen.ids.len());
            return Err(Stop::short(ShardState::Incomplete, reason, ""));
        }
        if !world.catalog.renew_shard(claimed, world.clock.now(), LEASE).await? {
            return Err(Stop::Lost);
        }
    }
    let verdict = lister.finish(progress.seen.ids.len()).await?;
    match verdict {
        Verdict::Complete => {}
        Verdict::Incomplete { reason, advice } => {
            return Err(Stop::short(ShardState::Incomplete, reason, advice));
        }
        Verdict::Unrecorded { reason, advice } => {
            return Err(Stop::short(ShardState::Unrecorded, reason, advice));
        }
    }
    if let Some(first) = progress.seen.unreadable.first() {
        let reason =
            format!("{} of the items cannot be read; the first: {first}", progress.seen.unreadable.len());
        return Err(Stop::short(ShardState::Incomplete, reason, ""));
    }
    close(&run, claimed, progress).await
}

/// Records the proof that what was not seen is gone, unless that is implausibly much.
async fn close(run: &pages::Run<'_>, claimed: &ClaimedShard, progress: &mut Progress) -> Result<(), Stop> {
    let World { catalog, clock } = run.world;
    let shard = run.shard;
    let partition =
        Partition { account: shard.account.clone(), region: shard.region.clone(), kind: shard.kind.clone() };
    let grace_seconds = run.certainty.grace_seconds();
    let ids = progress.seen.ids.iter().copied();
    let (there, missing) = catalog.missing(&partition, ids, run.began, grace_seconds).await?;
    progress.missing = missing;
    if is_implausible(there, missing) && !claimed.accept_deletions {
        let reason = format!(
            "the list is complete but lacks {missing} of the {there} {} that were in {} {}; nothing was deleted",
            shard.kind, shard.account, shard.region
        );
        let advice = format!(
            "if they are really gone, say so with `perigee scrape {} --accept-deletions`; if not, see why the list is short",
            shard.scraper
        );
        return Err(Stop::short(ShardState::Held, reason, advice));
    }
    if !catalog.renew_shard(claimed, clock.now(), LEASE).await? {
        return Err(Stop::Lost);
    }
    let (pages, count) = (progress.seen.pages, progress.seen.ids.len());
    let closing = Observation {
        key: ObservationKey::of(
            &json!({ "listing": run.listing.to_string(), "pages": pages, "count": count }),
        ),
        source: run.source.clone(),
        account: shard.account.clone(),
        region: shard.region.clone(),
        occurred_at: run.began,
        resources: Vec::new(),
        changes: Vec::new(),
        findings: Vec::new(),
        completeness: Completeness::Closing {
            listing: run.listing,
            partition,
            pages,
            count: i64::try_from(count).unwrap_or(i64::MAX),
            grace_seconds,
        },
    };
    catalog.record(&[closing], clock.now()).await?;
    progress.closed = true;
    Ok(())
}

/// Whether so much of a partition is missing that a short list is likelier than so many deletions.
fn is_implausible(there: i64, missing: i64) -> bool {
    missing > HELD_ABOVE && missing * HELD_SHARE.1 > there * HELD_SHARE.0
}

/// What a fault of the catalog's own is called where only a sentence is wanted.
pub(crate) fn unexpected(what: &str, error: &dyn std::error::Error) -> Fault {
    Fault::new(FaultKind::Unexpected, format!("{what}: {error}"))
}
