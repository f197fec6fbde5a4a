//! One batch, sent until it is taken.

use std::time::{Duration, Instant};

use intake::Report;

use super::cut::Batch;
use crate::client::{Client, Error, explain};

/// How long is waited between attempts. After the last, its length again and again.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
];

/// How long a server may be away or busy: enough for a restart.
const PATIENCE: Duration = Duration::from_secs(15);

/// A server that says when to come back is believed up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Sends batches to one server.
pub(crate) struct Sender<'a> {
    client: &'a Client,
    /// Whether the server was there before: one that never was is not waited for.
    met: bool,
}

impl<'a> Sender<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client, met: false }
    }

    /// Sends a batch, again and again while the server is away or busy.
    pub(crate) fn send(&mut self, name: &str, batch: &Batch) -> anyhow::Result<Report> {
        let began = Instant::now();
        let mut pauses = PAUSES.iter().chain(std::iter::repeat(&PAUSES[PAUSES.len() - 1]));
        loop {
            let error = match self.attempt(name, batch) {
                Ok(report) => {
                    self.met = true;
                    return Ok(report);
                }
                Err(error) => error,
            };
            self.met |= matches!(error, Error::Cut { .. } | Error::Busy { .. });
            match pauses.next().and_then(|next| self.pause(&error, *next)) {
                Some(pause) if began.elapsed() < PATIENCE => wait(pause),
                Some(_) | None => return Err(explain(error)),
            }
        }
    }

    fn attempt(&self, name: &str, batch: &Batch) -> Result<Report, Error> {
        let content_type = if batch.compressed { "application/gzip" } else { "application/x-ndjson" };
        let origin = [("origin", origin(name))];
        self.client.post("/events", &origin, content_type, &batch.body)
    }

    /// How long to wait before the next attempt; `None` when there is none.
    fn pause(&self, error: &Error, next: Duration) -> Option<Duration> {
        match error {
            Error::Busy { retry_after, .. } => Some(retry_after.unwrap_or(next).clamp(next, LONGEST_PAUSE)),
            Error::Cut { .. } => Some(next),
            Error::Unreachable { .. } => self.met.then_some(next),
            Error::Refused { .. } | Error::NotPerigee { .. } | Error::BadUrl { .. } => None,
        }
    }
}

/// The name of an input as the server takes it: without control characters, and the end of one that is long.
fn origin(name: &str) -> String {
    let printable: Vec<char> = name.chars().filter(|c| !c.is_control()).collect();
    printable[printable.len().saturating_sub(500)..].iter().collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a command that has nothing else to do until the server is back"
)]
fn wait(pause: Duration) {
    std::thread::sleep(pause);
}

#[cfg(test)]
mod tests;
