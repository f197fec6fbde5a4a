use std::future::ready;

use model::{SignalId, SignalKind};
use ports::SystemClock;
use serde_json::json;

use super::*;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is away")]
struct Away(&'static str);

/// A batch of two messages with a signal, and one without.
fn batch() -> Value {
    let message = |id: &str, body: String| json!({"messageId": id, "body": body, "eventSource": "aws:sqs"});
    json!({"Records": [
        message("one", told().to_string()), message("odd", "{".to_owned()), message("two", told().to_string()),
    ]})
}

fn told() -> Value {
    let signal = Signal {
        id: SignalId::of("test", &[]),
        kind: SignalKind::ResourceChanged,
        subject: SignalId::of("subject", &[]).0,
        occurred_at: "2026-03-03T10:00:00Z".parse().unwrap(),
        payload: json!({}),
    };
    json!({"source": "perigee", "detail-type": "resource.changed", "detail": signal})
}

/// The messages that shall come again, and whether something is due; or what it failed by.
async fn taken(
    payload: Value,
    signals: Result<(), Away>,
    work: Result<Option<Timestamp>, Away>,
) -> Result<(Vec<String>, bool), String> {
    let outcome = take(payload, &SystemClock, |_| ready(signals), ready(work)).await;
    let outcome = outcome.map_err(|error| error.to_string())?;
    let failed = outcome.failures.batch_item_failures.into_iter().map(|failure| failure.item_identifier);
    Ok((failed.collect(), outcome.due.is_some()))
}

#[tokio::test]
async fn a_batch_fails_by_message_and_what_is_due_is_asked_for_again() {
    let one = |failed: &[&str], due| Ok((failed.iter().map(|&id| id.to_owned()).collect(), due));
    assert_eq!(taken(batch(), Ok(()), Ok(None)).await, one(&["odd"], false));
    assert_eq!(taken(batch(), Err(Away("it")), Ok(None)).await, one(&["odd", "one", "two"], false));
    assert_eq!(taken(batch(), Ok(()), Err(Away("it"))).await, one(&["odd"], true));
}

#[tokio::test]
async fn without_a_queue_the_invocation_fails() {
    assert_eq!(taken(told(), Err(Away("the first")), Ok(None)).await, Err("the first is away".to_owned()));
    assert_eq!(taken(told(), Ok(()), Err(Away("the second"))).await, Err("the second is away".to_owned()));
    let tick = json!({"task": "tick"});
    assert_eq!(taken(tick.clone(), Err(Away("nobody asked")), Ok(None)).await, Ok((Vec::new(), false)));
    assert_eq!(taken(tick, Ok(()), Err(Away("work"))).await, Err("work is away".to_owned()));
}

#[tokio::test]
async fn all_signals_of_a_batch_are_given_at_once() {
    let mut given = 0;
    let signals = |signals: Vec<Signal>| {
        given = signals.len();
        ready(Ok::<(), Away>(()))
    };
    take(batch(), &SystemClock, signals, ready(Ok(None))).await.unwrap();
    assert_eq!(given, 2);
}
