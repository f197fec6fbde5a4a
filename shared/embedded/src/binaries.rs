//! Where PostgreSQL's binaries lie.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The oldest major version that the catalog's schema runs on.
pub const MINIMUM_VERSION: u32 = 15;

/// Folders that hold `*/bin` or `bin` of an installation but are seldom in `PATH`: Debian, Red Hat, Homebrew on both
/// processors, Postgres.app, a build from source.
const PARENTS: [(&str, &str); 7] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr", "bin"),
    ("/usr/local", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "bin"),
    ("/usr/lib64", "bin"),
];

/// An installation of PostgreSQL's server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The folder with `postgres` and `initdb`.
    pub dir: PathBuf,
    /// The major version.
    pub major: u32,
    /// The whole version, as the server says it.
    pub version: String,
}

impl Binaries {
    /// The path of one program.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// Every installation on this machine, newest first; those that are too old, too.
#[must_use]
pub fn installed() -> Vec<Binaries> {
    let mut seen = BTreeSet::new();
    let mut found: Vec<Binaries> = candidates()
        .into_iter()
        .filter(|dir| dir.join("postgres").is_file() && dir.join("initdb").is_file())
        .filter(|dir| seen.insert(dir.canonicalize().unwrap_or_else(|_| dir.clone())))
        .filter_map(|dir| examine(&dir))
        .collect();
    // Stable: of two equal versions the one that stands first in PATH wins.
    found.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
    found
}

fn candidates() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = env::split_paths(&path).collect();
    for (parent, bin) in PARENTS {
        let mut versions: Vec<PathBuf> = std::fs::read_dir(parent)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| looks_like_postgres(parent, path))
            .map(|path| path.join(bin))
            .collect();
        versions.sort();
        dirs.extend(versions);
    }
    dirs.push(PathBuf::from("/usr/local/pgsql/bin"));
    dirs
}

/// Shared parents such as `/usr` hold much else; only folders named after PostgreSQL count there.
fn looks_like_postgres(parent: &str, path: &Path) -> bool {
    let dedicated = parent.contains("ostgres");
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    dedicated || name.starts_with("postgresql") || name.starts_with("pgsql-")
}

fn examine(dir: &Path) -> Option<Binaries> {
    let output = Command::new(dir.join("postgres")).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (major, version) = parse_version(&text)?;
    Some(Binaries { dir: dir.to_owned(), major, version })
}

/// Reads `postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)`; a beta says `18beta1`.
fn parse_version(text: &str) -> Option<(u32, String)> {
    let version = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    Some((digits.parse().ok()?, version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_print_them() {
        let cases = [
            ("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n", Some((15, "15.20"))),
            ("postgres (PostgreSQL) 18beta1", Some((18, "18beta1"))),
            ("postgres (PostgreSQL) 9.6.24", Some((9, "9.6.24"))),
            ("something else", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_version(text), expected.map(|(major, v)| (major, v.to_owned())), "{text}");
        }
    }
}
