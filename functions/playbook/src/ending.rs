//! The end of a run: what it is, and what the world is told of it.

use std::time::Duration;

use catalog::runs::{Ending, Work, WorkStep, Written};
use model::{RunState, Signal, SignalId, SignalKind, StepState, Timestamp};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    Playbooks,
    work::{BEAT, pause},
};

/// How long what is known is tried to be written, while the database is away.
const PERSIST: Duration = Duration::from_secs(20);

/// Ends a run. Nothing happens where another worker has it now.
pub(crate) async fn end(
    playbooks: &Playbooks,
    work: &Work,
    state: RunState,
    reason: String,
    others: (StepState, &'static str),
) -> Result<(), catalog::Error> {
    let now = playbooks.clock.now();
    let signals = signals(playbooks, work, state, &reason, now).await?;
    let ending = Ending { state, reason, others, signals };
    let written = persist(|| playbooks.catalog.end_run(&work.lease, &ending, now)).await?;
    if written == Written::Yes {
        let (run, playbook) = (work.lease.run, &work.playbook);
        tracing::info!(run.id = %run, "Run {run} of {playbook} is {state}");
    }
    Ok(())
}

/// What the world is told of the end.
async fn signals(
    playbooks: &Playbooks,
    work: &Work,
    state: RunState,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<Signal>, catalog::Error> {
    let kind = match state {
        RunState::Completed => SignalKind::RunCompleted,
        RunState::Failed | RunState::Unknown => SignalKind::RunFailed,
        RunState::Cancelled
        | RunState::Scheduled
        | RunState::AwaitingApproval
        | RunState::Running
        | RunState::Waiting => return Ok(Vec::new()),
    };
    let Work { lease, playbook, resource, depth, .. } = work;
    let ids: Vec<_> = resource.iter().copied().collect();
    let subject = playbooks.catalog.subjects(&ids).await?.pop().map(|subject| subject.resource);
    let of =
        |part: fn(&catalog::Resource) -> &String| subject.as_ref().map(part).cloned().unwrap_or_default();
    Ok(vec![Signal {
        id: SignalId::of(kind.as_str(), &[&lease.run.to_string()]),
        kind,
        subject: lease.run.into(),
        occurred_at: now,
        payload: json!({
            "run": lease.run, "playbook": playbook, "state": state, "reason": reason, "resource": resource,
            "account": of(|resource| &resource.account), "type": of(|resource| &resource.kind),
            "region": of(|resource| &resource.region), "name": of(|resource| &resource.name), "depth": depth,
        }),
    }])
}

/// How a run ended whose steps all have: the worst of them says it.
pub(crate) fn verdict(work: &Work) -> (RunState, String) {
    let first = |state: StepState| work.steps.iter().find(|step| step.state == state);
    let said = |step: &WorkStep| format!("step `{}`: {}", step.name, step.reason);
    if let Some(step) = first(StepState::Unknown) {
        (RunState::Unknown, said(step))
    } else if let Some(step) = first(StepState::Failed) {
        (RunState::Failed, said(step))
    } else {
        (RunState::Completed, String::new())
    }
}

/// Writes what is known, again and again for a while where the database is away.
pub(crate) async fn persist<W>(write: impl Fn() -> W + Send) -> Result<Written, catalog::Error>
where
    W: Future<Output = Result<Written, catalog::Error>> + Send,
{
    let begun = Instant::now();
    loop {
        match write().await {
            Err(error) if error.is_transient() && begun.elapsed() < PERSIST => pause(BEAT).await,
            answer => return answer,
        }
    }
}
