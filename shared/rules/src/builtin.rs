//! The built-in rules, read once and compiled when they are first needed.

use std::sync::{Arc, LazyLock};

use manifest::{Manifest, Spec};

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

static RULES: LazyLock<Vec<Arc<Rule>>> = LazyLock::new(|| {
    let mut rules = Vec::new();
    for (family, text) in FILES {
        // A test holds that every file reads; were one not to, the rules of the others would still judge.
        let (manifests, _) = manifest::parse(text, family);
        rules.extend(manifests.into_iter().filter_map(|Manifest { metadata, spec }| match spec {
            Spec::HealthRule(spec) => Some(Rule::lazy(&metadata.name, spec)),
            _ => None,
        }));
    }
    let all = &["Kubernetes::*"];
    rules.push(Rule::native("kubernetes-terminating", all, TERMINATING, conditions::terminating));
    rules.push(Rule::native("kubernetes-conditions", all, CONDITIONS, conditions::judge));
    rules.into_iter().map(Arc::new).collect()
});

/// What is being deleted is judged before any other built-in rule speaks.
const TERMINATING: i32 = -99;
/// Conditions are looked at when no rule knows the type better.
const CONDITIONS: i32 = -200;

/// The built-in rules.
pub(crate) fn rules() -> &'static [Arc<Rule>] {
    &RULES
}

/// What judges, as a hash: the built-in rules, and the code of this package and of its expressions. Where it differs
/// from what it was, everything is judged again, for the same document may be judged otherwise.
#[must_use]
pub fn fingerprint() -> String {
    mark(env!("PERIGEE_RULES_CODE"), FILES.iter().map(|(_, text)| *text))
}

pub(crate) fn mark<'a>(code: &'a str, rules: impl Iterator<Item = &'a str>) -> String {
    let parts: Vec<&str> = [env!("CARGO_PKG_VERSION"), code].into_iter().chain(rules).collect();
    model::ContentHash::of_bytes(parts.join("\u{1f}").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_rule_is_a_manifest_without_fault() {
        for (family, text) in FILES {
            let (manifests, faults) = manifest::lint(text, family);
            assert_eq!(faults, [], "{family}");
            assert!(!manifests.is_empty(), "{family}");
            for one in manifests {
                let name = one.name().to_owned();
                let Spec::HealthRule(spec) = one.spec else { panic!("{family}: {name} is no HealthRule") };
                assert_eq!(spec.priority, -100, "{family}: {name}");
                assert!(!spec.description.is_empty(), "{family}: {name}");
                let compiled = crate::compiled::Compiled::new(&spec);
                assert!(compiled.is_ok(), "{family}: {name}: {:?}", compiled.err());
            }
        }
    }

    #[test]
    fn every_built_in_rule_has_a_name_of_its_own() {
        let mut names: Vec<_> = rules().iter().map(|rule| rule.name.clone()).collect();
        let all = names.len();
        assert!(all > 40, "only {all} rules");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
