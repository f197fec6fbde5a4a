//! A wait. It holds no worker: between two looks the run lies in the catalog.

use chrono::TimeDelta;
use manifest::kinds::playbook::{Step, WaitStep};
use model::Timestamp;
use serde_json::json;

use super::Outcome;
use crate::context::Context;

/// What became of a wait.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Waited {
    /// It goes on until this instant.
    Until(Timestamp),
    /// It is over.
    Over(Outcome),
}

/// Looks at a wait that began at `began`.
pub(crate) fn wait(
    step: &Step,
    wait: &WaitStep,
    context: &Context<'_>,
    began: Timestamp,
    now: Timestamp,
) -> Waited {
    let after = |span: std::time::Duration| {
        let span = TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX);
        began.checked_add_signed(span).unwrap_or(Timestamp::MAX_UTC)
    };
    let over = || Waited::Over(Outcome::Completed(json!({"waited_seconds": (now - began).num_seconds()})));
    if let Some(span) = wait.duration {
        let end = after(span.0);
        if now < end {
            return Waited::Until(end);
        }
        if wait.until.is_none() {
            return over();
        }
    }
    let Some(condition) = &wait.until else {
        return Waited::Over(Outcome::wrong(
            "the wait says neither `for` how long nor `until` what".to_owned(),
        ));
    };
    match context.holds(condition.as_str()) {
        Ok(true) => over(),
        Err(reason) => Waited::Over(Outcome::wrong(format!("`until`: {reason}"))),
        Ok(false) => {
            let end = after(step.timeout.0);
            if now >= end {
                let reason = format!("`{}` did not hold within {}", condition.as_str(), step.timeout);
                return Waited::Over(Outcome::wrong(reason));
            }
            let every =
                TimeDelta::from_std(wait.every.0).unwrap_or(TimeDelta::MAX).max(TimeDelta::seconds(1));
            Waited::Until(now.checked_add_signed(every).unwrap_or(end).min(end))
        }
    }
}
