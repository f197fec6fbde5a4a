//! Whose changes start no runs: our own, lest a playbook starts itself for ever.

use catalog::Change;
use model::{Signal, SignalKind};

use crate::Subject;

/// How many runs may lead to one another, each by the signal of its end.
const LONGEST_CHAIN: i32 = 5;

/// How a session of a run is called, where a step assumes a role.
const SESSION: &str = "perigee-run-";

/// The source of what runs record themselves.
const SOURCE: &str = "perigee";

/// The principals that are ours: names, sessions or ARNs, in which `*` stands for anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Principals<'a>(pub &'a [String]);

impl Principals<'_> {
    /// Why a signal shall not start a run of `playbook`; `None` when it may.
    pub(crate) fn guard(self, subject: &Subject, playbook: &str) -> Option<&'static str> {
        let Subject { signal, change, .. } = subject;
        let text = |name: &str| signal.payload.get(name).and_then(serde_json::Value::as_str);
        let of_a_run = matches!(signal.kind, SignalKind::RunCompleted | SignalKind::RunFailed);
        if change.as_ref().is_some_and(|change| self.did(change))
            || text("source") == Some(SOURCE)
            || of_a_run && text("playbook") == Some(playbook)
        {
            return Some("own_action");
        }
        (depth(signal) > LONGEST_CHAIN).then_some("chain_too_long")
    }

    fn did(self, change: &Change) -> bool {
        if change.source == SOURCE {
            return true;
        }
        let Some(actor) = &change.actor else { return false };
        let session = actor.session.as_deref().or(change.session_id.as_deref());
        if session.is_some_and(|session| session.starts_with(SESSION)) {
            return true;
        }
        let names = [Some(actor.name.as_str()), session, actor.arn.as_deref()];
        let ours = |name: &str| self.0.iter().any(|pattern| matches(pattern, name));
        names.into_iter().flatten().any(ours)
    }
}

/// How many runs led to what this signal starts.
pub(crate) fn depth(signal: &Signal) -> i32 {
    let told = signal.payload.get("depth").and_then(serde_json::Value::as_i64);
    told.and_then(|depth| i32::try_from(depth).ok()).map_or(0, |depth| depth.saturating_add(1))
}

/// Whether `text` is what `pattern` describes, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, expected) in [
            ("perigee", "perigee", true),
            ("perigee", "perigee-2", false),
            ("perigee*", "perigee-2", true),
            (
                "arn:aws:sts::*:assumed-role/perigee-*/*",
                "arn:aws:sts::111122223333:assumed-role/perigee-run/x",
                true,
            ),
            (
                "arn:aws:sts::*:assumed-role/perigee-*/*",
                "arn:aws:sts::111122223333:assumed-role/dana/x",
                false,
            ),
            ("*run", "run", true),
            ("a*b", "a", false),
            ("", "anybody", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
