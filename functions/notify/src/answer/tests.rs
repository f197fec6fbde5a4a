use std::time::Duration;

use catalog::deliveries::Outcome;
use chrono::TimeDelta;
use connections::Redactor;
use model::{DeliveryState, Timestamp};
use ports::{HttpError, Response, Secret};

use super::{Made, Verdict, judge};

fn now() -> Timestamp {
    "2026-03-03T12:00:00Z".parse().unwrap()
}

fn answered(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Response, HttpError> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = body.as_bytes().to_vec();
    Ok(Response { status, headers, body, truncated: false, elapsed: Duration::ZERO })
}

fn judged(answer: &Result<Response, HttpError>, attempt: i32, keyed: bool) -> Verdict {
    let mut redactor = Redactor::new();
    redactor.add(&Secret::new("hunter22".to_owned()));
    judge(answer, &Made { attempt, at: now(), keyed, redactor: &redactor })
}

fn wait(verdict: &Verdict) -> TimeDelta {
    verdict.fate.due_at.unwrap() - now()
}

#[test]
fn what_the_channel_took_is_sent() {
    for status in [200, 202, 204] {
        let verdict = judged(&answered(status, &[], ""), 1, true);
        assert_eq!((verdict.outcome, verdict.fate.state), (Outcome::Sent, DeliveryState::Sent));
    }
}

#[test]
fn a_refusal_is_final_and_is_told_without_secrets() {
    for status in [400, 401, 403, 404, 410] {
        let verdict = judged(&answered(status, &[], "no\n  such key hunter22"), 1, true);
        assert_eq!((verdict.fate.state, verdict.fate.reason.as_str()), (DeliveryState::Failed, "rejected"));
        assert_eq!(verdict.detail, format!("the channel answered {status}: no such key ***"));
    }
    let redirected = judged(&answered(302, &[("location", "http://169.254.169.254/")], ""), 1, true);
    assert_eq!(redirected.fate.reason, "redirect_refused");
}

#[test]
fn a_channel_that_is_busy_is_asked_again_ever_later_and_then_no_more() {
    let waits: Vec<i64> =
        (1..=8).map(|attempt| wait(&judged(&answered(503, &[], ""), attempt, true)).num_seconds()).collect();
    assert_eq!(waits, [5, 15, 45, 120, 300, 600, 1200, 1200]);
    let last = judged(&answered(503, &[], ""), 9, true);
    assert_eq!((last.fate.state, last.fate.reason.as_str()), (DeliveryState::Failed, "server_error"));
    assert!(last.fate.detail.starts_with("given up after 9 attempts"), "{}", last.fate.detail);
}

#[test]
fn a_channel_says_how_long_to_wait_within_bounds() {
    let wait = |text: &str| {
        let verdict = judged(&answered(429, &[("retry-after", text)], ""), 1, true);
        assert!(verdict.fate.detail.starts_with("throttled"), "{}", verdict.fate.detail);
        wait(&verdict).num_seconds()
    };
    assert_eq!(wait("30"), 30);
    assert_eq!(wait("1"), 5);
    assert_eq!(wait("999999"), 3600);
    assert_eq!(wait("Tue, 03 Mar 2026 12:02:00 GMT"), 120);
    assert_eq!(wait("Tue, 03 Mar 2020 12:02:00 GMT"), 5);
    assert_eq!(wait("soon"), 5);
}

#[test]
fn what_may_have_arrived_is_sent_again_only_where_the_channel_knows_it_again() {
    let host = || "hooks.example.com".to_owned();
    let hung = || Err(HttpError::Timeout { host: host(), timeout: Duration::from_secs(10), sent: true });
    assert_eq!(judged(&hung(), 1, true).fate.state, DeliveryState::Pending);
    assert_eq!(judged(&hung(), 1, false).fate.reason, "unknown_outcome");
    let away = Err(HttpError::Connect { host: host(), source: "refused".into() });
    assert_eq!(judged(&away, 1, false).fate.state, DeliveryState::Pending);
}

#[test]
fn an_address_that_is_refused_is_not_tried_again() {
    let refused = Err(HttpError::Refused { host: "10.0.0.1".to_owned(), reason: "no".to_owned() });
    assert_eq!(judged(&refused, 1, true).fate.reason, "refused_address");
    let redirect = Err(HttpError::Redirect { host: "10.0.0.1".to_owned(), reason: "no".to_owned() });
    assert_eq!(judged(&redirect, 1, true).fate.reason, "redirect_refused");
}

#[test]
fn an_answer_that_was_cut_within_a_secret_shows_no_part_of_it() {
    let cut = |truncated| {
        let body = format!("{}hunter", " ".repeat(4090)).into_bytes();
        let headers = Vec::new();
        let answer = Ok(Response { status: 400, headers, body, truncated, elapsed: Duration::ZERO });
        judged(&answer, 1, true).detail
    };
    assert_eq!(cut(true), "the channel answered 400");
    assert_eq!(cut(false), "the channel answered 400: hunter", "a whole answer is shown whole");
}
