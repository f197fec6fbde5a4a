//! The words that controllers use.

/// How things stand, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mood {
    /// As they should.
    Good,
    /// At rest, because somebody wants it so.
    Paused,
    /// Work is being done.
    Underway,
    /// Badly.
    Bad,
}

/// What it means that a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// All is well; when it does not hold, it is not.
    Success,
    /// Something is wrong.
    Trouble,
    /// Work is being done. What it says when it does not hold, its reason tells.
    Work,
    /// It is at rest.
    Pause,
    /// Nothing that health depends on.
    Other,
}

/// Conditions that name success.
const SUCCESS: &[&str] = &[
    "ready",
    "available",
    "healthy",
    "synced",
    "reconciled",
    "succeeded",
    "successful",
    "complete",
    "completed",
    "established",
    "installed",
    "deployed",
    "accepted",
    "programmed",
    "resolvedrefs",
    "valid",
    "validated",
    "admitted",
    "applied",
    "initialized",
    "promoted",
    "scheduled",
    "bound",
    "namesaccepted",
    "resourcesuptodate",
    "discoverable",
    "advertised",
    "adopted",
    "foldersynchronized",
    "fullyapplied",
    "configured",
    "provisioned",
    "parametersgenerated",
    "registered",
    "connected",
    "online",
    "issued",
    "approved",
    "podscheduled",
    "uptodate",
];

/// Conditions that name trouble, by how they end.
const TROUBLE: &[&str] = &[
    "failed",
    "failure",
    "error",
    "degraded",
    "stalled",
    "invalid",
    "notready",
    "partiallyready",
    "erroroccurred",
    "unhealthy",
    "unavailable",
    "denied",
    "conflict",
    "conflicted",
    "crashed",
    "blocked",
    "pressure",
    "nonstructuralschema",
    "invalidspec",
    "misconfigured",
    "disconnected",
    "unreachable",
    "deadlock",
];

/// Parts of words that say that something went wrong.
const BAD: &[&str] = &[
    "fail",
    "error",
    "invalid",
    "degraded",
    "unhealthy",
    "reject",
    "denied",
    "forbidden",
    "crash",
    "broken",
    "noncompliant",
    "cancel",
    "abort",
    "timeout",
    "timedout",
    "exceeded",
    "lost",
    "conflict",
    "unauthorized",
    "unreachable",
    "notfound",
    "missing",
    "mismatch",
    "faulted",
    "evicted",
    "exhausted",
    "stalled",
    "backoff",
    "oomkilled",
    "violation",
    "corrupt",
    "offline",
    "insufficient",
    "limitreached",
    "refused",
];

/// Words that say that all is well.
const GOOD: &[&str] = &[
    "ready",
    "running",
    "active",
    "available",
    "healthy",
    "succeeded",
    "success",
    "successful",
    "bound",
    "complete",
    "completed",
    "green",
    "ok",
    "deployed",
    "synced",
    "insync",
    "valid",
    "accepted",
    "compliant",
    "provisioned",
    "installed",
    "initialized",
    "established",
    "online",
    "attached",
    "applied",
    "approved",
    "issued",
    "up",
    "stable",
    "created",
    "connected",
    "enabled",
    "finished",
    "done",
    "normal",
    "passed",
    "executed",
    "operational",
    "resolved",
    "uptodate",
    "inuse",
    "atlatestknown",
    "promoted",
];

/// Words that say that work is being done.
const UNDERWAY: &[&str] = &[
    "pending",
    "new",
    "yellow",
    "scheduled",
    "queued",
    "requested",
    "unavailable",
    "submitted",
    "notreconciled",
    "inprogress",
    "notready",
    "notcomplete",
    "doesnotexist",
    "notrunning",
    "started",
    "unpublished",
    "installready",
    "progressingwithretry",
    "transferrunning",
    "deployednotready",
    "pendingrerun",
    "init",
    "accepting",
    "retry",
    "upgradepending",
];

/// Words that say that somebody put it to rest.
const PAUSED: &[&str] =
    &["paused", "suspended", "stopped", "hibernated", "hibernating", "parked", "disabled"];

/// A word without case, spaces and punctuation.
fn folded(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What it means that a condition of this type holds.
pub(super) fn kind(condition: &str) -> Kind {
    let word = folded(condition);
    if matches!(word.as_str(), "paused" | "suspended") {
        return Kind::Pause;
    }
    let success = ["ready", "available", "installed", "success", "succeeded"];
    // `Installed` ends in `stalled`, and `NotReady` in `ready`.
    if !word.ends_with("installed") && TROUBLE.iter().any(|end| word.ends_with(end)) {
        return Kind::Trouble;
    }
    if SUCCESS.contains(&word.as_str()) || success.iter().any(|end| word.ends_with(end)) {
        return Kind::Success;
    }
    if word == "progressing" {
        return Kind::Work;
    }
    Kind::Other
}

/// Whether a reason says that somebody stopped the work.
pub(super) fn is_pause(reason: &str) -> bool {
    let word = folded(reason);
    matches!(
        word.as_str(),
        "paused" | "suspended" | "reconcilepaused" | "reconciliationpaused" | "pausedbyuser"
    )
}

/// How things stand by a word; nothing of a word that is not known.
pub(super) fn mood(word: &str) -> Option<Mood> {
    let word = folded(word);
    let word = word.as_str();
    if word.is_empty() {
        return None;
    }
    if GOOD.contains(&word) {
        return Some(Mood::Good);
    }
    if PAUSED.contains(&word) {
        return Some(Mood::Paused);
    }
    if UNDERWAY.contains(&word) {
        return Some(Mood::Underway);
    }
    if word == "red" || word.starts_with("err") || BAD.iter().any(|part| word.contains(part)) {
        return Some(Mood::Bad);
    }
    let working = ["pending", "waiting", "progress", "notready", "notcomplete", "creating", "notrunning"];
    if word.ends_with("ing") || word.ends_with("scheduled") || working.iter().any(|part| word.contains(part))
    {
        return Some(Mood::Underway);
    }
    None
}

/// How things stand by a sentence: by the word that it begins with, or by what it says is not there.
pub(super) fn mood_of_sentence(sentence: &str) -> Option<Mood> {
    let first = sentence.split_whitespace().next()?.trim_end_matches([':', ',']);
    let failed = matches!(folded(first).as_str(), "error" | "failed" | "failure" | "fatal");
    if failed || ["not found", "forbidden", "denied"].iter().any(|words| sentence.contains(words)) {
        return Some(Mood::Bad);
    }
    mood(first).filter(|mood| *mood == Mood::Underway)
}

/// Whether a reason of work says that the work is done: the names that the deployment controllers use.
pub(super) fn is_done(reason: &str) -> bool {
    let word = folded(reason);
    word.starts_with("new") && word.ends_with("available") || mood(reason) == Some(Mood::Good)
}
