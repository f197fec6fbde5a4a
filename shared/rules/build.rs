//! Hashes the code that judges, so that a build with other code judges everything again.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::Path,
};

/// This package, and the language that rules are written in.
const FOLDERS: [&str; 2] = ["src", "../expr/src"];

fn main() -> io::Result<()> {
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={folder}");
    }
    println!("cargo::rustc-env=PERIGEE_RULES_CODE={}", of(FOLDERS.map(Path::new))?);
    Ok(())
}

/// A hash of all files in the folders, tests left out: what they are called, and what they hold.
pub(crate) fn of<'a>(folders: impl IntoIterator<Item = &'a Path>) -> io::Result<String> {
    let mut hasher = DefaultHasher::new();
    for folder in folders {
        add(&mut hasher, folder)?;
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn add(hasher: &mut DefaultHasher, folder: &Path) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        if name == "tests" || name == "tests.rs" {
            continue;
        }
        name.to_string_lossy().hash(hasher);
        if entry.file_type()?.is_dir() {
            add(hasher, &entry.path())?;
        } else {
            fs::read(entry.path())?.hash(hasher);
        }
    }
    Ok(())
}
