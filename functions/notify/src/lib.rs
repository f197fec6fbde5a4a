//! Tells people: filters signals, waits, looks again, silences, and delivers.
//!
//! [`Notify::signals`] makes a row of every delivery that a signal leads to, and does nothing else. [`Notify::tick`]
//! takes the rows that are due and sends, suppresses or gives up each, with its reason. It may run in many copies at
//! once: a row is claimed with a lease and a fence.
//!
//! An attempt is written down before it is made. One that a crash cut is made again, with the same `Idempotency-Key`,
//! only where the connection says that this is harmless; elsewhere the delivery fails as `unknown_outcome`, because
//! nobody can know whether it was told.

mod answer;
mod channel;
mod handle;
mod look;
mod message;
mod offer;
mod send;
mod shelf;
mod sign;
#[cfg(test)]
mod tests;

pub use handle::{error_type, handle};
pub use runtime::wake::Outcome;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use catalog::{
    Catalog,
    deliveries::{ClaimedDelivery, Fate, Settled},
};
use futures_util::{StreamExt, future::BoxFuture, stream};
use model::{ResourceId, Signal, Timestamp};
use ports::{Clock, Http, Secrets};
use tokio::sync::RwLock;
use uuid::Uuid;

use look::{Around, Look};
use shelf::{Quiet, Shelf};

/// How many deliveries a tick takes.
const CLAIM: u32 = 64;
/// How many are sent at once.
const AT_ONCE: usize = 16;
/// How many rows are added by one statement.
const ADD: usize = 1000;
/// How long a claim holds; an attempt takes at most the ten seconds of its request and renews it.
const LEASE: Duration = Duration::from_secs(60);

/// Why notifications could not be dealt with. Trying again is safe.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The catalog cannot be read or written.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    /// What signals are about cannot be read.
    #[error(transparent)]
    Triggers(#[from] triggers::Error),
}

/// Tells people of signals.
#[derive(Debug)]
pub struct Notify {
    /// The catalog.
    pub catalog: Catalog,
    /// Sends the requests.
    pub http: Arc<dyn Http>,
    /// Reads the secrets of connections.
    pub secrets: Arc<dyn Secrets>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where people reach the pages, as in `https://perigee.example.com`; texts have no links without.
    pub link_base: Option<String>,
    shelf: RwLock<Arc<Shelf>>,
}

impl Notify {
    /// The function over a catalog and the world.
    #[must_use]
    pub fn new(
        catalog: Catalog,
        http: Arc<dyn Http>,
        secrets: Arc<dyn Secrets>,
        clock: Arc<dyn Clock>,
        link_base: Option<String>,
    ) -> Self {
        Self { catalog, http, secrets, clock, link_base, shelf: RwLock::default() }
    }

    /// Makes a delivery of every notification that matches a signal, for each of its channels. The same signal again
    /// makes none.
    ///
    /// # Errors
    /// What the catalog says. The same signals can be given again.
    pub async fn signals(&self, signals: &[Signal]) -> Result<(), Error> {
        let shelf = self.shelf().await?;
        let wanted: Vec<Signal> =
            signals.iter().filter(|signal| shelf.listens_to(signal.kind)).cloned().collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let subjects = triggers::load(&self.catalog, &wanted).await?;
        let new: Vec<_> = subjects.iter().flat_map(|subject| offer::offer(&shelf, subject, now)).collect();
        for some in new.chunks(ADD) {
            self.catalog.add_deliveries(some, now).await?;
        }
        Ok(())
    }

    /// Deals with deliveries that are due, a bounded number of them. Answers when the next is due: at once, when that is
    /// not after now; never, when `None`.
    ///
    /// # Errors
    /// What the catalog says. What was claimed is due again once the claim has run out.
    pub async fn tick(&self) -> Result<Option<Timestamp>, Error> {
        let now = self.clock.now();
        let claimed = self.catalog.claim_deliveries(CLAIM, now, LEASE).await?;
        if claimed.is_empty() {
            return Ok(self.catalog.next_delivery().await?);
        }
        let shelf = self.shelf().await?;
        let fresh = self.fresh(&claimed).await?;
        let standing = self.standing(&claimed).await?;
        let silences = self.silences(&shelf, &claimed, now).await?;
        let (mut settled, mut to_send) = (Vec::new(), Vec::new());
        for (index, one) in claimed.iter().enumerate() {
            let around = Around {
                rule: shelf.rule(&one.notification),
                connection: shelf.connection(&one.channel),
                fresh: fresh.get(index).and_then(Option::as_ref),
                standing: standing.get(&one.signal.subject).map(String::as_str),
                silences: &silences,
                now,
            };
            match look::look(one, &around) {
                Look::Settle(fate) => settled.push(concluded(one, fate)),
                Look::Send(rule, connection) => to_send.push((one, rule, connection)),
            }
        }
        self.catalog.settle_deliveries(&settled, now).await?;
        let mut sends: Vec<BoxFuture<'_, Result<(), Error>>> = Vec::new();
        for (one, rule, connection) in to_send {
            sends.push(Box::pin(self.send(one, rule, connection)));
        }
        let sent: Vec<Result<(), Error>> = stream::iter(sends).buffer_unordered(AT_ONCE).collect().await;
        sent.into_iter().collect::<Result<(), Error>>()?;
        Ok(self.catalog.next_delivery().await?)
    }

    /// What those are about that waited, as it stands now; in the order of `claimed`.
    async fn fresh(&self, claimed: &[ClaimedDelivery]) -> Result<Vec<Option<triggers::Subject>>, Error> {
        let signals: Vec<Signal> =
            claimed.iter().filter(|one| waited(one)).map(|one| one.signal.clone()).collect();
        let mut subjects = if signals.is_empty() {
            Vec::new().into_iter()
        } else {
            triggers::load(&self.catalog, &signals).await?.into_iter()
        };
        Ok(claimed.iter().map(|one| if waited(one) { subjects.next() } else { None }).collect())
    }

    /// Where the checks and findings stand that those are about that waited.
    async fn standing(&self, claimed: &[ClaimedDelivery]) -> Result<BTreeMap<Uuid, String>, Error> {
        let subjects: Vec<Uuid> =
            claimed.iter().filter(|one| waited(one)).map(|one| one.signal.subject).collect();
        if subjects.is_empty() {
            return Ok(BTreeMap::new());
        }
        Ok(self.catalog.standing(&subjects).await?.into_iter().collect())
    }

    /// The silences that hold now, each with those of the resources that it is about.
    async fn silences<'a>(
        &self,
        shelf: &'a Shelf,
        claimed: &[ClaimedDelivery],
        now: Timestamp,
    ) -> Result<Vec<look::Silence<'a>>, Error> {
        let mut ids: Vec<ResourceId> = claimed.iter().filter_map(|one| one.resource).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut silences = Vec::new();
        for quiet in shelf.silences.iter().filter(|quiet| quiet.holds(now)) {
            let Quiet { name, silence, selector } = &**quiet;
            let about = match selector {
                None => look::About::Everything,
                Some(Err(fault)) => look::About::Nothing(fault.clone()),
                Some(Ok(selector)) => match self.catalog.described(&ids, selector).await {
                    Ok(found) => look::About::These(found.into_iter().collect()),
                    Err(error @ catalog::Error::BadSelector { .. }) => {
                        look::About::Nothing(error.to_string())
                    }
                    Err(error) => return Err(error.into()),
                },
            };
            if let look::About::Nothing(fault) = &about {
                tracing::warn!(silence = name, "The silence {name} silences nothing: {fault}");
            }
            silences.push(look::Silence { name, silence, about });
        }
        Ok(silences)
    }

    /// The manifests as they are now.
    async fn shelf(&self) -> Result<Arc<Shelf>, Error> {
        let known = Arc::clone(&*self.shelf.read().await);
        let Some(newer) = known.refreshed(&self.catalog).await? else { return Ok(known) };
        let newer = Arc::new(newer);
        *self.shelf.write().await = Arc::clone(&newer);
        Ok(newer)
    }
}

/// Whether it has waited for `waitFor` and was not looked at since.
fn waited(one: &ClaimedDelivery) -> bool {
    one.wait_until.is_some() && one.attempts == 0
}

/// Says in the log what did not reach anybody.
pub(crate) fn concluded(one: &ClaimedDelivery, fate: Fate) -> Settled {
    if fate.state == model::DeliveryState::Failed {
        tracing::warn!(
            delivery.id = %one.id,
            notification = one.notification,
            channel = one.channel,
            reason = fate.reason,
            "Could not deliver {}: {}",
            one.id,
            fate.detail
        );
    }
    Settled { id: one.id, fence: one.fence, fate }
}
