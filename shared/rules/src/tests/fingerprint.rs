//! What the fingerprint covers.

use std::path::Path;

use crate::{builtin::mark, fingerprint};

#[expect(dead_code, reason = "what a build runs")]
#[path = "../../build.rs"]
mod build;

#[test]
fn other_code_and_other_rules_have_another_fingerprint() {
    let folder = tempfile::tempdir().unwrap();
    let code = || build::of([folder.path()]).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("engine.rs", "first");
    let first = code();
    assert_eq!(code(), first, "the same code has the same");
    write("tests.rs", "a test judges nothing");
    assert_eq!(code(), first);
    write("engine.rs", "second");
    let second = code();
    assert_ne!(second, first);

    let rules = || ["one", "two"].into_iter();
    assert_ne!(mark(&first, rules()), mark(&second, rules()));
    assert_ne!(mark(&first, rules()), mark(&first, ["one", "other"].into_iter()));
}

#[test]
fn the_fingerprint_is_that_of_this_code() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (rules, expr) = (own.join("src"), own.join("../expr/src"));
    assert_eq!(build::of([rules.as_path(), expr.as_path()]).unwrap(), env!("PERIGEE_RULES_CODE"));
    assert_eq!(fingerprint().len(), 64);
}
