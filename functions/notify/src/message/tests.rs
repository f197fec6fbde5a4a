use model::{Signal, SignalId, SignalKind, Timestamp};
use serde_json::{Value, json};

use super::{kind_in_words, text, title};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn signal(kind: SignalKind, payload: Value) -> Signal {
    Signal {
        id: SignalId::of("test", &[]),
        kind,
        subject: uuid::Uuid::nil(),
        occurred_at: at("2026-03-03T05:57:00Z"),
        payload,
    }
}

#[test]
fn the_health_of_a_resource_is_told_in_one_line() {
    let payload = json!({
        "type": "AWS::ECS::Service", "account": "111122223333", "region": "eu-west-1", "name": "checkout",
        "health": "unhealthy", "previous": "healthy", "status": "TasksMissing", "reason": "0 of 2 tasks running",
        "since": "2026-03-03T05:57:00Z",
    });
    let told = signal(SignalKind::HealthChanged, payload);
    assert_eq!(
        title(&told, &json!({}), at("2026-03-03T06:00:00Z")),
        "checkout (ECS service, 111122223333 eu-west-1) is unhealthy since 05:57 UTC: 0 of 2 tasks running"
    );
    assert_eq!(
        title(&told, &json!({}), at("2026-03-04T06:00:00Z")),
        "checkout (ECS service, 111122223333 eu-west-1) is unhealthy since 2026-03-03 05:57 UTC: 0 of 2 tasks running"
    );
    assert_eq!(text(&told, &json!({})), "It was healthy before.\nStatus: TasksMissing");
}

#[test]
fn what_a_signal_does_not_say_comes_from_the_snapshot() {
    let snapshot = json!({
        "resource": {"name": "web", "type": "AWS::EC2::SecurityGroup", "account": "111122223333", "region": "eu-west-1"},
        "change": {"summary": "Dana opened port 22", "actor": {"name": "dana"}, "error_code": ""},
    });
    let now = at("2026-03-03T06:00:00Z");
    let gone = signal(SignalKind::ResourceDeleted, json!({"type": "AWS::EC2::SecurityGroup"}));
    assert_eq!(title(&gone, &snapshot, now), "web (EC2 security group, 111122223333 eu-west-1) is gone");
    let change = signal(
        SignalKind::ChangeRecorded,
        json!({"kind": "X", "account": "111122223333", "region": "eu-west-1"}),
    );
    assert_eq!(title(&change, &snapshot, now), "Dana opened port 22 (111122223333 eu-west-1)");
    assert!(text(&change, &snapshot).ends_with("By: dana"));
}

#[test]
fn every_kind_of_signal_has_a_title_even_without_a_payload() {
    for kind in SignalKind::WORDS {
        let told = signal(SignalKind::from((*kind).to_owned()), Value::Null);
        assert!(!title(&told, &Value::Null, at("2026-03-03T06:00:00Z")).is_empty(), "{kind}");
    }
}

#[test]
fn types_are_told_in_words() {
    for (kind, words) in [
        ("AWS::ECS::Service", "ECS service"),
        ("AWS::RDS::DBInstance", "RDS DB instance"),
        ("AWS::EC2::SecurityGroup", "EC2 security group"),
        ("AWS::EC2::VPC", "EC2 VPC"),
        ("Kubernetes::apps::Deployment", "Deployment"),
        ("GitHub::Repository", "GitHub::Repository"),
    ] {
        assert_eq!(kind_in_words(kind), words);
    }
}
