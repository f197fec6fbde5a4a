//! The sample estate: a small shop whose checkout breaks, told by the events of `events/story`.
//!
//! With it comes what the shop's people wrote: the manifests of `events/story/manifests.yaml`, which judge nothing
//! else, tell [`super::inbox`], and start a playbook that only looks.
//!
//! The story ends now: all its times are moved by one distance. The distance is part of what is recorded, so a story
//! that is already there is told again with the distance it has, which changes nothing and completes a telling that
//! a crash cut.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use base64::{Engine, prelude::BASE64_STANDARD as STANDARD};
use catalog::{Catalog, ChangeQuery};
use chrono::{DateTime, NaiveDateTime, SecondsFormat, TimeDelta};
use intake::Intake;
use manifest::Kind;
use model::Timestamp;
use serde_json::Value;

use super::manifests;

/// What the people of the sample shop wrote.
const MANIFESTS: &str = include_str!("../../../../../events/story/manifests.yaml");

/// The file of the data folder that holds the key of the inbox.
const KEY: &str = "sample-inbox.key";

/// Where the sample estate is.
#[derive(Debug, Clone)]
pub(crate) struct Estate {
    /// Where this server listens.
    pub(crate) address: SocketAddr,
    /// Where its data lies; without, the sample comes without manifests.
    pub(crate) folder: Option<PathBuf>,
}

include!(concat!(env!("OUT_DIR"), "/story.rs"));

/// How far from the story's end a number must be to be no time of it, in milliseconds.
const NEAR_MS: i64 = 400 * 24 * 60 * 60 * 1000;

/// Whether the sample is to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Yes,
    /// When the catalog holds nothing else.
    IfEmpty,
    No,
}

/// What was loaded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Loaded {
    Nothing,
    Sample { events: u64 },
}

/// The story's events, the last of them at `now`.
pub(crate) fn events(now: Timestamp) -> Vec<Value> {
    let story = story();
    let distance = distance(&story, now);
    moved(story, distance)
}

/// Loads the story where it is wanted.
pub(crate) async fn load(intake: &Intake, estate: &Estate, wanted: Wanted) -> anyhow::Result<Loaded> {
    if wanted == Wanted::No {
        return Ok(Loaded::Nothing);
    }
    let story = story();
    let told = told(&intake.catalog, &story).await?;
    let distance = match told {
        Some(distance) => distance,
        None if wanted == Wanted::Yes || intake.catalog.is_empty().await? => {
            distance(&story, intake.clock.now())
        }
        None => return Ok(Loaded::Nothing),
    };
    // Before the story, so that what it makes unhealthy is told.
    write_manifests(intake, estate, told.is_none()).await?;
    let report = intake.take_payloads("the sample estate", &moved(story, distance)).await?;
    if report.rejected > 0 {
        tracing::warn!(
            rejected = report.rejected,
            "Some events of the sample estate were rejected: see /rejected"
        );
    }
    Ok(if report.total == 0 { Loaded::Nothing } else { Loaded::Sample { events: report.total } })
}

/// Applies the manifests. Once the story was told they are the person's own: only what names this server's address is
/// brought up to date, where it is still there.
async fn write_manifests(intake: &Intake, estate: &Estate, first: bool) -> anyhow::Result<()> {
    let Some(folder) = &estate.folder else { return Ok(()) };
    let key = folder.join(KEY);
    let server = format!("http://{}", estate.address);
    let until = (intake.clock.now() + TimeDelta::hours(12)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let text = MANIFESTS
        .replace("http://127.0.0.1:8080", &server)
        .replace("/var/lib/perigee/sample-inbox.key", &key.display().to_string())
        .replace("2026-03-03T18:00:00Z", &until);
    let (mut manifests, faults) = manifest::lint(&text, "manifests of the sample estate");
    faults.iter().for_each(|fault| tracing::warn!("{fault}"));
    if !first {
        let mut kept = Vec::new();
        for manifest in manifests {
            let kind = manifest.kind();
            let moves = matches!(kind, Kind::Connection | Kind::Check);
            if moves && intake.catalog.manifest(kind.as_str(), manifest.name()).await?.is_some() {
                kept.push(manifest);
            }
        }
        manifests = kept;
    }
    make_key(&key)?;
    manifests::apply(&intake.catalog, &*intake.clock, &manifests).await?;
    Ok(())
}

/// Makes the key that signs what the inbox is told, unless there is one.
fn make_key(path: &Path) -> anyhow::Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = match made {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // Somebody else's database: nothing of ours lies in the folder yet.
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot make the folder {}", folder.display()))?;
            }
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)
                .with_context(|| written(path))?
        }
        Err(error) => return Err(error).with_context(|| written(path)),
    };
    let mut random = [0; 24];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut random))
        .context("cannot make a key")?;
    let key = format!("whsec_{}", STANDARD.encode(random));
    file.write_all(key.as_bytes()).with_context(|| written(path))
}

fn written(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// The distance by which the story was told before, if it was: its first API call is looked up by its id.
async fn told(catalog: &Catalog, story: &[Value]) -> anyhow::Result<Option<TimeDelta>> {
    let first = story.iter().find_map(|event| {
        let detail = event.get("detail")?;
        let at = DateTime::parse_from_rfc3339(detail.get("eventTime")?.as_str()?).ok()?;
        Some((detail.get("eventID")?.as_str()?, at.to_utc()))
    });
    let Some((id, at)) = first else { return Ok(None) };
    let selector = selector::parse(&format!("event_id=\"{id}\""))?;
    let found = catalog.changes(&ChangeQuery { selector, limit: 1, ..ChangeQuery::default() }).await?;
    Ok(found.items.first().map(|change| change.occurred_at - at))
}

fn story() -> Vec<Value> {
    // A test reads every file, so none is left out here.
    STORY.iter().filter_map(|text| serde_json::from_str(text).ok()).collect()
}

/// From the story's last event to `now`, in whole seconds.
fn distance(story: &[Value], now: Timestamp) -> TimeDelta {
    let last = last(story).unwrap_or(now);
    TimeDelta::seconds((now - last).num_seconds())
}

fn last(story: &[Value]) -> Option<Timestamp> {
    let time = |event: &Value| DateTime::parse_from_rfc3339(event.get("time")?.as_str()?).ok();
    story.iter().filter_map(time).map(|at| at.to_utc()).max()
}

fn moved(mut story: Vec<Value>, distance: TimeDelta) -> Vec<Value> {
    let near = last(&story).map_or(0, |at| at.timestamp_millis());
    for event in &mut story {
        shift(event, distance, near);
    }
    story
}

/// Moves every time in a document: texts, milliseconds since 1970, and both inside texts that hold JSON.
fn shift(value: &mut Value, distance: TimeDelta, near: i64) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|field| shift(field, distance, near)),
        Value::Array(items) => items.iter_mut().for_each(|item| shift(item, distance, near)),
        Value::String(text) if text.starts_with('{') => {
            if let Ok(mut inner) = serde_json::from_str::<Value>(text) {
                shift(&mut inner, distance, near);
                *text = inner.to_string();
            }
        }
        Value::String(text) => {
            if let Some(later) = iso(text, distance).or_else(|| mail(text, distance)) {
                *text = later;
            }
        }
        Value::Number(number) => {
            let near = number.as_i64().filter(|ms| (ms - near).abs() < NEAR_MS);
            if let Some(later) = near.and_then(|ms| ms.checked_add(distance.num_milliseconds())) {
                *value = later.into();
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// Moves `2026-03-03T02:13:00`, with or without a fraction and a zone in any spelling, all of which stay as they are.
fn iso(text: &str, distance: TimeDelta) -> Option<String> {
    let (time, rest) = text.split_at_checked(19)?;
    let time = NaiveDateTime::parse_from_str(time, "%Y-%m-%dT%H:%M:%S").ok()?;
    let plain = rest.chars().all(|c| c.is_ascii_digit() || ".Z+-:".contains(c));
    let later = time.checked_add_signed(distance).filter(|_| plain)?;
    Some(format!("{}{rest}", later.format("%Y-%m-%dT%H:%M:%S")))
}

/// Moves `Tue, 03 Mar 2026 02:13:00 GMT`, as AWS Health writes times.
fn mail(text: &str, distance: TimeDelta) -> Option<String> {
    let time = DateTime::parse_from_rfc2822(text).ok().filter(|_| text.ends_with(" GMT"))?;
    Some(time.checked_add_signed(distance)?.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn every_time_moves_by_one_distance_and_nothing_else_changes() {
        let near = at("2026-03-03T00:00:00Z").timestamp_millis();
        let mut event = json!({
            "time": "2026-03-02T23:59:59Z",
            "detail": {
                "eventTime": "2026-03-03T02:13:00.123+01:00",
                "alarm": "2026-03-03T02:13:00.000+0000",
                "health": "Tue, 03 Mar 2026 02:13:00 GMT",
                "milliseconds": near,
                "bytes": 4096,
                "account": "111122223333",
                "text": "at 2026-03-03T02:13:00Z it broke",
                "date": "2026-03-03",
                "inner": "{\"startDate\":\"2026-03-03T02:13:00Z\"}",
                "broken": "{not json"
            }
        });
        shift(&mut event, TimeDelta::seconds(86_401), near);
        assert_eq!(
            event,
            json!({
                "time": "2026-03-04T00:00:00Z",
                "detail": {
                    "eventTime": "2026-03-04T02:13:01.123+01:00",
                    "alarm": "2026-03-04T02:13:01.000+0000",
                    "health": "Wed, 04 Mar 2026 02:13:01 GMT",
                    "milliseconds": near + 86_401_000,
                    "bytes": 4096,
                    "account": "111122223333",
                    "text": "at 2026-03-03T02:13:00Z it broke",
                    "date": "2026-03-03",
                    "inner": "{\"startDate\":\"2026-03-04T02:13:01Z\"}",
                    "broken": "{not json"
                }
            })
        );
    }

    #[test]
    fn every_file_of_the_story_is_an_event_and_the_last_is_now() {
        assert_eq!(story().len(), STORY.len());
        let now = at("2030-01-01T12:00:00Z");
        let events = events(now);
        if !events.is_empty() {
            assert_eq!(last(&events), Some(now));
        }
    }
}
