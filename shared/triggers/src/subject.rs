//! What signals are about.

use std::{collections::BTreeMap, sync::Arc};

use catalog::{Catalog, Change};
use expr::Bindings;
use model::{ChangeId, FindingId, ResourceId, Role, Signal, SignalKind, Timestamp};
use serde_json::{Map, Value, json};

use crate::Error;

/// A signal with what it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The signal.
    pub signal: Signal,
    /// The resource it is about: of a change, the first that it was done to.
    pub resource: Option<Arc<catalog::health::Subject>>,
    /// The change, where one was recorded.
    pub change: Option<Change>,
    /// The resource, as expressions see it.
    shown: Option<Arc<Value>>,
}

impl Subject {
    /// The id of the resource it is about.
    #[must_use]
    pub fn resource_id(&self) -> Option<ResourceId> {
        self.resource.as_ref().map(|subject| subject.resource.id)
    }

    /// The variables of `manifest::scopes::trigger`; what the signal is not about is null.
    #[must_use]
    pub fn bindings(&self, now: Timestamp) -> Bindings {
        let resource = self.shown.clone().unwrap_or_default();
        let run = self.part(&[SignalKind::RunCompleted, SignalKind::RunFailed], &RUN);
        let check = self.part(&[SignalKind::CheckFailed, SignalKind::CheckRecovered], &CHECK);
        Bindings::new()
            .with("signal", signal(&self.signal))
            .with_shared("resource", resource)
            .with("change", self.change.as_ref().map_or(Value::Null, change))
            .with("run", run)
            .with("check", check)
            .with_time("now", now)
    }

    /// The variables but `signal` and `now`, to be kept: [`recall`] gives them back when the world has moved on.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        json!({
            "resource": self.shown.as_deref().unwrap_or(&Value::Null),
            "change": self.change.as_ref().map_or(Value::Null, change),
            "run": self.part(&[SignalKind::RunCompleted, SignalKind::RunFailed], &RUN),
            "check": self.part(&[SignalKind::CheckFailed, SignalKind::CheckRecovered], &CHECK),
        })
    }

    /// Fields of the payload, where the signal is of one of the kinds.
    fn part(&self, kinds: &[SignalKind], fields: &[(&str, &str)]) -> Value {
        if !kinds.contains(&self.signal.kind) {
            return Value::Null;
        }
        let field = |(shown, told): &(&str, &str)| {
            let value = self.signal.payload.get(told).cloned().unwrap_or_else(|| json!(""));
            ((*shown).to_owned(), value)
        };
        Value::Object(fields.iter().map(field).collect::<Map<_, _>>())
    }
}

/// The variables of `manifest::scopes::trigger` as they were when [`Subject::snapshot`] was taken.
#[must_use]
pub fn recall(told: &Signal, snapshot: &Value, now: Timestamp) -> Bindings {
    let mut bindings = Bindings::new().with("signal", signal(told)).with_time("now", now);
    for name in ["resource", "change", "run", "check"] {
        bindings.set(name, snapshot.get(name).cloned().unwrap_or_default());
    }
    bindings
}

/// What a condition sees of a run, and what it is called in the payload.
const RUN: [(&str, &str); 4] =
    [("id", "run"), ("playbook", "playbook"), ("state", "state"), ("reason", "reason")];

/// What a condition sees of a check.
const CHECK: [(&str, &str); 3] = [("name", "name"), ("state", "state"), ("reason", "reason")];

/// A signal as expressions see it.
pub(crate) fn signal(signal: &Signal) -> Value {
    json!({
        "id": signal.id, "kind": signal.kind, "subject": signal.subject, "occurred_at": signal.occurred_at,
        "payload": signal.payload,
    })
}

fn change(change: &Change) -> Value {
    json!({
        "kind": change.kind, "category": change.category, "severity": change.severity, "summary": change.summary,
        "actor": change.actor, "error_code": change.error_code.as_deref().unwrap_or_default(),
        "read_only": change.read_only, "account": change.account, "region": change.region,
    })
}

/// Reads what signals are about, in a fixed number of statements. The answers are in the order of `signals`.
///
/// # Errors
/// What the catalog says.
pub async fn load(catalog: &Catalog, signals: &[Signal]) -> Result<Vec<Subject>, Error> {
    let of_kind = |kinds: &'static [SignalKind]| signals.iter().filter(|signal| kinds.contains(&signal.kind));
    let changes: Vec<(ChangeId, Timestamp)> = of_kind(&[SignalKind::ChangeRecorded])
        .map(|signal| (signal.subject.into(), signal.occurred_at))
        .collect();
    let changes: BTreeMap<ChangeId, Change> =
        catalog.changes_by_ids(&changes).await?.into_iter().map(|change| (change.id, change)).collect();
    let findings: Vec<FindingId> = of_kind(&[SignalKind::FindingOpened, SignalKind::FindingClosed])
        .map(|signal| signal.subject.into())
        .collect();
    let findings = catalog.resources_of_findings(&findings).await?;

    let about: Vec<Option<ResourceId>> =
        signals.iter().map(|signal| about(signal, &changes, &findings)).collect();
    let mut ids: Vec<ResourceId> = about.iter().flatten().copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let resources: BTreeMap<ResourceId, _> = catalog
        .subjects(&ids)
        .await?
        .into_iter()
        .map(|subject| (subject.resource.id, (Arc::new(subject.to_json()), Arc::new(subject))))
        .collect();
    let subjects = signals.iter().zip(about).map(|(signal, about)| {
        let (shown, resource) = about.and_then(|id| resources.get(&id)).cloned().unzip();
        let change = changes.get(&ChangeId::from(signal.subject)).cloned();
        Subject { signal: signal.clone(), resource, change, shown }
    });
    Ok(subjects.collect())
}

/// The resource that a signal is about.
fn about(
    signal: &Signal,
    changes: &BTreeMap<ChangeId, Change>,
    findings: &BTreeMap<FindingId, ResourceId>,
) -> Option<ResourceId> {
    match signal.kind {
        SignalKind::ResourceCreated
        | SignalKind::ResourceChanged
        | SignalKind::ResourceDeleted
        | SignalKind::HealthChanged => Some(signal.subject.into()),
        SignalKind::ChangeRecorded => {
            let touched = &changes.get(&signal.subject.into())?.resources;
            let target = touched.iter().find(|resource| resource.role == Role::Target);
            target.or(touched.first()).map(|resource| resource.id)
        }
        SignalKind::FindingOpened | SignalKind::FindingClosed => {
            findings.get(&signal.subject.into()).copied()
        }
        SignalKind::CheckFailed
        | SignalKind::CheckRecovered
        | SignalKind::RunRequested
        | SignalKind::RunCompleted
        | SignalKind::RunFailed => signal.payload.get("resource")?.as_str()?.parse().ok(),
        SignalKind::ScrapeRequested | SignalKind::ManifestChanged => None,
    }
}
