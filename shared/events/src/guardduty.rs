//! GuardDuty findings, in the lower camel case of EventBridge and the upper camel case of the API.
//! <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-format.html>

use model::{
    Arn, Category, Finding, FindingId, FindingStatus, Rank, ResourceKey, Severity, Source, Timestamp,
    known_type,
};
use serde_json::{Value, json};

use crate::build::Draft;
use crate::envelope::Envelope;
use crate::event::{Event, bounded, key_at, sentence};
use crate::fields::{field, instant, items, number, text};
use crate::{Reading, Reason, Rejection, place, time};

/// How a rejection names the payload.
const WHAT: &str = "The GuardDuty finding";

/// The product and the stream.
const PRODUCT: &str = "guardduty";

/// Where a finding's resource is described.
struct Described {
    /// The resource types that mean it.
    types: &'static [&'static str],
    /// The part that describes it, in both spellings.
    part: [&'static str; 2],
    /// The fields that name it. An id comes before an ARN, since sample findings put other accounts into ARNs.
    names: &'static [&'static str],
    /// Its type here.
    kind: &'static str,
}

/// <https://docs.aws.amazon.com/guardduty/latest/APIReference/API_Resource.html>
const RESOURCES: &[Described] = &[
    Described {
        types: &["Instance", "EC2Instance", "Container"],
        part: ["instanceDetails", "InstanceDetails"],
        names: &["instanceId", "InstanceId"],
        kind: "AWS::EC2::Instance",
    },
    Described {
        types: &["S3Bucket", "S3Object"],
        part: ["s3BucketDetails", "S3BucketDetails"],
        names: &["name", "Name", "arn", "Arn"],
        kind: "AWS::S3::Bucket",
    },
    Described {
        types: &["EKSCluster", "KubernetesCluster", "Container"],
        part: ["eksClusterDetails", "EksClusterDetails"],
        names: &["name", "Name", "arn", "Arn"],
        kind: "AWS::EKS::Cluster",
    },
    Described {
        types: &["ECSCluster", "Container"],
        part: ["ecsClusterDetails", "EcsClusterDetails"],
        names: &["name", "Name", "arn", "Arn"],
        kind: "AWS::ECS::Cluster",
    },
    Described {
        types: &["Lambda"],
        part: ["lambdaDetails", "LambdaDetails"],
        names: &["functionName", "FunctionName", "functionArn", "FunctionArn"],
        kind: "AWS::Lambda::Function",
    },
    Described {
        types: &["RDSDBInstance"],
        part: ["rdsDbInstanceDetails", "RdsDbInstanceDetails"],
        names: &["dbInstanceIdentifier", "DbInstanceIdentifier", "dbInstanceArn", "DbInstanceArn"],
        kind: "AWS::RDS::DBInstance",
    },
];

/// Reads an event of a finding. It is the same observation as the bare finding.
///
/// # Errors
/// What the finding lacks.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    read_finding(envelope.detail, now)
}

/// Reads a bare finding: its statement at the time of its last update, and a change.
///
/// # Errors
/// What it lacks: id, type, account, region, time.
pub(crate) fn read_finding(finding: &Value, now: Timestamp) -> Result<Reading, Rejection> {
    let id = text(finding, &["id", "Id"]).ok_or_else(|| missing("id"))?;
    let kind = text(finding, &["type", "Type"]).ok_or_else(|| missing("type"))?;
    let arn = text(finding, &["arn", "Arn"]).and_then(Arn::parse);
    let account =
        place::account(WHAT, &[text(finding, &["accountId", "AccountId"]), arn.map(|arn| arn.account)])?;
    let region = place::region(WHAT, &[text(finding, &["region", "Region"]), arn.map(|arn| arn.region)])?;
    let updated = field(finding, &["updatedAt", "UpdatedAt"]).unwrap_or(&Value::Null);
    let at = time::occurred(WHAT, &[("updatedAt", updated)], now)?;

    let service = field(finding, &["service", "Service"]).unwrap_or(&Value::Null);
    let severity = number(finding, &["severity", "Severity"]).map_or(Severity::Info, severity);
    let title = text(finding, &["title", "Title"]).unwrap_or(kind);
    let resources = resources(finding, account, region);
    let details = json!({ "service": service, "resource": field(finding, &["resource", "Resource"]) });

    let draft = Draft::new(finding, Source::new(PRODUCT, Rank::Event), account, region, at);
    let mut event = Event::of(draft, kind, Category::Security);
    for key in &resources {
        event.target(key, &[]);
    }
    for key in affected(service, account, region) {
        event.relate(Some(key));
    }
    event.change.event_id = Some(sentence(id));
    event.summary(severity, title);
    event.details(json!({ "finding": id, "action": field(service, &["action", "Action"]), "count": field(service, &["count", "Count"]) }));
    event.draft.claim(Finding {
        id: FindingId::of(PRODUCT, account, region, id),
        at,
        first_seen: instant(service, &["eventFirstSeen", "EventFirstSeen"])
            .or_else(|| instant(finding, &["createdAt", "CreatedAt"]))
            .map_or(at, |seen| seen.min(at)),
        account: account.to_owned(),
        region: region.to_owned(),
        product: PRODUCT.to_owned(),
        external_id: sentence(id),
        kind: sentence(kind),
        title: sentence(title),
        description: sentence(text(finding, &["description", "Description"]).unwrap_or_default()),
        severity,
        status: match field(service, &["archived", "Archived"]) {
            Some(Value::Bool(true)) => FindingStatus::Suppressed,
            _ => FindingStatus::Open,
        },
        details: bounded(details),
        resources,
    });
    Ok(event.done())
}

/// <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html>
fn severity(number: f64) -> Severity {
    match number {
        _ if number >= 9.0 => Severity::Critical,
        _ if number >= 7.0 => Severity::High,
        _ if number >= 4.0 => Severity::Medium,
        _ if number >= 1.0 => Severity::Low,
        _ => Severity::Info,
    }
}

/// The resources that the finding is about; of a resource type that is not known here, all that it describes.
fn resources(finding: &Value, account: &str, region: &str) -> Vec<ResourceKey> {
    let resource = field(finding, &["resource", "Resource"]).unwrap_or(&Value::Null);
    let stated = text(resource, &["resourceType", "ResourceType"]).unwrap_or_default();
    let known = stated == "AccessKey" || RESOURCES.iter().any(|one| one.types.contains(&stated));
    let described = RESOURCES.iter().filter(|one| !known || one.types.contains(&stated));
    let mut keys: Vec<ResourceKey> = described
        .flat_map(|one| {
            let part = field(resource, &one.part);
            let parts = part.map(|part| part.as_array().map_or(std::slice::from_ref(part), Vec::as_slice));
            let parts = parts.unwrap_or_default().iter();
            parts.filter_map(|part| key_at(account, region, one.kind, text(part, one.names)?))
        })
        .chain(principal(resource, account, region).filter(|_| !known || stated == "AccessKey"))
        .chain(volumes(resource, account, region))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// What the call that the finding tells of was made on, by type.
fn affected(service: &Value, account: &str, region: &str) -> Vec<ResourceKey> {
    let action = field(service, &["action", "Action"]).unwrap_or(&Value::Null);
    let call = field(action, &["awsApiCallAction", "AwsApiCallAction"]).unwrap_or(&Value::Null);
    let named = field(call, &["affectedResources", "AffectedResources"]).and_then(Value::as_object);
    let named = named.into_iter().flatten();
    named.filter_map(|(kind, name)| key_at(account, region, known_type(kind)?.name, name.as_str()?)).collect()
}

/// Whose access key it was. For a role's session the user's name is the role's.
fn principal(resource: &Value, account: &str, region: &str) -> Option<ResourceKey> {
    let key = field(resource, &["accessKeyDetails", "AccessKeyDetails"])?;
    let name = text(key, &["userName", "UserName"])?;
    match text(key, &["userType", "UserType"])? {
        "IAMUser" => key_at(account, region, "AWS::IAM::User", name),
        "Role" | "AssumedRole" => key_at(account, region, "AWS::IAM::Role", name),
        "Root" => key_at(account, region, "AWS::::Account", account),
        _ => None,
    }
}

/// The volumes that malware protection looked at.
fn volumes(resource: &Value, account: &str, region: &str) -> Vec<ResourceKey> {
    let details = field(resource, &["ebsVolumeDetails", "EbsVolumeDetails"]).unwrap_or(&Value::Null);
    items(details, &["scannedVolumeDetails", "ScannedVolumeDetails"])
        .iter()
        .filter_map(|volume| {
            key_at(account, region, "AWS::EC2::Volume", text(volume, &["volumeArn", "VolumeArn"])?)
        })
        .collect()
}

fn missing(name: &str) -> Rejection {
    Rejection::new(Reason::MissingField, format!("{WHAT} has no `{name}`"))
}
