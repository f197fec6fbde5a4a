//! The pump: signals from the outbox to the bus.

use std::time::Duration;

use catalog::Catalog;
use model::Signal;
use ports::{Bus, BusError, Clock};

/// How many signals are told at once.
const BATCH: u32 = 500;

/// How long a pump may take with a batch before another takes over.
const LEASE: Duration = Duration::from_secs(30);

/// Why signals were not told. They stay in the outbox, and are told again.
#[derive(Debug, thiserror::Error)]
pub enum PumpError {
    /// The outbox cannot be read or written.
    #[error("cannot pump signals from the outbox")]
    Catalog(#[from] catalog::Error),
    /// The bus took none of them.
    #[error("cannot pump signals to the bus")]
    Bus(#[from] BusError),
}

/// Tells what waits in the outbox, until nothing is left that can be told now. Returns how many were told.
///
/// A signal that the bus refuses stays claimed for a while and is told again after that, so one bad signal does not
/// keep the others.
///
/// # Errors
/// See [`PumpError`].
pub async fn pump(catalog: &Catalog, bus: &dyn Bus, clock: &dyn Clock) -> Result<usize, PumpError> {
    let mut told = 0;
    loop {
        let claimed = catalog.claim_signals(BATCH, clock.now(), LEASE).await?;
        if claimed.is_empty() {
            return Ok(told);
        }
        let signals: Vec<Signal> = claimed.into_iter().map(|claimed| claimed.signal).collect();
        let taken = bus.publish(&signals).await?;
        if taken.len() < signals.len() {
            tracing::warn!(
                signals = signals.len(),
                taken = taken.len(),
                "The bus did not take all signals; the others are told again"
            );
        }
        catalog.signals_told(&taken, clock.now()).await?;
        told += taken.len();
    }
}
