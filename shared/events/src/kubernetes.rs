//! Kubernetes objects, as a cluster lists them.
//!
//! One object in, one fact out. What changes with every heartbeat and says nothing is taken out first ([`noise`]), what
//! the object says of others becomes edges ([`relations`], [`selectors`]), and everything goes through the mask.

mod noise;
mod relations;
mod selectors;

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Arn, Document, Rank, Relation, ResourceFact, ResourceKey, Sighting, Source, key_from_arn, kubernetes_key,
};
use serde_json::{Map, Value, json};

pub use selectors::Pods;

use crate::{Reason, Rejection, build};

/// The longest native id, in bytes: a namespace has 63 and a name 253.
const MAX_NATIVE_ID: usize = 1_024;

/// Kinds that are no resources, by group and kind: what happened, who leads, what a measurement said, what only repeats
/// the state of something else. An empty kind stands for the whole group.
const NO_RESOURCES: &[(&str, &str)] = &[
    ("", "Event"),
    ("events.k8s.io", "Event"),
    ("coordination.k8s.io", "Lease"),
    ("coordination.k8s.io", "LeaseCandidate"),
    ("", "ComponentStatus"),
    ("metrics.k8s.io", ""),
    ("custom.metrics.k8s.io", ""),
    ("external.metrics.k8s.io", ""),
    ("autoscaling.k8s.io", "VerticalPodAutoscalerCheckpoint"),
    // The old home of Deployment, Ingress and others: every object in it is listed in its new group too.
    ("extensions", ""),
];

/// The stream of what a cluster lists.
#[must_use]
pub fn source() -> Source {
    Source::new("kubernetes", Rank::Native)
}

/// Whether objects of a kind are resources: things that exist, and not events, leases or measurements.
#[must_use]
pub fn is_resource(group: &str, kind: &str) -> bool {
    !NO_RESOURCES.iter().any(|(g, k)| *g == group && (*k == kind || k.is_empty()))
}

/// A kind of object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// The group; empty for the core group.
    pub group: String,
    /// The version in which it is listed.
    pub version: String,
    /// The kind, as `NetworkPolicy`.
    pub kind: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

impl Kind {
    /// The resource type: without the version, which is only how it is listed.
    #[must_use]
    pub fn type_name(&self) -> String {
        let group = if self.group.is_empty() { "core" } else { &self.group };
        format!("Kubernetes::{group}::{}", self.kind)
    }

    /// How an object of it says what it is: `v1`, `apps/v1`.
    fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// Reads the objects of one cluster.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    cluster: String,
    /// Whether objects of a group and kind live in namespaces, as the cluster says.
    scopes: BTreeMap<(String, String), bool>,
    /// The accounts of AWS that are ours; all of them without.
    accounts: Option<BTreeSet<String>>,
    pods: Option<Pods>,
}

impl Reader {
    /// A reader of the cluster whose namespace `kube-system` has this UID.
    #[must_use]
    pub fn new(cluster: &str) -> Self {
        Self { cluster: cluster.to_owned(), ..Self::default() }
    }

    /// With what the cluster says of its kinds. An owner of a kind that is neither named here nor known to everybody
    /// is at the end of no edge, because its key cannot be told.
    #[must_use]
    pub fn with_kinds(mut self, kinds: impl IntoIterator<Item = Kind>) -> Self {
        self.scopes.extend(kinds.into_iter().map(|kind| ((kind.group, kind.kind), kind.namespaced)));
        self
    }

    /// With the accounts of AWS that are ours: no edge leads into any other.
    #[must_use]
    pub fn with_accounts(mut self, accounts: Option<BTreeSet<String>>) -> Self {
        self.accounts = accounts;
        self
    }

    /// With the pods of the cluster, so that what selects pods gets its edges.
    #[must_use]
    pub fn with_pods(mut self, pods: Pods) -> Self {
        self.pods = Some(pods);
        self
    }

    /// What an object of a kind says of itself.
    ///
    /// # Errors
    /// A [`Rejection`] that names what is missing.
    pub fn read(&self, kind: &Kind, object: &Value) -> Result<ResourceFact, Rejection> {
        let key = self.key_of(kind, object)?;
        let (object, replaced) = storable(object);
        let relations = self.relations(kind, &object);
        let mut aliases: Vec<String> = [object.pointer("/metadata/uid"), object.pointer("/spec/providerID")]
            .into_iter()
            .flatten()
            .filter_map(|alias| alias.as_str().filter(|alias| !alias.is_empty()).map(str::to_owned))
            .collect();
        aliases.dedup();
        let document = Document {
            name: object.pointer("/metadata/name").and_then(Value::as_str).map(str::to_owned),
            labels: texts(object.pointer("/metadata/labels")),
            config: config(kind, &object),
            relations,
            ..Document::default()
        };
        let fact =
            ResourceFact { key, aliases, state_id: 0, sighting: Sighting::Documented(Box::new(document)) };
        Ok(build::masked(fact, replaced))
    }

    /// The cluster itself: what people call it, and the version of its API server.
    #[must_use]
    pub fn cluster(&self, name: &str, version: &str) -> ResourceFact {
        let document = Document {
            name: Some(name.to_owned()),
            config: json!({"kind": "Cluster", "uid": self.cluster, "version": version}),
            ..Document::default()
        };
        let sighting = Sighting::Documented(Box::new(document));
        build::masked(
            ResourceFact { key: self.cluster_key(), aliases: Vec::new(), state_id: 0, sighting },
            false,
        )
    }

    /// The key of the cluster itself.
    #[must_use]
    pub fn cluster_key(&self) -> ResourceKey {
        kubernetes_key(&self.cluster, "", "Cluster", None, &self.cluster)
    }

    fn key_of(&self, kind: &Kind, object: &Value) -> Result<ResourceKey, Rejection> {
        let text = |name| {
            object
                .pointer(&format!("/metadata/{name}"))
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let missing = |what: &str| {
            let message = format!("An object of kind {} has no `metadata.{what}`", kind.type_name());
            Rejection::new(Reason::MissingField, message)
        };
        let name = text("name").ok_or_else(|| missing("name"))?;
        let namespace = match kind.namespaced {
            true => Some(text("namespace").ok_or_else(|| missing("namespace"))?),
            false => None,
        };
        let key = kubernetes_key(&self.cluster, &kind.group, &kind.kind, namespace, name);
        if key.native_id.len() > MAX_NATIVE_ID || key.native_id.contains('\0') {
            let message =
                format!("An object of kind {} has a name that no object can have", kind.type_name());
            return Err(Rejection::new(Reason::MissingField, message));
        }
        Ok(key)
    }

    /// The key of another object, where it can be told whether it lives in the namespace.
    fn key(&self, group: &str, kind: &str, namespace: Option<&str>, name: &str) -> Option<ResourceKey> {
        let namespaced = match self.scopes.get(&(group.to_owned(), kind.to_owned())) {
            Some(namespaced) => *namespaced,
            None => relations::is_namespaced(group, kind)?,
        };
        let namespace = if namespaced { Some(namespace?) } else { None };
        let key = kubernetes_key(&self.cluster, group, kind, namespace, name);
        (!name.is_empty() && namespace != Some("") && key.native_id.len() <= MAX_NATIVE_ID).then_some(key)
    }

    /// The key of the AWS resource that an ARN names, if its account is ours.
    fn aws_key(&self, arn: &str) -> Option<ResourceKey> {
        let key = key_from_arn(&Arn::parse(arn)?)?;
        self.accounts.as_ref().is_none_or(|ours| ours.contains(&key.account)).then_some(key)
    }

    fn relations(&self, kind: &Kind, object: &Value) -> BTreeSet<Relation> {
        let mut relations = relations::read(self, kind, object);
        if let Some(pods) = &self.pods {
            relations.extend(selectors::read(self, pods, kind, object));
        }
        relations
    }
}

/// The object without noise. In a list its items do not say what they are, so that is put back.
fn config(kind: &Kind, object: &Value) -> Value {
    let mut fields = match object {
        Value::Object(fields) => fields.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    };
    fields.insert("apiVersion".to_owned(), kind.api_version().into());
    fields.insert("kind".to_owned(), kind.kind.clone().into());
    noise::remove(&kind.group, &kind.kind, &mut fields);
    Value::Object(fields)
}

fn texts(value: Option<&Value>) -> BTreeMap<String, String> {
    let fields = value.and_then(Value::as_object).into_iter().flatten();
    fields.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// The object with U+FFFD for what cannot be stored, and whether there was any.
fn storable(object: &Value) -> (Value, bool) {
    fn replace(value: &Value, replaced: &mut bool) -> Value {
        let mut text = |text: &str| {
            if text.contains('\0') {
                *replaced = true;
                return text.replace('\0', "\u{fffd}");
            }
            text.to_owned()
        };
        match value {
            Value::String(found) => Value::String(text(found)),
            Value::Array(items) => items.iter().map(|item| replace(item, replaced)).collect(),
            Value::Object(fields) => {
                let keys: Vec<String> = fields.keys().map(|key| text(key)).collect();
                let fields = keys.into_iter().zip(fields.values().map(|field| replace(field, replaced)));
                Value::Object(fields.collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }
    let mut replaced = false;
    let object = replace(object, &mut replaced);
    (object, replaced)
}

#[cfg(test)]
mod tests;
