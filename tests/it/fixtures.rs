//! What samples and migrations must look like.

use std::net::Ipv4Addr;

use crate::workspace::{File, files};

/// The account of every sample.
const ACCOUNT: &str = "111122223333";

fn samples() -> Vec<File> {
    files(&["events"], &["json", "jsonl", "md"])
}

/// The words of a text that are made of letters, digits and `extra`, with what stands before each.
fn words<'a>(text: &'a str, extra: &'a [char]) -> impl Iterator<Item = (&'a str, &'a str)> {
    let inside = move |c: char| c.is_ascii_alphanumeric() || extra.contains(&c);
    text.split(move |c| !inside(c)).filter(|word| !word.is_empty()).map(move |word| {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        (text.get(..start).unwrap_or_default(), word)
    })
}

/// Whether what stands before a word ends like the first four groups of a UUID.
fn in_uuid(before: &str) -> bool {
    let groups: Vec<&str> = before.rsplit('-').take(5).collect();
    matches!(groups[..], ["", d, c, b, a] if d.len() == 4 && c.len() == 4 && b.len() == 4 && a.len() >= 8)
}

#[test]
fn every_sample_is_of_the_sample_account() {
    for file in samples() {
        for (before, word) in words(&file.text, &[]) {
            let account = word.len() == 12 && word.bytes().all(|b| b.is_ascii_digit());
            assert!(!account || word == ACCOUNT || in_uuid(before), "{} names account {word}", file.path);
        }
    }
}

#[test]
fn every_address_of_a_sample_is_for_documentation_or_private() {
    for file in samples() {
        for (before, word) in words(&file.text, &['.']) {
            let Ok(address) = word.trim_end_matches('.').parse::<Ipv4Addr>() else { continue };
            // A browser's version: Chrome/120.0.0.0
            let is_version = before.ends_with('/');
            let harmless = address.is_documentation() || address.is_private() || address.is_unspecified();
            assert!(is_version || harmless, "{} names {address}", file.path);
        }
    }
}

#[test]
fn every_sample_is_json() {
    for file in files(&["events"], &["json"]) {
        let parsed: Result<serde_json::Value, _> = serde_json::from_str(&file.text);
        assert!(parsed.is_ok(), "{} is not JSON: {parsed:?}", file.path);
    }
}

#[test]
fn every_table_says_what_it_holds() {
    let files = files(&["migrations"], &["sql"]);
    let statements = || files.iter().flat_map(|file| file.text.lines());
    for table in statements().filter_map(|line| line.strip_prefix("create table ")) {
        let name = table.split_whitespace().next().unwrap_or_default();
        // A partition is said by its parent.
        let said = table.contains(" partition of ")
            || statements().any(|line| line.starts_with(&format!("comment on table {name} is '")));
        assert!(said, "table {name} has no comment; write `comment on table {name} is '..'`");
    }
}

#[test]
fn migrations_are_numbered_without_gaps() {
    let files = files(&["migrations"], &["sql"]);
    assert!(!files.is_empty());
    for (number, file) in (1..).zip(&files) {
        let expected = format!("migrations/{number:04}_");
        assert!(file.path.starts_with(&expected), "{} should begin with {expected}", file.path);
    }
}
