//! [`ports::Bus`] over an EventBridge bus, and [`ports::Wake`] over EventBridge Scheduler.

use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, ScheduleState,
};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_types::DateTime;
use chrono::{NaiveDateTime, SubsecRound, TimeDelta};
use model::{Signal, SignalId, Timestamp};
use ports::BusError;

use crate::failure;

#[cfg(test)]
mod tests;

/// The source of our events, for the rules of others.
const SOURCE: &str = "perigee";

/// As many events as one call takes, and as many bytes of details: one megabyte less what stands around them.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>
const ENTRIES: usize = 10;
const BYTES: usize = 900_000;

/// How a schedule writes an instant, in UTC.
const AT: &str = "at(%Y-%m-%dT%H:%M:%S)";

/// The signal bus. An event's source is `perigee`, its detail type the signal's kind, its detail the signal.
#[derive(Debug)]
pub struct EventBus {
    client: aws_sdk_eventbridge::Client,
    name: String,
}

impl EventBus {
    /// The bus of a name or ARN.
    #[must_use]
    pub fn new(config: &SdkConfig, name: &str) -> Self {
        Self { client: aws_sdk_eventbridge::Client::new(config), name: name.to_owned() }
    }

    async fn put(&self, entries: Vec<(SignalId, PutEventsRequestEntry)>) -> Result<Vec<SignalId>, BusError> {
        let (ids, entries): (Vec<SignalId>, Vec<PutEventsRequestEntry>) = entries.into_iter().unzip();
        let sent = self.client.put_events().set_entries(Some(entries)).send().await;
        let doing = || format!("put signals on the bus {}", self.name);
        let answer = sent.map_err(|error| cannot(doing(), failure::of(&error).message))?;
        let entries = answer.entries.unwrap_or_default();
        let mut told = Vec::new();
        for (id, entry) in ids.iter().zip(&entries) {
            match (&entry.event_id, &entry.error_code) {
                (Some(_), None) => told.push(*id),
                (_, code) => tracing::warn!(
                    signal = %id,
                    "The bus {} refuses a signal: {} {}",
                    self.name,
                    code.as_deref().unwrap_or("no code"),
                    entry.error_message.as_deref().unwrap_or_default()
                ),
            }
        }
        Ok(told)
    }
}

#[async_trait]
impl ports::Bus for EventBus {
    async fn publish(&self, signals: &[Signal]) -> Result<Vec<SignalId>, BusError> {
        let mut told = Vec::new();
        let mut failed = None;
        for batch in batches(signals, &self.name)? {
            // A call that fails does not keep the others from being told.
            match self.put(batch).await {
                Ok(taken) => told.extend(taken),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if told.is_empty() => Err(error),
            _ => Ok(told),
        }
    }
}

/// The entries of as many calls as they need.
fn batches(signals: &[Signal], bus: &str) -> Result<Vec<Vec<(SignalId, PutEventsRequestEntry)>>, BusError> {
    let mut batches = vec![Vec::new()];
    let mut bytes = 0;
    for signal in signals {
        let detail = serde_json::to_string(signal)
            .map_err(|error| cannot(format!("write the signal {}", signal.id), error.to_string()))?;
        bytes += detail.len();
        if batches.last().is_none_or(|batch| batch.len() == ENTRIES || (bytes > BYTES && !batch.is_empty())) {
            bytes = detail.len();
            batches.push(Vec::new());
        }
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(bus)
            .source(SOURCE)
            .detail_type(signal.kind.as_str())
            .time(DateTime::from_secs(signal.occurred_at.timestamp()))
            .detail(detail)
            .build();
        if let Some(batch) = batches.last_mut() {
            batch.push((signal.id, entry));
        }
    }
    batches.retain(|batch| !batch.is_empty());
    Ok(batches)
}

/// The alarm clock: one schedule per function, of the function's name, in one group.
#[derive(Debug)]
pub struct Scheduler {
    client: aws_sdk_scheduler::Client,
    group: String,
    time: SharedTimeSource,
}

impl Scheduler {
    /// The schedules of a group.
    #[must_use]
    pub fn new(config: &SdkConfig, group: &str) -> Self {
        Self {
            client: aws_sdk_scheduler::Client::new(config),
            group: group.to_owned(),
            time: config.time_source().unwrap_or_else(|| SharedTimeSource::new(SystemTimeSource::new())),
        }
    }

    fn now(&self) -> Timestamp {
        let since = self.time.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::UNIX_EPOCH + TimeDelta::from_std(since).unwrap_or_default()
    }
}

#[async_trait]
impl ports::Wake for Scheduler {
    async fn at(&self, function: &str, at: Timestamp) -> Result<(), BusError> {
        let doing = || format!("set the schedule {}/{function}", self.group);
        let found = self.client.get_schedule().group_name(&self.group).name(function).send().await;
        let found = found.map_err(|error| cannot(doing(), failure::of(&error).message))?;
        let (set, now) = (found.schedule_expression().unwrap_or_default(), self.now());
        let Some(expression) = replacement(set, at, now) else { return Ok(()) };
        let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
        let window = window.map_err(|error| cannot(doing(), error.to_string()))?;
        // An update replaces the whole schedule, so what it is to wake is said again.
        let updated = self
            .client
            .update_schedule()
            .group_name(&self.group)
            .name(function)
            .schedule_expression(expression)
            .schedule_expression_timezone("UTC")
            .set_description(found.description)
            .set_target(found.target)
            .flexible_time_window(window)
            .state(ScheduleState::Enabled)
            .action_after_completion(ActionAfterCompletion::None)
            .send()
            .await;
        updated.map_err(|error| cannot(doing(), failure::of(&error).message))?;
        Ok(())
    }
}

/// What a schedule that says `set` is to say, so that it fires at `at`; `None` when it fires before that anyway.
fn replacement(set: &str, at: Timestamp, now: Timestamp) -> Option<String> {
    // Seconds are all it has, and it must lie ahead: up to the next whole second, not back to the one before.
    let soonest = now + TimeDelta::seconds(1);
    let at = (at.max(soonest) + TimeDelta::nanoseconds(999_999_999)).trunc_subsecs(0);
    let set = NaiveDateTime::parse_from_str(set, AT).ok().map(|set| set.and_utc());
    if set.is_some_and(|set| set > now && set <= at) {
        return None;
    }
    Some(at.format(AT).to_string())
}

fn cannot(doing: String, why: String) -> BusError {
    BusError { doing, source: why.into() }
}
