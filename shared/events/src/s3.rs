//! S3: what happened to objects, as changes of their bucket. An object is never a resource.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>

use model::{Actor, ActorKind, Category, Severity, Timestamp};

use crate::envelope::Envelope;
use crate::event::{Event, sentence};
use crate::fields::{field, text};
use crate::{Reading, Rejection, generic, place};

/// The stream.
const SOURCE: &str = "s3";

/// What each event comes to.
const EVENTS: &[(&str, Category)] = &[
    ("Object Created", Category::Create),
    ("Object Deleted", Category::Delete),
    ("Object Restore Initiated", Category::State),
    ("Object Restore Completed", Category::State),
    ("Object Restore Expired", Category::State),
    ("Object Storage Class Changed", Category::Update),
    ("Object Access Tier Changed", Category::Update),
    ("Object ACL Updated", Category::Security),
    ("Object Tags Added", Category::Update),
    ("Object Tags Deleted", Category::Update),
];

/// Reads an event of source `aws.s3`.
///
/// # Errors
/// What the event lacks: account, region, time.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let known = EVENTS.iter().find(|(name, _)| *name == envelope.detail_type);
    let bucket = field(envelope.detail, &["bucket"]).and_then(|bucket| text(bucket, &["name"]));
    let (Some((_, category)), Some(bucket)) = (known, bucket) else { return generic::read(envelope, now) };
    let detail = envelope.detail;
    let mut event = Event::begin(SOURCE, *category, envelope, None, now)?;
    match event.key("AWS::S3::Bucket", bucket).filter(|_| is_bucket(bucket)) {
        Some(key) => event.target(&key, &[&format!("arn:{}:s3:::{bucket}", key.partition)]),
        None => event.change.mentions.push(bucket.to_owned()),
    }
    event.change.actor = text(detail, &["requester"]).map(requester);
    event.change.source_address = text(detail, &["source-ip-address"]).map(sentence);
    let object = field(detail, &["object"]).and_then(|object| text(object, &["key"])).unwrap_or("?");
    event.summary(Severity::Info, &format!("{}: {object} in bucket {bucket}", envelope.detail_type));
    event.details(detail.clone());
    Ok(event.done())
}

/// Who asked: an account, or a service as with lifecycle rules.
fn requester(name: &str) -> Actor {
    let account = place::is_account(name);
    let kind = match name {
        _ if account => ActorKind::Account,
        _ if name.ends_with(".amazonaws.com") => ActorKind::Service,
        _ => ActorKind::Unknown,
    };
    let account = account.then(|| name.to_owned());
    Actor { kind, name: sentence(name), session: None, via: None, arn: None, account }
}

/// Old buckets may have capitals and underscores; a placeholder in braces is no bucket.
fn is_bucket(name: &str) -> bool {
    (3..=255).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}
