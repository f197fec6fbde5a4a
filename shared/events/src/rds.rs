//! RDS: what happened to instances, clusters, snapshots, groups and proxies.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-cloud-watch-events.html>

use model::{Category, Severity, Sighting, Timestamp};

use crate::envelope::Envelope;
use crate::event::Event;
use crate::fields::{items, text};
use crate::{Reading, Rejection, generic};

/// The stream.
const SOURCE: &str = "rds";

/// The type of what an event is about, by its `SourceType`.
const TYPES: &[(&str, &str)] = &[
    ("DB_INSTANCE", "AWS::RDS::DBInstance"),
    ("CLUSTER", "AWS::RDS::DBCluster"),
    ("DB_CLUSTER", "AWS::RDS::DBCluster"),
    ("SNAPSHOT", "AWS::RDS::DBSnapshot"),
    ("DB_SNAPSHOT", "AWS::RDS::DBSnapshot"),
    ("CLUSTER_SNAPSHOT", "AWS::RDS::DBClusterSnapshot"),
    ("DB_CLUSTER_SNAPSHOT", "AWS::RDS::DBClusterSnapshot"),
    ("DB_PARAM", "AWS::RDS::DBParameterGroup"),
    ("DB_PARAMETER_GROUP", "AWS::RDS::DBParameterGroup"),
    ("DB_SECURITY_GROUP", "AWS::RDS::DBSecurityGroup"),
    ("SECURITY_GROUP", "AWS::RDS::DBSecurityGroup"),
    ("DB_PROXY", "AWS::RDS::DBProxy"),
    ("CUSTOM_ENGINE_VERSION", "AWS::RDS::CustomDBEngineVersion"),
    ("BLUE_GREEN_DEPLOYMENT", "AWS::RDS::BlueGreenDeployment"),
];

/// What each of the `EventCategories` comes to. Of several the gravest counts.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html>
const CATEGORIES: &[(&str, Category, Severity)] = &[
    ("creation", Category::Create, Severity::Info),
    ("deletion", Category::Delete, Severity::Info),
    ("configuration change", Category::Update, Severity::Info),
    ("maintenance", Category::Notice, Severity::Low),
    ("notification", Category::Notice, Severity::Info),
    ("backup", Category::Notice, Severity::Info),
    ("restoration", Category::State, Severity::Info),
    ("recovery", Category::State, Severity::Low),
    ("read replica", Category::State, Severity::Low),
    ("availability", Category::State, Severity::Low),
    ("security", Category::Security, Severity::Medium),
    ("security patching", Category::Notice, Severity::Low),
    ("failover", Category::State, Severity::Medium),
    ("global failover", Category::State, Severity::Medium),
    ("low storage", Category::State, Severity::High),
    ("failure", Category::State, Severity::High),
];

/// The messages that mean the end of their source: an instance, a cluster, a snapshot was deleted.
const DELETIONS: &[&str] = &["RDS-EVENT-0003", "RDS-EVENT-0041", "RDS-EVENT-0171"];

/// Reads an event of source `aws.rds`.
///
/// # Errors
/// What the event lacks: account, region, time.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let detail = envelope.detail;
    let kind = text(detail, &["SourceType"]).and_then(|word| TYPES.iter().find(|(name, _)| *name == word));
    let named = text(detail, &["SourceArn", "SourceIdentifier"]);
    let (Some((_, kind)), Some(named)) = (kind, named) else { return generic::read(envelope, now) };

    let weighed = items(detail, &["EventCategories"]).iter().filter_map(|word| {
        let word = word.as_str()?.trim().to_lowercase();
        CATEGORIES.iter().find(|(name, ..)| *name == word)
    });
    let (category, severity) = weighed
        .max_by_key(|(_, _, severity)| *severity)
        .map_or((Category::Other, Severity::Info), |(_, category, severity)| (*category, *severity));
    let mut event = Event::begin(SOURCE, category, envelope, Some("/Date"), now)?;
    let identifier = text(detail, &["SourceIdentifier"]).unwrap_or(named);
    if let Some(key) = event.key(kind, named) {
        event.target(&key, &[named, identifier]);
        if text(detail, &["EventID"]).is_some_and(|id| DELETIONS.contains(&id)) {
            event.see(&key, Sighting::Deleted);
        }
    }
    let message = text(detail, &["Message"]).unwrap_or_default();
    event.failure((severity == Severity::High).then_some(message));
    event.summary(severity, &format!("{identifier}: {message}"));
    event.details(detail.clone());
    Ok(event.done())
}
