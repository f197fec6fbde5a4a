//! CloudTrail records, bare and in EventBridge: one change an event, on every resource it touches.
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>

mod actor;
mod paths;
mod rules;
mod summary;
mod targets;

pub(crate) use rules::type_of_id;

use std::borrow::Cow;

use model::{Arn, Rank, Source, Timestamp};
use serde_json::{Value, json};

use crate::{
    Reading, Reason, Rejection,
    build::{Draft, MAX_TEXT, clip},
    envelope::Envelope,
    fields::text,
    mask, place, time,
};

/// Services without regions: their events carry the region of their one endpoint, or none.
const GLOBAL_SERVICES: &[&str] = &[
    "account",
    "billingconsole",
    "budgets",
    "ce",
    "cloudfront",
    "globalaccelerator",
    "health",
    "iam",
    "organizations",
    "route53",
    "route53domains",
    "shield",
    "support",
    "trustedadvisor",
    "waf",
];

/// Services whose events mostly name a region, and whose resources need none where they do not.
const REGION_OPTIONAL: &[&str] = &["s3", "signin", "sts"];

/// The verbs of calls that alter nothing, for records that do not say so themselves.
const READING: &[&str] = &[
    "BatchGet", "Check", "Decrypt", "Describe", "Detect", "Discover", "Download", "Estimate", "Filter",
    "Generate", "Get", "Head", "List", "Lookup", "Preview", "Query", "Scan", "Search", "Select", "Simulate",
    "Test", "Validate", "Verify", "View",
];

/// Reads a record inside an envelope. Account, region and time are the record's own; the envelope's where it has
/// none. The key is that of the record, so that the same record by another way is the same observation.
///
/// # Errors
/// What the record lacks.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let around = Around {
        account: envelope.text("account"),
        region: envelope.text("region"),
        time: envelope.whole.get("time").unwrap_or(&Value::Null),
    };
    Record::read(envelope.detail, &around)?.observe(&around, now)
}

/// Reads a bare record, from a log file, a topic or a person.
///
/// # Errors
/// What the record lacks.
pub(crate) fn read_record(payload: &Value, now: Timestamp) -> Result<Reading, Rejection> {
    Record::read(payload, &Around::NOTHING)?.observe(&Around::NOTHING, now)
}

/// What an envelope adds.
struct Around<'a> {
    account: Option<&'a str>,
    region: Option<&'a str>,
    time: &'a Value,
}

impl Around<'_> {
    const NOTHING: Self = Self { account: None, region: None, time: &Value::Null };
}

/// A record, with what every part of this reader needs of it.
#[derive(Debug)]
struct Record<'a> {
    whole: &'a Value,
    /// The event source without `.amazonaws.com`.
    service: String,
    /// The event's name as it is.
    name: &'a str,
    /// The event's name without API version.
    event: &'a str,
    account: &'a str,
    /// The region it was called in, which also tells the partition.
    region: &'a str,
    read_only: bool,
    error: Option<&'a str>,
    request: &'a Value,
    response: &'a Value,
}

impl<'a> Record<'a> {
    fn read(whole: &'a Value, around: &Around<'a>) -> Result<Self, Rejection> {
        let insight = whole.get("insightDetails");
        let name = text(whole, &["eventName"]).or_else(|| insight.and_then(|i| text(i, &["eventName"])));
        let source =
            text(whole, &["eventSource"]).or_else(|| insight.and_then(|i| text(i, &["eventSource"])));
        let (Some(name), Some(source)) = (name, source) else {
            let message = "The CloudTrail record has no `eventName` and `eventSource`, which must be strings";
            return Err(Rejection::new(Reason::MissingField, message));
        };
        let service = source.split('.').next().unwrap_or(source).to_ascii_lowercase();
        let event = unversioned(name);
        let identity = whole.get("userIdentity").unwrap_or(&Value::Null);
        let listed = whole.get("resources").and_then(Value::as_array).into_iter().flatten();
        let of_resources = listed.clone().find_map(|entry| text(entry, &["accountId"]));
        let candidates = [
            text(whole, &["recipientAccountId"]),
            around.account,
            text(identity, &["accountId"]),
            text(identity, &["arn"]).and_then(Arn::parse).map(|arn| arn.account),
            of_resources,
        ];
        Ok(Self {
            account: place::account("The CloudTrail record", &candidates)?,
            region: region(whole, around, &service)?,
            read_only: read_only(whole, event),
            error: text(whole, &["errorCode"]),
            request: paths::parameters(whole, "requestParameters", event, "Request"),
            response: paths::parameters(whole, "responseElements", event, "Response"),
            whole,
            service,
            name,
            event,
        })
    }

    fn observe(&self, around: &Around<'_>, now: Timestamp) -> Result<Reading, Rejection> {
        let own = self.part("eventTime");
        let at = time::occurred("The CloudTrail record", &[("eventTime", own), ("time", around.time)], now)?;
        let region = if GLOBAL_SERVICES.contains(&&*self.service) { "global" } else { self.region };
        let source = Source::new("cloudtrail", Rank::Event);
        let mut draft = Draft::new(&self.preimage(at), source, self.account, region, at);
        let actor = actor::of(self);
        let mut change = draft.change(&mask::text(&clip(self.name, 128)), summary::category(self));
        targets::touch(&mut draft, &mut change, self);
        change.severity = summary::severity(self, actor.as_ref());
        change.read_only = self.read_only;
        change.summary = clip(&summary::sentence(self, actor.as_ref(), &change.resources), MAX_TEXT);
        change.source_address = self.kept("sourceIPAddress");
        change.user_agent = self.kept("userAgent");
        change.error_code = self.kept("errorCode");
        change.error_message = self.kept("errorMessage");
        change.event_id = self.kept("eventID");
        change.session_id = self.session();
        change.details = summary::details(self);
        change.actor = actor;
        draft.record(change);
        Ok(draft.finish())
    }

    /// What the key is the hash of: the record, and what only the envelope says of it. A record that places itself is
    /// thus one observation whatever it came in, and one that does not is another in another account.
    fn preimage(&self, at: Timestamp) -> Cow<'a, Value> {
        let alone = Record::read(self.whole, &Around::NOTHING);
        let placed = alone.is_ok_and(|alone| (alone.account, alone.region) == (self.account, self.region));
        let timed = time::parse(self.part("eventTime")).is_some();
        if placed && timed {
            return Cow::Borrowed(self.whole);
        }
        let mut preimage = json!({ "record": self.whole });
        if !placed {
            preimage["account"] = self.account.into();
            preimage["region"] = self.region.into();
        }
        if !timed {
            preimage["time"] = at.to_rfc3339().into();
        }
        Cow::Owned(preimage)
    }

    /// A field of the record, null when it is missing.
    fn part(&self, name: &str) -> &'a Value {
        self.whole.get(name).unwrap_or(&Value::Null)
    }

    /// A text of the record as a change keeps it: masked and clipped.
    fn kept(&self, name: &str) -> Option<String> {
        text(self.whole, &[name]).map(|text| clip(&mask::text(text), MAX_TEXT))
    }

    /// What CloudTrail noticed by itself, where the record tells of that and not of a call.
    fn insight(&self) -> Option<&'a Value> {
        self.whole.get("insightDetails")
    }

    fn event_type(&self) -> Option<&'a str> {
        text(self.whole, &["eventType"])
    }

    /// Whether something was altered: the call was no reading, and did not fail.
    fn altered(&self) -> bool {
        !self.read_only
            && self.insight().is_none()
            && self.error.is_none()
            && text(self.whole, &["errorMessage"]).is_none()
    }

    fn sign_in_failed(&self) -> bool {
        text(self.response, &["ConsoleLogin"]) == Some("Failure")
            || text(self.whole, &["errorMessage"]).is_some()
    }

    /// The resources that the record lists.
    fn resources(&self) -> impl Iterator<Item = &'a Value> {
        self.part("resources").as_array().into_iter().flatten()
    }

    /// Whose a bucket is, when the record lists it with its owner.
    fn bucket_owner(&self, bucket: &str) -> Option<&'a str> {
        let names =
            |arn: &str| Arn::parse(arn).is_some_and(|arn| arn.service == "s3" && arn.resource == bucket);
        let entry = self.resources().find(|entry| text(entry, &["ARN", "arn"]).is_some_and(names))?;
        text(entry, &["accountId"])
    }

    /// What binds the calls of one session together: the access key, else the session's name.
    fn session(&self) -> Option<String> {
        let identity = self.part("userIdentity");
        let name = || text(identity, &["principalId"])?.split_once(':').map(|(_, name)| name);
        let id = text(identity, &["accessKeyId"]).or_else(name)?;
        Some(clip(&mask::text(id), 256))
    }
}

/// The region of a record; it may be missing where it does not matter.
fn region<'a>(whole: &'a Value, around: &Around<'a>, service: &str) -> Result<&'a str, Rejection> {
    let candidates = [text(whole, &["awsRegion"]), around.region];
    let optional = GLOBAL_SERVICES.contains(&service) || REGION_OPTIONAL.contains(&service);
    if optional && candidates.iter().all(Option::is_none) {
        return Ok("global");
    }
    place::region("The CloudTrail record", &candidates)
}

/// Whether nothing was altered: the record's word for it, else its verb.
fn read_only(whole: &Value, event: &str) -> bool {
    match whole.get("readOnly") {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => summary::is(event, READING),
    }
}

/// An event's name without the API version that some services put at its end: `CreateFunction20150331v2`.
fn unversioned(name: &str) -> &str {
    let name = name.trim();
    let digits =
        |text: &str| text.len() == 8 && text.starts_with("20") && text.bytes().all(|b| b.is_ascii_digit());
    let mut ends = name.char_indices().filter(|(_, c)| *c == '2').map(|(at, _)| name.split_at(at));
    let version = |end: &str| {
        let (date, rest) = end.split_at_checked(8).unwrap_or((end, ""));
        digits(date) && (rest.is_empty() || rest.strip_prefix(['v', '_']).is_some())
    };
    ends.find(|(_, end)| version(end)).map_or(name, |(event, _)| event.trim_end_matches('_'))
}
