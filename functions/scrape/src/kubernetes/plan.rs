//! Which shards a cluster has.

use std::collections::BTreeSet;

use catalog::shards::Shard;
use manifest::kinds::scraper::KubernetesScraper;
use ports::{ApiKind, Discovery};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kind_of;
use crate::{Fault, FaultKind};

/// The region of everything in a cluster.
pub(super) const REGION: &str = "global";

/// The type of a cluster itself.
const CLUSTER: &str = "Kubernetes::core::Cluster";

/// What a shard lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "list", rename_all = "snake_case")]
pub(super) enum Spec {
    /// The cluster itself.
    Cluster,
    /// The objects of a kind.
    Kind(ListedKind),
    /// A kind that the cluster had and does not name any more.
    Vanished { group: String, kind: String },
    /// A part of its API that did not answer when the cluster was asked for its kinds.
    Broken { api: String },
    /// A kind that the scraper names and the cluster does not have.
    Absent { name: String },
}

/// A kind, as a shard keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ListedKind {
    group: String,
    version: String,
    kind: String,
    plural: String,
    namespaced: bool,
}

impl From<&ApiKind> for ListedKind {
    fn from(kind: &ApiKind) -> Self {
        let ApiKind { group, version, kind, plural, namespaced } = kind.clone();
        Self { group, version, kind, plural, namespaced }
    }
}

impl From<ListedKind> for ApiKind {
    fn from(kind: ListedKind) -> Self {
        let ListedKind { group, version, kind, plural, namespaced } = kind;
        Self { group, version, kind, plural, namespaced }
    }
}

impl Spec {
    pub(super) fn read(spec: &Value) -> Result<Self, Fault> {
        Self::deserialize(spec).map_err(|_| {
            Fault::new(FaultKind::Unexpected, "the shard was planned by another version; plan it again")
        })
    }

    fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

/// The shards of a cluster, whose types of before are `known`.
pub(super) fn shards(
    scraper: &str,
    uid: &str,
    wanted: &KubernetesScraper,
    discovery: &Discovery,
    known: &[String],
) -> Vec<Shard> {
    let shard = |kind: String, spec: &Spec| Shard {
        scraper: scraper.to_owned(),
        account: uid.to_owned(),
        region: REGION.to_owned(),
        kind,
        spec: spec.json(),
    };
    let mut shards = vec![shard(CLUSTER.to_owned(), &Spec::Cluster)];
    let resources = discovery.kinds.iter().filter(|k| events::kubernetes::is_resource(&k.group, &k.kind));
    for kind in resources.filter(|kind| is_wanted(wanted, &kind.name())) {
        shards.push(shard(kind_of(kind).type_name(), &Spec::Kind(kind.into())));
    }
    let there: BTreeSet<String> =
        discovery.kinds.iter().map(|kind| kind_of(kind).type_name()).chain([CLUSTER.to_owned()]).collect();
    for gone in known.iter().filter(|known| !there.contains(*known)) {
        let Some((group, kind)) = parts(gone) else { continue };
        if is_wanted(wanted, &name(group, kind)) {
            let spec = Spec::Vanished { group: group.to_owned(), kind: kind.to_owned() };
            shards.push(shard(gone.clone(), &spec));
        }
    }
    for broken in &discovery.broken {
        let group = broken.api.rsplit_once('/').map_or("", |(group, _)| group);
        let some_wanted = wanted.kinds.is_empty() || wanted.kinds.iter().any(|name| of_group(name, group));
        if events::kubernetes::is_resource(group, "") && some_wanted {
            let kind = format!("Kubernetes::{}::*", broken.api);
            shards.push(shard(kind, &Spec::Broken { api: broken.api.clone() }));
        }
    }
    for name in &wanted.kinds {
        let is_there = discovery.kinds.iter().any(|kind| kind.name() == *name);
        let is_known = known.iter().filter_map(|known| parts(known)).any(|(g, k)| self::name(g, k) == *name);
        if !is_there && !is_known {
            shards.push(shard(name.clone(), &Spec::Absent { name: name.clone() }));
        }
    }
    shards
}

fn is_wanted(wanted: &KubernetesScraper, name: &str) -> bool {
    let names = |list: &[String]| list.iter().any(|own| own == name);
    (wanted.kinds.is_empty() || names(&wanted.kinds)) && !names(&wanted.exclude)
}

/// Whether `Kind.group` is of a group.
fn of_group(name: &str, group: &str) -> bool {
    name.split_once('.').map_or("", |(_, group)| group) == group
}

/// The group (empty for `core`) and kind of a type.
fn parts(kind: &str) -> Option<(&str, &str)> {
    let (group, kind) = kind.strip_prefix("Kubernetes::")?.split_once("::")?;
    Some((if group == "core" { "" } else { group }, kind))
}

fn name(group: &str, kind: &str) -> String {
    if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") }
}
