//! One AWS event or item in, an observation out. Pure and synchronous; no input panics.
//!
//! [`split()`] takes bytes from anywhere (a file, a request body, a queue message) and yields elementary payloads:
//! it undoes gzip, JSON lines, log files, SNS and SQS wrapping. [`read`] takes one payload and says what it means.
//! Each family of events has a file; [`read`]'s match is the list of them.

mod alarms;
mod autoscaling;
mod bound;
mod build;
mod cloudtrail;
mod config;
mod ec2;
mod ecr;
mod ecs;
mod envelope;
mod event;
mod fields;
mod generic;
mod guardduty;
mod health;
pub mod kubernetes;
pub mod listed;
mod mask;
mod pipelines;
mod place;
mod pointer;
mod rds;
mod related;
mod s3;
mod securityhub;
mod shape;
mod split;
mod tags;
mod time;

pub use split::{Piece, split};

use envelope::Envelope;
use model::{Observation, Timestamp};
use serde_json::Value;
use shape::Shape;

/// What a payload means.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// An observation, ready to be recorded.
    Observed(Box<Observation>),
    /// Nothing to record, and why: a test message, a scheduled tick, a subscription handshake.
    Ignored(&'static str),
    /// The payload only says where its body lies: fetch it, and [`split()`] and [`read`] what comes back.
    Elsewhere(ObjectPointer),
}

/// Where the body of a payload lies in S3: an oversized Config item, a CloudTrail log file, a Config snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectPointer {
    /// The bucket.
    pub bucket: String,
    /// The key, decoded.
    pub key: String,
    /// The region, where the payload says it.
    pub region: Option<String>,
}

/// Why a payload cannot be taken. It is shown to people and kept under `/rejected`; it never holds the payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    /// A stable word for programs.
    pub reason: Reason,
    /// What was wrong and what would be right, for people.
    pub message: String,
}

impl Rejection {
    /// A rejection with its reason. What the message quotes of the payload is masked like everything else.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: mask::text(&message.into()) }
    }
}

/// Why a payload cannot be taken, as a stable word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It is not JSON, or the text is cut.
    MalformedJson,
    /// It is compressed, and the compressed data is broken or cut.
    MalformedGzip,
    /// It is larger than an event may be.
    TooLarge,
    /// It is nested deeper than we read.
    TooDeep,
    /// It is JSON, but no shape that we know.
    UnknownShape,
    /// A part that the shape must have is missing or of the wrong type.
    MissingField,
    /// It has no valid time of its own.
    NoTime,
    /// Its time lies in the future.
    FutureTime,
    /// It does not say in which account it happened.
    NoAccount,
    /// It does not say in which region it happened.
    NoRegion,
    /// It happened in an account that this catalog does not hold.
    ForeignAccount,
    /// Its body lies in S3 and cannot be read.
    NoBody,
}

impl Reason {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed_json",
            Self::MalformedGzip => "malformed_gzip",
            Self::TooLarge => "too_large",
            Self::TooDeep => "too_deep",
            Self::UnknownShape => "unknown_shape",
            Self::MissingField => "missing_field",
            Self::NoTime => "no_time",
            Self::FutureTime => "future_time",
            Self::NoAccount => "no_account",
            Self::NoRegion => "no_region",
            Self::ForeignAccount => "foreign_account",
            Self::NoBody => "no_body",
        }
    }
}

/// Says what a payload means. `now` only bounds: a time later than `now` plus a quarter of an hour is refused, so
/// that a sender's wrong clock cannot hide the present. It never becomes the time of anything.
///
/// # Errors
/// A [`Rejection`] that names what is missing or wrong.
pub fn read(payload: &Value, now: Timestamp) -> Result<Reading, Rejection> {
    match shape::of(payload) {
        Some(Shape::Envelope) => read_envelope(&Envelope::read(payload)?, now),
        Some(Shape::CloudTrailRecord) => cloudtrail::read_record(payload, now),
        Some(Shape::ConfigItem) => config::read_item(payload, now),
        Some(Shape::ConfigNotification) => config::read_notification(payload, now),
        Some(Shape::GuardDutyFinding) => guardduty::read_finding(payload, now),
        Some(Shape::SecurityFinding) => securityhub::read_finding(payload, now),
        Some(Shape::Alarm) => alarms::read_notification(payload, now),
        Some(Shape::ObjectNotification) => pointer::read_object(payload),
        Some(Shape::LogFileNotification) => pointer::read_log_file(payload),
        Some(Shape::TestNotification) => Ok(Reading::Ignored("S3 test event")),
        Some(Shape::Subscription) => Ok(Reading::Ignored("SNS subscription handshake")),
        None => Err(Rejection::new(Reason::UnknownShape, unknown(payload))),
    }
}

/// The families of EventBridge events, by source and detail type.
fn read_envelope(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    match (envelope.source, envelope.detail_type) {
        (_, kind) if kind.ends_with("via CloudTrail") => cloudtrail::read(envelope, now),
        ("aws.events", "Scheduled Event") | ("aws.scheduler", "Scheduled Event") => {
            Ok(Reading::Ignored("a scheduled tick"))
        }
        ("aws.config", _) => config::read(envelope, now),
        ("aws.guardduty", "GuardDuty Finding") => guardduty::read(envelope, now),
        ("aws.securityhub", _) => securityhub::read(envelope, now),
        ("aws.cloudwatch", _) => alarms::read(envelope, now),
        ("aws.health" | "awshealth.mock", _) => health::read(envelope, now),
        ("aws.ec2", _) => ec2::read(envelope, now),
        ("aws.ecr", _) => ecr::read(envelope, now),
        ("aws.ecs", _) => ecs::read(envelope, now),
        ("aws.autoscaling", _) => autoscaling::read(envelope, now),
        ("aws.rds", _) => rds::read(envelope, now),
        ("aws.s3", _) => s3::read(envelope, now),
        ("aws.tag", _) => tags::read(envelope, now),
        (
            "aws.cloudformation" | "aws.codepipeline" | "aws.codebuild" | "aws.codedeploy" | "aws.states",
            _,
        ) => pipelines::read(envelope, now),
        _ => generic::read(envelope, now),
    }
}

/// Why a document has no shape we know, with the keys that it does have.
fn unknown(payload: &Value) -> String {
    const KNOWN: &str = "an EventBridge event, a CloudTrail record, a Config item or notification, a GuardDuty or \
                         Security Hub finding, or a CloudWatch alarm";
    match payload {
        Value::Object(fields) if fields.is_empty() => format!("The document is empty; expected {KNOWN}"),
        Value::Object(fields) => {
            let keys: Vec<String> = fields.keys().take(5).map(|key| build::clip(key, 40)).collect();
            format!("No shape that we know has the keys {}; expected {KNOWN}", mask::text(&keys.join(", ")))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            format!("The document is not a JSON object; expected {KNOWN}")
        }
    }
}
