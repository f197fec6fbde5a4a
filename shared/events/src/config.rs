//! AWS Config: items and notifications, in both dialects, bare, through SNS and through EventBridge.
//! <https://docs.aws.amazon.com/config/latest/developerguide/notifications-for-AWS-Config.html>

mod compliance;
mod item;
mod relations;

use std::borrow::Cow;

use model::{Observation, Timestamp, known_type};
use serde_json::{Value, json};

use crate::envelope::Envelope;
use crate::fields::{field, text};
use crate::{ObjectPointer, Reading, Reason, Rejection, generic};

/// What stands around an item or a notification, for what it does not say itself.
#[derive(Debug, Clone, Copy)]
struct Around<'a> {
    account: Option<&'a str>,
    region: Option<&'a str>,
}

/// Nothing stands around a bare one.
const NOTHING: Around<'_> = Around { account: None, region: None };

/// A configuration item by itself.
pub(crate) fn read_item(item: &Value, now: Timestamp) -> Result<Reading, Rejection> {
    item::read(item, NOTHING, now)
}

/// A row of an advanced query that selects whole items.
pub(crate) fn read_selected(row: &Value, now: Timestamp) -> Result<Observation, Rejection> {
    item::read_selected(row, now)
}

/// A notification, as SNS delivers it.
pub(crate) fn read_notification(notice: &Value, now: Timestamp) -> Result<Reading, Rejection> {
    notification(notice, NOTHING, now).unwrap_or_else(|| {
        Err(Rejection::new(
            Reason::UnknownShape,
            "The Config notification has a `messageType` that is not known here",
        ))
    })
}

/// An event of source `aws.config`: its detail is the same notification.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let around = Around { account: envelope.text("account"), region: envelope.text("region") };
    notification(envelope.detail, around, now).unwrap_or_else(|| generic::read(envelope, now))
}

/// Reads a notification by its `messageType`; `None` when it is of no kind that has a reader.
fn notification(notice: &Value, around: Around<'_>, now: Timestamp) -> Option<Result<Reading, Rejection>> {
    let own = text(notice, &["awsAccountId"]);
    let around = Around { account: own.or(around.account), ..around };
    let has = |name: &str| notice.get(name).is_some();
    let reading = match text(notice, &["messageType"]).unwrap_or_default() {
        "ConfigurationItemChangeNotification" => changed_item(notice, around, now),
        "OversizedConfigurationItemChangeNotification" => oversized(notice, around, now),
        "ComplianceChangeNotification" => compliance::read(notice, around, now),
        "ScheduledNotification" => Ok(Reading::Ignored("a scheduled tick of a Config rule")),
        "ConfigurationSnapshotDeliveryStarted" => {
            Ok(Reading::Ignored("a Config snapshot began to be delivered"))
        }
        "ConfigRulesEvaluationStarted" => Ok(Reading::Ignored("Config rules began to be evaluated")),
        "ConfigurationSnapshotDeliveryCompleted" | "ConfigurationHistoryDeliveryCompleted" => {
            delivered(notice, around)
        }
        "" if has("configurationItem") => changed_item(notice, around, now),
        "" if has("configurationItemSummary") => oversized(notice, around, now),
        "" if has("newEvaluationResult") => compliance::read(notice, around, now),
        _ => return None,
    };
    Some(reading)
}

/// The item of a change. The first version of the notification wrapped it into a list of one.
fn changed_item(notice: &Value, around: Around<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    match field(notice, &["configurationItem"]) {
        Some(Value::Array(items)) => match items.as_slice() {
            [item] => item::read(item, around, now),
            _ => Err(Rejection::new(
                Reason::UnknownShape,
                format!("The notification holds {} configuration items; send them one by one", items.len()),
            )),
        },
        Some(Value::Object(item)) if !item.is_empty() => {
            item::read(&notice["configurationItem"], around, now)
        }
        _ => Err(Rejection::new(Reason::MissingField, "The notification has no `configurationItem`")),
    }
}

/// A change whose item is too large for a message: a summary, and where the item lies.
fn oversized(notice: &Value, around: Around<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let summary = field(notice, &["configurationItemSummary"]);
    let delivery = field(notice, &["s3DeliverySummary"]);
    let pointer = delivery
        .and_then(|delivery| text(delivery, &["s3BucketLocation"]))
        .and_then(|location| location.trim_start_matches("s3://").split_once('/'))
        .filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
    if let Some((bucket, key)) = pointer {
        let region = summary.and_then(|summary| text(summary, &["awsRegion"])).or(around.region);
        return Ok(Reading::Elsewhere(ObjectPointer {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            region: region.map(str::to_owned),
        }));
    }
    match summary {
        Some(summary) if tells_deletion(summary) => item::read(summary, around, now),
        Some(_) => Err(Rejection::new(
            Reason::NoBody,
            "The item is oversized and the notification has no `s3DeliverySummary.s3BucketLocation` to read it from",
        )),
        None => Err(Rejection::new(
            Reason::MissingField,
            "The oversized notification has neither `configurationItemSummary` nor `s3DeliverySummary`",
        )),
    }
}

/// A deletion needs no body.
fn tells_deletion(summary: &Value) -> bool {
    text(summary, &["configurationItemStatus"]).is_some_and(|status| status.starts_with("ResourceDeleted"))
}

/// A snapshot or a history file that lies ready in S3.
fn delivered(notice: &Value, around: Around<'_>) -> Result<Reading, Rejection> {
    let place = text(notice, &["s3Bucket"]).zip(text(notice, &["s3ObjectKey"]));
    let (bucket, key) = place.ok_or_else(|| {
        Rejection::new(Reason::NoBody, "The delivery names no `s3Bucket` and `s3ObjectKey`")
    })?;
    Ok(Reading::Elsewhere(ObjectPointer {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        region: around.region.map(str::to_owned),
    }))
}

/// A type in the spelling of our table: early notifications wrote `AWS::EC2::INSTANCE`.
fn kind(stated: &str) -> &str {
    known_type(stated).map_or(stated, |known| known.name)
}

/// What the key of an observation is the hash of: the item or notification itself, so that it is known again however
/// it came; and its place, where only the surroundings say that.
fn identity<'b>(body: &'b Value, own: bool, account: &str, region: &str) -> Cow<'b, Value> {
    if own { Cow::Borrowed(body) } else { Cow::Owned(json!([body, account, region])) }
}

/// Whether a text is a type at all: `AWS::EC2::Instance`, `AWS::::Account`, `MyCorp::Shop::Basket`.
fn is_kind(text: &str) -> bool {
    let parts: Vec<&str> = text.split("::").collect();
    let plain =
        parts.iter().all(|part| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'));
    parts.len() >= 3
        && plain
        && parts.first().zip(parts.last()).is_some_and(|(a, z)| !a.is_empty() && !z.is_empty())
}
