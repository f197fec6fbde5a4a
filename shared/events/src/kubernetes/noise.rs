//! What is taken out of an object before it is kept: what the server counts for itself, what changes with every
//! heartbeat, and copies of the object that would carry its secrets around the mask.

use serde_json::{Map, Value};

/// Fields of the metadata that the server keeps for itself. `generation` stays: it counts what people changed.
const METADATA: &[&str] = &["managedFields", "resourceVersion", "selfLink"];

/// Annotations that hold a copy of the object, by the part of their name after the slash.
const COPIES: &[&str] = &["applied", "last-applied", "last-handled-configuration", "original"];

/// Annotations that change by themselves all the time.
const RESTLESS: &[&str] = &[
    "autoscaling.alpha.kubernetes.io/conditions",
    "autoscaling.alpha.kubernetes.io/current-metrics",
    "control-plane.alpha.kubernetes.io/leader",
    "endpoints.kubernetes.io/last-change-trigger-time",
];

/// Fields of a status that change by themselves all the time: group, kind, field.
const STATUS: &[(&str, &str, &str)] = &[
    ("", "Node", "images"),
    ("argoproj.io", "Application", "reconciledAt"),
    ("autoscaling", "HorizontalPodAutoscaler", "currentMetrics"),
];

/// Fields of a condition that say when somebody last looked, not what was seen.
const CONDITION: &[&str] = &["lastHeartbeatTime", "lastProbeTime"];

/// Takes the noise out of an object.
pub(super) fn remove(group: &str, kind: &str, object: &mut Map<String, Value>) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in METADATA {
            metadata.remove(*field);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.retain(|name, _| !is_copy(name) && !RESTLESS.contains(&name.as_str()));
        }
    }
    if (group, kind) == ("", "Secret") {
        // They are not asked for; where a server sends them all the same, they end here.
        object.remove("data");
        object.remove("stringData");
    }
    let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) else { return };
    for (_, _, field) in STATUS.iter().filter(|(g, k, _)| (*g, *k) == (group, kind)) {
        status.remove(*field);
    }
    let conditions = status.get_mut("conditions").and_then(Value::as_array_mut).into_iter().flatten();
    for condition in conditions.filter_map(Value::as_object_mut) {
        for field in CONDITION {
            condition.remove(*field);
        }
    }
}

/// Whether an annotation holds a copy of its object: `kubectl.kubernetes.io/last-applied-configuration`,
/// `objectset.rio.cattle.io/applied`, `kapp.k14s.io/original` and their like.
fn is_copy(name: &str) -> bool {
    let own = name.rsplit('/').next().unwrap_or(name);
    COPIES.contains(&own) || own.contains("last-applied") || own.contains("last-handled")
}
