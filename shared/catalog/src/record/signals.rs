//! What the world is told about a batch: pure.

use std::collections::BTreeMap;

use model::{
    Finding, FindingId, FindingStatus, ResourceId, Signal, SignalId, SignalKind, Timestamp, timeline::Content,
};
use serde_json::json;

use super::{
    Touched,
    decide::Decided,
    plan::{Plan, Speaker},
};

/// The signals of a batch. Each is keyed by what it tells, so telling it again adds nothing.
pub(super) fn of(
    plan: &Plan<'_>,
    touched: &Touched,
    decided: &BTreeMap<Speaker, Decided>,
    findings: &BTreeMap<FindingId, (Timestamp, FindingStatus)>,
) -> Vec<Signal> {
    let mut signals: BTreeMap<SignalId, Signal> = BTreeMap::new();
    let all = of_resources(plan, touched, decided)
        .into_iter()
        .chain(of_changes(plan))
        .chain(of_findings(plan, findings));
    for signal in all {
        signals.insert(signal.id, signal);
    }
    signals.into_values().collect()
}

fn of_resources(plan: &Plan<'_>, touched: &Touched, decided: &BTreeMap<Speaker, Decided>) -> Vec<Signal> {
    let mut signals = Vec::new();
    for ((id, source), decided) in decided {
        let was_there = touched
            .stored
            .get(id)
            .is_some_and(|stored| stored.since.is_some() && stored.deleted_at.is_none());
        for run in &decided.ops.added {
            let kind = match run.fact.content {
                Content::Deleted => SignalKind::ResourceDeleted,
                Content::Present | Content::Document(_) if was_there => SignalKind::ResourceChanged,
                Content::Present | Content::Document(_) => SignalKind::ResourceCreated,
            };
            let subject = [id.to_string(), source.clone(), run.from.timestamp_micros().to_string()];
            let (resource_type, account, region) = place(plan, touched, *id);
            signals.push(Signal {
                id: SignalId::of("resource", &subject.each_ref().map(String::as_str)),
                kind,
                subject: (*id).into(),
                occurred_at: run.from,
                payload: json!({"type": resource_type, "account": account, "region": region, "source": source}),
            });
        }
    }
    signals
}

fn place<'a>(plan: &'a Plan<'_>, touched: &'a Touched, id: ResourceId) -> (&'a str, &'a str, &'a str) {
    match (plan.resources.get(&id), touched.stored.get(&id)) {
        (Some(planned), _) => (&planned.key.kind, &planned.key.account, &planned.key.region),
        (None, Some(stored)) => (&stored.kind, &stored.account, &stored.region),
        (None, None) => ("", "", ""),
    }
}

/// Reads are recorded, but nobody is woken by them.
fn of_changes(plan: &Plan<'_>) -> impl Iterator<Item = Signal> {
    plan.changes.iter().filter(|change| !change.read_only).map(|change| Signal {
        id: SignalId::of("change", &[&change.id.to_string()]),
        kind: SignalKind::ChangeRecorded,
        subject: change.id.into(),
        occurred_at: change.occurred_at,
        payload: json!({
            "kind": change.kind,
            "category": change.category,
            "severity": change.severity,
            "account": change.account,
            "region": change.region,
            "resources": change.resources.iter().map(|r| r.key.id()).collect::<Vec<_>>(),
        }),
    })
}

/// A finding is told when it opens or closes, not whenever its product repeats itself.
fn of_findings(plan: &Plan<'_>, stored: &BTreeMap<FindingId, (Timestamp, FindingStatus)>) -> Vec<Signal> {
    let mut statements: Vec<&Finding> = plan.findings.clone();
    statements.sort_by_key(|finding| (finding.id, finding.at));
    let mut state: BTreeMap<FindingId, (Timestamp, FindingStatus)> = stored.clone();
    let mut signals = Vec::new();
    for finding in statements {
        let before = state.get(&finding.id).copied();
        if before.is_some_and(|(at, _)| at > finding.at) {
            continue;
        }
        state.insert(finding.id, (finding.at, finding.status));
        let open = finding.status == FindingStatus::Open;
        let was_open = before.is_some_and(|(_, status)| status == FindingStatus::Open);
        if open == was_open {
            continue;
        }
        let at = finding.at.timestamp_micros().to_string();
        signals.push(Signal {
            id: SignalId::of("finding", &[&finding.id.to_string(), &at, finding.status.as_str()]),
            kind: if open { SignalKind::FindingOpened } else { SignalKind::FindingClosed },
            subject: finding.id.into(),
            occurred_at: finding.at,
            payload: json!({
                "product": finding.product,
                "kind": finding.kind,
                "severity": finding.severity,
                "account": finding.account,
                "region": finding.region,
            }),
        });
    }
    signals
}
