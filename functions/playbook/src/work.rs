//! One claimed run, until it ends or waits.

use std::{
    convert::Infallible,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use catalog::runs::{AttemptEnd, Beat, Kept, StepChange, Work, Written};
use manifest::{Playbook, kinds::playbook::Step};
use model::{RunState, StepState, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use crate::{
    LEASE, Playbooks, clean,
    context::Context,
    ending,
    flow::{self, Next},
    steps::{self, Attempt, Outcome, Stop, Waited},
};

/// How often a lease is renewed, and how soon a worker notices that somebody asked for the end.
pub(crate) const BEAT: Duration = Duration::from_secs(1);

/// What the worker does after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    /// The run is somebody else's now, or at its end, or it waits.
    LetGo,
}

/// A worker on its run.
struct Worker<'a> {
    playbooks: &'a Playbooks,
    work: Work,
    playbook: Playbook,
}

/// Executes a run until it ends, waits, or is lost to another worker.
pub(crate) async fn work(playbooks: &Playbooks, claimed: Work) -> Result<(), catalog::Error> {
    let playbook = match Playbook::deserialize(&claimed.spec) {
        Ok(playbook) => playbook,
        Err(error) => {
            let reason = format!("this build cannot read the playbook as it was: {error}");
            let others = (StepState::Skipped, "the run failed");
            return ending::end(playbooks, &claimed, RunState::Failed, reason, others).await;
        }
    };
    let mut worker = Worker { playbooks, work: claimed, playbook };
    if worker.begin().await? == Then::LetGo {
        return Ok(());
    }
    while worker.go_on().await? == Then::GoOn {}
    Ok(())
}

impl Worker<'_> {
    fn now(&self) -> Timestamp {
        self.playbooks.clock.now()
    }

    /// What a new owner does first: the guards of the start, and what became of the attempt of the one before.
    async fn begin(&mut self) -> Result<Then, catalog::Error> {
        let now = self.now();
        if self.work.started_at.is_none() && self.work.cancelled_by.is_none() {
            if now > self.work.deadline {
                return self.stop("too_old").await;
            }
            if self.playbooks.catalog.manifest("Playbook", &self.work.playbook).await?.is_none() {
                return self.stop("playbook_deleted").await;
            }
            let length =
                chrono::TimeDelta::from_std(self.playbook.timeout.0).unwrap_or(chrono::TimeDelta::MAX);
            let deadline = now.checked_add_signed(length).unwrap_or(Timestamp::MAX_UTC);
            if self.playbooks.catalog.begin_run(&self.work.lease, now, deadline).await? == Written::LeaseLost
            {
                return Ok(Then::LetGo);
            }
            self.work.started_at = Some(now);
            self.work.deadline = deadline;
        }
        for place in 0..self.work.steps.len() {
            if self.work.steps.get(place).is_some_and(|step| step.state == StepState::Running)
                && self.resume(place).await? == Then::LetGo
            {
                return Ok(Then::LetGo);
            }
        }
        Ok(Then::GoOn)
    }

    async fn stop(&mut self, reason: &str) -> Result<Then, catalog::Error> {
        self.end(RunState::Cancelled, reason.to_owned(), (StepState::Cancelled, "the run never began")).await
    }

    /// An attempt without an outcome: its worker was lost.
    async fn resume(&mut self, place: usize) -> Result<Then, catalog::Error> {
        let (Some(step), Some(stands)) = (self.playbook.steps.get(place), self.work.steps.get(place)) else {
            return Ok(Then::GoOn);
        };
        let attempt = stands.attempts;
        let (state, reason, outcome) = if steps::is_harmless(step) {
            (StepState::Pending, "its worker was lost; it is done again".to_owned(), "cut")
        } else {
            let key = self.work.lease.run.step_key(&step.name);
            let where_to_look = if step.exec.is_some() {
                "look at what the script changes, and at its output".to_owned()
            } else {
                format!("look at the far end for the Idempotency-Key {key}")
            };
            let reason = format!(
                "the worker of attempt {attempt} was lost, and whether it took effect cannot be known: {where_to_look}"
            );
            (StepState::Unknown, reason, "unknown")
        };
        let failures = stands.failures;
        let end = Some(AttemptEnd { attempt, outcome });
        self.change(place, state, reason, None, None, failures, end).await
    }

    /// One step further.
    async fn go_on(&mut self) -> Result<Then, catalog::Error> {
        if let Some(by) = self.work.cancelled_by.clone() {
            return self.cancelled(&by).await;
        }
        let now = self.now();
        if now >= self.work.deadline {
            let reason = format!("the run took longer than {}", self.playbook.timeout);
            return self.end(RunState::Failed, reason, (StepState::Cancelled, "the run took too long")).await;
        }
        match flow::next(&self.playbook, &self.work.steps, now) {
            Next::Look { step, blocked_by } => self.look(step, blocked_by).await,
            Next::Resume(step) => self.attempt(step).await,
            Next::Stuck(step) => {
                let reason = "the steps it needs never end, or are not there".to_owned();
                self.change(step, StepState::Failed, reason, None, None, 0, None).await
            }
            Next::Wait(due) => {
                let released = self.playbooks.catalog.release_run(&self.work.lease, due, now).await?;
                tracing::debug!(run.id = %self.work.lease.run, ?released, "The run waits");
                Ok(Then::LetGo)
            }
            Next::End => {
                let (state, reason) = ending::verdict(&self.work);
                self.end(state, reason, (StepState::Skipped, "")).await
            }
        }
    }

    /// Begins a step whose needs have ended, or skips it.
    async fn look(&mut self, place: usize, blocked_by: Option<String>) -> Result<Then, catalog::Error> {
        let Some(step) = self.playbook.steps.get(place).cloned() else { return Ok(Then::LetGo) };
        let params = self.playbook.parameters.iter().map(|parameter| parameter.name.as_str());
        let decides = step.condition.as_ref().is_some_and(|c| flow::speaks_of_steps(c.as_str(), params));
        if let Some(blocked_by) = blocked_by
            && !decides
        {
            return self.change(place, StepState::Skipped, blocked_by, None, None, 0, None).await;
        }
        if let Some(condition) = &step.condition {
            match self.context().await?.holds(condition.as_str()) {
                Ok(true) => {}
                Ok(false) => {
                    let reason = format!("`{}` does not hold", condition.as_str());
                    return self.change(place, StepState::Skipped, reason, None, None, 0, None).await;
                }
                Err(error) => {
                    let reason = format!("`if`: {error}");
                    return self.change(place, StepState::Failed, reason, None, None, 0, None).await;
                }
            }
        }
        self.attempt(place).await
    }

    async fn context(&self) -> Result<Context<'_>, catalog::Error> {
        let Playbooks { catalog, secrets, .. } = self.playbooks;
        Context::load(catalog, &**secrets, &self.playbook, &self.work, self.now()).await
    }

    /// An attempt at a step, or another look at a wait.
    async fn attempt(&mut self, place: usize) -> Result<Then, catalog::Error> {
        let Some(step) = self.playbook.steps.get(place).cloned() else { return Ok(Then::LetGo) };
        if let Some(wait) = &step.wait {
            let now = self.now();
            let began = self.work.steps.get(place).and_then(|stands| stands.started_at).unwrap_or(now);
            let waited = steps::wait(&step, wait, &self.context().await?, began, now);
            return match waited {
                Waited::Until(due) => {
                    self.change(place, StepState::Waiting, String::new(), None, Some(due), 0, None).await
                }
                Waited::Over(outcome) => self.settle(place, &step, outcome, None).await,
            };
        }
        let Some(stands) = self.work.steps.get_mut(place) else { return Ok(Then::LetGo) };
        let (attempt, now) = (stands.attempts + 1, self.playbooks.clock.now());
        let Playbooks { catalog, worker, .. } = self.playbooks;
        let begun = catalog.begin_attempt(&self.work.lease, worker, &step.name, attempt, now).await?;
        if begun == Written::LeaseLost {
            return Ok(Then::LetGo);
        }
        stands.attempts = attempt;
        stands.state = StepState::Running;
        stands.due_at = None;
        stands.started_at.get_or_insert(now);
        match self.attended(place, &step, attempt).await? {
            Some(outcome) => self.settle(place, &step, outcome, Some(attempt)).await,
            None => Ok(Then::LetGo),
        }
    }

    /// Performs an attempt while the lease is renewed, the limits are watched, and somebody may ask for the end.
    /// `None` when the run was lost to another worker: then whatever the attempt started was ended.
    async fn attended(
        &mut self,
        place: usize,
        step: &Step,
        attempt: i32,
    ) -> Result<Option<Outcome>, catalog::Error> {
        let until_deadline = (self.work.deadline - self.now()).to_std().unwrap_or_default();
        let (limit, over) = if until_deadline < step.timeout.0 {
            (until_deadline, Stop::RunTimeout)
        } else {
            (step.timeout.0, Stop::StepTimeout)
        };
        let (stop, stopped) = watch::channel(None);
        let stands = self.work.steps.get(place);
        let output = Mutex::new(stands.map_or_else(Kept::default, |stands| Kept {
            chunks: stands.output_chunks,
            bytes: stands.output_bytes,
            dropped: stands.output_dropped,
        }));
        let performing = Attempt {
            playbooks: self.playbooks,
            lease: self.work.lease,
            step,
            attempt,
            began: stands.and_then(|stands| stands.started_at).unwrap_or_else(|| self.now()),
            limit,
            resource: self.work.resource,
            output: &output,
            context: self.context().await?,
            stopped,
        };
        // A request has its own limit, by which it is known whether it was on its way; this one is for what hangs.
        let slack = if step.http.is_some() { BEAT } else { Duration::ZERO };
        let outcome = tokio::select! {
            outcome = Box::pin(performing.perform()) => Some(outcome),
            () = self.hold(&stop) => None,
            never = watch_limit(&stop, limit + slack, over) => match never {},
        };
        let Kept { chunks, bytes, dropped } = output.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(stands) = self.work.steps.get_mut(place) {
            (stands.output_chunks, stands.output_bytes, stands.output_dropped) = (chunks, bytes, dropped);
        }
        Ok(outcome)
    }

    /// Keeps the lease, and passes on that somebody asked for the end. Returns when the lease is lost.
    async fn hold(&self, stop: &watch::Sender<Option<Stop>>) {
        let mut renewed = Instant::now();
        loop {
            pause(BEAT).await;
            match self.playbooks.catalog.renew_run(&self.work.lease, self.now(), LEASE).await {
                Ok(Beat::Held) => renewed = Instant::now(),
                Ok(Beat::CancelRequested) => {
                    renewed = Instant::now();
                    tell(stop, Stop::Cancelled);
                }
                Ok(Beat::LeaseLost) => return,
                Err(error) => {
                    tracing::warn!(
                        run.id = %self.work.lease.run,
                        "The lease of run {} could not be renewed: {}", self.work.lease.run, clean::chain(&error)
                    );
                    // By now another worker may have the run.
                    if renewed.elapsed() >= LEASE.saturating_sub(BEAT) {
                        return;
                    }
                }
            }
        }
    }

    /// What becomes of a step after an attempt.
    async fn settle(
        &mut self,
        place: usize,
        step: &Step,
        outcome: Outcome,
        attempt: Option<i32>,
    ) -> Result<Then, catalog::Error> {
        let end = |outcome| attempt.map(|attempt| AttemptEnd { attempt, outcome });
        let failures = self.work.steps.get(place).map_or(0, |stands| stands.failures);
        let (outcome, stop) = match outcome {
            Outcome::Stopped { stop: Stop::Cancelled, reason, result } => {
                self.work.cancelled_by.get_or_insert_default();
                let end = end("cancelled");
                return self.change(place, StepState::Cancelled, reason, result, None, failures, end).await;
            }
            Outcome::Stopped { stop, reason, result } => {
                let limit = match stop {
                    Stop::RunTimeout => format!("the run took longer than {}", self.playbook.timeout),
                    Stop::StepTimeout | Stop::Cancelled => format!("it took longer than {}", step.timeout),
                };
                let reason = if reason.is_empty() { limit } else { format!("{limit}; {reason}") };
                (Outcome::Failed { reason, result, again: true }, Some(stop))
            }
            other => (other, None),
        };
        match outcome {
            Outcome::Completed(result) => {
                let end = end("completed");
                self.change(place, StepState::Completed, String::new(), Some(result), None, failures, end)
                    .await
            }
            Outcome::Unknown { reason } => {
                self.change(place, StepState::Unknown, reason, None, None, failures, end("unknown")).await
            }
            Outcome::Failed { reason, result, again } => {
                let failures = failures.saturating_add(1);
                let again = again && stop != Some(Stop::RunTimeout);
                let due = flow::retry_after(step, failures).filter(|_| again).map(|after| self.now() + after);
                let state = if due.is_some() { StepState::Waiting } else { StepState::Failed };
                self.change(place, state, reason, result, due, failures, end("failed")).await
            }
            // Taken apart above.
            Outcome::Stopped { .. } => Ok(Then::GoOn),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one row")]
    async fn change(
        &mut self,
        place: usize,
        state: StepState,
        reason: String,
        result: Option<Value>,
        due_at: Option<Timestamp>,
        failures: i32,
        attempt: Option<AttemptEnd>,
    ) -> Result<Then, catalog::Error> {
        let now = self.now();
        let Some(stands) = self.work.steps.get_mut(place) else { return Ok(Then::LetGo) };
        let step = stands.name.clone();
        let change = StepChange { step, state, reason, result, due_at, failures, attempt };
        let written = ending::persist(|| self.playbooks.catalog.change_step(&self.work.lease, &change, now));
        if written.await? == Written::LeaseLost {
            return Ok(Then::LetGo);
        }
        let Some(stands) = self.work.steps.get_mut(place) else { return Ok(Then::LetGo) };
        stands.state = state;
        stands.reason = change.reason;
        stands.due_at = due_at;
        stands.failures = failures;
        if change.result.is_some() {
            stands.result = change.result;
        }
        if state == StepState::Waiting {
            stands.started_at.get_or_insert(now);
        }
        Ok(Then::GoOn)
    }

    async fn cancelled(&mut self, by: &str) -> Result<Then, catalog::Error> {
        let reason = if by.is_empty() { "cancelled".to_owned() } else { format!("cancelled by {by}") };
        let others = (StepState::Cancelled, "the run was cancelled");
        // Whoever cancelled must learn that something may have taken effect.
        match ending::verdict(&self.work) {
            (RunState::Unknown, unknown) => {
                self.end(RunState::Unknown, format!("{reason}; {unknown}"), others).await
            }
            _ => self.end(RunState::Cancelled, reason, others).await,
        }
    }

    async fn end(
        &mut self,
        state: RunState,
        reason: String,
        others: (StepState, &'static str),
    ) -> Result<Then, catalog::Error> {
        ending::end(self.playbooks, &self.work, state, reason, others).await?;
        Ok(Then::LetGo)
    }
}

/// Says once why an attempt shall end.
fn tell(stop: &watch::Sender<Option<Stop>>, why: Stop) {
    stop.send_if_modified(|held| {
        let first = held.is_none();
        held.get_or_insert(why);
        first
    });
}

async fn watch_limit(stop: &watch::Sender<Option<Stop>>, limit: Duration, over: Stop) -> Infallible {
    pause(limit).await;
    tell(stop, over);
    std::future::pending().await
}

/// Real time, not the clock's: what is bounded here happens in the world.
pub(crate) async fn pause(length: Duration) {
    drop(timeout(length, std::future::pending::<()>()).await);
}
