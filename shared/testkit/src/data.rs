//! What tests find outside of the project: third-party data, and programs that a machine may lack.

use std::path::PathBuf;

/// The folder of third-party test data, as `PERIGEE_TEST_DATA` names it. `None`, with a printed line, when it is not
/// set: the test then has nothing to do.
///
/// # Panics
/// When it is not a folder; or when it is not set and `PERIGEE_REQUIRE_DATA=1` says that it must be.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where tests look for their data")]
pub fn test_data() -> Option<PathBuf> {
    match std::env::var("PERIGEE_TEST_DATA") {
        Ok(folder) if !folder.is_empty() => {
            let folder = PathBuf::from(folder);
            assert!(folder.is_dir(), "PERIGEE_TEST_DATA names {}, which is no folder", folder.display());
            Some(folder)
        }
        Ok(_) | Err(_) => {
            skip("PERIGEE_TEST_DATA does not name the third-party test data");
            None
        }
    }
}

/// Says why a test has nothing to do here.
///
/// # Panics
/// When `PERIGEE_REQUIRE_DATA=1` says that every test must have what it needs.
#[expect(clippy::print_stderr, reason = "a test's voice")]
pub fn skip(why: &str) {
    let required = std::env::var_os("PERIGEE_REQUIRE_DATA").is_some_and(|value| value == "1");
    assert!(!required, "PERIGEE_REQUIRE_DATA=1, but {why}");
    eprintln!("skipped: {why}");
}
