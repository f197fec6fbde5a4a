//! What is put into a call and into a schedule; and against moto.

use aws_sdk_scheduler::types::Target;
use model::SignalKind;
use ports::{Bus as _, Wake as _};
use serde_json::{Value, json};
use testkit::Moto;

use super::*;
use crate::cloud::tests::config;

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn signal(number: usize, payload: Value) -> Signal {
    Signal {
        id: SignalId::of("test", &[&number.to_string()]),
        kind: SignalKind::HealthChanged,
        subject: SignalId::of("subject", &[]).0,
        occurred_at: instant("2026-03-03T12:00:00Z"),
        payload,
    }
}

#[test]
fn a_call_holds_ten_signals_or_what_fits() {
    let signals: Vec<Signal> = (0..23).map(|n| signal(n, json!({}))).collect();
    let sizes =
        |signals: &[Signal]| batches(signals, "bus").unwrap().iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(sizes(&signals), [10, 10, 3]);
    let large: Vec<Signal> = (0..5).map(|n| signal(n, json!({"text": "x".repeat(400_000)}))).collect();
    assert_eq!(sizes(&large), [2, 2, 1]);
    assert_eq!(sizes(&[]), [0; 0]);
    let entry = &batches(&signals, "bus").unwrap()[0][0].1;
    assert_eq!((entry.source(), entry.detail_type()), (Some("perigee"), Some("health.changed")));
    let detail: Signal = serde_json::from_str(entry.detail().unwrap()).unwrap();
    assert_eq!(detail, signals[0]);
}

#[test]
fn a_schedule_is_moved_to_the_earlier_instant_that_lies_ahead() {
    let now = instant("2026-03-03T12:00:00.5Z");
    let to = |set: &str, at: &str| replacement(set, instant(at), now);
    let at = |text: &str| Some(format!("at(2026-03-03T{text})"));
    assert_eq!(to("rate(1 day)", "2026-03-03T12:30:00Z"), at("12:30:00"));
    assert_eq!(to("at(2026-03-03T13:00:00)", "2026-03-03T12:30:00Z"), at("12:30:00"));
    assert_eq!(to("at(2026-03-03T12:10:00)", "2026-03-03T12:30:00Z"), None, "it fires before that");
    assert_eq!(to("at(2026-03-03T11:00:00)", "2026-03-03T12:30:00Z"), at("12:30:00"), "it fired");
    assert_eq!(to("rate(1 day)", "2026-03-03T12:30:00.2Z"), at("12:30:01"), "never too early");
    assert_eq!(to("rate(1 day)", "2026-03-03T11:00:00Z"), at("12:00:02"), "what is past is due at once");
}

#[tokio::test]
async fn moto_takes_signals() {
    let Some(moto) = Moto::start() else { return };
    let config = config(&moto.endpoint()).await;
    let events = aws_sdk_eventbridge::Client::new(&config);
    events.create_event_bus().name("perigee").send().await.unwrap();
    let signals: Vec<Signal> = (0..12).map(|n| signal(n, json!({"n": n}))).collect();
    let told = EventBus::new(&config, "perigee").publish(&signals).await.unwrap();
    assert_eq!(told, signals.iter().map(|signal| signal.id).collect::<Vec<_>>());
}

#[tokio::test]
async fn moto_moves_a_schedule_and_keeps_whom_it_wakes() {
    let Some(moto) = Moto::start() else { return };
    let config = config(&moto.endpoint()).await;
    let client = aws_sdk_scheduler::Client::new(&config);
    client.create_schedule_group().name("perigee").send().await.unwrap();
    let target = Target::builder()
        .arn("arn:aws:lambda:eu-west-1:123456789012:function:scrape")
        .role_arn("arn:aws:iam::123456789012:role/scheduler")
        .input(r#"{"task":"tick"}"#)
        .build()
        .unwrap();
    let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().unwrap();
    let made =
        client.create_schedule().group_name("perigee").name("scrape").schedule_expression("rate(1 day)");
    made.flexible_time_window(window).target(target.clone()).send().await.unwrap();
    let scheduler = Scheduler::new(&config, "perigee");
    scheduler.at("scrape", instant("2099-01-01T00:00:00Z")).await.unwrap();
    let found = client.get_schedule().group_name("perigee").name("scrape").send().await.unwrap();
    assert_eq!(found.schedule_expression(), Some("at(2099-01-01T00:00:00)"));
    let kept = found.target().unwrap();
    assert_eq!((kept.arn(), kept.input()), (target.arn(), target.input()));
    let missing = scheduler.at("nobody", instant("2099-01-01T00:00:00Z")).await.unwrap_err();
    assert_eq!(missing.to_string(), "cannot set the schedule perigee/nobody");
}
