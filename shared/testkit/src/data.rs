//! The third-party data that is never copied into the project.

use std::path::PathBuf;

/// The folder of third-party test data, as `PERIGEE_TEST_DATA` names it. `None`, with a printed line, when it is not
/// set: the test then has nothing to do.
///
/// # Panics
/// When it is not a folder; or when it is not set and `PERIGEE_REQUIRE_DATA=1` says that it must be.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "the one place where tests look for their data"
)]
pub fn test_data() -> Option<PathBuf> {
    match std::env::var("PERIGEE_TEST_DATA") {
        Ok(folder) if !folder.is_empty() => {
            let folder = PathBuf::from(folder);
            assert!(folder.is_dir(), "PERIGEE_TEST_DATA names {}, which is no folder", folder.display());
            Some(folder)
        }
        Ok(_) | Err(_) => {
            let required = std::env::var("PERIGEE_REQUIRE_DATA").is_ok_and(|value| value == "1");
            assert!(!required, "PERIGEE_REQUIRE_DATA=1, but PERIGEE_TEST_DATA does not name the test data");
            eprintln!("skipped: PERIGEE_TEST_DATA does not name the third-party test data");
            None
        }
    }
}
