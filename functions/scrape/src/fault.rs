//! Why something could not be listed.

/// Why something could not be listed, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What kind of failure it is: it decides when it is tried again.
    pub kind: FaultKind,
    /// What was being done, and what went wrong.
    pub message: String,
    /// What a person can do about it; empty where there is nothing but to wait.
    pub advice: String,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// We may not. Somebody has to permit it first.
    Denied,
    /// We asked too often. It passes.
    Throttled,
    /// There are no credentials, or they do not work any more. Somebody has to renew them.
    Credentials,
    /// Nothing answers, or the answer broke off. It may pass.
    Unreachable,
    /// What was written in the scraper or its connection cannot be.
    Settings,
    /// The answer is none that we understand.
    Unexpected,
}

impl Fault {
    /// A fault that passes by itself, or that nobody can do anything about.
    #[must_use]
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), advice: String::new() }
    }

    /// A fault with a way out.
    #[must_use]
    pub fn with_advice(kind: FaultKind, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { kind, message: message.into(), advice: advice.into() }
    }

    /// Whether it is worth trying again before the scraper's next turn.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(self.kind, FaultKind::Throttled | FaultKind::Unreachable)
    }
}
