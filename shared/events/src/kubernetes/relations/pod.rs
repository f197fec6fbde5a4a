//! What a pod uses, and what a workload's template says that its pods will use.

use serde_json::Value;

use super::{Kind, Links, list_at, text_at};
use crate::fields::{items, text};

/// Where a kind keeps the specification of its pods.
const SPECS: &[(&str, &str, &str)] = &[
    ("", "Pod", "/spec"),
    ("", "PodTemplate", "/template/spec"),
    ("", "ReplicationController", "/spec/template/spec"),
    ("apps", "DaemonSet", "/spec/template/spec"),
    ("apps", "Deployment", "/spec/template/spec"),
    ("apps", "ReplicaSet", "/spec/template/spec"),
    ("apps", "StatefulSet", "/spec/template/spec"),
    ("argoproj.io", "Rollout", "/spec/template/spec"),
    ("batch", "CronJob", "/spec/jobTemplate/spec/template/spec"),
    ("batch", "Job", "/spec/template/spec"),
];

const CONTAINERS: &[&str] = &["containers", "initContainers", "ephemeralContainers"];

pub(super) fn read(links: &mut Links<'_>, kind: &Kind, object: &Value) {
    let found = SPECS.iter().find(|(group, name, _)| *group == kind.group && *name == kind.kind);
    let Some(spec) = found.and_then(|(_, _, path)| object.pointer(path)) else { return };
    if let Some(node) = text(spec, &["nodeName"]) {
        links.to("runs on node", "", "Node", node);
    }
    if let Some(account) = text(spec, &["serviceAccountName", "serviceAccount"]) {
        links.to("runs as service account", "", "ServiceAccount", account);
    }
    for secret in items(spec, &["imagePullSecrets"]) {
        named(links, "uses secret", "Secret", secret, "name");
    }
    for volume in items(spec, &["volumes"]) {
        self::volume(links, volume);
    }
    for container in CONTAINERS.iter().flat_map(|part| items(spec, &[part])) {
        environment(links, container);
    }
    if (kind.group.as_str(), kind.kind.as_str()) == ("apps", "StatefulSet")
        && let Some(service) = text_at(object, "/spec/serviceName")
    {
        links.to("is governed by service", "", "Service", service);
    }
}

fn volume(links: &mut Links<'_>, volume: &Value) {
    for source in [volume].into_iter().chain(list_at(volume, "/projected/sources")) {
        if let Some(map) = source.get("configMap") {
            named(links, "uses config map", "ConfigMap", map, "name");
        }
        if let Some(secret) = source.get("secret") {
            // A projected source says `name`, a volume `secretName`.
            named(links, "uses secret", "Secret", secret, "secretName");
            named(links, "uses secret", "Secret", secret, "name");
        }
    }
    if let Some(claim) = volume.get("persistentVolumeClaim") {
        named(links, "uses persistent volume claim", "PersistentVolumeClaim", claim, "claimName");
    }
    if let Some(secret) = volume.pointer("/csi/nodePublishSecretRef") {
        named(links, "uses secret", "Secret", secret, "name");
    }
}

fn environment(links: &mut Links<'_>, container: &Value) {
    for source in items(container, &["envFrom"]) {
        if let Some(map) = source.get("configMapRef") {
            named(links, "uses config map", "ConfigMap", map, "name");
        }
        if let Some(secret) = source.get("secretRef") {
            named(links, "uses secret", "Secret", secret, "name");
        }
    }
    for from in items(container, &["env"]).iter().filter_map(|variable| variable.get("valueFrom")) {
        if let Some(map) = from.get("configMapKeyRef") {
            named(links, "uses config map", "ConfigMap", map, "name");
        }
        if let Some(secret) = from.get("secretKeyRef") {
            named(links, "uses secret", "Secret", secret, "name");
        }
    }
}

fn named(links: &mut Links<'_>, word: &str, kind: &str, reference: &Value, field: &str) {
    if let Some(name) = text(reference, &[field]) {
        links.to(word, "", kind, name);
    }
}
