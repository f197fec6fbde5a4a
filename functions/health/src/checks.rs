//! Runs the checks that are due.

mod probe;

pub(crate) use probe::Probe;

use std::sync::Arc;

use catalog::checks::{ClaimedCheck, NewCheck, Outcome, Settled};
use chrono::TimeDelta;
use model::{CheckState, Timestamp};
use tokio::task::JoinSet;
use tracing::{debug, error, warn};

use crate::{Error, Health, cache::Probes};

/// How many checks wait for their answers at once.
const AT_ONCE: usize = 16;
/// How many checks one tick runs.
const A_TICK: usize = 128;
/// How much longer than its timeout a check's lease is: the answer has to be judged and written.
const MARGIN_SECONDS: u64 = 30;
/// The least time between two runs.
const APART: TimeDelta = TimeDelta::seconds(10);
/// When a check runs next whose manifest does not say.
const UNSAID: TimeDelta = TimeDelta::hours(1);
/// Under which name the catalog keeps which checks were taken note of.
const MARK: &str = "checks";

/// Runs what is due, as much at once as is allowed. Answers whether there may be more.
pub(crate) async fn due(health: &Health) -> Result<bool, Error> {
    let probes = health.cache.probes(&health.catalog).await?;
    sync(health, &probes).await?;
    // Each is a task of its own: one that holds a connection goes on while this waits for one. What is cut here is run
    // again when its lease has run out.
    let mut running = JoinSet::new();
    let mut begun = 0;
    loop {
        let free = AT_ONCE.saturating_sub(running.len()).min(A_TICK - begun);
        if free > 0 {
            let limit = u32::try_from(free).unwrap_or(u32::MAX);
            for claimed in health.catalog.claim_checks(limit, health.clock.now()).await? {
                begun += 1;
                running.spawn(run(health.clone(), Arc::clone(&probes), claimed));
            }
        }
        match running.join_next().await {
            None => return Ok(begun >= A_TICK),
            Some(Ok(done)) => done?,
            Some(Err(error)) => error!("A check was cut, and is run again later: {error}"),
        }
    }
}

/// Takes note of checks that were applied, edited or deleted.
async fn sync(health: &Health, probes: &Probes) -> Result<(), Error> {
    if health.catalog.mark(MARK).await?.as_deref() == Some(probes.mark.as_str()) {
        return Ok(());
    }
    let now = health.clock.now();
    let checks: Vec<NewCheck> = probes
        .by_name
        .iter()
        .map(|(name, probe)| NewCheck {
            name: name.clone(),
            generation: probe.generation,
            target: probe.target(),
            resource: probe.spec.resource.clone(),
            due_at: now,
            lease_seconds: i32::try_from(probe.timeout().as_secs().saturating_add(MARGIN_SECONDS))
                .unwrap_or(i32::MAX),
        })
        .collect();
    health.catalog.sync_checks(&checks, now).await?;
    health.catalog.set_mark(MARK, &probes.mark, now).await?;
    Ok(())
}

async fn run(health: Health, probes: Arc<Probes>, claimed: ClaimedCheck) -> Result<(), Error> {
    let Some(probe) = probes.by_name.get(&claimed.name).map(Arc::clone) else {
        // Its manifest came after the manifests were read: its lease runs out, and it is run then.
        return Ok(());
    };
    let at = health.clock.now();
    let answer = probe.ask(&*health.http, &*health.secrets, at).await;
    let ended_at = health.clock.now();
    if answer.state == CheckState::Unknown {
        warn!(check.name = %claimed.name, "The check `{}` could not be run: {}", claimed.name, answer.reason);
    }
    let outcome = Outcome {
        at,
        ended_at,
        state: answer.state,
        status: answer.status,
        latency_ms: answer.latency.map(|latency| latency.as_secs_f64() * 1_000.0),
        reason: answer.reason,
        threshold: probe.spec.failures,
        due_at: next(&probe, claimed.due_at, at, ended_at),
    };
    if health.catalog.settle_check(&claimed, &outcome).await? == Settled::Lost {
        debug!(check.name = %claimed.name, "The result came too late: another copy has the check, or it was deleted");
    }
    Ok(())
}

/// When a check runs next: in step with when it was due, so that it does not drift; runs that were missed are not made
/// up for.
fn next(probe: &Probe, was_due: Timestamp, at: Timestamp, ended_at: Timestamp) -> Timestamp {
    let every = &probe.spec.every;
    let in_step = every
        .next_after(was_due)
        .map(|next| if next > ended_at { Ok(next) } else { every.next_after(ended_at) });
    match in_step {
        Ok(Ok(next)) => next.max(at + APART),
        Ok(Err(_)) | Err(_) => ended_at + UNSAID,
    }
}
