//! What is to be judged, and judging it.

use std::collections::BTreeSet;

use catalog::health::{Cause, Judgement, Subject, Touched, TypeCursor};
use model::{Health as Wellness, Signal, SignalKind, Timestamp, Verdict};
use rules::Rules;
use serde_json::Value;
use tracing::debug;

use crate::{Error, Health, cache};

/// How many resources are judged in one transaction, and in one tick.
const BATCH: u32 = 200;
const BATCHES: usize = 25;
/// How many resources are made due in one statement.
const PIECE: u32 = 5_000;
/// Under which name the catalog keeps which built-in rules it was judged by.
const MARK: &str = "built-in health rules";

/// Makes resources due that something happened to.
pub(crate) async fn touched(health: &Health, signals: &[Signal]) -> Result<(), Error> {
    let of_resource = |signal: &&Signal| {
        matches!(
            signal.kind,
            SignalKind::ResourceCreated | SignalKind::ResourceChanged | SignalKind::ResourceDeleted
        )
    };
    let signals: Vec<&Signal> = signals.iter().filter(of_resource).collect();
    if signals.is_empty() {
        return Ok(());
    }
    let (_, rules) = health.cache.rules(&health.catalog).await?;
    let touched = signals.into_iter().map(|signal| Touched {
        resource: signal.subject.into(),
        at: signal.occurred_at,
        // A signal that does not say its type may be of any.
        concerned: signal
            .payload
            .get("type")
            .and_then(Value::as_str)
            .is_none_or(|kind| rules.types_concerned(kind)),
    });
    health.catalog.health_touched(&touched.collect::<Vec<_>>(), health.clock.now()).await?;
    Ok(())
}

/// Makes all resources due that an edited rule concerns, or judged before it was edited.
pub(crate) async fn edited(health: &Health, signals: &[Signal]) -> Result<(), Error> {
    let text =
        |signal: &Signal, field: &str| signal.payload.get(field).and_then(Value::as_str).map(str::to_owned);
    let names: BTreeSet<String> = signals
        .iter()
        .filter(|signal| signal.kind == SignalKind::ManifestChanged)
        .filter(|signal| text(signal, "kind").as_deref() == Some(cache::RULE))
        .filter_map(|signal| text(signal, "name"))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let now = health.clock.now();
    let (_, rules) = health.cache.rules(&health.catalog).await?;
    for name in &names {
        let mut after = None;
        while let Some(last) = health.catalog.health_rule_due(name, after, PIECE, now).await? {
            after = Some(last);
        }
    }
    let concerned = |kind: &String| names.iter().any(|name| rules.rule_concerns(name, kind));
    types_due(health, concerned, Cause::Edit, now).await
}

/// Makes everything due that a rule concerns, where nobody judged before or another build's rules did.
pub(crate) async fn begin(health: &Health) -> Result<(), Error> {
    let mark = rules::fingerprint();
    if health.catalog.mark(MARK).await?.as_deref() == Some(mark.as_str()) {
        return Ok(());
    }
    let (_, rules) = health.cache.rules(&health.catalog).await?;
    let now = health.clock.now();
    types_due(health, |kind| rules.types_concerned(kind), Cause::Start, now).await?;
    health.catalog.set_mark(MARK, &mark, now).await?;
    Ok(())
}

async fn types_due(
    health: &Health,
    concerned: impl Fn(&String) -> bool,
    cause: Cause,
    now: Timestamp,
) -> Result<(), Error> {
    let mut types = health.catalog.resource_types().await?;
    types.retain(concerned);
    if types.is_empty() {
        return Ok(());
    }
    let mut after = TypeCursor::default();
    while let Some(last) = health.catalog.health_types_due(&types, cause, &after, PIECE, now).await? {
        after = last;
    }
    Ok(())
}

/// Judges what is due. Answers whether there is more.
pub(crate) async fn due(health: &Health) -> Result<bool, Error> {
    for _ in 0..BATCHES {
        let (mark, rules) = health.cache.rules(&health.catalog).await?;
        let now = health.clock.now();
        let mut judge = |subject: &Subject| judge(&rules, subject, now);
        let judged = health.catalog.judge_due(BATCH, now, mark, &mut judge).await?;
        if judged.outdated {
            continue;
        }
        if judged.changed > 0 {
            debug!(resources = judged.resources, changed = judged.changed, "Judged what was due");
        }
        if judged.resources < BATCH as usize {
            return Ok(false);
        }
    }
    Ok(true)
}

fn judge(rules: &Rules, subject: &Subject, now: Timestamp) -> Judgement {
    if subject.document.is_null() {
        // It is known to be there, and nothing says how it looks: there is nothing to judge.
        return Judgement { verdict: unjudged(), due_at: None };
    }
    let verdict = rules.judge(subject.to_json(), now);
    // An instant that is past cannot be waited for; the verdict holds until the document changes.
    let due_at = verdict.until.filter(|until| *until > now);
    Judgement { verdict, due_at }
}

fn unjudged() -> Verdict {
    Verdict {
        health: Wellness::Unknown,
        status: "Unknown".to_owned(),
        ready: true,
        reason: String::new(),
        rule: None,
        until: None,
    }
}
