//! What the arguments mean.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use crate::exit::Usage;

/// How names end that a folder is searched for.
const ENDINGS: [&str; 7] = [".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz", ".gz"];

/// One input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    StandardInput,
    File { path: PathBuf, size: u64 },
}

impl Source {
    /// Its name, for people and for `/rejected`.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::StandardInput => "standard input".to_owned(),
            Self::File { path, .. } => path.display().to_string(),
        }
    }

    /// Its size in bytes, where it is known.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Self::StandardInput => None,
            Self::File { size, .. } => Some(*size),
        }
    }

    /// Opens it.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read>> {
        match self {
            Self::StandardInput => Ok(Box::new(io::stdin())),
            Self::File { path, .. } => Ok(Box::new(File::open(path)?)),
        }
    }
}

/// The inputs that the arguments name, in their order. A name that is nothing is refused before anything is sent.
pub(crate) fn expand(arguments: &[PathBuf]) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for argument in arguments {
        sources.extend(expand_one(argument)?);
    }
    if arguments.is_empty() {
        sources.push(Source::StandardInput);
    }
    Ok(sources)
}

fn expand_one(argument: &Path) -> anyhow::Result<Vec<Source>> {
    if argument == Path::new("-") {
        return Ok(vec![Source::StandardInput]);
    }
    match fs::metadata(argument) {
        Ok(found) if found.is_dir() => {
            let mut paths = Vec::new();
            search(argument, &mut paths)?;
            if paths.is_empty() {
                bail!("{} holds no .json, .jsonl or .gz file", argument.display());
            }
            paths.iter().map(|path| file(path)).collect()
        }
        Ok(found) => Ok(vec![Source::File { path: argument.to_owned(), size: found.len() }]),
        Err(error) => match_pattern(argument).unwrap_or_else(|| {
            Err(anyhow::Error::new(error).context(format!("cannot read {}", argument.display())))
        }),
    }
}

fn file(path: &Path) -> anyhow::Result<Source> {
    let found = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Source::File { path: path.to_owned(), size: found.len() })
}

/// Every file below `folder` whose name ends as events' files do, in the order of their names.
fn search(folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let what = || format!("cannot read folder {}", folder.display());
    let mut entries =
        fs::read_dir(folder).with_context(what)?.collect::<Result<Vec<_>, _>>().with_context(what)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // Not into links to folders: they can lead in a circle.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            search(&path, found)?;
        } else if path.is_file() && ENDINGS.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
            found.push(path);
        }
    }
    Ok(())
}

/// A pattern that the shell left alone: it was quoted, or matched nothing there. `None` when it is no pattern.
fn match_pattern(argument: &Path) -> Option<anyhow::Result<Vec<Source>>> {
    let pattern = argument.to_str().filter(|text| text.contains(['*', '?', '[']))?;
    let paths = match glob::glob(pattern) {
        Ok(paths) => paths,
        Err(error) => return Some(Err(Usage(format!("`{pattern}` is no pattern: {error}")).into())),
    };
    let paths: Vec<PathBuf> = paths.flatten().filter(|path| path.is_file()).collect();
    if paths.is_empty() {
        return Some(Err(anyhow::anyhow!("no file matches {pattern}")));
    }
    Some(paths.iter().map(|path| file(path)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[PathBuf], root: &Path) -> Vec<String> {
        let sources = expand(arguments).unwrap();
        sources.iter().map(|s| s.name().replace(&root.display().to_string(), "")).collect()
    }

    #[test]
    fn files_folders_patterns_and_standard_input_are_inputs() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("logs")).unwrap();
        for name in ["a.txt", "logs/b.json", "logs/a.jsonl.gz", "logs/readme.md"] {
            fs::write(at(name), "").unwrap();
        }
        assert_eq!(names(&[], dir.path()), ["standard input"]);
        assert_eq!(names(&["-".into(), at("a.txt")], dir.path()), ["standard input", "/a.txt"]);
        assert_eq!(names(&[at("logs")], dir.path()), ["/logs/a.jsonl.gz", "/logs/b.json"]);
        assert_eq!(names(&[at("logs/*.json")], dir.path()), ["/logs/b.json"]);
    }

    #[test]
    fn a_name_that_is_nothing_is_refused_before_anything_is_sent() {
        let dir = tempfile::tempdir().unwrap();
        let none = expand(&[dir.path().join("none.json")]).unwrap_err();
        assert!(none.to_string().contains("none.json"), "{none}");
        let empty = expand(&[dir.path().to_owned()]).unwrap_err();
        assert!(empty.to_string().contains("holds no .json"), "{empty}");
        let unmatched = expand(&[dir.path().join("*.json")]).unwrap_err();
        assert!(unmatched.to_string().contains("no file matches"), "{unmatched}");
    }
}
