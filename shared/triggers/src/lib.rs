//! A signal with what it is about, as the conditions of people see it.
//!
//! [`load`] reads what many signals are about in a fixed number of statements.

mod subject;

pub use subject::{Subject, load, recall};

/// Why triggers could not be dealt with. Trying again is safe.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The catalog cannot be read or written.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
}
