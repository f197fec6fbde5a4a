//! Payloads that only say where their body lies in S3.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{ObjectPointer, Reading, Reason, Rejection};

/// Reads one record of an S3 event notification. Keys are form-encoded in it: a blank is a `+`.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
///
/// # Errors
/// [`Reason::MissingField`] without a bucket name or an object key.
pub(crate) fn read_object(payload: &Value) -> Result<Reading, Rejection> {
    let name = payload.get("eventName").and_then(Value::as_str).unwrap_or_default();
    if name.contains("TestEvent") {
        return Ok(Reading::Ignored("S3 test event"));
    }
    if !name.is_empty() && !name.trim_start_matches("s3:").starts_with("ObjectCreated") {
        return Ok(Reading::Ignored("an S3 notification of something else than a new object"));
    }
    let bucket = text(payload, "/s3/bucket/name")?;
    let key = text(payload, "/s3/object/key")?.replace('+', " ");
    Ok(Reading::Elsewhere(ObjectPointer {
        bucket: bucket.to_owned(),
        key: percent_decode_str(&key).decode_utf8_lossy().into_owned(),
        region: payload.get("awsRegion").and_then(Value::as_str).map(str::to_owned),
    }))
}

/// Reads what CloudTrail tells by SNS when it has written log files; [`split`](crate::split()) has cut it into one
/// payload a key.
///
/// # Errors
/// [`Reason::MissingField`] without a bucket name or an object key.
pub(crate) fn read_log_file(payload: &Value) -> Result<Reading, Rejection> {
    let bucket = text(payload, "/s3Bucket")?.to_owned();
    let key = match payload.get("s3ObjectKey") {
        Some(Value::Array(keys)) => keys.first().and_then(Value::as_str),
        Some(Value::String(key)) => Some(key.as_str()),
        _ => None,
    };
    let key = key.filter(|key| !key.is_empty()).ok_or_else(|| missing("/s3ObjectKey"))?.to_owned();
    Ok(Reading::Elsewhere(ObjectPointer { bucket, key, region: None }))
}

fn text<'a>(payload: &'a Value, path: &str) -> Result<&'a str, Rejection> {
    payload.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or_else(|| missing(path))
}

fn missing(path: &str) -> Rejection {
    Rejection::new(
        Reason::MissingField,
        format!("The S3 notification has no `{}`", path.trim_start_matches('/').replace('/', ".")),
    )
}
