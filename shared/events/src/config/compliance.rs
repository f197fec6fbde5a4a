//! What a Config rule says of a resource, as a finding.
//! <https://docs.aws.amazon.com/config/latest/developerguide/example-config-rule-compliance-notification.html>

use model::{Category, Finding, FindingId, FindingStatus, Rank, Severity, Source, Timestamp};
use serde_json::{Value, json};

use super::{Around, identity, kind};
use crate::build::Draft;
use crate::event::{Event, bounded, sentence};
use crate::fields::{field, pick, text};
use crate::{Reading, Reason, Rejection, place, time};

/// How a rejection names the payload.
const WHAT: &str = "The compliance change";

/// Reads a `ComplianceChangeNotification`.
pub(super) fn read(notice: &Value, around: Around<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let rule = required(notice, "configRuleName")?;
    let resource_type = kind(required(notice, "resourceType")?);
    let resource_id = required(notice, "resourceId")?;
    let own = [text(notice, &["awsAccountId"]), text(notice, &["awsRegion"])];
    let account = place::account(WHAT, &[own[0], around.account])?;
    let region = place::region(WHAT, &[own[1], around.region])?;
    let result = field(notice, &["newEvaluationResult"]);
    let verdict = result.and_then(|result| text(result, &["complianceType"]));
    let at = when(notice, result, now)?;

    let payload = identity(notice, own == [Some(account), Some(region)], account, region);
    let draft = Draft::new(&payload, Source::new("config", Rank::Config), account, region, at);
    let mut event = Event::of(draft, "Config Rules Compliance Change", Category::Security);
    let resource = event.key(resource_type, resource_id);
    if let Some(key) = &resource {
        event.target(key, &[resource_id]);
    }
    let rule_arn = text(notice, &["configRuleARN"]);
    event.relate(event.key("AWS::Config::ConfigRule", rule_arn.unwrap_or(rule)));
    let spoken = verdict.unwrap_or("no longer evaluated").to_lowercase().replace('_', " ");
    let severity = if verdict == Some("NON_COMPLIANT") { Severity::Medium } else { Severity::Info };
    event.summary(severity, &format!("{resource_id} became {spoken} under rule {rule}"));
    let before = field(notice, &["oldEvaluationResult"]).and_then(|result| text(result, &["complianceType"]));
    let annotation = result.and_then(|result| text(result, &["annotation"]));
    event.details(json!({ "rule": rule, "from": before, "to": verdict, "annotation": annotation }));
    if let Some(status) = status_of(notice, verdict) {
        let external_id = format!("{rule}/{resource_type}/{resource_id}");
        event.draft.claim(Finding {
            id: FindingId::of("config", account, region, &external_id),
            at,
            first_seen: at,
            account: account.to_owned(),
            region: region.to_owned(),
            product: "config".to_owned(),
            external_id,
            kind: sentence(rule),
            title: sentence(&format!("{resource_id} is {spoken} under rule {rule}")),
            description: sentence(annotation.unwrap_or_default()),
            severity: Severity::Medium,
            status,
            details: bounded(pick(notice, &["configRuleARN", "resourceType", "resourceId"])),
            resources: resource.into_iter().collect(),
        });
    }
    Ok(event.done())
}

/// When the rule's answer was recorded, or the notification written where that is not said.
fn when(notice: &Value, result: Option<&Value>, now: Timestamp) -> Result<Timestamp, Rejection> {
    const RECORDED: &str = "resultRecordedTime";
    const CREATED: &str = "notificationCreationTime";
    let recorded = result.and_then(|result| result.get(RECORDED)).unwrap_or(&Value::Null);
    let created = notice.get(CREATED).unwrap_or(&Value::Null);
    time::occurred(WHAT, &[(RECORDED, recorded), (CREATED, created)], now)
}

fn required<'a>(notice: &'a Value, name: &str) -> Result<&'a str, Rejection> {
    let missing = || Rejection::new(Reason::MissingField, format!("{WHAT} has no `{name}`"));
    text(notice, &[name]).ok_or_else(missing)
}

/// Where the claim stands. A rule that had too little data claims nothing; of a resource that is gone the new result
/// is null.
fn status_of(notice: &Value, verdict: Option<&str>) -> Option<FindingStatus> {
    let gone = notice.get("newEvaluationResult").is_some_and(Value::is_null);
    match verdict {
        Some("NON_COMPLIANT") => Some(FindingStatus::Open),
        Some("COMPLIANT" | "NOT_APPLICABLE") => Some(FindingStatus::Resolved),
        None if gone => Some(FindingStatus::Resolved),
        Some(_) | None => None,
    }
}
