//! From a signal to the deliveries that it leads to: pure.

use catalog::deliveries::{Fate, NewDelivery};
use model::{DeliveryId, DeliveryState, Signal, SignalKind, Timestamp};
use serde_json::Value;
use triggers::Subject;

use crate::shelf::{Rule, Shelf, delta};

/// The deliveries of a signal, one for each notification that matches and each of its channels.
pub(crate) fn offer(shelf: &Shelf, subject: &Subject, now: Timestamp) -> Vec<NewDelivery> {
    let mut offered = Vec::new();
    for rule in shelf.rules_of(subject.signal.kind) {
        let Some(fate) = fate(rule, subject, now) else { continue };
        let snapshot = snapshot(rule, subject);
        let wait_until = fate.due_at.filter(|_| rule.spec.wait_for.is_some());
        let mut channels: Vec<&str> = rule.spec.to.iter().map(String::as_str).collect();
        channels.sort_unstable();
        channels.dedup();
        for channel in channels {
            offered.push(NewDelivery {
                id: DeliveryId::of(&rule.name, &subject.signal.id.to_string(), channel),
                notification: rule.name.clone(),
                generation: rule.generation,
                channel: channel.to_owned(),
                signal: subject.signal.clone(),
                resource: subject.resource_id(),
                snapshot: snapshot.clone(),
                same: same(&rule.name, channel, subject),
                fate: fate.clone(),
                wait_until,
            });
        }
    }
    offered
}

/// Where a delivery begins; `None` when the notification does not match.
fn fate(rule: &Rule, subject: &Subject, now: Timestamp) -> Option<Fate> {
    let holds = rule.condition.as_ref().map_or(Ok(true), |condition| condition.holds(&subject.bindings(now)));
    let occurred_at = subject.signal.occurred_at;
    match holds {
        Ok(false) => None,
        Ok(true) if now - occurred_at > delta(rule.spec.max_age) => {
            let detail = format!("it happened more than {} before the signal came", rule.spec.max_age);
            Some(Fate::ended(DeliveryState::Suppressed, "too_old", detail))
        }
        Ok(true) => match rule.spec.wait_for {
            None => Some(Fate::pending(now, "due", "it is about to be sent")),
            Some(span) => {
                let until = now.max(occurred_at + rule.wait());
                Some(Fate::pending(until, "waiting", format!("it looks again {span} after it happened")))
            }
        },
        // The error belongs to this event: the notification goes on with the next.
        Err(error) => Some(Fate::ended(DeliveryState::Failed, "condition_error", error.to_string())),
    }
}

/// What the texts may use, as it is now.
fn snapshot(rule: &Rule, subject: &Subject) -> Value {
    let mut snapshot = subject.snapshot();
    if !rule.wants_config()
        && let Some(config) = snapshot.pointer_mut("/resource/config")
    {
        *config = Value::Null;
    }
    snapshot
}

/// Names what is the same when it is told again: the notification, the channel, what it is about, and its state.
fn same(notification: &str, channel: &str, subject: &Subject) -> String {
    let Signal { kind, payload, subject: about, .. } = &subject.signal;
    let word = |name: &str| payload.get(name).and_then(Value::as_str).unwrap_or_default();
    let (about, state) = match (kind, subject.resource_id()) {
        (SignalKind::HealthChanged, _) => (about.to_string(), word("health")),
        // Each change is a subject of its own; the same change again is one of the same kind to the same resource.
        (SignalKind::ChangeRecorded, Some(resource)) => (resource.to_string(), word("kind")),
        (SignalKind::RunCompleted | SignalKind::RunFailed, resource) => {
            (resource.map(|id| id.to_string()).unwrap_or_default(), word("playbook"))
        }
        _ => (about.to_string(), ""),
    };
    let key = [notification, channel, &about, kind.as_str(), state].join("\u{1f}");
    model::ContentHash::of_json(&Value::from(key)).to_string()
}
