//! ECR: what happened to images, as changes of their repository. An image is never a resource.
//! <https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html>

use model::{Category, Severity, Timestamp};
use serde_json::Value;

use crate::envelope::Envelope;
use crate::event::Event;
use crate::fields::{field, items, number, text};
use crate::{Reading, Rejection, generic};

/// The stream.
const SOURCE: &str = "ecr";

/// Reads an event of source `aws.ecr`. One that names no repository is read like any other envelope.
///
/// # Errors
/// What the event lacks: account, region, time.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let detail = envelope.detail;
    let Some(repository) = text(detail, &["repository-name"]) else { return generic::read(envelope, now) };
    let scan = field(detail, &["scan-status"]).is_some();
    let category = if scan { Category::Security } else { Category::Update };
    let mut event = Event::begin(SOURCE, category, envelope, None, now)?;
    match event.key("AWS::ECR::Repository", repository) {
        Some(key) => event.target(&key, &[]),
        None => event.change.mentions.push(repository.to_owned()),
    }
    for name in &envelope.resources {
        event.target_named(name);
    }
    let what = if scan { "scan" } else { text(detail, &["action-type"]).unwrap_or("action") };
    let outcome = text(detail, &["scan-status", "result"]).unwrap_or("unknown");
    let said = format!("Image {repository}{}: {what} {outcome}", image(detail));
    event.summary(severity(detail, outcome), &said);
    event.details(detail.clone());
    Ok(event.done())
}

/// What people call the image: `:TAG`, or else `@DIGEST`.
fn image(detail: &Value) -> String {
    let tag = text(detail, &["image-tag"])
        .or_else(|| items(detail, &["image-tags"]).first().and_then(Value::as_str))
        .map(|tag| format!(":{tag}"));
    let digest = || text(detail, &["image-digest"]).map(|digest| format!("@{digest}"));
    tag.or_else(digest).unwrap_or_default()
}

/// A scan that counts critical findings is worth a look.
fn severity(detail: &Value, outcome: &str) -> Severity {
    let counts = field(detail, &["finding-severity-counts"]).unwrap_or(&Value::Null);
    if number(counts, &["CRITICAL"]).is_some_and(|count| count > 0.0) {
        Severity::Medium
    } else if outcome.starts_with("FAIL") {
        Severity::Low
    } else {
        Severity::Info
    }
}
