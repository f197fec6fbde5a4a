//! EC2 Auto Scaling: instances launched and terminated, lifecycle hooks, instance refreshes.
//! <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html>

use model::{Category, Severity, Sighting, Timestamp};

use crate::envelope::Envelope;
use crate::event::Event;
use crate::fields::text;
use crate::{Reading, Rejection, generic};

/// The stream.
const SOURCE: &str = "autoscaling";

/// What each event comes to: category, severity, and what it says of the group and its instance.
const EVENTS: &[(&str, Category, Severity, &str)] = &[
    ("EC2 Instance Launch Successful", Category::Create, Severity::Info, "launched"),
    ("EC2 Instance Launch Unsuccessful", Category::State, Severity::High, "failed to launch"),
    ("EC2 Instance Terminate Successful", Category::Delete, Severity::Info, "terminated"),
    ("EC2 Instance Terminate Unsuccessful", Category::State, Severity::High, "failed to terminate"),
    (
        "EC2 Instance-launch Lifecycle Action",
        Category::State,
        Severity::Info,
        "waits for a hook before launching",
    ),
    (
        "EC2 Instance-terminate Lifecycle Action",
        Category::State,
        Severity::Info,
        "waits for a hook before terminating",
    ),
    ("EC2 Auto Scaling Instance Refresh Started", Category::Deployment, Severity::Info, "began to refresh"),
    (
        "EC2 Auto Scaling Instance Refresh Checkpoint Reached",
        Category::Deployment,
        Severity::Info,
        "reached a checkpoint of refreshing",
    ),
    ("EC2 Auto Scaling Instance Refresh Succeeded", Category::Deployment, Severity::Info, "refreshed"),
    ("EC2 Auto Scaling Instance Refresh Failed", Category::Deployment, Severity::High, "failed to refresh"),
    (
        "EC2 Auto Scaling Instance Refresh Cancelled",
        Category::Deployment,
        Severity::Low,
        "no longer refreshes",
    ),
    (
        "EC2 Auto Scaling Instance Refresh Rollback Started",
        Category::Deployment,
        Severity::Medium,
        "began to roll back",
    ),
    (
        "EC2 Auto Scaling Instance Refresh Rollback Succeeded",
        Category::Deployment,
        Severity::Medium,
        "rolled back",
    ),
    (
        "EC2 Auto Scaling Instance Refresh Rollback Failed",
        Category::Deployment,
        Severity::High,
        "failed to roll back",
    ),
];

/// Reads an event of source `aws.autoscaling`. One that names no group is only a change.
///
/// # Errors
/// What the event lacks: account, region, time.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let known = EVENTS.iter().find(|(name, ..)| *name == envelope.detail_type);
    let group = text(envelope.detail, &["AutoScalingGroupName"]);
    let (Some((_, category, severity, verb)), Some(group)) = (known, group) else {
        return generic::read(envelope, now);
    };
    let mut event = Event::begin(SOURCE, *category, envelope, None, now)?;
    let detail = envelope.detail;
    if let Some(key) = event.key("AWS::AutoScaling::AutoScalingGroup", group) {
        let arn = envelope.resources.iter().copied().find(|arn| arn.contains(":autoScalingGroup:"));
        event.target(&key, &arn.into_iter().collect::<Vec<_>>());
    }
    let instance = text(detail, &["EC2InstanceId"]);
    if let Some(key) = instance.and_then(|id| event.key("AWS::EC2::Instance", id)) {
        event.target(&key, &[]);
        if *category == Category::Delete {
            event.see(&key, Sighting::Deleted);
        }
    }
    let failed = *severity == Severity::High;
    event.failure(failed.then(|| text(detail, &["StatusMessage"]).unwrap_or_default()));
    let who = instance.map_or_else(String::new, |id| format!(": instance {id}"));
    event.summary(*severity, &format!("Auto Scaling group {group}{who} {verb}"));
    event.details(detail.clone());
    Ok(event.done())
}
