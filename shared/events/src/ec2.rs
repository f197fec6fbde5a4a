//! EC2: instance states, spot and rebalance notices, volumes, snapshots and images.
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html>,
//! <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html>

use std::collections::BTreeSet;

use model::{Category, Document, ResourceKey, Severity, Sighting, Timestamp};
use serde_json::json;

use crate::envelope::Envelope;
use crate::event::Event;
use crate::fields::text;
use crate::{Reading, Reason, Rejection, generic};

/// The stream.
const SOURCE: &str = "ec2";

const INSTANCE: &str = "AWS::EC2::Instance";
const VOLUME: &str = "AWS::EC2::Volume";
const SNAPSHOT: &str = "AWS::EC2::Snapshot";
const IMAGE: &str = "AWS::EC2::Image";

/// Reads an event of source `aws.ec2`.
///
/// # Errors
/// What the event lacks: account, region, time, the id of the instance.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    match envelope.detail_type {
        "EC2 Instance State-change Notification" => instance_state(envelope, now),
        "EC2 Spot Instance Interruption Warning" => {
            notice(envelope, Severity::High, "will be interrupted: its spot capacity is reclaimed", now)
        }
        "EC2 Instance Rebalance Recommendation" => {
            notice(envelope, Severity::Medium, "is at a higher risk of being interrupted", now)
        }
        "EBS Volume Notification" => block_storage(envelope, VOLUME, "volume", now),
        "EBS Snapshot Notification" | "EBS Multi-Volume Snapshots Completion Status" => {
            block_storage(envelope, SNAPSHOT, "snapshot", now)
        }
        "EC2 AMI State Change" => image_state(envelope, now),
        _ => generic::read(envelope, now),
    }
}

/// A state is a document of its own stream. `terminated` is the end; an instance that is shutting down is still there.
fn instance_state(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let mut event = Event::begin(SOURCE, Category::State, envelope, None, now)?;
    let key = instance(&mut event, envelope)?;
    let state = text(envelope.detail, &["state"]).ok_or_else(|| missing("state"))?.to_lowercase();
    if state == "terminated" {
        event.see(&key, Sighting::Deleted);
    } else {
        event.document(&key, Document { config: json!({ "state": state }), ..Document::default() });
    }
    event.summary(Severity::Info, &format!("Instance {} is {state}", key.native_id));
    event.details(json!({ "state": state }));
    Ok(event.done())
}

fn notice(
    envelope: &Envelope<'_>,
    severity: Severity,
    what: &str,
    now: Timestamp,
) -> Result<Reading, Rejection> {
    let mut event = Event::begin(SOURCE, Category::Notice, envelope, None, now)?;
    let key = instance(&mut event, envelope)?;
    event.summary(severity, &format!("Instance {} {what}", key.native_id));
    event.details(envelope.detail.clone());
    Ok(event.done())
}

/// The instance of an event. Its id stands in the detail, and at the end of the ARN in `resources`; the account is
/// the event's.
fn instance(event: &mut Event, envelope: &Envelope<'_>) -> Result<ResourceKey, Rejection> {
    let arn = envelope.resources.iter().find(|arn| arn.contains(":instance/"));
    let id = text(envelope.detail, &["instance-id", "instance_id", "instanceId"])
        .or_else(|| arn.map(|arn| last_part(arn)))
        .ok_or_else(|| missing("instance-id"))?;
    let key = event.key(INSTANCE, id).ok_or_else(|| missing("instance-id"))?;
    event.target(&key, arn.map_or(&[], std::slice::from_ref));
    Ok(key)
}

/// A volume or a snapshot was made, attached, copied, archived, removed, or one of these failed.
fn block_storage(
    envelope: &Envelope<'_>,
    kind: &str,
    noun: &str,
    now: Timestamp,
) -> Result<Reading, Rejection> {
    let mut event = Event::begin(SOURCE, Category::Update, envelope, None, now)?;
    let detail = envelope.detail;
    let action = text(detail, &["event"]).ok_or_else(|| missing("event"))?;
    let result = text(detail, &["result"]).unwrap_or("unknown");
    let failed = result == "failed";
    let marker = format!(":{noun}/");
    let named = envelope.resources.iter().copied().chain(text(detail, &["snapshot_id"]));
    let keys: BTreeSet<ResourceKey> =
        named.filter(|arn| arn.contains(&marker)).filter_map(|arn| event.key(kind, last_part(arn))).collect();
    for key in &keys {
        event.target(key, &[]);
        match action {
            "deleteVolume" if !failed => event.see(key, Sighting::Deleted),
            "createVolume" if !failed => event.see(key, Sighting::Present),
            _ => {}
        }
    }
    if let Some(volume) = text(detail, &["source"]).filter(|arn| arn.contains(":volume/")) {
        event.relate(event.key(VOLUME, last_part(volume)));
    }
    event.change.category = match action {
        _ if failed => Category::State,
        _ if action.starts_with("create") || action.starts_with("copy") => Category::Create,
        _ if action.starts_with("delete") => Category::Delete,
        _ if action.starts_with("share") => Category::Security,
        _ => Category::Update,
    };
    let cause = text(detail, &["cause"]).unwrap_or_default();
    event.failure(failed.then_some(cause));
    let ids: Vec<&str> = keys.iter().map(|key| key.native_id.as_str()).collect();
    let severity = if failed { Severity::High } else { Severity::Info };
    event.summary(severity, &format!("{action} of {noun} {}: {result}", ids.join(", ")));
    event.details(detail.clone());
    Ok(event.done())
}

/// An image became available, failed, or was taken away.
fn image_state(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let mut event = Event::begin(SOURCE, Category::State, envelope, None, now)?;
    let id = text(envelope.detail, &["ImageId"]).ok_or_else(|| missing("ImageId"))?;
    let state = text(envelope.detail, &["State"]).ok_or_else(|| missing("State"))?.to_lowercase();
    let key = event.key(IMAGE, id).ok_or_else(|| missing("ImageId"))?;
    event.target(&key, &[]);
    if state == "deregistered" {
        event.see(&key, Sighting::Deleted);
    } else {
        event.document(&key, Document { config: json!({ "state": state }), ..Document::default() });
    }
    let failed = state == "failed";
    event.failure(failed.then(|| text(envelope.detail, &["ErrorMessage"]).unwrap_or_default()));
    let severity = if failed { Severity::High } else { Severity::Info };
    event.summary(severity, &format!("Image {id} is {state}"));
    event.details(envelope.detail.clone());
    Ok(event.done())
}

/// What stands after the last `/`. EBS writes some ARNs with account and region exchanged, so they are not parsed.
fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn).trim()
}

fn missing(name: &str) -> Rejection {
    Rejection::new(Reason::MissingField, format!("The EC2 event has no `detail.{name}`"))
}
