//! What steps do in the world. Each kind is a file.

mod catalog;
mod exec;
mod http;
mod wait;

use std::sync::Mutex;

use ::catalog::runs::{Kept, Lease};
use manifest::kinds::playbook::Step;
use model::{ResourceId, Timestamp};
use serde_json::Value;
use tokio::sync::watch;

use crate::{Playbooks, context::Context};

pub(crate) use wait::{Waited, wait};

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// It did what it is for, and gave this.
    Completed(Value),
    /// It did not, and that is known.
    Failed {
        reason: String,
        result: Option<Value>,
        /// Whether another attempt may fare better.
        again: bool,
    },
    /// Nobody here can know whether it did.
    Unknown { reason: String },
    /// It was stopped from outside.
    Stopped { stop: Stop, reason: String, result: Option<Value> },
}

impl Outcome {
    /// It could not even begin, and would not at another time.
    pub(crate) fn wrong(reason: String) -> Self {
        Self::Failed { reason, result: None, again: false }
    }
}

/// Why an attempt is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Somebody asked for the end of the run.
    Cancelled,
    /// The step takes too long.
    StepTimeout,
    /// The run takes too long.
    RunTimeout,
}

/// One attempt at one step.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) playbooks: &'a Playbooks,
    pub(crate) lease: Lease,
    pub(crate) step: &'a Step,
    pub(crate) attempt: i32,
    /// When the step first began: the same on every attempt.
    pub(crate) began: Timestamp,
    /// How long it may take.
    pub(crate) limit: std::time::Duration,
    pub(crate) resource: Option<ResourceId>,
    /// The output of this attempt and of those before it.
    pub(crate) output: &'a Mutex<Kept>,
    pub(crate) context: Context<'a>,
    /// Set when it shall end.
    pub(crate) stopped: watch::Receiver<Option<Stop>>,
}

impl Attempt<'_> {
    /// Does it.
    pub(crate) async fn perform(mut self) -> Outcome {
        if let Some(step) = &self.step.exec {
            // A script is not dropped but told to end, and its output kept.
            return exec::perform(&mut self, step).await;
        }
        let mut stopped = self.stopped.clone();
        let step = self.step;
        let harmless = is_harmless(step);
        tokio::select! {
            outcome = self.perform_undivided() => outcome,
            stop = stop(&mut stopped) => {
                if step.http.is_some() && !harmless && stop != Stop::Cancelled {
                    let reason = "the request was cut by its time limit; whether it arrived cannot be known".to_owned();
                    return Outcome::Unknown { reason };
                }
                let reason = if step.http.is_some() {
                    "stopped while the request was under way; it may have arrived".to_owned()
                } else {
                    String::new()
                };
                Outcome::Stopped { stop, reason, result: None }
            }
        }
    }

    async fn perform_undivided(&mut self) -> Outcome {
        if let Some(step) = &self.step.http {
            http::perform(self, step).await
        } else if let Some(step) = &self.step.catalog {
            catalog::perform(self, step).await
        } else {
            Outcome::wrong(
                "the step says nothing to do: it has neither `http`, `exec`, `wait` nor `catalog`".to_owned(),
            )
        }
    }
}

/// Waits until the attempt shall end.
pub(crate) async fn stop(stopped: &mut watch::Receiver<Option<Stop>>) -> Stop {
    match stopped.wait_for(Option::is_some).await.map(|stop| *stop) {
        Ok(Some(stop)) => stop,
        // Whoever would stop it is gone, and it is dropped with them.
        Ok(None) | Err(_) => std::future::pending().await,
    }
}

/// Whether doing the step twice is as doing it once, so that it is done again where nobody knows how it went.
pub(crate) fn is_harmless(step: &Step) -> bool {
    let reads = step.http.as_ref().is_some_and(|http| {
        ["GET", "HEAD", "OPTIONS"].iter().any(|method| http.method.eq_ignore_ascii_case(method))
    });
    step.idempotent || step.wait.is_some() || step.catalog.is_some() || reads
}
