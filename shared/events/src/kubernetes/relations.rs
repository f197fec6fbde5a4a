//! What a Kubernetes object says of others, as edges.

mod pod;

use std::collections::BTreeSet;

use model::{Relation, ResourceKey};
use serde_json::Value;

use super::{Kind, Reader};
use crate::fields::{items, text};

/// Groups whose kinds everybody knows, so that an edge can be drawn where the cluster does not say how it keeps them.
const KNOWN_GROUPS: &[&str] =
    &["", "apps", "autoscaling", "batch", "discovery.k8s.io", "networking.k8s.io", "policy"];

/// Kinds of those groups, and of some others, that live in no namespace.
const CLUSTER_WIDE: &[(&str, &str)] = &[
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    ("", "Cluster"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("networking.k8s.io", "IngressClass"),
    ("networking.k8s.io", "IPAddress"),
    ("networking.k8s.io", "ServiceCIDR"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "VolumeAttachment"),
];

/// The groups of the edges' far ends.
const RBAC: &str = "rbac.authorization.k8s.io";
const STORAGE: &str = "storage.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const GATEWAY: &str = "gateway.networking.k8s.io";

/// The annotation by which EKS gives a service account a role.
const ROLE_ARN: &str = "eks.amazonaws.com/role-arn";

/// Whether objects of a kind live in namespaces, where that is the same in every cluster.
pub(super) fn is_namespaced(group: &str, kind: &str) -> Option<bool> {
    if CLUSTER_WIDE.contains(&(group, kind)) {
        return Some(false);
    }
    let roles = group == RBAC && matches!(kind, "Role" | "RoleBinding");
    (KNOWN_GROUPS.contains(&group) || roles).then_some(true)
}

/// The edges that start at an object.
pub(super) fn read(reader: &Reader, kind: &Kind, object: &Value) -> BTreeSet<Relation> {
    let namespace = kind.namespaced.then(|| text_at(object, "/metadata/namespace")).flatten();
    let mut links = Links { reader, namespace, relations: BTreeSet::new() };
    owners(&mut links, kind, object);
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace" | "Node") => links.add("is contained in cluster", Some(reader.cluster_key())),
        _ => {
            if let Some(namespace) = namespace {
                links.to("is contained in namespace", "", "Namespace", namespace);
            }
        }
    }
    pod::read(&mut links, kind, object);
    networking(&mut links, kind, object);
    storage(&mut links, kind, object);
    access(&mut links, kind, object);
    scaling(&mut links, kind, object);
    calls(&mut links, kind, object);
    cloud(&mut links, kind, object);
    links.relations
}

/// The edges of one object in the making.
struct Links<'a> {
    reader: &'a Reader,
    namespace: Option<&'a str>,
    relations: BTreeSet<Relation>,
}

impl Links<'_> {
    fn add(&mut self, word: &str, to: Option<ResourceKey>) {
        self.relations.extend(to.map(|to| Relation { kind: word.to_owned(), to }));
    }

    /// An edge to an object of the same namespace, or of the whole cluster.
    fn to(&mut self, word: &str, group: &str, kind: &str, name: &str) {
        self.add(word, self.reader.key(group, kind, self.namespace, name));
    }

    /// An edge to an object of a namespace that is named beside it; of the same where none is.
    fn within(&mut self, word: &str, group: &str, kind: &str, reference: &Value) {
        let Some(name) = text(reference, &["name"]) else { return };
        let namespace = text(reference, &["namespace"]).or(self.namespace);
        self.add(word, self.reader.key(group, kind, namespace, name));
    }

    /// An edge to what a reference with `apiVersion` and `kind` names.
    fn typed(&mut self, word: &str, reference: &Value) {
        let (Some(version), Some(kind)) = (text(reference, &["apiVersion"]), text(reference, &["kind"]))
        else {
            return;
        };
        self.within(word, group_of(version), kind, reference);
    }
}

/// The group in `apps/v1`; none in `v1`.
fn group_of(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or("", |(group, _)| group)
}

fn text_at<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    value.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn list_at<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    value.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn owners(links: &mut Links<'_>, kind: &Kind, object: &Value) {
    for owner in list_at(object, "/metadata/ownerReferences") {
        let (Some(version), Some(owning), Some(name)) =
            (text(owner, &["apiVersion"]), text(owner, &["kind"]), text(owner, &["name"]))
        else {
            continue;
        };
        let group = group_of(version);
        let known = links.reader.key(group, owning, links.namespace, name);
        // What has no namespace cannot be owned by what has one, so here the key is sure even where the kind is unknown.
        let sure = || model::kubernetes_key(&links.reader.cluster, group, owning, None, name);
        let to = known.or_else(|| (!kind.namespaced).then(sure));
        links.add("is owned by", to);
    }
}

fn networking(links: &mut Links<'_>, kind: &Kind, object: &Value) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        (NETWORKING, "Ingress") => ingress(links, object),
        ("discovery.k8s.io", "EndpointSlice") => {
            if let Some(service) = text_at(object, "/metadata/labels/kubernetes.io~1service-name") {
                links.to("belongs to service", "", "Service", service);
            }
            endpoints(links, items(object, &["endpoints"]).iter());
        }
        ("", "Endpoints") => {
            if let Some(service) = text_at(object, "/metadata/name") {
                links.to("belongs to service", "", "Service", service);
            }
            for subset in items(object, &["subsets"]) {
                endpoints(links, items(subset, &["addresses"]).iter());
                endpoints(links, items(subset, &["notReadyAddresses"]).iter());
            }
        }
        (GATEWAY, "Gateway") => {
            if let Some(class) = text_at(object, "/spec/gatewayClassName") {
                let class =
                    model::kubernetes_key(&links.reader.cluster, GATEWAY, "GatewayClass", None, class);
                links.add("is of gateway class", Some(class));
            }
        }
        (GATEWAY, _) => route(links, object),
        _ => {}
    }
}

fn ingress(links: &mut Links<'_>, object: &Value) {
    let default = object.pointer("/spec/defaultBackend").or_else(|| object.pointer("/spec/backend"));
    let rules = list_at(object, "/spec/rules").iter();
    let paths = rules.flat_map(|rule| list_at(rule, "/http/paths")).filter_map(|path| path.get("backend"));
    for backend in default.into_iter().chain(paths) {
        let service = text_at(backend, "/service/name").or_else(|| text_at(backend, "/serviceName"));
        if let Some(service) = service {
            links.to("routes to service", "", "Service", service);
        }
    }
    for tls in list_at(object, "/spec/tls") {
        if let Some(secret) = text(tls, &["secretName"]) {
            links.to("uses secret", "", "Secret", secret);
        }
    }
    if let Some(class) = text_at(object, "/spec/ingressClassName") {
        links.to("is of ingress class", NETWORKING, "IngressClass", class);
    }
}

fn endpoints<'v>(links: &mut Links<'_>, endpoints: impl Iterator<Item = &'v Value>) {
    for target in endpoints.filter_map(|endpoint| endpoint.get("targetRef")) {
        if text(target, &["kind"]) == Some("Pod") {
            links.within("routes to pod", "", "Pod", target);
        }
    }
}

/// A route of the gateway API: from its gateways to its services.
fn route(links: &mut Links<'_>, object: &Value) {
    for parent in list_at(object, "/spec/parentRefs") {
        let group = text(parent, &["group"]).unwrap_or(GATEWAY);
        if (group, text(parent, &["kind"]).unwrap_or("Gateway")) == (GATEWAY, "Gateway") {
            let namespace = text(parent, &["namespace"]).or(links.namespace);
            if let Some(name) = text(parent, &["name"]) {
                let to = model::kubernetes_key(&links.reader.cluster, GATEWAY, "Gateway", namespace, name);
                links.add("is attached to gateway", namespace.map(|_| to));
            }
        }
    }
    for backend in list_at(object, "/spec/rules").iter().flat_map(|rule| items(rule, &["backendRefs"])) {
        if text(backend, &["kind"]).unwrap_or("Service") == "Service" {
            links.within("routes to service", "", "Service", backend);
        }
    }
}

fn storage(links: &mut Links<'_>, kind: &Kind, object: &Value) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "PersistentVolumeClaim") => {
            if let Some(volume) = text_at(object, "/spec/volumeName") {
                links.to("is bound to persistent volume", "", "PersistentVolume", volume);
            }
        }
        ("", "PersistentVolume") => {
            if let Some(claim) = object.pointer("/spec/claimRef") {
                links.within("is claimed by", "", "PersistentVolumeClaim", claim);
            }
        }
        (STORAGE, "VolumeAttachment") => {
            if let Some(node) = text_at(object, "/spec/nodeName") {
                links.to("attaches to node", "", "Node", node);
            }
            if let Some(volume) = text_at(object, "/spec/source/persistentVolumeName") {
                links.to("attaches persistent volume", "", "PersistentVolume", volume);
            }
        }
        _ => return,
    }
    if let Some(class) = text_at(object, "/spec/storageClassName") {
        links.to("is of storage class", STORAGE, "StorageClass", class);
    }
}

fn access(links: &mut Links<'_>, kind: &Kind, object: &Value) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        (RBAC, "RoleBinding" | "ClusterRoleBinding") => {
            if let (Some(role), Some(name)) =
                (text_at(object, "/roleRef/kind"), text_at(object, "/roleRef/name"))
            {
                links.to("grants role", RBAC, role, name);
            }
            for subject in items(object, &["subjects"]) {
                // Users and groups are no objects.
                if text(subject, &["kind"]) == Some("ServiceAccount") {
                    links.within("grants to service account", "", "ServiceAccount", subject);
                }
            }
        }
        ("", "ServiceAccount") => {
            for secret in items(object, &["secrets"]).iter().chain(items(object, &["imagePullSecrets"])) {
                if let Some(name) = text(secret, &["name"]) {
                    links.to("uses secret", "", "Secret", name);
                }
            }
        }
        _ => {}
    }
}

fn scaling(links: &mut Links<'_>, kind: &Kind, object: &Value) {
    let scaler = matches!(
        (kind.group.as_str(), kind.kind.as_str()),
        ("autoscaling", "HorizontalPodAutoscaler") | ("keda.sh", "ScaledObject")
    );
    let target = object.pointer("/spec/scaleTargetRef").or_else(|| object.pointer("/spec/targetRef"));
    let vertical =
        (kind.group.as_str(), kind.kind.as_str()) == ("autoscaling.k8s.io", "VerticalPodAutoscaler");
    let Some(target) = target.filter(|_| scaler || vertical) else { return };
    if text(target, &["kind"]).is_none() {
        // KEDA's default.
        links.within("scales", "apps", "Deployment", target);
    } else {
        links.typed("scales", target);
    }
}

/// Servers that the API server itself calls.
fn calls(links: &mut Links<'_>, kind: &Kind, object: &Value) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("apiregistration.k8s.io", "APIService") => {
            if let Some(service) = object.pointer("/spec/service") {
                links.within("is served by service", "", "Service", service);
            }
        }
        (
            "admissionregistration.k8s.io",
            "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration",
        ) => {
            for webhook in items(object, &["webhooks"]) {
                if let Some(service) = webhook.pointer("/clientConfig/service") {
                    links.within("calls service", "", "Service", service);
                }
            }
        }
        _ => {}
    }
}

/// What of AWS an object names by its ARN: nothing less says in which account it is.
fn cloud(links: &mut Links<'_>, kind: &Kind, object: &Value) {
    let named = match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "ServiceAccount") => object
            .pointer("/metadata/annotations")
            .and_then(|annotations| annotations.get(ROLE_ARN))
            .and_then(Value::as_str)
            .map(|arn| ("assumes role", arn)),
        ("elbv2.k8s.aws", "TargetGroupBinding") => {
            text_at(object, "/spec/targetGroupARN").map(|arn| ("is registered in target group", arn))
        }
        _ => text_at(object, "/status/ackResourceMetadata/arn").map(|arn| ("manages", arn)),
    };
    if let Some((word, arn)) = named {
        links.add(word, links.reader.aws_key(arn));
    }
}
