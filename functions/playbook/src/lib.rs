//! Starts runs of playbooks and executes their next steps, durably.
//!
//! Woken by: signals (through SQS), a schedule, and the API's `run.requested`. Reads: playbooks, connections and
//! resources in the catalog; secrets, at use. Writes: runs and their journal in the catalog; what its steps do in the
//! world. Never calls another function.
//!
//! # What survives a crash
//!
//! A run is a row that a worker claims for [`LEASE`]. Before a step does anything, a row of the journal says so; what
//! came of it is written after. Whoever claims a run in which an attempt has no outcome does it again where that is
//! harmless (`wait`, `catalog`, `GET`, whatever is marked `idempotent`), and otherwise calls it `unknown`, saying where
//! to look. Every write is refused once another worker has claimed the run.

mod clean;
mod context;
mod ending;
mod flow;
mod invoke;
mod schedule;
mod signals;
mod steps;
#[cfg(test)]
mod tests;
mod work;

use std::{sync::Arc, time::Duration};

use catalog::Catalog;
use model::Timestamp;
use ports::{Clock, Http, Secrets};
use triggers::Library;

pub use invoke::{error_type, handle};
pub use runtime::wake::Outcome;

/// How long a worker may be silent before another takes its run.
pub const LEASE: Duration = Duration::from_secs(30);

/// The function: everything from outside.
#[derive(Debug, Clone)]
pub struct Playbooks {
    /// Where playbooks and runs are.
    pub catalog: Catalog,
    /// How requests are sent.
    pub http: Arc<dyn Http>,
    /// Where secrets are read.
    pub secrets: Arc<dyn Secrets>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// This worker's name, for people.
    pub worker: String,
    /// Principals of ours, by name, session or ARN, in which `*` stands for anything: what they do starts no run.
    pub principals: Vec<String>,
    /// What was read of the playbooks.
    pub library: Arc<Library>,
}

/// Why something could not be done now. Nothing is lost: it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Triggers could not be dealt with.
    #[error("cannot start runs")]
    Start(#[source] triggers::Error),
    /// Schedules could not be dealt with.
    #[error("cannot look after the schedules of playbooks")]
    Schedule(#[source] catalog::Error),
    /// No run could be claimed.
    #[error("cannot claim a run")]
    Claim(#[source] catalog::Error),
    /// The journal of a run could not be written.
    #[error("cannot go on with run {run} of {playbook}")]
    Work {
        /// The run.
        run: model::RunId,
        /// Its playbook.
        playbook: String,
        /// What went wrong.
        #[source]
        source: catalog::Error,
    },
}

impl Playbooks {
    /// Does what is due: starts the runs of schedules, then executes one run until it ends or waits. Says when
    /// something is due next; an instant that has passed means that there may be more to do at once.
    ///
    /// # Errors
    /// See [`Error`]; what was begun goes on at a later call.
    pub async fn tick(&self) -> Result<Option<Timestamp>, Error> {
        let next_fire = schedule::fire(self).await?;
        let claimed = self.catalog.claim_run(&self.worker, self.clock.now(), LEASE).await;
        if let Some(claimed) = claimed.map_err(Error::Claim)? {
            let (run, playbook) = (claimed.lease.run, claimed.playbook.clone());
            let worked = Box::pin(work::work(self, claimed)).await;
            worked.map_err(|source| Error::Work { run, playbook, source })?;
            return Ok(Some(self.clock.now()));
        }
        let next_run = self.catalog.runs_due().await.map_err(Error::Claim)?;
        Ok([next_fire, next_run].into_iter().flatten().min())
    }
}
