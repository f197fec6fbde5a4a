//! The files of manifests that commands are given.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::Context;
use manifest::{Fault, Kind, Manifest};

use crate::{output, print};

/// How large a file may be, in bytes: a little more than is read, which is then said of the file itself.
const LARGEST: u64 = 2 << 20;
/// How deep folders may lie in folders.
const DEPTH: usize = 16;

/// The manifests of files, and what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) manifests: Vec<Manifest>,
    pub(super) faults: Vec<Fault>,
    pub(super) files: usize,
}

/// What is said of a manifest that is not there.
pub(super) fn no_such(kind: Kind, name: &str) -> String {
    format!(
        "there is no {kind} called `{}`; `perigee get {kind}` lists those that there are",
        output::cut(name, 200)
    )
}

/// Reads and checks the manifests of files, folders (`.yaml`, `.yml` and `.json` in them), or standard input (`-`).
pub(super) fn read(paths: &[PathBuf]) -> anyhow::Result<Files> {
    let mut found = Files::default();
    for path in paths {
        if path.as_os_str() == "-" {
            let mut text = String::new();
            io::stdin()
                .lock()
                .take(LARGEST)
                .read_to_string(&mut text)
                .context("cannot read standard input")?;
            found.take(&text, "(standard input)");
        } else if path.is_dir() {
            folder(path, DEPTH, &mut found)?;
        } else {
            file(path, &mut found)?;
        }
    }
    found.faults.extend(manifest::references(&found.manifests));
    Ok(found)
}

impl Files {
    fn take(&mut self, text: &str, name: &str) {
        let (manifests, faults) = manifest::lint(text, name);
        self.manifests.extend(manifests);
        self.faults.extend(faults);
        self.files += 1;
    }

    pub(super) fn errors(&self) -> usize {
        self.faults.iter().filter(|fault| fault.is_error()).count()
    }

    /// Says what is wrong, on standard error.
    pub(super) fn say_faults(&self) {
        for fault in &self.faults {
            print::note(&fault.to_string());
        }
    }
}

fn folder(path: &Path, depth: usize, found: &mut Files) -> anyhow::Result<()> {
    let entries = fs::read_dir(path).with_context(|| format!("cannot read the folder {}", path.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read the folder {}", path.display()))?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    for path in paths {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if path.is_dir() {
            if depth > 0 {
                folder(&path, depth - 1, found)?;
            }
        } else if matches!(ending, "yaml" | "yml" | "json") {
            file(&path, found)?;
        }
    }
    Ok(())
}

fn file(path: &Path, found: &mut Files) -> anyhow::Result<()> {
    let name = path.display().to_string();
    let file = fs::File::open(path).with_context(|| format!("cannot open {name}"))?;
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
    match String::from_utf8(bytes) {
        Ok(text) => found.take(&text, &name),
        Err(_) => {
            let mut fault = Fault::error("", "the file is not UTF-8");
            fault.file = name;
            found.faults.push(fault);
            found.files += 1;
        }
    }
    Ok(())
}
