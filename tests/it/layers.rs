//! The layers of DESIGN.md, section 3, read from the manifests: arrows point down, and each heavy dependency has one
//! owner. What only tests use (dev-dependencies, `testkit`, this package) is outside.

use crate::workspace::{Dependency, Package, cargo, packages};

/// From the bottom to the top. A package may use only packages of rows above its own.
const LAYERS: &[(&str, &[&str])] = &[
    ("words", &["model"]),
    ("the program", &["events", "expr", "ports", "selector"]),
    ("what people write", &["manifest"]),
    ("judgement", &["rules"]),
    ("the world", &["aws", "catalog", "connections", "kubernetes"]),
    ("assembly", &["embedded", "intake", "runtime", "triggers"]),
    ("the functions", &["api", "health", "ingest", "notify", "playbook", "scrape"]),
    ("the host of them all", &["perigee"]),
];

/// What only tests may use.
const FOR_TESTS: &[&str] = &["it", "testkit"];

/// A family of dependencies, and who alone may name it.
const OWNERS: &[(&str, &[&str])] = &[
    ("sqlx", &["catalog", "testkit"]),
    ("aws-", &["aws"]),
    ("lambda_", &["runtime"]),
    ("cel", &["expr"]),
    ("croner", &["manifest"]),
    ("kube", &["kubernetes"]),
    ("k8s-openapi", &["kubernetes"]),
    // `perigee` asks its own API with `ureq`; the world beyond is asked by `connections` and `aws`.
    ("ureq", &["perigee"]),
    ("reqwest", &["connections"]),
    ("hyper", &["connections"]),
    ("clap", &["perigee"]),
    ("maud", &["api"]),
    ("aide", &["api"]),
];

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|(_, members)| members.contains(&name))
}

/// What a package uses outside of its tests.
fn used(package: &Package) -> impl Iterator<Item = &Dependency> {
    package.dependencies.iter().filter(|used| !used.dev)
}

#[test]
fn every_package_has_a_layer() {
    for package in packages() {
        let name = package.name.as_str();
        let known = layer(name).is_some() || FOR_TESTS.contains(&name);
        assert!(
            known,
            "package {name} is in no layer; decide what it may use and add it to LAYERS in tests/it/layers.rs"
        );
    }
}

#[test]
fn a_package_uses_only_lower_layers() {
    for package in packages() {
        let Some(own) = layer(&package.name) else { continue };
        for used in used(&package) {
            let name = &used.name;
            assert!(
                !FOR_TESTS.contains(&name.as_str()),
                "{} uses {name}, which is for tests only",
                package.name
            );
            let Some(other) = layer(name) else { continue };
            assert!(
                other < own,
                "{} ({}) uses {name} ({}), which is not below it",
                package.name,
                LAYERS[own].0,
                LAYERS[other].0
            );
        }
    }
}

#[test]
fn a_heavy_dependency_is_named_only_by_its_owner() {
    for package in packages() {
        for used in used(&package) {
            for (family, owners) in OWNERS {
                let of_family =
                    used.name == *family || (used.name.starts_with(family) && family.ends_with(['-', '_']));
                assert!(
                    !of_family || owners.contains(&package.name.as_str()),
                    "{} names {}, which only {owners:?} may",
                    package.name,
                    used.name
                );
            }
        }
    }
}

#[test]
fn a_function_is_a_directory_a_package_and_a_binary_of_one_name() {
    let packages = packages();
    for package in &packages {
        let (parent, directory) = package.dir.split_once('/').unwrap();
        assert_eq!(directory, package.name, "the directory of a package has its name");
        match parent {
            "functions" => {
                assert_eq!(package.bins, [directory], "functions/{directory} has one binary, of its name");
            }
            "shared" => assert!(package.bins.is_empty(), "shared/{directory} is a library"),
            "tests" => {}
            other => panic!("{} lies in {other}/, which holds no packages", package.name),
        }
    }
    let mut names: Vec<_> = packages.iter().map(|package| &package.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), packages.len(), "package names are unique");
}

#[test]
fn the_daily_loop_builds_no_aws_and_no_lambda() {
    let tree =
        cargo(&["tree", "--workspace", "--no-default-features", "--prefix", "none", "--format", "{p}"]);
    let heavy: Vec<&str> = tree
        .lines()
        .filter(|line| line.starts_with("aws") && !line.starts_with("aws v0") || line.starts_with("lambda"))
        .collect();
    assert!(heavy.is_empty(), "`--workspace --no-default-features` builds {heavy:?}");
    assert!(tree.lines().any(|line| line.starts_with("perigee v")), "the tree holds the workspace");
}
