use model::{SignalId, SignalKind};
use serde_json::json;

use super::*;

fn signal(number: u32) -> Signal {
    Signal {
        id: SignalId::of("test", &[&number.to_string()]),
        kind: SignalKind::ResourceChanged,
        subject: SignalId::of("subject", &[]).0,
        occurred_at: "2026-03-03T10:00:00Z".parse().unwrap(),
        payload: json!({"type": "AWS::ECS::Service", "number": number}),
    }
}

fn told(number: u32) -> Value {
    json!({
        "version": "0", "id": "e1a9", "detail-type": "resource.changed", "source": "perigee",
        "account": "111122223333", "time": "2026-03-03T10:00:00Z", "region": "eu-west-1", "resources": [],
        "detail": signal(number),
    })
}

fn message(id: &str, body: &str) -> Value {
    json!({"messageId": id, "receiptHandle": "once", "body": body, "eventSource": "aws:sqs"})
}

#[test]
fn a_batch_yields_its_signals_and_names_the_messages_that_hold_none() {
    let body = told(1).to_string();
    let strange = json!({"detail": {"id": "no id"}}).to_string();
    let records = [
        message("a", &body),
        message("b", "{\"cut\":"),
        message("c", &strange),
        message("d", r#"{"task":"tick"}"#),
        message("e", r#"{"task":"dance"}"#),
        message("f", "[]"),
        message("g", &told(2).to_string()),
    ];
    let Woken::Signals { told, unreadable } = read(json!({"Records": records})).unwrap() else {
        panic!("signals")
    };
    assert_eq!(told, [(Some("a".to_owned()), signal(1)), (Some("g".to_owned()), signal(2))]);
    let names: Vec<&str> = unreadable.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(names, ["b", "c", "e", "f"]);
    let reasons: Vec<&str> = unreadable.iter().map(|one| one.reason.as_str()).collect();
    assert!(reasons[0].starts_with("its body is no JSON"), "{reasons:?}");
    assert!(reasons[1].starts_with("the detail of the event is no signal: "), "{reasons:?}");
    assert_eq!(reasons[2], "there is no task `dance`; the only one is `tick`");
    assert_eq!(reasons[3], "its body is neither an EventBridge event nor a task");
}

#[test]
fn an_event_without_a_queue_and_a_schedule_are_understood() {
    let direct = read(told(3)).unwrap();
    assert_eq!(direct, Woken::Signals { told: vec![(None, signal(3))], unreadable: vec![] });
    assert_eq!(read(json!({"task": "tick"})).unwrap(), Woken::Tick);
}

#[test]
fn what_is_neither_fails_as_a_whole_and_says_what_would_be_right() {
    for (payload, expected) in [
        (json!({}), "the payload is neither a batch of SQS messages, nor"),
        (json!(null), "the payload is neither"),
        (json!({"Records": []}), "the payload is neither"),
        (json!({"Records": [{"eventSource": "aws:s3"}]}), "the payload is neither"),
        (
            json!({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}),
            "a message of the batch has no messageId",
        ),
        (json!({"detail": 1}), "the detail of the event is no signal"),
        (json!({"task": "dance"}), "there is no task `dance`"),
    ] {
        let refused = read(payload.clone()).expect_err("not understood").to_string();
        assert!(refused.starts_with(expected), "{payload}: {refused}");
    }
}

#[test]
fn the_answer_to_a_batch_is_what_sqs_expects() {
    let failures: BatchFailures = ["a".to_owned(), "b".to_owned()].into_iter().collect();
    let expected = json!({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]});
    assert_eq!(serde_json::to_value(failures).unwrap(), expected);
}
