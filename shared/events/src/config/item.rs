//! One configuration item, in either dialect.
//!
//! The API (`GetResourceConfigHistory`, `BatchGetResourceConfig`) writes `accountId`, `arn`, `relationshipName`, and the
//! configuration as a JSON text; notifications, events and S3 files write `awsAccountId`, `ARN`, `name`, and the
//! configuration as an object. Both become the same document:
//!
//! ```json
//! { "configuration": {}, "supplementaryConfiguration": {}, "availabilityZone": "", "resourceCreationTime": "" }
//! ```
//!
//! with the parts that the item does not have left out. The item's status is no part of it: that a resource was
//! discovered a minute ago is no property of the resource. An item records no change either, since the diff of two
//! documents is derived.
//!
//! `BatchGetResourceConfig` answers with base items, which say nothing of tags and relationships. They are a stream of
//! their own that ranks below: beside a whole item, what they leave out is not taken for gone.
//! <https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationItem.html>

use std::borrow::Cow;

use model::{
    Arn, Document, Observation, Rank, ResourceFact, ResourceKey, Sighting, Source, Spelling, Timestamp,
    aws_key, known_type,
};
use serde_json::{Map, Value};

use super::{Around, identity, is_kind, kind, relations};
use crate::build::Draft;
use crate::event::other_names;
use crate::fields::{embedded, field, instant, tags, text};
use crate::{Reading, Reason, Rejection, place, time};

/// How a rejection names the payload.
const WHAT: &str = "The configuration item";

/// The region of global services.
const GLOBAL: &str = "global";

/// What Config writes for an availability zone where there is none.
const NO_ZONE: &[&str] = &["Not Applicable", "NotApplicable"];

/// Names that a configuration gives its resource beside its id: the ones that people and other resources use.
const NAMES: &[&str] = &[
    "/dNSName",
    "/dnsname",
    "/DNSName",
    "/domainName",
    "/privateDnsName",
    "/publicDnsName",
    "/publicIpAddress",
    "/publicIp",
    "/endpoint",
    "/endpoint/address",
    "/readerEndpoint",
    "/roleId",
    "/userId",
    "/groupId",
    "/policyId",
    "/QueueUrl",
];

/// Reads an item; `around` is what the notification or event around it says.
pub(super) fn read(item: &Value, around: Around<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    read_as(item, source(item), around, now).map(Draft::finish)
}

/// Reads a row of an advanced query. It has every field that was asked for and that the resource has, so it is a whole
/// item though tags or relationships are missing.
pub(super) fn read_selected(row: &Value, now: Timestamp) -> Result<Observation, Rejection> {
    let source = Source::new("config", Rank::Config);
    read_as(&whole_numbers(row), source, super::NOTHING, now).map(Draft::observation)
}

/// Advanced queries write every number with a fraction: `8080.0`, where the same item elsewhere has `8080`.
fn whole_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            // Up to 2^53 every whole number is one that the fraction did not blur.
            #[expect(clippy::cast_possible_truncation, reason = "whole, and bounded")]
            Some(float) if float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0 => {
                (float as i64).into()
            }
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(whole_numbers).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), whole_numbers(field))).collect()
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
    }
}

fn read_as(item: &Value, source: Source, around: Around<'_>, now: Timestamp) -> Result<Draft, Rejection> {
    const CAPTURED: &str = "configurationItemCaptureTime";
    let at = time::occurred(WHAT, &[(CAPTURED, item.get(CAPTURED).unwrap_or(&Value::Null))], now)?;
    let placed = Placed::of(item, around)?;
    let key = &placed.key;
    let payload = identity(item, placed.own, &key.account, &key.region);
    let mut draft = Draft::new(&payload, source, &key.account, &key.region, at);
    let names = names(item);
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    draft.fact(ResourceFact {
        key: key.clone(),
        aliases: other_names(key, &names),
        state_id: state_id(item),
        sighting: sighting(item, &placed)?,
    });
    Ok(draft)
}

/// The stream of an item. A base item is part of a state: it comes in the API's dialect, without the fields that every
/// whole item has there, be they empty.
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_BaseConfigurationItem.html>
fn source(item: &Value) -> Source {
    const WHOLE: &[&str] = &["tags", "relationships", "relatedEvents", "configurationItemMD5Hash"];
    let base = item.get("accountId").is_some() && WHOLE.iter().all(|name| item.get(name).is_none());
    if base { Source::new("config-base", Rank::Event) } else { Source::new("config", Rank::Config) }
}

/// The resource of an item.
struct Placed {
    key: ResourceKey,
    /// The region for what the item points at; empty where the item's own is `global`.
    region: String,
    /// Whether the item itself says where it is.
    own: bool,
}

impl Placed {
    fn of(item: &Value, around: Around<'_>) -> Result<Self, Rejection> {
        let stated = text(item, &["resourceType"]).ok_or_else(|| missing("resourceType"))?;
        if !is_kind(stated) {
            let message =
                format!("{WHAT}'s `resourceType` is no type; expected one like `AWS::EC2::Instance`");
            return Err(Rejection::new(Reason::MissingField, message));
        }
        let kind = kind(stated);
        // Early items put the availability zone into the ARN; such an ARN would place the resource nowhere.
        let arn = text(item, &["ARN", "arn", "Arn"])
            .and_then(|text| Arn::parse(text).map(|arn| (text, arn)))
            .filter(|(_, arn)| arn.region.is_empty() || place::is_region(arn.region));
        let own_account = [
            text(item, &["awsAccountId", "accountId"]),
            arn.map(|(_, arn)| arn.account).filter(|a| !a.is_empty()),
        ];
        let zone = text(item, &["availabilityZone", "availibilityZone"]).and_then(region_of_zone);
        let own_region = [
            text(item, &["awsRegion"]),
            arn.map(|(_, arn)| arn.region).filter(|region| !region.is_empty()),
            zone.as_deref(),
        ];
        let account = place::account(WHAT, &[own_account.as_slice(), &[around.account]].concat())?;
        let regions = [own_region.as_slice(), &[around.region]].concat();
        let region = place::region(WHAT, &regions);
        let key = aws_key(&Spelling {
            account,
            region: region.as_ref().copied().unwrap_or_default(),
            kind,
            id: text(item, &["resourceId"]),
            name: text(item, &["resourceName"]),
            arn: arn.map(|(text, _)| text),
        });
        // Without a region only a type that is known to be global has a key of its own.
        let key = match (key, &region) {
            (Some(key), Ok(_)) => key,
            (Some(key), Err(_)) if known_type(kind).is_some() => key,
            (_, Err(nowhere)) => return Err(nowhere.clone()),
            (None, Ok(_)) => return Err(nameless()),
        };
        let own = place::account(WHAT, &own_account).is_ok()
            && (key.region == GLOBAL || place::region(WHAT, &own_region).is_ok());
        let region = region.ok().filter(|region| *region != GLOBAL).unwrap_or_default().to_owned();
        Ok(Self { key, region, own })
    }
}

/// The region of an availability zone or a local zone: `us-east-1d`, `us-west-2-lax-1a`.
fn region_of_zone(zone: &str) -> Option<String> {
    let mut region = Vec::new();
    for part in zone.split('-') {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        if !digits.is_empty() {
            region.push(digits);
            break;
        }
        region.push(part.to_owned());
    }
    Some(region.join("-")).filter(|region| place::is_region(region))
}

/// An IAM role's opaque id alone, say: nobody else calls the role so.
fn nameless() -> Rejection {
    let message = format!("{WHAT} has no `resourceId`, `resourceName` or ARN by which its type is known");
    Rejection::new(Reason::MissingField, message)
}

fn missing(name: &str) -> Rejection {
    Rejection::new(Reason::MissingField, format!("{WHAT} has no `{name}`"))
}

/// What the status says. An item without one proves nothing unless it shows a configuration.
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationItem.html>
fn sighting(item: &Value, placed: &Placed) -> Result<Sighting, Rejection> {
    let status = text(item, &["configurationItemStatus", "configurationItemState"]);
    match status {
        Some("ResourceDeleted" | "ResourceDeletedNotRecorded" | "Deleted") => Ok(Sighting::Deleted),
        Some("ResourceNotRecorded") => Ok(Sighting::Mentioned),
        Some("OK" | "ResourceDiscovered" | "Ok" | "Discovered") | None => {
            let bare = if status.is_some() { Sighting::Present } else { Sighting::Mentioned };
            Ok(document(item, placed).map_or(bare, |document| Sighting::Documented(Box::new(document))))
        }
        Some(_) => Err(Rejection::new(
            Reason::MissingField,
            format!(
                "{WHAT}'s `configurationItemStatus` is none of OK, ResourceDiscovered, ResourceNotRecorded, \
                 ResourceDeleted and ResourceDeletedNotRecorded"
            ),
        )),
    }
}

/// The document, or `None` when the item shows none: an oversized item's summary has everything but this.
fn document(item: &Value, placed: &Placed) -> Option<Document> {
    let configuration = field(item, &["configuration"]).map(embedded).filter(|found| !is_empty(found));
    let supplementary = supplementary(item);
    if configuration.is_none() && supplementary.is_empty() {
        return None;
    }
    let own_tags =
        field(item, &["tags"]).or_else(|| configuration.as_ref().and_then(|c| field(c, &["tags", "Tags"])));
    let tags = tags(own_tags);
    let mut config = Map::new();
    if let Some(configuration) = configuration {
        config.insert("configuration".to_owned(), configuration.into_owned());
    }
    if !supplementary.is_empty() {
        config.insert("supplementaryConfiguration".to_owned(), Value::Object(supplementary));
    }
    if let Some(zone) =
        text(item, &["availabilityZone", "availibilityZone"]).filter(|zone| !NO_ZONE.contains(zone))
    {
        config.insert("availabilityZone".to_owned(), zone.into());
    }
    if let Some(created) = instant(item, &["resourceCreationTime"]) {
        config.insert(
            "resourceCreationTime".to_owned(),
            created.to_rfc3339_opts(chrono::SecondsFormat::Millis, true).into(),
        );
    }
    Some(Document {
        name: text(item, &["resourceName"]).map(str::to_owned).or_else(|| tags.get("Name").cloned()),
        tags,
        config: Value::Object(config),
        relations: relations::read(item, &placed.key.account, &placed.region),
        ..Document::default()
    })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::String(text) => text.trim().is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The supplementary configuration. In the API's dialect each value is a JSON text, a flag's too.
fn supplementary(item: &Value) -> Map<String, Value> {
    let api = text(item, &["awsAccountId", "ARN"]).is_none();
    let Some(Value::Object(parts)) =
        field(item, &["supplementaryConfiguration"]).map(|v| embedded(v).into_owned())
    else {
        return Map::new();
    };
    parts
        .into_iter()
        .map(|(name, value)| {
            let plain = value.as_str().filter(|_| api).and_then(|text| serde_json::from_str(text).ok());
            let value = embedded(plain.as_ref().unwrap_or(&value)).into_owned();
            (name, value)
        })
        .collect()
}

/// Every name the item has for its resource.
fn names(item: &Value) -> Vec<Cow<'_, str>> {
    let stated = ["ARN", "arn", "Arn", "resourceId", "resourceName"]
        .iter()
        .filter_map(|name| text(item, &[name]).map(Cow::Borrowed));
    let configuration = field(item, &["configuration"]).map(embedded);
    let told =
        NAMES.iter().filter_map(|name| Some(configuration.as_ref()?.pointer(name)?.as_str()?.to_owned()));
    stated.chain(told.map(Cow::Owned)).collect()
}

/// `configurationStateId`, a number in events and a text in the API; before 2015 it was a UUID, which has no order.
fn state_id(item: &Value) -> i64 {
    match field(item, &["configurationStateId", "configurationStateID"]) {
        Some(Value::Number(number)) => number.as_i64().unwrap_or(0),
        Some(Value::String(text)) => text.trim().parse().unwrap_or(0),
        _ => 0,
    }
}
