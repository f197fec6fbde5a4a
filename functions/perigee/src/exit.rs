//! How a command ends.

use std::process::ExitCode;

/// The end of a command that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// Everything was done.
    All,
    /// Something could not be done, and was said: exit status 3.
    Partly,
    /// The answer itself is a failure that was printed already: exit status 1.
    Failed,
}

/// Something was typed that means nothing: exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// The exit status of a command; what went wrong is said on standard error.
pub(crate) fn status(done: &anyhow::Result<Done>) -> ExitCode {
    match done {
        Ok(Done::All) => ExitCode::SUCCESS,
        Ok(Done::Partly) => ExitCode::from(3),
        Ok(Done::Failed) => ExitCode::from(1),
        Err(error) => {
            crate::print::note(&format!("error: {error:#}"));
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}
