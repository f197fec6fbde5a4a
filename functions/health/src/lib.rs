//! Judges how well resources are, and runs checks.
//!
//! Woken by: signals (through SQS), and a schedule that is set to the earliest instant at which something is due. Reads:
//! resources with their shown documents, manifests of the kinds `HealthRule`, `Check` and `Connection`, the addresses
//! that checks probe. Writes: health, transitions, check results, and the signals `health.changed`, `check.failed` and
//! `check.recovered`. Never calls another function.
//!
//! A signal only makes resources due; [`Health::tick`] judges what is due, as it stands then. So signals that come
//! twice, late or out of order judge nothing twice and nothing old, and whatever dies in between leaves it due.

mod cache;
mod checks;
mod handle;
mod judging;
#[cfg(test)]
mod tests;

pub use cache::Cache;
pub use handle::{error_type, handle};
pub use runtime::wake::Outcome;

use std::{convert::Infallible, sync::Arc, time::Duration};

use catalog::Catalog;
use chrono::TimeDelta;
use model::{Signal, Timestamp};
use ports::{Clock, Http, Secrets};
use tokio::{
    sync::oneshot,
    time::{Instant, MissedTickBehavior, interval_at},
};

/// How often resources are judged while checks are still waiting for their answers.
const JUDGE_EVERY: Duration = Duration::from_millis(250);

/// The function.
#[derive(Debug, Clone)]
pub struct Health {
    /// What is judged, and where verdicts go.
    pub catalog: Catalog,
    /// What checks ask through.
    pub http: Arc<dyn Http>,
    /// Where the secrets of connections are.
    pub secrets: Arc<dyn Secrets>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What was compiled of the manifests.
    pub cache: Arc<Cache>,
}

/// Why the function could not do its work. What was not done stays due.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The catalog cannot be read or written.
    #[error("cannot judge what is due")]
    Catalog(#[from] catalog::Error),
}

impl Health {
    /// Makes due what the signals touch: resources that changed, and all that an edited rule concerns.
    ///
    /// # Errors
    /// When the catalog does not answer. The same signals again are safe.
    pub async fn signals(&self, signals: &[Signal]) -> Result<(), Error> {
        judging::touched(self, signals).await?;
        judging::edited(self, signals).await
    }

    /// Judges what is due and runs the checks that are due, a bounded amount of both. Answers when something is due
    /// next: an instant that is past when there is more at once, `None` when nothing is.
    ///
    /// # Errors
    /// When the catalog does not answer.
    pub async fn tick(&self) -> Result<Option<Timestamp>, Error> {
        judging::begin(self).await?;
        let mut more = judging::due(self).await?;
        // A check may wait for its answer for a while; what is to be judged does not wait with it.
        let (ended, end) = oneshot::channel();
        let checks = async {
            let done = checks::due(self).await;
            drop(ended);
            done
        };
        // Neither is dropped within a transaction, which would hold its locks until somebody rolled it back.
        let (checks, judged) = tokio::join!(checks, self.keep_judging(end));
        judged?;
        more |= checks?;
        let now = self.clock.now();
        if more {
            return Ok(Some(now));
        }
        let health = self.catalog.health_next_due().await?;
        let checks = self.catalog.checks_next_due().await?;
        // What another copy holds is due already, and is that copy's work: no reason to look again at once.
        let soon = now + TimeDelta::seconds(1);
        Ok(health.into_iter().chain(checks).min().map(|due| due.max(soon)))
    }

    /// Judges what becomes due, until it fails or the other end of `end` is dropped.
    async fn keep_judging(&self, mut end: oneshot::Receiver<Infallible>) -> Result<(), Error> {
        let mut looks = interval_at(Instant::now() + JUDGE_EVERY, JUDGE_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = &mut end => return Ok(()),
                _ = looks.tick() => {}
            }
            judging::due(self).await?;
        }
    }
}
