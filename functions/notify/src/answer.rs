//! What follows from the answer of a channel: pure.

use std::time::Duration;

use catalog::deliveries::{Fate, Outcome};
use chrono::{DateTime, TimeDelta};
use connections::Redactor;
use model::{DeliveryState, Timestamp};
use ports::{HttpError, Response};

#[cfg(test)]
mod tests;

/// How long after each failure the next attempt is made; after the last there is none. About an hour in all.
const DELAYS: [i64; 8] = [5, 15, 45, 120, 300, 600, 1200, 1200];
/// The longest that a channel may have us wait.
const LONGEST: i64 = 3600;
/// How much of an answer is kept.
const EXCERPT: usize = 200;

/// How an attempt ended, and what follows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) status: Option<u16>,
    pub(crate) detail: String,
    pub(crate) fate: Fate,
}

/// An attempt that was made.
#[derive(Debug)]
pub(crate) struct Made<'a> {
    /// Its number, from 1.
    pub(crate) attempt: i32,
    /// When it ended.
    pub(crate) at: Timestamp,
    /// Whether the channel knows what comes again: then what may have arrived is sent again.
    pub(crate) keyed: bool,
    /// Takes the connection's secrets out of texts.
    pub(crate) redactor: &'a Redactor,
}

/// Judges an answer.
pub(crate) fn judge(answer: &Result<Response, HttpError>, made: &Made<'_>) -> Verdict {
    match answer {
        Ok(response) => judge_status(response, made),
        Err(error) => judge_error(error, made),
    }
}

fn judge_status(response: &Response, made: &Made<'_>) -> Verdict {
    let status = response.status;
    let said = excerpt(response, made.redactor);
    match status {
        200..=299 => Verdict {
            outcome: Outcome::Sent,
            status: Some(status),
            detail: format!("the channel answered {status}"),
            fate: Fate::ended(DeliveryState::Sent, "delivered", "the channel took it"),
        },
        408 | 425 | 429 | 500..=599 => {
            let reason = if status == 429 { "throttled" } else { "server_error" };
            let asked = response.header("retry-after").and_then(|text| retry_after(text, made.at));
            made.again(reason, Some(status), format!("the channel answered {status}{said}"), asked)
        }
        300..=399 => {
            let detail = format!(
                "the channel answered {status}: redirects are not followed; put the final address into the connection"
            );
            failed("redirect_refused", Some(status), detail)
        }
        _ => failed("rejected", Some(status), format!("the channel answered {status}{said}")),
    }
}

fn judge_error(error: &HttpError, made: &Made<'_>) -> Verdict {
    let detail = made.redactor.redact(&with_causes(error)).into_owned();
    let reason = match error {
        HttpError::Invalid(_) => return failed("channel_invalid", None, detail),
        HttpError::Refused { .. } => return failed("refused_address", None, detail),
        HttpError::Redirect { .. } => return failed("redirect_refused", None, detail),
        HttpError::Connect { .. } => "unreachable",
        HttpError::Timeout { .. } => "timed_out",
        HttpError::Broken { .. } => "broken",
    };
    if error.may_have_arrived() && !made.keyed {
        let detail = format!("{detail}; whether the channel took it cannot be known");
        return failed("unknown_outcome", None, detail);
    }
    made.again(reason, None, detail, None)
}

fn failed(reason: &str, status: Option<u16>, detail: String) -> Verdict {
    let fate = Fate::ended(DeliveryState::Failed, reason, detail.clone());
    Verdict { outcome: Outcome::Failed, status, detail, fate }
}

impl Made<'_> {
    /// Another attempt, while any is left.
    fn again(&self, reason: &str, status: Option<u16>, detail: String, asked: Option<TimeDelta>) -> Verdict {
        let Some(delay) = usize::try_from(self.attempt - 1).ok().and_then(|index| DELAYS.get(index)) else {
            let given_up = format!("given up after {} attempts; at the last, {detail}", self.attempt);
            let fate = Fate::ended(DeliveryState::Failed, reason, given_up);
            return Verdict { outcome: Outcome::Failed, status, detail, fate };
        };
        let wait = TimeDelta::seconds(*delay).max(asked.unwrap_or_default()).min(TimeDelta::seconds(LONGEST));
        let fate = Fate::pending(self.at + wait, "retrying", format!("{reason}: {detail}"));
        Verdict { outcome: Outcome::Failed, status, detail, fate }
    }
}

/// `Retry-After`, as seconds or as an instant of HTTP.
fn retry_after(text: &str, now: Timestamp) -> Option<TimeDelta> {
    let text = text.trim();
    let seconds = text.parse::<u32>().ok().map(|seconds| Duration::from_secs(u64::from(seconds)));
    match seconds {
        Some(seconds) => TimeDelta::from_std(seconds).ok(),
        None => DateTime::parse_from_rfc2822(text).ok().map(|at| at.to_utc() - now),
    }
}

/// The beginning of what an answer said, on one line and without secrets.
fn excerpt(response: &Response, redactor: &Redactor) -> String {
    // Redacted before it is cut, so that no half of a secret stays.
    let body = String::from_utf8_lossy(&response.body);
    // One that was cut short may end within a secret.
    let known = if response.truncated { redactor.settled(&body) } else { body.len() };
    let text = redactor.redact(body.get(..known).unwrap_or_default());
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let line: String = words.join(" ").chars().take(EXCERPT).collect();
    if line.is_empty() { String::new() } else { format!(": {line}") }
}

/// An error and its causes, as one sentence.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let own = error.to_string();
        if !text.contains(&own) {
            text = format!("{text}: {own}");
        }
        cause = error.source();
    }
    text
}
