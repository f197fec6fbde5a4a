//! Secrets: read at use, never stored, never printed.

use std::fmt;

use async_trait::async_trait;
use model::SecretRef;

/// Reads secrets where they are kept.
#[async_trait]
pub trait Secrets: Send + Sync + fmt::Debug {
    /// The value that a reference names now.
    ///
    /// # Errors
    /// See [`SecretError`].
    async fn read(&self, reference: &SecretRef) -> Result<Secret, SecretError>;
}

/// A value that must not be shown. `Debug` and logs show `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a value.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, to be given to whoever needs it and to nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Why a secret could not be read. It names the reference, never the value.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is no such secret, or no such key in it.
    #[error("{0} does not exist")]
    Missing(SecretRef),
    /// We may not read it.
    #[error("reading {reference} is not permitted; {needs}")]
    Denied {
        /// What was to be read.
        reference: SecretRef,
        /// What permission is needed.
        needs: String,
    },
    /// This program has no way to that store.
    #[error("{0} cannot be read here: this program has no access to that store")]
    NotConfigured(SecretRef),
    /// The store did not answer. Trying again may help.
    #[error("cannot read {reference}")]
    Unavailable {
        /// What was to be read.
        reference: SecretRef,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
