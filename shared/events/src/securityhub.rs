//! Security Hub: findings in the AWS Security Finding Format, bare and in events, custom actions and insight results.
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html>

use model::{
    Arn, Category, Finding, FindingId, FindingStatus, Rank, ResourceKey, Severity, Source, Timestamp,
    key_from_arn_seen_in, known_type, type_of_arn,
};
use serde_json::{Value, json};

use crate::build::{Draft, clip};
use crate::envelope::Envelope;
use crate::event::{Event, bounded, key_at, sentence};
use crate::fields::{field, instant, items, number, pick, text};
use crate::{Reading, Reason, Rejection, generic, mask, place, time};

/// How a rejection names the payload.
const WHAT: &str = "The security finding";

/// The stream.
const SOURCE: &str = "securityhub";

/// What a finding that was imported is called as a change, whether it came in an event or bare.
const IMPORTED: &str = "Security Hub Findings - Imported";

/// The types of the format whose name is not that of the resource type without its colons.
const TYPES: &[(&str, &str)] = &[
    ("AwsCertificateManagerCertificate", "AWS::ACM::Certificate"),
    ("AwsElbLoadBalancer", "AWS::ElasticLoadBalancing::LoadBalancer"),
    ("AwsElbv2LoadBalancer", "AWS::ElasticLoadBalancingV2::LoadBalancer"),
    ("AwsOpenSearchServiceDomain", "AWS::OpenSearch::Domain"),
    ("AwsStepFunctionStateMachine", "AWS::StepFunctions::StateMachine"),
];

/// How many of an event's unreadable findings its change names, and how many characters it keeps of each Id.
const MAX_UNREADABLE: usize = 10;
const MAX_ID: usize = 256;

/// The times by which a finding is dated, the last update first.
const UPDATED: [&str; 4] = ["UpdatedAt", "ProcessedAt", "LastObservedAt", "CreatedAt"];

/// Reads an event of source `aws.securityhub`.
///
/// # Errors
/// What the event or its findings lack.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let findings = items(envelope.detail, &["findings"]);
    match (envelope.detail_type, findings) {
        (IMPORTED, [finding]) => read_finding(finding, now),
        (IMPORTED | "Security Hub Findings - Custom Action", _) => several(envelope, findings, now),
        _ => generic::read(envelope, now),
    }
}

/// Reads a bare finding: its statement at the time of its last update, and a change.
///
/// # Errors
/// What it lacks: id, account, region, time.
pub(crate) fn read_finding(finding: &Value, now: Timestamp) -> Result<Reading, Rejection> {
    let claim = Claim::read(finding, now)?;
    let Finding { account, region, at, .. } = &claim.finding;
    let draft = Draft::new(finding, Source::new(SOURCE, Rank::Event), account, region, *at);
    let mut event = Event::of(draft, IMPORTED, Category::Security);
    event.summary(claim.finding.severity, &claim.finding.title);
    event.details(json!({
        "product": claim.finding.product,
        "finding": claim.finding.external_id,
        "status": claim.finding.status,
    }));
    claim.tell(&mut event);
    Ok(event.done())
}

/// Reads several findings in one event, at the time of the event: a person chose them for a custom action, or a
/// sender put them together. One that cannot be read does not hold up the others; the change names it, and why it was
/// left out. Where none can be read, the event is refused for the first one's reason.
fn several(envelope: &Envelope<'_>, findings: &[Value], now: Timestamp) -> Result<Reading, Rejection> {
    let mut event = Event::begin(SOURCE, Category::Security, envelope, None, now)?;
    let (mut claims, mut refused) = (Vec::new(), Vec::new());
    for finding in findings {
        match Claim::read(finding, now) {
            Ok(claim) => claims.push(claim),
            Err(rejection) => refused.push((finding, rejection)),
        }
    }
    if let (true, Some((_, first))) = (claims.is_empty(), refused.first()) {
        return Err(first.clone());
    }
    let severity = claims.iter().map(|claim| claim.finding.severity).max().unwrap_or(Severity::Info);
    let action = text(envelope.detail, &["actionName"]).map_or_else(String::new, |name| format!("{name}: "));
    event.summary(severity, &format!("{action}{} of {} findings", claims.len(), findings.len()));
    let mut details = json!({
        "actionName": field(envelope.detail, &["actionName"]),
        "actionDescription": field(envelope.detail, &["actionDescription"]),
        "findings": claims.iter().map(|claim| claim.finding.external_id.as_str()).collect::<Vec<_>>(),
    });
    if !refused.is_empty() {
        details["unreadable"] = unreadable(&refused);
    }
    event.details(details);
    for claim in claims {
        claim.tell(&mut event);
    }
    Ok(event.done())
}

/// The findings that cannot be read: the Id of each, and why.
fn unreadable(refused: &[(&Value, Rejection)]) -> Value {
    let named = refused.iter().take(MAX_UNREADABLE).map(|(finding, rejection)| {
        let id = text(finding, &["Id"]).map(|id| clip(&mask::text(id), MAX_ID));
        json!({ "id": id, "why": rejection.message })
    });
    let more = refused.len().saturating_sub(MAX_UNREADABLE);
    let more = (more > 0).then(|| Value::from(format!("and {more} more")));
    named.chain(more).collect()
}

/// A finding, and the names of what it is about that have no identity here.
struct Claim {
    finding: Finding,
    names: Vec<(ResourceKey, String)>,
    unnamed: Vec<String>,
}

impl Claim {
    fn read(finding: &Value, now: Timestamp) -> Result<Self, Rejection> {
        let external_id = text(finding, &["Id"]).ok_or_else(|| missing("Id"))?;
        let account = place::account(WHAT, &[text(finding, &["AwsAccountId"])])?;
        let product_arn = text(finding, &["ProductArn"]).and_then(Arn::parse);
        let affected = items(finding, &["Resources"]);
        let stated = affected.first().and_then(|resource| text(resource, &["Region"]));
        let region = place::region(
            WHAT,
            &[
                text(finding, &["Region"]),
                product_arn.map(|arn| arn.region).filter(|r| !r.is_empty()),
                stated,
            ],
        )?;
        let times = UPDATED.map(|name| (name, finding.get(name).unwrap_or(&Value::Null)));
        let at = time::occurred(WHAT, &times, now)?;
        let product = product(finding, product_arn);
        let (mut names, mut unnamed) = (Vec::new(), Vec::new());
        for resource in affected {
            let Some(id) = text(resource, &["Id"]) else { continue };
            let region = text(resource, &["Region"]).filter(|text| place::is_region(text)).unwrap_or(region);
            match resource_key(resource, id, account, region) {
                Some(key) => names.push((key, id.to_owned())),
                None => unnamed.push(id.to_owned()),
            }
        }
        let kind = kind(finding).unwrap_or(external_id);
        let finding = Finding {
            id: FindingId::of(&product, account, region, external_id),
            at,
            first_seen: instant(finding, &["FirstObservedAt", "CreatedAt"]).map_or(at, |seen| seen.min(at)),
            account: account.to_owned(),
            region: region.to_owned(),
            product,
            external_id: sentence(external_id),
            kind: sentence(kind),
            title: sentence(text(finding, &["Title"]).unwrap_or(kind)),
            description: sentence(text(finding, &["Description"]).unwrap_or_default()),
            severity: severity(finding),
            status: status(finding),
            details: details(finding),
            resources: names.iter().map(|(key, _)| key.clone()).collect(),
        };
        Ok(Self { finding, names, unnamed })
    }

    fn tell(self, event: &mut Event) {
        for (key, name) in &self.names {
            let short = name.strip_prefix("AWS::::Account:").unwrap_or(name);
            event.target(key, &[short]);
        }
        event.change.mentions.extend(self.unnamed);
        event.draft.claim(self.finding);
    }
}

/// The resource by its ARN, or by the format's type and the plain id. Older products wrote the type before the id, and
/// `null` after it where they knew none.
fn resource_key(resource: &Value, id: &str, account: &str, region: &str) -> Option<ResourceKey> {
    let stated = text(resource, &["Type"]).unwrap_or_default();
    let kind = TYPES.iter().find(|(name, _)| *name == stated).map(|(_, kind)| *kind);
    let kind = kind.or_else(|| known_type(stated).map(|known| known.name));
    if let Some(arn) = Arn::parse(id).filter(|arn| kind.is_none() || type_of_arn(arn).is_some()) {
        return key_from_arn_seen_in(&arn, account, region);
    }
    match id.split_once("AWS::::Account:") {
        Some(("", account)) if place::is_account(account) => {
            key_at(account, region, "AWS::::Account", account)
        }
        None if !id.starts_with("AWS::") => key_at(account, region, kind?, id),
        _ => None,
    }
}

/// What claims it: the product's own word in its ARN, or the name of a customer's own product.
fn product(finding: &Value, arn: Option<Arn<'_>>) -> String {
    let word = arn.and_then(|arn| arn.resource.rsplit('/').next()).filter(|word| *word != "default");
    let named = || {
        let fields = field(finding, &["ProductFields"]).unwrap_or(&Value::Null);
        text(finding, &["ProductName"])
            .or_else(|| text(fields, &["ProviderName", "aws/securityhub/ProductName"]))
    };
    word.or_else(named).unwrap_or("custom").to_lowercase()
}

/// The control, the rule, or else the first type.
fn kind(finding: &Value) -> Option<&str> {
    let compliance = field(finding, &["Compliance"]).unwrap_or(&Value::Null);
    let fields = field(finding, &["ProductFields"]).unwrap_or(&Value::Null);
    text(compliance, &["SecurityControlId"])
        .or_else(|| text(fields, &["ControlId", "RuleId"]))
        .or_else(|| items(finding, &["Types"]).first().and_then(Value::as_str))
        .or_else(|| text(finding, &["GeneratorId"]))
}

/// By the label, else by the normalised number's bands.
/// <https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_Severity.html>
fn severity(finding: &Value) -> Severity {
    let own = field(finding, &["Severity"]);
    let provided = field(finding, &["FindingProviderFields"]).and_then(|fields| field(fields, &["Severity"]));
    let stated = own.or(provided).unwrap_or(&Value::Null);
    let normalized = number(stated, &["Normalized"]).unwrap_or(0.0);
    match text(stated, &["Label"]) {
        Some("CRITICAL") => Severity::Critical,
        Some("HIGH") => Severity::High,
        Some("MEDIUM") => Severity::Medium,
        Some("LOW") => Severity::Low,
        Some("INFORMATIONAL") => Severity::Info,
        _ if normalized >= 90.0 => Severity::Critical,
        _ if normalized >= 70.0 => Severity::High,
        _ if normalized >= 40.0 => Severity::Medium,
        _ if normalized >= 1.0 => Severity::Low,
        _ => Severity::Info,
    }
}

/// Somebody's decision that it shall not count comes first; then whether it still holds.
fn status(finding: &Value) -> FindingStatus {
    let workflow = field(finding, &["Workflow"]).unwrap_or(&Value::Null);
    let workflow = text(workflow, &["Status"]).or_else(|| text(finding, &["WorkflowState"]));
    let compliance = field(finding, &["Compliance"]).unwrap_or(&Value::Null);
    let archived = text(finding, &["RecordState"]) == Some("ARCHIVED");
    match workflow {
        Some("SUPPRESSED") => FindingStatus::Suppressed,
        _ if archived || workflow == Some("RESOLVED") => FindingStatus::Resolved,
        _ if text(compliance, &["Status"]) == Some("PASSED") => FindingStatus::Resolved,
        _ => FindingStatus::Open,
    }
}

/// What the format says beyond what a finding has fields for. The resources' own details stay out: they are documents.
fn details(finding: &Value) -> Value {
    const KEPT: &[&str] = &[
        "Action",
        "Compliance",
        "Confidence",
        "Criticality",
        "GeneratorId",
        "Malware",
        "Network",
        "Note",
        "PatchSummary",
        "Process",
        "ProductArn",
        "ProductFields",
        "RecordState",
        "RelatedFindings",
        "Remediation",
        "Severity",
        "SourceUrl",
        "ThreatIntelIndicators",
        "Types",
        "UserDefinedFields",
        "Vulnerabilities",
        "Workflow",
        "WorkflowState",
    ];
    bounded(pick(finding, KEPT))
}

fn missing(name: &str) -> Rejection {
    Rejection::new(Reason::MissingField, format!("{WHAT} has no `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreadable_findings_are_named_and_bounded() {
        let finding = json!({ "Id": "x".repeat(1000) });
        let refused: Vec<_> = (0..25).map(|_| (&finding, missing("AwsAccountId"))).collect();
        let told = unreadable(&refused);
        assert_eq!(told[0]["id"].as_str().map(|id| id.chars().count()), Some(MAX_ID + 1));
        assert_eq!(told[0]["why"], "The security finding has no `AwsAccountId`");
        assert_eq!(told[MAX_UNREADABLE], "and 15 more");
        assert!(told.to_string().len() < 8 << 10);
        assert_eq!(unreadable(&[(&Value::Null, missing("Id"))])[0]["id"], Value::Null);
    }
}
