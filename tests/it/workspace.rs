//! The workspace as the tests see it: its packages and its files.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A package, as its manifest describes it.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The directory, from the root.
    pub(crate) dir: String,
    /// The binaries.
    pub(crate) bins: Vec<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// What a package depends on.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// True when only tests and benchmarks use it.
    pub(crate) dev: bool,
}

/// Every package of the workspace.
pub(crate) fn packages() -> Vec<Package> {
    let metadata = cargo(&["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

fn package(package: &Value) -> Package {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let dir = PathBuf::from(text(&package["manifest_path"]));
    let is_bin = |target: &&Value| target["kind"][0] == "bin";
    Package {
        name: text(&package["name"]),
        dir: dir.parent().unwrap().strip_prefix(root()).unwrap().to_str().unwrap().to_owned(),
        bins: package["targets"]
            .as_array()
            .unwrap()
            .iter()
            .filter(is_bin)
            .map(|bin| text(&bin["name"]))
            .collect(),
        dependencies: package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|used| Dependency { name: text(&used["name"]), dev: used["kind"] == "dev" })
            .collect(),
    }
}

/// What cargo prints.
pub(crate) fn cargo(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(args).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "cargo {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A text file of ours.
#[derive(Debug)]
pub(crate) struct File {
    /// From the root, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// Whether it holds nothing but tests.
    pub(crate) fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || ["/tests/", "/benches/", "/fuzz/", "/examples/"].iter().any(|dir| self.path.contains(dir))
            || self.path.ends_with("/tests.rs")
    }
}

/// Our files below `dirs` with one of `extensions`, in order.
pub(crate) fn files(dirs: &[&str], extensions: &[&str]) -> Vec<File> {
    let mut found = Vec::new();
    for dir in dirs {
        walk(&root().join(dir), &mut found);
    }
    found.retain(|path| path.extension().is_some_and(|is| extensions.iter().any(|wanted| is == *wanted)));
    found.sort();
    found.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> File {
    let text = std::fs::read_to_string(path).unwrap();
    File { path: path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned(), text }
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && entry.file_name() != "target" {
            walk(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}
