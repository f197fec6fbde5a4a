//! What is to be done next in a run. Pure.
//!
//! A step is looked at when the steps it needs have ended. Without an `if`, or with one that does not speak of
//! `steps`, it is skipped unless all of them completed. An `if` that speaks of `steps` decides alone, so that a step
//! can clean up after another that failed.

use catalog::runs::WorkStep;
use expr::Program;
use manifest::{Playbook, kinds::playbook::Step};
use model::{StepState, Timestamp};

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Look at a step whose needs have ended: it begins, or is skipped.
    Look {
        /// Its place.
        step: usize,
        /// The first of its needs that did not complete.
        blocked_by: Option<String>,
    },
    /// Go on with a step that waited.
    Resume(usize),
    /// Nothing before this instant.
    Wait(Timestamp),
    /// The steps that are left need one another, or one that is not there.
    Stuck(usize),
    /// Every step has ended.
    End,
}

/// What is to be done next, of the steps of the playbook as they stand.
pub(crate) fn next(playbook: &Playbook, steps: &[WorkStep], now: Timestamp) -> Next {
    let mut earliest: Option<Timestamp> = None;
    let mut stuck = None;
    for (place, (step, stands)) in playbook.steps.iter().zip(steps).enumerate() {
        match stands.state {
            StepState::Waiting => match stands.due_at {
                Some(due) if due > now => earliest = Some(earliest.map_or(due, |earliest| earliest.min(due))),
                Some(_) | None => return Next::Resume(place),
            },
            // One that runs was dealt with when the run was claimed.
            StepState::Pending | StepState::Running => match needs(playbook, steps, place, step) {
                Needs::Ended { blocked_by } => return Next::Look { step: place, blocked_by },
                Needs::Open => stuck = stuck.or(Some(place)),
            },
            StepState::Completed
            | StepState::Failed
            | StepState::Skipped
            | StepState::Cancelled
            | StepState::Unknown => {}
        }
    }
    match (earliest, stuck) {
        (Some(due), _) => Next::Wait(due),
        (None, Some(place)) => Next::Stuck(place),
        (None, None) => Next::End,
    }
}

enum Needs {
    Ended { blocked_by: Option<String> },
    Open,
}

fn needs(playbook: &Playbook, steps: &[WorkStep], place: usize, step: &Step) -> Needs {
    let before = || place.checked_sub(1).and_then(|before| playbook.steps.get(before));
    let needs: Vec<&str> = match &step.needs {
        Some(needs) => needs.iter().map(String::as_str).collect(),
        None => before().map(|before| before.name.as_str()).into_iter().collect(),
    };
    let mut blocked_by = None;
    for need in needs {
        match steps.iter().find(|stands| stands.name == need).map(|stands| stands.state) {
            Some(state) if state.is_final() => {
                if state != StepState::Completed && blocked_by.is_none() {
                    blocked_by = Some(format!("step `{need}` is {state}"));
                }
            }
            Some(_) | None => return Needs::Open,
        }
    }
    Needs::Ended { blocked_by }
}

/// Whether a condition speaks of `steps`: without them, it means nothing.
pub(crate) fn speaks_of_steps<'a>(condition: &str, params: impl IntoIterator<Item = &'a str>) -> bool {
    let without = manifest::scopes::step(params, std::iter::empty());
    Program::compile(condition, &without).is_err()
}

/// How long after the failure that makes `failures` the next attempt is; `None` when there is none left.
pub(crate) fn retry_after(step: &Step, failures: i32) -> Option<chrono::TimeDelta> {
    let retry = step.retry.as_ref()?;
    if failures.unsigned_abs() >= retry.attempts {
        return None;
    }
    let factor = retry.factor.max(1.0).powi(failures.saturating_sub(1));
    // A day is longer than any run; more would overflow an instant.
    let seconds = (retry.delay.0.as_secs_f64() * factor).min(86_400.0);
    chrono::TimeDelta::from_std(std::time::Duration::from_secs_f64(seconds)).ok()
}

#[cfg(test)]
mod tests;
