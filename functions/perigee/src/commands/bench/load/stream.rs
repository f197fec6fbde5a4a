//! The stream of events.

use std::time::{Duration, Instant};

use chrono::SecondsFormat;
use ports::{Clock, SystemClock};
use serde_json::{Value, json};

use super::server::Server;
use crate::commands::bench::events;

/// How often a batch is sent.
const EVERY: Duration = Duration::from_millis(100);
/// One event of so many is an alarm that goes off.
const ALARM_EVERY: usize = 100;
/// What the names of these alarms begin with.
const NAME: &str = "load-alarm-";

/// What was sent.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Events that the server took.
    pub(super) accepted: u64,
    /// Events that it did not.
    pub(super) refused: u64,
    /// How long each batch took to be answered, in seconds.
    pub(super) answers: Vec<f64>,
    /// The alarms, and when each was sent.
    pub(super) alarms: Vec<(String, Instant)>,
}

/// Sends `rate` events a second for `duration`, in batches, never faster.
pub(super) fn send(server: &Server, rate: u32, duration: Duration) -> anyhow::Result<Sent> {
    let mut sent = Sent::default();
    let began = Instant::now();
    let mut number = 0;
    while began.elapsed() < duration {
        let due = (began.elapsed().as_secs_f64() * f64::from(rate)) as usize;
        let at = Instant::now();
        let lines: Vec<String> = (number..due).map(|n| event(n, at, &mut sent).to_string()).collect();
        if !lines.is_empty() {
            let accepted = server.take(lines.join("\n").as_bytes())?;
            sent.accepted += accepted;
            sent.refused += lines.len() as u64 - accepted;
            sent.answers.push(at.elapsed().as_secs_f64());
        }
        number = due.max(number);
        std::thread::park_timeout(EVERY.saturating_sub(at.elapsed()));
    }
    Ok(sent)
}

fn event(n: usize, at: Instant, sent: &mut Sent) -> Value {
    let now = SystemClock.now();
    if !n.is_multiple_of(ALARM_EVERY) {
        return events::record(n, now);
    }
    let name = format!("{NAME}{n}");
    let time = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    let event = json!({
        "version": "0",
        "id": format!("00000000-0000-4000-9000-{n:012x}"),
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": "111122223333",
        "time": now.to_rfc3339_opts(SecondsFormat::Secs, true),
        "region": "eu-west-1",
        "resources": [format!("arn:aws:cloudwatch:eu-west-1:111122223333:alarm:{name}")],
        "detail": {
            "alarmName": name,
            "state": {"value": "ALARM", "reason": "Threshold Crossed: 3 datapoints were greater than 10.0.", "timestamp": time},
            "previousState": {"value": "OK", "reason": "3 datapoints were not greater than 10.0.", "timestamp": time},
            "configuration": {"metrics": [{"id": "m1", "returnData": true, "metricStat": {
                "metric": {"namespace": "AWS/ApplicationELB", "name": "HTTPCode_Target_5XX_Count", "dimensions": {}},
                "period": 60, "stat": "Sum"}}]},
        },
    });
    sent.alarms.push((name, at));
    event
}

/// The first alarm that a text names.
pub(super) fn name_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once(NAME)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("{NAME}{digits}"))
}
