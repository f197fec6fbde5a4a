//! What a server says that it has.
//!
//! Newer servers answer for all groups at once (aggregated discovery); older ones have to be asked group by group. In
//! both, a group whose own server is down is named as broken and does not hide the others.

use std::collections::BTreeMap;

use ports::{ApiKind, BrokenApi, Discovery};
use serde_json::Value;

/// The `Accept` header by which a server that can answers for all groups at once.
pub(crate) const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
     application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// Kinds in the making: each (group, kind) once, in the first version of the server's order that has it.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    found: BTreeMap<(String, String), ApiKind>,
    broken: Vec<BrokenApi>,
}

impl Kinds {
    /// Adds a kind, unless an earlier version had it.
    fn add(&mut self, kind: ApiKind) {
        self.found.entry((kind.group.clone(), kind.kind.clone())).or_insert(kind);
    }

    /// Adds a part that did not answer.
    pub(crate) fn add_broken(&mut self, api: &str, reason: impl Into<String>) {
        self.broken.push(BrokenApi { api: api.to_owned(), reason: reason.into() });
    }

    pub(crate) fn finish(mut self) -> Discovery {
        self.broken.sort();
        self.broken.dedup_by(|later, earlier| later.api == earlier.api);
        Discovery { kinds: self.found.into_values().collect(), broken: self.broken }
    }

    /// Reads an aggregated answer. False when it is none.
    pub(crate) fn read_aggregated(&mut self, body: &Value) -> bool {
        if body.get("kind").and_then(Value::as_str) != Some("APIGroupDiscoveryList") {
            return false;
        }
        for group in list(body, "items") {
            let name = group.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            for version in list(group, "versions") {
                let Some(number) = text(version, "version") else { continue };
                if text(version, "freshness") == Some("Stale") {
                    self.add_broken(&api(name, number), "the server behind it does not answer");
                }
                for resource in list(version, "resources") {
                    let kind = resource.pointer("/responseKind/kind").and_then(Value::as_str);
                    let (Some(kind), Some(plural)) = (kind, text(resource, "resource")) else { continue };
                    if can_list(resource) {
                        self.add(ApiKind {
                            group: name.to_owned(),
                            version: number.to_owned(),
                            kind: kind.to_owned(),
                            plural: plural.to_owned(),
                            namespaced: text(resource, "scope") == Some("Namespaced"),
                        });
                    }
                }
            }
        }
        true
    }

    /// Reads the answer for one group and version.
    pub(crate) fn read_version(&mut self, group: &str, version: &str, body: &Value) {
        for resource in list(body, "resources") {
            let (Some(kind), Some(plural)) = (text(resource, "kind"), text(resource, "name")) else {
                continue;
            };
            // What has a slash is a part of another: `pods/status`.
            if can_list(resource) && !plural.contains('/') {
                self.add(ApiKind {
                    group: group.to_owned(),
                    version: version.to_owned(),
                    kind: kind.to_owned(),
                    plural: plural.to_owned(),
                    namespaced: resource.get("namespaced").and_then(Value::as_bool).unwrap_or(false),
                });
            }
        }
    }
}

/// The groups and versions that an older server names, the preferred version of each group first.
pub(crate) fn groups(body: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for group in list(body, "groups") {
        let Some(name) = text(group, "name") else { continue };
        let preferred = group.pointer("/preferredVersion/version").and_then(Value::as_str);
        let others = list(group, "versions").iter().filter_map(|version| text(version, "version"));
        let versions = preferred.into_iter().chain(others.filter(|version| Some(*version) != preferred));
        found.extend(versions.map(|version| (name.to_owned(), version.to_owned())));
    }
    found
}

/// The versions of the core group.
pub(crate) fn core_versions(body: &Value) -> Vec<String> {
    list(body, "versions").iter().filter_map(|version| version.as_str().map(str::to_owned)).collect()
}

/// A group and version as `apps/v1`; `v1` for the core group.
pub(crate) fn api(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

fn can_list(resource: &Value) -> bool {
    list(resource, "verbs").iter().any(|verb| verb.as_str() == Some("list"))
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}
