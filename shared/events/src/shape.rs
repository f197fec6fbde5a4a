//! What kind of payload a document is, told by the parts that only that kind has.

use serde_json::Value;

/// The shapes that [`crate::read`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An EventBridge envelope.
    Envelope,
    /// A bare CloudTrail record.
    CloudTrailRecord,
    /// A bare Config configuration item, in the dialect of the API or of the notifications.
    ConfigItem,
    /// A Config notification, told by `messageType`.
    ConfigNotification,
    /// A bare GuardDuty finding.
    GuardDutyFinding,
    /// A bare finding in the AWS Security Finding Format.
    SecurityFinding,
    /// A CloudWatch alarm: an SNS body, or as `DescribeAlarms` has it.
    Alarm,
    /// An S3 event notification's record.
    ObjectNotification,
    /// A CloudTrail notification: `s3Bucket` and `s3ObjectKey`.
    LogFileNotification,
    /// What S3 sends when a notification is set up.
    TestNotification,
    /// SNS asks to confirm a subscription, or tells that one ended.
    Subscription,
}

/// The rules, in the order in which they are tried: every key of one alternative is there.
const RULES: &[(Shape, &[&[&str]])] = &[
    (
        Shape::Envelope,
        &[&["detail-type", "source"], &["detail-type", "detail"], &["detail", "source", "account"]],
    ),
    (Shape::ConfigNotification, &[&["messageType"]]),
    (
        Shape::ConfigItem,
        &[
            &["resourceType", "configurationItemCaptureTime"],
            &["resourceType", "resourceId", "configurationItemStatus"],
        ],
    ),
    (
        Shape::SecurityFinding,
        &[&["ProductArn", "GeneratorId"], &["AwsAccountId", "SchemaVersion", "Resources"]],
    ),
    (
        Shape::GuardDutyFinding,
        &[&["service", "severity", "type", "id"], &["Service", "Severity", "Type", "Id"]],
    ),
    (
        Shape::Alarm,
        &[&["AlarmName", "NewStateValue"], &["AlarmName", "StateValue"], &["AlarmArn", "StateValue"]],
    ),
    (Shape::ObjectNotification, &[&["eventSource", "s3"]]),
    (Shape::LogFileNotification, &[&["s3Bucket", "s3ObjectKey"]]),
    (Shape::TestNotification, &[&["Event", "Bucket", "Service"]]),
    (
        Shape::Subscription,
        &[&["Type", "SubscribeURL"], &["Type", "SubscribeUrl"], &["Type", "TopicArn", "Token"]],
    ),
    (
        Shape::CloudTrailRecord,
        &[
            &["eventSource", "eventName"],
            &["eventName", "eventVersion", "eventTime"],
            &["insightDetails", "eventTime"],
            &["eventVersion", "eventID", "eventType"],
        ],
    ),
];

/// The shape of a payload, `None` when it is none that we know.
pub(crate) fn of(payload: &Value) -> Option<Shape> {
    let fields = payload.as_object()?;
    let has = |keys: &&[&str]| keys.iter().all(|key| fields.contains_key(*key));
    RULES.iter().find(|(_, alternatives)| alternatives.iter().any(&has)).map(|(shape, _)| *shape)
}
