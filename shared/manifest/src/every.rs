//! When something that happens again and again happens next.

use chrono::TimeDelta;
use croner::Cron;
use model::Timestamp;

use crate::{Every, Span};

/// An `every` that is neither a span nor a cron line, or that never comes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` says no time that comes again: {why}; write a span as 30s, 5m or 7d, or five cron fields as `0 6 * * 1-5`"
)]
pub struct EveryError {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

impl Every {
    /// The first instant after `after` at which it happens, in UTC. A span counts from `after`.
    ///
    /// # Errors
    /// When it is neither a span of at least a second nor a cron line, or never comes.
    pub fn next_after(&self, after: Timestamp) -> Result<Timestamp, EveryError> {
        let wrong = |why: String| EveryError { text: self.0.clone(), why };
        let text = self.0.trim();
        if text.split_whitespace().count() == 1 {
            let span: Span = text.parse().map_err(wrong)?;
            let span = TimeDelta::from_std(span.0).map_err(|error| wrong(error.to_string()))?;
            if span < TimeDelta::seconds(1) {
                return Err(wrong("it is less than a second".to_owned()));
            }
            return Ok(after + span);
        }
        if text.split_whitespace().count() != 5 {
            return Err(wrong("it has not five fields".to_owned()));
        }
        let cron: Cron = text.parse().map_err(|error: croner::errors::CronError| wrong(error.to_string()))?;
        cron.find_next_occurrence(&after, false).map_err(|error| wrong(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(every: &str) -> Result<String, String> {
        let after = "2026-03-03T12:00:30Z".parse().expect("an instant");
        let next = Every(every.to_owned()).next_after(after);
        next.map(|at| at.to_rfc3339()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_span_counts_from_where_one_is_and_a_cron_line_from_the_calendar() {
        assert_eq!(next("5m").as_deref(), Ok("2026-03-03T12:05:30+00:00"));
        assert_eq!(next("0 6 * * 1-5").as_deref(), Ok("2026-03-04T06:00:00+00:00"));
        assert_eq!(next("*/15 * * * *").as_deref(), Ok("2026-03-03T12:15:00+00:00"));
    }

    #[test]
    fn what_never_comes_is_refused_with_what_would_be_right() {
        for every in ["", "0s", "5", "soon", "* * * *", "0 0 6 * * 1-5", "61 * * * *"] {
            let refused = next(every).expect_err(every);
            assert!(refused.contains("five cron fields as `0 6 * * 1-5`"), "{every}: {refused}");
        }
    }
}
