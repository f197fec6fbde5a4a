//! CloudWatch alarms: state changes and configuration changes by EventBridge, the body that an alarm sends to SNS, and
//! alarms as `DescribeAlarms` shows them.
//!
//! A state and a configuration are documents of two streams, `alarm` and `alarm-configuration`: an event of one kind
//! shows too little of the other, and would seem to take it away.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html>

mod metrics;

use model::{Category, Document, Rank, ResourceKey, Severity, Sighting, Source, Timestamp};
use serde_json::{Map, Value, json};

use crate::build::Draft;
use crate::envelope::Envelope;
use crate::event::{Event, key_at, other_names};
use crate::fields::{field, instant, text};
use crate::{Reading, Reason, Rejection, generic, place, time};

/// The stream of states.
const STATES: &str = "alarm";

/// The stream of configurations.
const CONFIGURATIONS: &str = "alarm-configuration";

/// How a rejection names the payload.
const WHAT: &str = "The alarm";

/// Reads an event of source `aws.cloudwatch`.
///
/// # Errors
/// What the event lacks: account, region, time, the alarm's name.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    match envelope.detail_type {
        "CloudWatch Alarm State Change" => state_change(envelope, now),
        "CloudWatch Alarm Configuration Change" => configuration_change(envelope, now),
        _ => generic::read(envelope, now),
    }
}

/// Reads a bare alarm: the body of an SNS message, or an alarm as `DescribeAlarms` shows it.
///
/// # Errors
/// What it lacks: account, region, time, the alarm's name.
pub(crate) fn read_notification(alarm: &Value, now: Timestamp) -> Result<Reading, Rejection> {
    if alarm.get("NewStateValue").is_some() { message(alarm, now) } else { description(alarm, now) }
}

fn state_change(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let detail = envelope.detail;
    let name = text(detail, &["alarmName"]).ok_or_else(|| missing("alarmName"))?;
    let mut event = Event::begin(STATES, Category::State, envelope, Some("/state/timestamp"), now)?;
    let configuration = field(detail, &["configuration"]).unwrap_or(&Value::Null);
    let state = field(detail, &["state"]).unwrap_or(&Value::Null);
    let before = field(detail, &["previousState"]).and_then(|state| text(state, &["value"]));
    let alarm = Alarm {
        name,
        state: text(state, &["value"]).ok_or_else(|| missing("state.value"))?,
        reason: text(state, &["reason"]),
        configuration,
    };
    let key = alarm.key(&event)?;
    event.target(&key, &[envelope.resources.first().copied().unwrap_or_default()]);
    alarm.tell(&mut event, &key, before);
    Ok(event.done())
}

/// The configuration after the change; of a deleted alarm, the last.
fn configuration_change(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let detail = envelope.detail;
    let configuration = field(detail, &["configuration"]).ok_or_else(|| missing("configuration"))?;
    let name = text(detail, &["alarmName"])
        .or_else(|| text(configuration, &["alarmName"]))
        .ok_or_else(|| missing("alarmName"))?;
    let operation = text(detail, &["operation"]).unwrap_or("update");
    let category = match operation {
        "create" => Category::Create,
        "delete" => Category::Delete,
        _ => Category::Update,
    };
    let mut event = Event::begin(CONFIGURATIONS, category, envelope, None, now)?;
    let key = alarm_key(&event, name, configuration).ok_or_else(|| missing("alarmName"))?;
    event.target(&key, &[envelope.resources.first().copied().unwrap_or_default()]);
    if operation == "delete" {
        event.see(&key, Sighting::Deleted);
    } else {
        event.document(&key, document(&key, name, json!({ "configuration": configuration }), configuration));
    }
    for relation in metrics::relations(&key, configuration) {
        event.relate(Some(relation.to));
    }
    event.summary(Severity::Info, &format!("Alarm {name}: {operation}"));
    event.details(json!({
        "operation": operation,
        "configuration": configuration,
        "previousConfiguration": field(detail, &["previousConfiguration"]),
    }));
    Ok(event.done())
}

/// The body of an SNS message.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html>
fn message(body: &Value, now: Timestamp) -> Result<Reading, Rejection> {
    let arn = text(body, &["AlarmArn"]).unwrap_or_default();
    let name = text(body, &["AlarmName"]).ok_or_else(|| missing("AlarmName"))?;
    let account = place::account(WHAT, &[text(body, &["AWSAccountId"]), account_of(arn)])?;
    let stated = text(body, &["Region"]);
    let region = place::region(WHAT, &[region_of(arn), stated.and_then(metrics::region_named), stated])?;
    let changed = field(body, &["StateChangeTime"]).unwrap_or(&Value::Null);
    let at = time::occurred(WHAT, &[("StateChangeTime", changed)], now)?;

    let draft = Draft::new(body, Source::new(STATES, Rank::Event), account, region, at);
    let mut event = Event::of(draft, "CloudWatch Alarm State Change", Category::State);
    let trigger = field(body, &["Trigger"]).unwrap_or(body);
    let alarm = Alarm {
        name,
        state: text(body, &["NewStateValue"]).ok_or_else(|| missing("NewStateValue"))?,
        reason: text(body, &["NewStateReason"]),
        configuration: trigger,
    };
    let key = alarm.key(&event)?;
    event.target(&key, &[arn]);
    alarm.tell(&mut event, &key, text(body, &["OldStateValue"]));
    Ok(event.done())
}

/// An alarm as `DescribeAlarms` shows it: a document that is true for when it last changed, and no change.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html>
fn description(alarm: &Value, now: Timestamp) -> Result<Reading, Rejection> {
    const UPDATED: [&str; 2] = ["StateUpdatedTimestamp", "AlarmConfigurationUpdatedTimestamp"];
    let named = text(alarm, &["AlarmArn"]).ok_or_else(|| missing("AlarmArn"))?;
    let account = place::account(WHAT, &[account_of(named)])?;
    let region = place::region(WHAT, &[region_of(named)])?;
    let latest = UPDATED.iter().copied().max_by_key(|name| instant(alarm, &[name])).unwrap_or(UPDATED[0]);
    let at = time::occurred(WHAT, &[(latest, alarm.get(latest).unwrap_or(&Value::Null))], now)?;
    let name = text(alarm, &["AlarmName"])
        .or_else(|| named.rsplit_once(":alarm:").map(|(_, name)| name))
        .ok_or_else(|| missing("AlarmName"))?;
    let key = key_at(account, region, kind(alarm), name).ok_or_else(|| missing("AlarmName"))?;

    let mut draft = Draft::new(alarm, Source::new(CONFIGURATIONS, Rank::Event), account, region, at);
    let parts = alarm.as_object().into_iter().flatten();
    let configuration: Map<String, Value> = parts
        .filter(|(name, _)| !name.starts_with("State"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let config = json!({
        "state": field(alarm, &["StateValue"]),
        "reason": field(alarm, &["StateReason"]),
        "configuration": configuration,
    });
    let document = document(&key, name, config, alarm);
    let names = other_names(&key, &[named]);
    draft.see(key.clone(), names.iter().map(String::as_str), Sighting::Documented(Box::new(document)));
    Ok(draft.finish())
}

/// The account in an alarm's ARN. Alarms may have blanks in their names, which ARNs as such may not.
fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4)
}

/// The region in an alarm's ARN.
fn region_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(3)
}

/// An alarm in a state.
struct Alarm<'a> {
    name: &'a str,
    state: &'a str,
    reason: Option<&'a str>,
    configuration: &'a Value,
}

impl Alarm<'_> {
    fn key(&self, event: &Event) -> Result<ResourceKey, Rejection> {
        alarm_key(event, self.name, self.configuration).ok_or_else(|| missing("alarmName"))
    }

    /// Says what the alarm looks like in this state, and that it came to it.
    fn tell(&self, event: &mut Event, key: &ResourceKey, before: Option<&str>) {
        let Self { name, state, reason, configuration } = self;
        let config = json!({ "state": state, "reason": reason, "configuration": configuration });
        event.document(key, document(key, name, config, configuration));
        for relation in metrics::relations(key, configuration) {
            event.relate(Some(relation.to));
        }
        let severity = if *state == "ALARM" { Severity::High } else { Severity::Info };
        let from = before.map_or_else(String::new, |before| format!(" from {before}"));
        let why = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        event.summary(severity, &format!("Alarm {name} went{from} to {state}{why}"));
        event.details(
            json!({ "from": before, "to": state, "reason": reason, "configuration": configuration }),
        );
    }
}

fn alarm_key(event: &Event, name: &str, configuration: &Value) -> Option<ResourceKey> {
    event.key(kind(configuration), name)
}

/// An alarm with a rule over other alarms is a composite.
fn kind(configuration: &Value) -> &'static str {
    match text(configuration, &["alarmRule", "AlarmRule"]) {
        Some(_) => "AWS::CloudWatch::CompositeAlarm",
        None => "AWS::CloudWatch::Alarm",
    }
}

fn document(key: &ResourceKey, name: &str, config: Value, configuration: &Value) -> Document {
    let relations = metrics::relations(key, configuration);
    Document { name: Some(name.to_owned()), config, relations, ..Document::default() }
}

fn missing(name: &str) -> Rejection {
    Rejection::new(Reason::MissingField, format!("{WHAT} has no `{name}`"))
}
