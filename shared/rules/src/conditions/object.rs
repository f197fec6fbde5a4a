//! A Kubernetes object, and what is read of it.

use model::Timestamp;
use serde_json::Value;

use super::words::{self, Kind, Mood};

/// Where conditions stand, besides `status.conditions`: in each element of these lists.
const LISTS: &[&str] = &["parents", "ancestors", "ingress"];

/// Where the one word of a status stands, the first that is there.
const PHASES: &[&str] = &[
    "/status/phase",
    "/status/state",
    "/status/status",
    "/status/health",
    "/status/health/status",
    "/status/overallStatus",
    "/status/currentState",
    "/status/printableStatus",
    "/status/applicationState/state",
    "/status/compliant",
    "/status/updateStatus",
    "/status/PostgresClusterStatus",
    "/status/certificateStatus",
    "/status/ansibleJobResult/status",
    "/status/currentPhase",
    "/status/currentStatus",
    "/status/lastOperationStatus",
    "/status/atProvider/status",
    "/status/atProvider/state",
];

/// Where a status says in a sentence what is the matter.
const MESSAGES: &[&str] = &[
    "/status/message",
    "/status/reason",
    "/status/error/message",
    "/status/error",
    "/status/errorMessage",
    "/status/errorDescription",
    "/status/description",
];

/// The groups of the API server's own kinds. They are not waited for when they have no status.
const OWN_GROUPS: &[&str] = &[
    "core",
    "apps",
    "batch",
    "autoscaling",
    "policy",
    "extensions",
    "events.k8s.io",
    "rbac.authorization.k8s.io",
    "networking.k8s.io",
    "storage.k8s.io",
    "scheduling.k8s.io",
    "node.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "certificates.k8s.io",
    "admissionregistration.k8s.io",
    "apiregistration.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "metrics.k8s.io",
    "apiextensions.k8s.io",
];

/// An object as the API server shows it.
#[derive(Debug)]
pub(super) struct Object<'a> {
    object: &'a Value,
    group: &'a str,
}

/// A condition of it.
#[derive(Debug)]
pub(super) struct Condition<'a> {
    pub(super) kind: &'a str,
    pub(super) status: &'a str,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
    severity: &'a str,
}

impl<'a> Object<'a> {
    pub(super) fn new(resource: &'a Value) -> Option<Self> {
        let object = resource.get("config").filter(|config| config.is_object())?;
        let kind = resource.get("type").and_then(Value::as_str)?;
        let mut parts = kind.split("::").skip(1);
        Some(Self { object, group: parts.next().unwrap_or_default() })
    }

    pub(super) fn is_built_in(&self) -> bool {
        OWN_GROUPS.contains(&self.group)
    }

    /// Whether there is anything in its status.
    pub(super) fn has_status(&self) -> bool {
        self.object.get("status").and_then(Value::as_object).is_some_and(|status| !status.is_empty())
    }

    fn text(&self, pointer: &str) -> Option<&'a str> {
        self.object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    pub(super) fn deleted_at(&self) -> Option<Timestamp> {
        self.text("/metadata/deletionTimestamp")?.parse().ok()
    }

    /// What holds it, as the end of a sentence.
    pub(super) fn finalizers(&self) -> String {
        let names = self.object.pointer("/metadata/finalizers").and_then(Value::as_array);
        let names: Vec<&str> = names.into_iter().flatten().filter_map(Value::as_str).collect();
        if names.is_empty() { String::new() } else { format!("; finalizers: {}", names.join(", ")) }
    }

    /// Why it is at rest, if somebody put it there.
    pub(super) fn suspended(&self) -> Option<String> {
        let switches = ["suspend", "suspended", "paused", "pause"];
        let on = switches.iter().find(|switch| {
            self.object.pointer(&format!("/spec/{switch}")).is_some_and(|value| value == &Value::Bool(true))
        })?;
        Some(format!("spec.{on} is true"))
    }

    /// The generation that its status speaks of and the one that it has, when they differ.
    pub(super) fn outdated(&self) -> Option<(i64, i64)> {
        let wanted = self.object.pointer("/metadata/generation")?.as_i64()?;
        let whole = self.object.pointer("/status/observedGeneration").and_then(Value::as_i64);
        let observed = whole.or_else(|| {
            let conditions = self.object.pointer("/status/conditions")?.as_array()?;
            conditions.iter().filter_map(|c| c.get("observedGeneration")?.as_i64()).max()
        })?;
        (observed < wanted).then_some((observed, wanted))
    }

    pub(super) fn conditions(&self) -> Vec<Condition<'a>> {
        let status = self.object.get("status");
        let own = ["/status/conditions", "/status/conditionedStatus/conditions"];
        let own = own.iter().filter_map(|at| self.object.pointer(at));
        let nested = LISTS
            .iter()
            .filter_map(|list| status?.get(list)?.as_array())
            .flatten()
            .filter_map(|element| element.get("conditions"));
        own.chain(nested).filter_map(Value::as_array).flatten().filter_map(Condition::new).collect()
    }

    /// The one word of its status.
    pub(super) fn phase(&self) -> Option<&'a str> {
        PHASES.iter().find_map(|pointer| self.text(pointer))
    }

    pub(super) fn phase_mood(&self) -> Option<Mood> {
        self.phase().and_then(words::mood)
    }

    /// What a status says with a plain yes or no, or by counting.
    pub(super) fn plain(&self) -> Option<Mood> {
        let status = self.object.get("status")?;
        let error = ["/error/message", "/error", "/errorMessage"];
        if error.iter().any(|at| status.pointer(at).and_then(Value::as_str).is_some_and(|e| !e.is_empty())) {
            return Some(Mood::Bad);
        }
        let word = ["ready", "readyToUse", "available"].iter().find_map(|name| status.get(name)?.as_bool());
        if let Some(yes) = word {
            return Some(if yes { Mood::Good } else { Mood::Underway });
        }
        let count = |name: &str| status.get(name).and_then(Value::as_u64);
        let (wanted, ready) = (count("replicas")?, count("readyReplicas")?);
        Some(if ready >= wanted { Mood::Good } else { Mood::Underway })
    }

    pub(super) fn message(&self) -> &'a str {
        MESSAGES.iter().find_map(|pointer| self.text(pointer)).unwrap_or_default()
    }
}

impl<'a> Condition<'a> {
    fn new(value: &'a Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        let kind = value.get("type").and_then(Value::as_str)?;
        Some(Self {
            // `platform.example.com/cluster-ready` and the like: the last part says what it is.
            kind: kind.rsplit('/').next().unwrap_or(kind),
            status: text("status"),
            reason: text("reason"),
            message: text("message"),
            severity: text("severity"),
        })
    }

    pub(super) fn is(&self, status: &str) -> bool {
        self.status == status
    }

    /// Whether it says that the controller is at work on what is there already.
    pub(super) fn is_work(&self) -> bool {
        self.is("True") && matches!(self.kind, "Reconciling" | "Issuing" | "Updating" | "RollingOut")
    }

    /// Whether it does not hold, for a reason that names a failure.
    pub(super) fn is_failure(&self) -> bool {
        let telling = self.kind == "Running" || matches!(words::kind(self.kind), Kind::Success | Kind::Work);
        telling && self.is("False") && self.severity != "Info" && words::mood(self.reason) == Some(Mood::Bad)
    }

    /// How things stand by it, if it names success or work.
    pub(super) fn mood(&self, phase: Option<Mood>) -> Mood {
        let reason = words::mood(self.reason);
        if words::kind(self.kind) == Kind::Work {
            return match self.status {
                "True" if words::is_done(self.reason) => Mood::Good,
                "False" if reason == Some(Mood::Bad) => Mood::Bad,
                "False" => Mood::Good,
                _ => Mood::Underway,
            };
        }
        match self.status {
            // A job that is complete may have failed.
            "True" if self.kind.starts_with("Complete") && reason == Some(Mood::Bad) => Mood::Bad,
            "True" => Mood::Good,
            "Unknown" | "" => Mood::Underway,
            "False" if self.severity == "Info" => Mood::Underway,
            "False" => match reason {
                Some(Mood::Underway) => match words::mood_of_sentence(self.message) {
                    Some(Mood::Bad) => Mood::Bad,
                    _ => Mood::Underway,
                },
                // Where the reason names no failure, a phase of work or rest explains it.
                None if matches!(phase, Some(Mood::Underway | Mood::Paused)) => Mood::Underway,
                None if self.reason.is_empty() => words::mood_of_sentence(self.message).unwrap_or(Mood::Bad),
                _ => Mood::Bad,
            },
            _ => Mood::Bad,
        }
    }

    /// Whether its reason says that work is being done, however badly it goes.
    pub(super) fn is_underway(&self) -> bool {
        words::mood(self.reason) == Some(Mood::Underway)
    }

    /// Its reason, or a word for it.
    pub(super) fn word_or(&self, otherwise: &'a str) -> &'a str {
        if self.reason.is_empty() { otherwise } else { self.reason }
    }

    /// What it says, as a sentence.
    pub(super) fn why(&self) -> String {
        if self.message.is_empty() {
            format!("{} is {}", self.kind, self.status)
        } else {
            self.message.to_owned()
        }
    }
}
