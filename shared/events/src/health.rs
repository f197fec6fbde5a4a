//! AWS Health: what AWS says of its own services and of our resources.
//! <https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html>

use model::{Arn, Category, ResourceKey, Severity, Timestamp, key_from_arn_seen_in};
use serde_json::{Value, json};

use crate::envelope::Envelope;
use crate::event::{Event, key_at};
use crate::fields::{field, items, text};
use crate::{Reading, Rejection, generic, place};

/// The stream.
const SOURCE: &str = "health";

/// The types of EC2's and VPC's ids, by what they begin with.
const PREFIXES: &[(&str, &str)] = &[
    ("acl-", "AWS::EC2::NetworkAcl"),
    ("ami-", "AWS::EC2::Image"),
    ("cgw-", "AWS::EC2::CustomerGateway"),
    ("cr-", "AWS::EC2::CapacityReservation"),
    ("eipalloc-", "AWS::EC2::EIP"),
    ("eni-", "AWS::EC2::NetworkInterface"),
    ("fs-", "AWS::EFS::FileSystem"),
    ("h-", "AWS::EC2::Host"),
    ("i-", "AWS::EC2::Instance"),
    ("igw-", "AWS::EC2::InternetGateway"),
    ("nat-", "AWS::EC2::NatGateway"),
    ("rtb-", "AWS::EC2::RouteTable"),
    ("sg-", "AWS::EC2::SecurityGroup"),
    ("snap-", "AWS::EC2::Snapshot"),
    ("subnet-", "AWS::EC2::Subnet"),
    ("tgw-", "AWS::EC2::TransitGateway"),
    ("vgw-", "AWS::EC2::VPNGateway"),
    ("vol-", "AWS::EC2::Volume"),
    ("vpc-", "AWS::EC2::VPC"),
    ("vpce-", "AWS::EC2::VPCEndpoint"),
    ("vpn-", "AWS::EC2::VPNConnection"),
];

/// The type that a service's plain names mean, where it is one.
const NAMED: &[(&str, &str)] = &[
    ("DYNAMODB", "AWS::DynamoDB::Table"),
    ("EKS", "AWS::EKS::Cluster"),
    ("LAMBDA", "AWS::Lambda::Function"),
    ("RDS", "AWS::RDS::DBInstance"),
    ("REDSHIFT", "AWS::Redshift::Cluster"),
    ("S3", "AWS::S3::Bucket"),
];

/// Reads an event of source `aws.health`, or of the source under which such events are rehearsed.
///
/// # Errors
/// What the event lacks: account, region, time.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let detail = envelope.detail;
    let Some(code) = text(detail, &["eventTypeCode"]) else { return generic::read(envelope, now) };
    let mut event = Event::begin(SOURCE, Category::Notice, envelope, Some("/lastUpdatedTime"), now)?;
    let service = text(detail, &["service"]).unwrap_or_default();
    // An organisation's administrator hears of the resources of all its accounts.
    let account =
        place::account("The event", &[text(detail, &["affectedAccount"]), envelope.text("account")])?;
    let region = place::region("The event", &[text(detail, &["eventRegion"]), envelope.text("region")])?;
    let entities =
        items(detail, &["affectedEntities"]).iter().filter_map(|entity| text(entity, &["entityValue"]));
    for name in entities.chain(envelope.resources.iter().copied()) {
        // Some notices put a whole row of a table into the name: `cr-... | us-east-1b | t3.medium`.
        let id = name.split(" | ").next().unwrap_or(name);
        match entity((account, region), service, id) {
            Some(key) => event.target(&key, &[id]),
            None if name == account => {}
            None => event.change.mentions.push(name.to_owned()),
        }
    }
    let kind = text(detail, &["eventTypeCategory"]).unwrap_or_default();
    let closed = text(detail, &["statusCode"]) == Some("closed");
    let state = text(detail, &["statusCode"]).map_or_else(String::new, |state| format!(" ({state})"));
    event.summary(severity(kind, closed), &format!("{service}: {}{state}", spoken(code, service)));
    event.details(json!({
        "eventArn": field(detail, &["eventArn"]),
        "service": service,
        "eventTypeCode": code,
        "eventTypeCategory": kind,
        "eventScopeCode": field(detail, &["eventScopeCode"]),
        "statusCode": field(detail, &["statusCode"]),
        "startTime": field(detail, &["startTime"]),
        "endTime": field(detail, &["endTime"]),
        "description": description(detail),
        "affectedEntities": field(detail, &["affectedEntities"]),
    }));
    Ok(event.done())
}

/// An issue that is over is only news.
fn severity(kind: &str, closed: bool) -> Severity {
    match kind {
        _ if closed => Severity::Info,
        "issue" => Severity::High,
        "investigation" => Severity::Medium,
        "scheduledChange" => Severity::Medium,
        "accountNotification" => Severity::Low,
        _ => Severity::Info,
    }
}

/// The resource that an entity is: by ARN, by the id's beginning, or by the service's only kind of names.
fn entity((account, region): (&str, &str), service: &str, name: &str) -> Option<ResourceKey> {
    if let Some(key) = Arn::parse(name).and_then(|arn| key_from_arn_seen_in(&arn, account, region)) {
        return Some(key);
    }
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._/".contains(&b));
    let prefixed = PREFIXES.iter().find(|(prefix, _)| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_hexdigit()))
    });
    let named = NAMED.iter().find(|(word, _)| *word == service && name != account);
    let (_, kind) = prefixed.or(named).filter(|_| plain)?;
    key_at(account, region, kind, name)
}

/// `AWS_EC2_INSTANCE_STOP_SCHEDULED` of `EC2` is `instance stop scheduled`.
fn spoken(code: &str, service: &str) -> String {
    let code = code.strip_prefix("AWS_").unwrap_or(code);
    let rest = code.strip_prefix(service).map_or(code, |rest| rest.trim_start_matches('_'));
    if rest.is_empty() { code.to_lowercase() } else { rest.to_lowercase().replace('_', " ") }
}

/// The description in English where there is one, else the first.
fn description(detail: &Value) -> Option<&str> {
    let all = items(detail, &["eventDescription"]);
    let english = all.iter().find(|one| text(one, &["language"]).is_some_and(|word| word.starts_with("en")));
    english.or(all.first()).and_then(|one| text(one, &["latestDescription"]))
}
