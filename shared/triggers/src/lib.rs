//! A signal with what it is about, as the conditions of people see it; and the one way in which runs are started.
//!
//! [`load`] reads what many signals are about in a fixed number of statements. [`start`] is what every trigger of a
//! playbook passes, whoever pulls it: a signal, a schedule, or somebody over the API.

mod books;
mod guard;
mod start;
mod subject;

pub use books::{Book, Books, Library};
pub use guard::Principals;
pub use start::{Answer, Refusal, Request, Trigger, plan, start};
pub use subject::{Subject, load, recall};

/// Why triggers could not be dealt with. Trying again is safe.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The catalog cannot be read or written.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
}
