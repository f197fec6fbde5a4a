//! The signal bus, and the alarm clock of the functions.

use async_trait::async_trait;
use model::{Signal, SignalId, Timestamp};

/// Tells signals to whoever listens: an EventBridge bus of its own on AWS, a channel locally.
#[async_trait]
pub trait Bus: Send + Sync + std::fmt::Debug {
    /// Tells `signals`, in order, and answers with the ids of those that were taken. The others are told again later.
    ///
    /// # Errors
    /// When none could be told at all.
    async fn publish(&self, signals: &[Signal]) -> Result<Vec<SignalId>, BusError>;
}

/// Wakes a function at an instant. Where nothing runs, nothing polls: one schedule entry per function is set to the
/// earliest instant at which something is due.
#[async_trait]
pub trait Wake: Send + Sync + std::fmt::Debug {
    /// Wakes `function` at `at`, or at once when that is past; an earlier instant replaces a later one.
    ///
    /// # Errors
    /// When the schedule could not be set.
    async fn at(&self, function: &str, at: Timestamp) -> Result<(), BusError>;
}

/// Why a signal could not be told, or an alarm not be set. Trying again is always safe.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing}")]
pub struct BusError {
    /// What was being done, as in `put signals on the bus perigee`.
    pub doing: String,
    /// What went wrong.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}
