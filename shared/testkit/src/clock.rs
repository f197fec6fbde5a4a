//! A clock that stands still.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta};
use model::Timestamp;
use ports::Clock;

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct FakeClock(Mutex<Timestamp>);

impl FakeClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// A clock that shows an RFC 3339 instant.
    ///
    /// # Panics
    /// When `text` is not one.
    #[must_use]
    pub fn at(text: &str) -> Self {
        let instant = DateTime::parse_from_rfc3339(text);
        Self::new(instant.unwrap_or_else(|error| panic!("{text} is no RFC 3339 instant: {error}")).to_utc())
    }

    /// Shows `now` from here on.
    pub fn set(&self, now: Timestamp) {
        *self.lock() = now;
    }

    /// Moves by `delta`, which may be negative.
    pub fn advance(&self, delta: TimeDelta) {
        *self.lock() += delta;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Timestamp> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *self.lock()
    }
}
