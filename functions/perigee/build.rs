//! Lists the story of the sample estate, so that the binary carries it.

use std::{env, fs, io, path::PathBuf};

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let story = manifest.join("../../events/story");
    println!("cargo::rerun-if-changed={}", story.display());
    let mut files: Vec<PathBuf> = match fs::read_dir(&story) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let items: String = files.iter().map(|path| format!("    include_str!({path:?}),\n")).collect();
    let list = format!("/// The events of the story, in its order.\nstatic STORY: &[&str] = &[\n{items}];\n");
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("story.rs"), list)
}
