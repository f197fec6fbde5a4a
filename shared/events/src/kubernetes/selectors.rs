//! What selects pods by their labels: services, network policies, disruption budgets.

use std::collections::{BTreeMap, BTreeSet};

use model::Relation;
use serde_json::Value;

use super::{Kind, Reader, texts};

/// The kinds that select pods: group, kind, where the selector stands, and what the edge is called.
const SELECTING: &[(&str, &str, &str, &str)] = &[
    ("", "Service", "/spec/selector", "selects pod"),
    ("networking.k8s.io", "NetworkPolicy", "/spec/podSelector", "governs pod"),
    ("policy", "PodDisruptionBudget", "/spec/selector", "protects pod"),
];

/// Whether objects of a kind select pods, so that they are read [`Reader::with_pods`].
#[must_use]
pub(super) fn selects(group: &str, kind: &str) -> bool {
    SELECTING.iter().any(|(g, k, _, _)| (*g, *k) == (group, kind))
}

/// The names and labels of a cluster's pods, by namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pods {
    namespaces: BTreeMap<String, Vec<Pod>>,
    count: usize,
}

/// A pod's name and labels.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pod {
    name: String,
    labels: BTreeMap<String, String>,
}

impl Pods {
    /// Whether objects of a kind select pods: only they need them.
    #[must_use]
    pub fn are_selected_by(kind: &Kind) -> bool {
        selects(&kind.group, &kind.kind)
    }

    /// Adds a pod, or its metadata alone. One without a name or namespace is left out.
    pub fn add(&mut self, pod: &Value) {
        let text = |path| pod.pointer(path).and_then(Value::as_str).filter(|text: &&str| !text.is_empty());
        let (Some(namespace), Some(name)) = (text("/metadata/namespace"), text("/metadata/name")) else {
            return;
        };
        let labels = texts(pod.pointer("/metadata/labels"));
        self.namespaces.entry(namespace.to_owned()).or_default().push(Pod { name: name.to_owned(), labels });
        self.count += 1;
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// The pods that an object selects, as edges. A selector that cannot be read selects nothing.
pub(super) fn read(reader: &Reader, pods: &Pods, kind: &Kind, object: &Value) -> BTreeSet<Relation> {
    let found = SELECTING.iter().find(|(g, k, _, _)| *g == kind.group && *k == kind.kind);
    let Some((_, _, path, word)) = found else { return BTreeSet::new() };
    let Some(namespace) = object.pointer("/metadata/namespace").and_then(Value::as_str) else {
        return BTreeSet::new();
    };
    let selector = object.pointer(path);
    let selector = match kind.kind.as_str() {
        "Service" => Selector::of_map(selector),
        _ => Selector::of_labels(selector),
    };
    let Some(selector) = selector else { return BTreeSet::new() };
    let here = pods.namespaces.get(namespace).into_iter().flatten();
    here.filter(|pod| selector.matches(&pod.labels))
        .filter_map(|pod| reader.key("", "Pod", Some(namespace), &pod.name))
        .map(|to| Relation { kind: (*word).to_owned(), to })
        .collect()
}

/// What labels must be like. <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/>
#[derive(Debug, Clone, PartialEq, Eq)]
struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, BTreeSet<String>),
    NotIn(String, BTreeSet<String>),
    Exists(String),
    DoesNotExist(String),
}

impl Selector {
    /// A service's selector: labels and their values. Without any, the service selects nothing by itself.
    fn of_map(value: Option<&Value>) -> Option<Self> {
        let wanted = texts(value);
        (!wanted.is_empty()).then(|| Self(equalities(wanted).collect()))
    }

    /// `matchLabels` and `matchExpressions`. An empty one selects everything, and one that is not there nothing.
    fn of_labels(value: Option<&Value>) -> Option<Self> {
        let value = value.filter(|value| value.is_object())?;
        let mut requirements: Vec<Requirement> = equalities(texts(value.get("matchLabels"))).collect();
        let expressions = value.get("matchExpressions").and_then(Value::as_array).into_iter().flatten();
        for expression in expressions {
            requirements.push(Requirement::read(expression)?);
        }
        Some(Self(requirements))
    }

    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Requirement::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
            Requirement::Exists(key) => labels.contains_key(key),
            Requirement::DoesNotExist(key) => !labels.contains_key(key),
        })
    }
}

fn equalities(wanted: BTreeMap<String, String>) -> impl Iterator<Item = Requirement> {
    wanted.into_iter().map(|(key, value)| Requirement::In(key, BTreeSet::from([value])))
}

impl Requirement {
    fn read(expression: &Value) -> Option<Self> {
        let key = expression.get("key")?.as_str()?.to_owned();
        let values = || {
            let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
            values.filter_map(|value| value.as_str().map(str::to_owned)).collect()
        };
        match expression.get("operator")?.as_str()? {
            "In" => Some(Self::In(key, values())),
            "NotIn" => Some(Self::NotIn(key, values())),
            "Exists" => Some(Self::Exists(key)),
            "DoesNotExist" => Some(Self::DoesNotExist(key)),
            _ => None,
        }
    }
}
