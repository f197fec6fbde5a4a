//! The built-in rules, read once and compiled when they are first needed.

use std::sync::{Arc, LazyLock};

use manifest::HealthRule;
use serde::Deserialize;

use crate::{conditions, engine::Rule};

/// One file a family.
const FILES: &[(&str, &str)] = &[
    ("aws", include_str!("builtin/aws.yaml")),
    ("kubernetes-workloads", include_str!("builtin/kubernetes-workloads.yaml")),
    ("kubernetes-pods", include_str!("builtin/kubernetes-pods.yaml")),
    ("kubernetes-cluster", include_str!("builtin/kubernetes-cluster.yaml")),
    ("argo", include_str!("builtin/argo.yaml")),
    ("cloud-controllers", include_str!("builtin/cloud-controllers.yaml")),
    ("operators", include_str!("builtin/operators.yaml")),
    ("flanksource", include_str!("builtin/flanksource.yaml")),
    ("other-clouds", include_str!("builtin/other-clouds.yaml")),
];

/// A manifest, as people write it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Manifest {
    #[serde(rename = "apiVersion")]
    _api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    metadata: Metadata,
    spec: HealthRule,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    name: String,
}

static RULES: LazyLock<Vec<Arc<Rule>>> = LazyLock::new(|| {
    let mut rules = Vec::new();
    for (_, text) in FILES {
        // A test holds that every file reads; were one not to, the rules of the others would still judge.
        let manifests = read(text).unwrap_or_default();
        rules.extend(manifests.into_iter().map(|one| Rule::lazy(&one.metadata.name, one.spec)));
    }
    rules.push(Rule::native("kubernetes-terminating", &["Kubernetes::*"], -99, conditions::terminating));
    rules.push(Rule::native("kubernetes-conditions", &["Kubernetes::*"], -200, conditions::judge));
    rules.into_iter().map(Arc::new).collect()
});

/// The built-in rules.
pub(crate) fn rules() -> &'static [Arc<Rule>] {
    &RULES
}

/// What the built-in rules are, as a hash: where it differs from what it was, everything is judged again.
#[must_use]
pub fn fingerprint() -> String {
    let texts: Vec<&str> = FILES.iter().map(|(_, text)| *text).collect();
    let all = format!("{}\u{1f}{}", env!("CARGO_PKG_VERSION"), texts.join("\u{1f}"));
    model::ContentHash::of_bytes(all.as_bytes()).to_string()
}

fn read(text: &str) -> Result<Vec<Manifest>, serde_yaml_ng::Error> {
    serde_yaml_ng::Deserializer::from_str(text).map(Manifest::deserialize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_rule_reads_and_compiles() {
        for (family, text) in FILES {
            let manifests = read(text).unwrap_or_else(|error| panic!("{family}: {error}"));
            assert!(!manifests.is_empty(), "{family}");
            for one in manifests {
                assert_eq!(one._api_version, manifest::API_VERSION, "{family}: {}", one.metadata.name);
                assert_eq!(one._kind, "HealthRule");
                assert_eq!(one.spec.priority, -100, "{family}: {}", one.metadata.name);
                assert!(!one.spec.description.is_empty(), "{family}: {}", one.metadata.name);
                if let Err((place, reason)) = crate::compiled::Compiled::new(&one.spec) {
                    panic!("{family}: {}: {place}: {reason}", one.metadata.name);
                }
            }
        }
    }

    #[test]
    fn every_built_in_rule_has_a_name_of_its_own() {
        let mut names: Vec<_> = rules().iter().map(|rule| rule.name.clone()).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
