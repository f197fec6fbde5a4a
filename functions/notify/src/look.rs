//! What becomes of a delivery that is due, before anything is sent: pure.

use std::collections::BTreeSet;

use catalog::deliveries::{ClaimedDelivery, Fate};
use manifest::Connection;
use model::{CheckState, DeliveryState, FindingStatus, Health, ResourceId, SignalKind, Timestamp};
use serde_json::Value;
use triggers::Subject;

use crate::{
    shelf::{Rule, delta},
    waited,
};

/// What a delivery is judged by.
#[derive(Debug)]
pub(crate) struct Around<'a> {
    /// The notification; `None` once it is deleted.
    pub(crate) rule: Option<&'a Rule>,
    /// The connection, or why it cannot be read.
    pub(crate) connection: Option<Result<&'a Connection, &'a str>>,
    /// What it is about, as it stands now; of those that waited.
    pub(crate) fresh: Option<&'a Subject>,
    /// The state now of the check or finding that it is about; of those that waited.
    pub(crate) standing: Option<&'a str>,
    /// The silences that hold now.
    pub(crate) silences: &'a [Silence<'a>],
    /// The present.
    pub(crate) now: Timestamp,
}

/// A silence that holds.
#[derive(Debug)]
pub(crate) struct Silence<'a> {
    pub(crate) name: &'a str,
    pub(crate) silence: &'a manifest::Silence,
    pub(crate) about: About,
}

/// What a silence is about.
#[derive(Debug)]
pub(crate) enum About {
    /// Everything.
    Everything,
    /// These, of the resources that were asked for.
    These(BTreeSet<ResourceId>),
    /// Nothing, because its selector cannot be used.
    Nothing(String),
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Look<'a> {
    /// Nothing is sent.
    Settle(Fate),
    /// An attempt is made.
    Send(&'a Rule, &'a Connection),
}

/// Judges a delivery.
pub(crate) fn look<'a>(one: &ClaimedDelivery, around: &Around<'a>) -> Look<'a> {
    let suppressed =
        |reason: &str, detail: String| Look::Settle(Fate::ended(DeliveryState::Suppressed, reason, detail));
    let failed =
        |reason: &str, detail: String| Look::Settle(Fate::ended(DeliveryState::Failed, reason, detail));
    let may_repeat = matches!(around.connection, Some(Ok(connection)) if sends_again(connection));
    if one.cut && !may_repeat {
        let detail = "the sender was lost while it sent, so whether the channel took it cannot be known";
        return failed("unknown_outcome", detail.to_owned());
    }
    let Some(rule) = around.rule else {
        return suppressed(
            "notification_deleted",
            format!("there is no notification {} any more", one.notification),
        );
    };
    let oldest = delta(rule.spec.max_age) + rule.wait();
    if one.attempts == 0 && around.now - one.signal.occurred_at > oldest {
        let detail = format!("it happened more than {} ago when it was its turn", rule.spec.max_age);
        return suppressed("too_old", detail);
    }
    if waited(one)
        && let Some(fate) = look_again(one, rule, around)
    {
        return Look::Settle(fate);
    }
    if !one.cut
        && let Some(silence) = around.silences.iter().find(|silence| silences(silence, one))
    {
        let Silence { name, silence, .. } = silence;
        let detail =
            format!("the silence {name} holds until {}: {}", silence.until.to_rfc3339(), silence.reason);
        return suppressed(&format!("silenced:{name}"), detail);
    }
    match around.connection {
        None => failed("channel_missing", format!("there is no connection {}", one.channel)),
        Some(Err(fault)) => {
            failed("channel_invalid", format!("the connection {} cannot be read: {fault}", one.channel))
        }
        Some(Ok(connection)) if connection.webhook.is_none() && connection.slack.is_none() => {
            let detail =
                format!("the connection {} has neither a `webhook` nor a `slack` block", one.channel);
            failed("channel_invalid", detail)
        }
        Some(Ok(connection)) => Look::Send(rule, connection),
    }
}

/// Whether an attempt that was cut is made again.
fn sends_again(connection: &Connection) -> bool {
    connection.webhook.as_ref().is_some_and(|webhook| webhook.idempotent)
}

fn silences(silence: &Silence<'_>, one: &ClaimedDelivery) -> bool {
    let notifications = &silence.silence.notifications;
    let named = notifications.is_empty() || notifications.contains(&one.notification);
    named
        && match &silence.about {
            About::Everything => true,
            About::These(resources) => one.resource.is_some_and(|id| resources.contains(&id)),
            About::Nothing(_) => false,
        }
}

/// What no longer holds after the wait; `None` when it does.
fn look_again(one: &ClaimedDelivery, rule: &Rule, around: &Around<'_>) -> Option<Fate> {
    let suppressed =
        |reason: &str, detail: String| Some(Fate::ended(DeliveryState::Suppressed, reason, detail));
    let resource = around.fresh.and_then(|fresh| fresh.resource.as_ref());
    let deleted = resource.and_then(|subject| subject.resource.deleted_at);
    if let (Some(at), true) = (deleted, one.signal.kind != SignalKind::ResourceDeleted) {
        return suppressed("deleted", format!("the resource is gone since {}", at.to_rfc3339()));
    }
    let told =
        one.signal.payload.get("health").and_then(Value::as_str).map(|word| Health::from(word.to_owned()));
    let state = resource.and_then(|subject| subject.health.as_ref());
    if let (SignalKind::HealthChanged, Some(told), Some(state)) = (one.signal.kind, told, state)
        && told != state.verdict.health
    {
        let (health, since) = (state.verdict.health, state.since.to_rfc3339());
        let reason = if health < told { "recovered" } else { "changed" };
        return suppressed(reason, format!("it was {told}, and is {health} since {since}"));
    }
    if let Some(fate) = recovered(one.signal.kind, around.standing) {
        return Some(fate);
    }
    let holds = match (&rule.condition, around.fresh) {
        (Some(condition), Some(fresh)) => condition.holds(&fresh.bindings(around.now)),
        _ => Ok(true),
    };
    match holds {
        Ok(true) => None,
        Ok(false) => suppressed("changed", "the condition no longer holds".to_owned()),
        Err(error) => Some(Fate::ended(DeliveryState::Failed, "condition_error", error.to_string())),
    }
}

/// A check or a finding that has turned since.
fn recovered(kind: SignalKind, standing: Option<&str>) -> Option<Fate> {
    let standing = standing?;
    let (turned, detail) = match kind {
        SignalKind::CheckFailed => (standing == CheckState::Passing.as_str(), "the check passes again"),
        SignalKind::CheckRecovered => (standing == CheckState::Failing.as_str(), "the check fails again"),
        SignalKind::FindingOpened => (standing != FindingStatus::Open.as_str(), "the finding is closed"),
        SignalKind::FindingClosed => (standing == FindingStatus::Open.as_str(), "the finding is open again"),
        _ => return None,
    };
    let reason = if matches!(kind, SignalKind::CheckFailed | SignalKind::FindingOpened) {
        "recovered"
    } else {
        "changed"
    };
    turned.then(|| Fate::ended(DeliveryState::Suppressed, reason, detail))
}
