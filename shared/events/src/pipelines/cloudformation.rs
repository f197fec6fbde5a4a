//! CloudFormation: stacks, their resources, drift, and stack sets.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/eventbridge-events.html>

use model::{Category, Document, ResourceKey, Severity, Sighting, Timestamp};
use serde_json::{Value, json};

use super::missing;
use crate::envelope::Envelope;
use crate::event::Event;
use crate::fields::{field, pick, text};
use crate::{Reading, Rejection, generic};

/// The stream.
const SOURCE: &str = "cloudformation";

const STACK: &str = "AWS::CloudFormation::Stack";

/// Reads an event of source `aws.cloudformation`.
///
/// # Errors
/// What the event lacks: account, region, time, the stack.
pub(super) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    match envelope.detail_type {
        "CloudFormation Stack Status Change" => stack_status(envelope, now),
        "CloudFormation Resource Status Change" => resource_status(envelope, now),
        "CloudFormation Drift Detection Status Change" => drift(envelope, now),
        kind if kind.starts_with("CloudFormation StackSet") => stack_set(envelope, now),
        _ => generic::read(envelope, now),
    }
}

fn stack_status(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let mut event = Event::begin(SOURCE, Category::Deployment, envelope, None, now)?;
    let (key, id) = stack(&event, envelope.detail)?;
    event.target(&key, &[id]);
    let (status, reason) = status(envelope.detail)?;
    if status == "DELETE_COMPLETE" {
        event.see(&key, Sighting::Deleted);
    } else {
        let config = json!({ "stackStatus": status, "stackStatusReason": reason });
        event.document(&key, Document { name: Some(name_of(id)), config, ..Document::default() });
    }
    told(&mut event, envelope.detail, &format!("Stack {}", name_of(id)), (status, reason));
    Ok(event.done())
}

/// A resource of a stack. `DELETE_COMPLETE` is its end; a resource that was kept is `DELETE_SKIPPED`.
fn resource_status(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let detail = envelope.detail;
    let mut event = Event::begin(SOURCE, Category::Deployment, envelope, None, now)?;
    let (stack, id) = stack(&event, detail)?;
    let (status, reason) = status(detail)?;
    let kind = text(detail, &["resource-type"]).unwrap_or("resource");
    let physical = text(detail, &["physical-resource-id"]);
    if let Some(key) = physical.filter(|_| kind != STACK).and_then(|id| event.key(kind, id)) {
        event.target(&key, &physical.into_iter().collect::<Vec<_>>());
        if status == "DELETE_COMPLETE" {
            event.see(&key, Sighting::Deleted);
        }
    }
    event.relate(Some(stack));
    let logical = text(detail, &["logical-resource-id"]).unwrap_or("?");
    told(&mut event, detail, &format!("{kind} {logical} of stack {}", name_of(id)), (status, reason));
    Ok(event.done())
}

fn drift(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let detail = envelope.detail;
    let mut event = Event::begin(SOURCE, Category::State, envelope, None, now)?;
    let (key, id) = stack(&event, detail)?;
    event.target(&key, &[id]);
    let details = field(detail, &["status-details"]).unwrap_or(&Value::Null);
    let drift = text(details, &["stack-drift-status"]);
    let state = drift.or_else(|| text(details, &["detection-status"])).unwrap_or("unknown");
    let severity = match state {
        "DRIFTED" => Severity::Medium,
        "DETECTION_FAILED" => Severity::Low,
        _ => Severity::Info,
    };
    event.summary(severity, &format!("Drift of stack {}: {state}", name_of(id)));
    event.details(detail.clone());
    Ok(event.done())
}

fn stack_set(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let detail = envelope.detail;
    let mut event = Event::begin(SOURCE, Category::Deployment, envelope, None, now)?;
    let arn = text(detail, &["stack-set-arn"]).ok_or_else(|| missing("stack-set-arn"))?;
    let (status, reason) = status(detail)?;
    if let Some(key) = event.key("AWS::CloudFormation::StackSet", arn) {
        event.target(&key, &[arn]);
        if envelope.detail_type == "CloudFormation StackSet Status Change" && status == "DELETED" {
            event.see(&key, Sighting::Deleted);
        }
    }
    event.relate(text(detail, &["stack-id"]).and_then(|id| event.key(STACK, id)));
    told(&mut event, detail, &format!("Stack set {}", name_of(arn)), (status, reason));
    Ok(event.done())
}

fn stack<'a>(event: &Event, detail: &'a Value) -> Result<(ResourceKey, &'a str), Rejection> {
    let id = text(detail, &["stack-id"]).ok_or_else(|| missing("stack-id"))?;
    let key = event.key(STACK, id).ok_or_else(|| missing("stack-id"))?;
    Ok((key, id))
}

/// The status and its reason.
fn status(detail: &Value) -> Result<(&str, Option<&str>), Rejection> {
    let details = field(detail, &["status-details"]).unwrap_or(&Value::Null);
    let status =
        text(details, &["status", "detailed-status"]).ok_or_else(|| missing("status-details.status"))?;
    Ok((status, text(details, &["status-reason"])))
}

/// Fills in what every status change has.
fn told(event: &mut Event, detail: &Value, what: &str, (status, reason): (&str, Option<&str>)) {
    let severity = severity(status);
    event.failure(reason.filter(|_| severity == Severity::High));
    event.summary(severity, &format!("{what}: {status}"));
    event.details(pick(
        detail,
        &[
            "stack-id",
            "stack-set-arn",
            "logical-resource-id",
            "physical-resource-id",
            "resource-type",
            "status-details",
            "stack-set-operation-id",
        ],
    ));
}

/// A failure and every roll-back, which has a failure behind it.
fn severity(status: &str) -> Severity {
    match status {
        "FAILED" => Severity::High,
        _ if status.ends_with("_FAILED") => Severity::High,
        _ if status.contains("ROLLBACK") => Severity::High,
        _ => Severity::Info,
    }
}

/// The name in `arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/UUID`.
fn name_of(id: &str) -> String {
    let resource = id.splitn(6, ':').nth(5).unwrap_or(id);
    let mut parts = resource.split('/');
    let first = parts.next().unwrap_or(resource);
    let name = parts.next().unwrap_or(first);
    name.split(':').next().unwrap_or(name).to_owned()
}
