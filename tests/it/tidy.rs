//! The rules of the house that no other tool holds. Each test reads the sources and names the file that breaks it.

use std::collections::BTreeSet;

use crate::workspace::{File, cargo, files, packages, root};

/// The folders that hold source code.
const CODE: &[&str] = &["functions", "shared", "tests"];

/// Lines of a source file, without its tests.
const LONGEST_FILE: usize = 500;

/// Longer files, and why they are.
const LONG_FILES: &[(&str, &str)] = &[];

/// What stands at the top of the repository, beside dotfiles.
const TOP: &[&str] = &[
    "ARCHITECTURE.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "events",
    "functions",
    "infra",
    "migrations",
    "shared",
    "tests",
];

/// The dotfiles that tools want at the top.
const TOP_DOT: &[&str] = &[
    ".cargo",
    ".ci",
    ".clippy.toml",
    ".config",
    ".deny.toml",
    ".gitattributes",
    ".gitignore",
    ".rustfmt.toml",
];

fn rust() -> Vec<File> {
    files(CODE, &["rs"])
}

/// A file's lines up to its inline tests.
fn without_tests(file: &File) -> usize {
    let tests = "#[cfg(test)]\nmod tests {";
    file.text.split_once(tests).map_or(file.text.as_str(), |(before, _)| before).lines().count()
}

#[test]
fn the_top_level_holds_what_the_design_says() {
    let listed = std::process::Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else {
        return println!("skipped: this is no git checkout");
    };
    let listed = String::from_utf8(listed.stdout).unwrap();
    let found: BTreeSet<&str> = listed
        .split('\0')
        .filter(|path| !path.is_empty())
        .filter_map(|path| path.split('/').next())
        .collect();
    for entry in &found {
        let allowed = TOP.contains(entry) || TOP_DOT.contains(entry);
        assert!(allowed, "{entry} does not belong at the top; see section 3 of the design");
    }
    for entry in TOP {
        assert!(found.contains(entry), "{entry} is missing at the top");
    }
}

#[test]
fn a_file_is_short_enough_to_be_read_at_once() {
    let reasons: Vec<&str> = LONG_FILES.iter().map(|(path, _)| *path).collect();
    for file in rust().iter().filter(|file| !file.is_test()) {
        let lines = without_tests(file);
        let excepted = reasons.contains(&file.path.as_str());
        assert!(
            lines <= LONGEST_FILE || excepted,
            "{} has {lines} lines; split it by what it says",
            file.path
        );
        assert!(lines > LONGEST_FILE || !excepted, "{} needs no exception any more", file.path);
    }
    for (path, reason) in LONG_FILES {
        assert!(
            root().join(path).is_file() && !reason.is_empty(),
            "{path} is gone, or says not why it is long"
        );
    }
}

#[test]
fn a_main_only_wires() {
    for file in rust().iter().filter(|file| file.path.ends_with("src/main.rs")) {
        let lines = file.text.lines().count();
        assert!(lines <= 40, "{} has {lines} lines; what it decides belongs into the library", file.path);
    }
}

#[test]
fn a_crate_says_what_it_is() {
    for package in packages() {
        let roots = ["src/lib.rs", "src/main.rs", "main.rs"].map(|root| format!("{}/{root}", package.dir));
        let mut found = 0;
        for file in rust().iter().filter(|file| roots.contains(&file.path)) {
            assert!(file.text.starts_with("//! "), "{} does not begin with what it is", file.path);
            found += 1;
        }
        assert!(found > 0, "package {} has no root that this test finds", package.name);
    }
}

/// Words that must not appear, where, and what to do instead. They are cut in two, so that this file holds none.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    ("#[igno", "re", "a test that does not run shows nothing: assert what happens, with a comment"),
    ("todo", "!(", "write it, or leave it out"),
    ("unimplemented", "!(", "write it, or leave it out"),
    ("#[al", "low(", "use #[expect(.., reason = ..)], which reports itself when it is obsolete"),
    ("/ro", "ot/", "a path of one machine"),
    ("/wo", "rk/", "a path of one machine"),
    ("/Use", "rs/", "a path of one machine"),
];

#[test]
fn nothing_forbidden_is_written() {
    let dirs: Vec<&str> = [CODE, &["events", "infra", "migrations", ".ci", ".cargo"]].concat();
    for file in files(&dirs, &["rs", "toml", "md", "sql", "json", "sh", "yaml", "yml", "css", "html", "py"]) {
        for (start, end, instead) in FORBIDDEN {
            let word = format!("{start}{end}");
            assert!(!file.text.contains(&word), "{} holds `{word}`: {instead}", file.path);
        }
    }
}

#[test]
fn sql_is_written_only_in_the_catalog() {
    let (checked, unchecked) = (["sqlx::", "query"].concat(), ["Assert", "SqlSafe"].concat());
    for file in rust() {
        let at_home = file.path.starts_with("shared/catalog/");
        // The kit for tests makes databases, which no checked query can.
        if at_home || file.path.starts_with("shared/testkit/") {
            continue;
        }
        for word in [&checked, &unchecked] {
            assert!(
                !file.text.contains(word.as_str()),
                "{} holds `{word}`; SQL lives in shared/catalog",
                file.path
            );
        }
    }
}

#[test]
fn transactions_begin_where_a_dropped_caller_does_no_harm() {
    let begun = ["pool.", "begin("].concat();
    for file in rust().iter().filter(|file| file.path != "shared/catalog/src/connect.rs") {
        assert!(!file.text.contains(&begun), "{} holds `{begun}`; use connect::begin", file.path);
    }
}

#[test]
fn every_dependency_has_one_version_in_one_place() {
    for file in files(&["functions", "shared", "tests"], &["toml"]) {
        if !file.path.ends_with("/Cargo.toml") || file.path.contains("/fuzz/") {
            continue;
        }
        let versioned =
            file.text.lines().find(|line| line.contains("version = \"") || line.contains("= \"="));
        assert_eq!(versioned, None, "{}: versions live in the root manifest", file.path);
    }
}

#[test]
fn the_lock_file_is_current() {
    cargo(&["metadata", "--format-version", "1", "--locked", "--offline", "--quiet"]);
}
