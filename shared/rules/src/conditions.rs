//! What nearly all Kubernetes objects have in common: conditions, a generation that was observed or not, a phase, a
//! switch that suspends them, a deletion under way.
//!
//! The rules are those of the API conventions and of kstatus, read with the words that controllers really use
//! ([`words`]):
//!
//! 1. What is being deleted is `Terminating`, and after an hour `TerminatingStalled`.
//! 2. What somebody suspended is `Suspended`, whatever else it says.
//! 3. A status of an older generation says nothing of this one.
//! 4. A condition that names trouble (`Failed`, `Stalled`, `...Error`) and holds is trouble; one that names success
//!    (`Ready`, `Available`, ...) and does not hold is trouble too, unless its reason says that work is under way.
//! 5. Without conditions, the word in `status.phase` or one of its siblings speaks.
//!
//! <https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md>

mod object;
mod words;

use chrono::TimeDelta;
use model::{Health, Timestamp};
use serde_json::Value;

use self::{
    object::{Condition, Object},
    words::{Kind, Mood},
};
use crate::compiled::Opinion;

/// How long a deletion may take before somebody should look.
const STALLED: TimeDelta = TimeDelta::hours(1);

/// Judges what is being deleted, before any other built-in rule: what a half-deleted object says of itself means
/// little. One that says that it fails is left to the rules after this one, because that is why it is not gone.
pub(crate) fn terminating(resource: &Value, now: Timestamp) -> Option<Opinion> {
    let object = Object::new(resource)?;
    let since = object.deleted_at()?;
    let failing = || by_conditions(&object).is_some_and(|opinion| opinion.health == Health::Unhealthy);
    if !object.is_built_in() && failing() {
        return None;
    }
    let stalled_at = since.checked_add_signed(STALLED)?;
    let stalled = now >= stalled_at;
    Some(Opinion {
        health: if stalled { Health::Warning } else { Health::Unknown },
        status: if stalled { "TerminatingStalled" } else { "Terminating" }.to_owned(),
        ready: false,
        reason: format!("terminating for {}{}", lasted(now - since), object.finalizers()),
        until: (!stalled).then_some(stalled_at),
    })
}

/// Judges any Kubernetes object; tried after every rule that knows its type.
pub(crate) fn judge(resource: &Value, _now: Timestamp) -> Option<Opinion> {
    let object = Object::new(resource)?;
    if let Some(why) = object.suspended() {
        return Some(opinion(Health::Healthy, "Suspended", true, why));
    }
    if let Some((observed, wanted)) = object.outdated() {
        let reason = format!("generation {wanted} is not observed yet, only {observed}");
        return Some(opinion(Health::Unknown, "Progressing", false, reason));
    }
    let found = by_conditions(&object).or_else(|| by_phase(&object)).or_else(|| plainly(&object));
    if found.is_some() {
        return found;
    }
    // What has no status by its nature (a config map, a role) is judged by nobody.
    if object.is_built_in() {
        return None;
    }
    Some(if object.has_status() {
        opinion(Health::Unknown, "Unknown", false, "nothing in its status says how it is")
    } else {
        opinion(Health::Unknown, "Progressing", false, "its controller has reported no status yet")
    })
}

fn opinion(health: Health, status: &str, ready: bool, reason: impl Into<String>) -> Opinion {
    let reason = reason.into().trim().to_owned();
    Opinion { health, status: crate::status::pascal(status), ready, reason, until: None }
}

fn by_conditions(object: &Object<'_>) -> Option<Opinion> {
    let conditions = object.conditions();
    if conditions.is_empty() {
        return None;
    }
    let ready = conditions.iter().find(|c| c.kind == "Ready");
    if conditions.iter().any(|c| c.is("True") && matches!(words::kind(c.kind), Kind::Pause)) {
        return Some(opinion(Health::Healthy, "Suspended", true, said(&conditions, Kind::Pause)));
    }
    if let Some(paused) = conditions.iter().find(|c| !c.is("True") && words::is_pause(c.reason)) {
        return Some(opinion(Health::Healthy, "Suspended", true, paused.why()));
    }
    let trouble = conditions.iter().find(|c| c.is("True") && words::kind(c.kind) == Kind::Trouble);
    if ready.is_some_and(|ready| ready.is("True")) {
        return Some(while_ready(&conditions, trouble));
    }
    if object.phase_mood() == Some(Mood::Paused) {
        return by_phase(object);
    }
    // A condition that fails says more than one that only summarizes it.
    if let Some(trouble) = trouble {
        return Some(opinion(Health::Unhealthy, trouble.word_or("Degraded"), true, trouble.why()));
    }
    let stages: Vec<&Condition<'_>> = match ready {
        Some(ready) => [ready].into_iter().chain(conditions.iter().filter(|c| c.is_failure())).collect(),
        None => {
            let tells = |c: &&Condition<'_>| matches!(words::kind(c.kind), Kind::Success | Kind::Work);
            conditions.iter().filter(tells).collect()
        }
    };
    let worst = stages.iter().max_by_key(|c| c.mood(object.phase_mood()))?;
    // Where nothing says Ready, the phase is heard as well.
    let phase = object.phase_mood().filter(|_| ready.is_none());
    if phase > Some(worst.mood(phase)) {
        return by_phase(object);
    }
    let retries = conditions.iter().any(|c| c.reason == "ProgressingWithRetry" && c.is("True"));
    Some(match worst.mood(object.phase_mood()) {
        Mood::Bad => {
            let settled = !retries && !worst.is_underway();
            opinion(Health::Unhealthy, worst.word_or("Degraded"), settled, worst.why())
        }
        Mood::Underway => opinion(Health::Unknown, worst.word_or("Progressing"), false, worst.why()),
        Mood::Paused => opinion(Health::Healthy, "Suspended", true, worst.why()),
        Mood::Good => match conditions.iter().find(|c| c.is_work()) {
            Some(work) => opinion(Health::Healthy, work.word_or("Progressing"), false, work.why()),
            None => opinion(Health::Healthy, worst.word_or("Healthy"), true, worst.why()),
        },
    })
}

/// What else there is to say of what says that it is ready.
fn while_ready(conditions: &[Condition<'_>], trouble: Option<&Condition<'_>>) -> Opinion {
    let failed = |kinds: &[&str]| conditions.iter().find(|c| kinds.contains(&c.kind) && c.is("False"));
    if let Some(synced) = failed(&["Synced", "Reconciled"]) {
        return opinion(Health::Unhealthy, synced.word_or("OutOfSync"), true, synced.why());
    }
    if let Some(last) = failed(&["LastAsyncOperation"]) {
        return opinion(Health::Warning, last.word_or("OperationFailed"), true, last.why());
    }
    if let Some(trouble) = trouble.filter(|c| matches!(c.kind, "Degraded" | "Stalled" | "Failed")) {
        return opinion(Health::Warning, trouble.word_or("Degraded"), true, trouble.why());
    }
    if let Some(work) = conditions.iter().find(|c| c.is_work()) {
        return opinion(Health::Healthy, work.word_or("Progressing"), false, work.why());
    }
    let says = |kind: &str| conditions.iter().find(|c| c.kind == kind && c.is("True"));
    match says("Synced").or_else(|| says("Ready")) {
        Some(says) => opinion(Health::Healthy, says.word_or("Healthy"), true, says.message),
        None => opinion(Health::Healthy, "Healthy", true, ""),
    }
}

fn said(conditions: &[Condition<'_>], kind: Kind) -> String {
    let found = conditions.iter().find(|c| c.is("True") && words::kind(c.kind) == kind);
    found.map(Condition::why).unwrap_or_default()
}

fn by_phase(object: &Object<'_>) -> Option<Opinion> {
    let phase = object.phase()?;
    let why = object.message();
    Some(match words::mood(phase) {
        Some(Mood::Good) => opinion(Health::Healthy, phase, true, why),
        Some(Mood::Paused) => opinion(
            Health::Healthy,
            "Suspended",
            true,
            if why.is_empty() { format!("it is {phase}") } else { why.to_owned() },
        ),
        Some(Mood::Underway) => opinion(Health::Unknown, phase, false, why),
        Some(Mood::Bad) => opinion(Health::Unhealthy, phase, true, why),
        None => opinion(Health::Unknown, phase, false, why),
    })
}

/// Judges by a plain yes or no.
fn plainly(object: &Object<'_>) -> Option<Opinion> {
    Some(match object.plain()? {
        Mood::Good => opinion(Health::Healthy, "Ready", true, ""),
        Mood::Bad => opinion(Health::Unhealthy, "Error", false, object.message()),
        Mood::Underway | Mood::Paused => opinion(Health::Unknown, "Progressing", false, object.message()),
    })
}

/// A length of time in its largest unit: `3m`, `1d`.
fn lasted(delta: TimeDelta) -> String {
    let (minutes, hours, days) = (delta.num_minutes(), delta.num_hours(), delta.num_days());
    match (days, hours, minutes) {
        (1.., ..) => format!("{days}d"),
        (_, 1.., _) => format!("{hours}h"),
        (_, _, 1..) => format!("{minutes}m"),
        _ => format!("{}s", delta.num_seconds().max(0)),
    }
}

#[cfg(test)]
mod tests;
