//! Who did it, out of `userIdentity`.
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>

use model::{Actor, ActorKind, Arn};
use serde_json::Value;

use super::Record;
use crate::{build::clip, fields::text, mask};

/// How many characters of a name are kept.
const MAX_NAME: usize = 256;

/// The actor of a record; `None` when it says nothing of one.
pub(super) fn of(record: &Record<'_>) -> Option<Actor> {
    let identity = record.whole.get("userIdentity").unwrap_or(&Value::Null);
    let arn = text(identity, &["arn"]);
    let parsed = arn.and_then(Arn::parse);
    let account = text(identity, &["accountId"]).or(parsed.map(|arn| arn.account)).filter(|a| !a.is_empty());
    let invoked_by = text(identity, &["invokedBy"]);
    let (kind, name, session) = match text(identity, &["type"]) {
        Some("Root") => (ActorKind::Root, "root", None),
        Some("IAMUser" | "User" | "IdentityCenterUser" | "Directory") => {
            (ActorKind::User, user(identity, arn)?, None)
        }
        Some("AssumedRole" | "Role") => role(identity, arn),
        Some("FederatedUser" | "SAMLUser" | "WebIdentityUser") => {
            (ActorKind::Federated, user(identity, arn)?, None)
        }
        Some("AWSService") => (ActorKind::Service, invoked_by.or(service_address(record))?, None),
        Some("AWSAccount") => (ActorKind::Account, account.or(principal(identity))?, None),
        _ => by_arn(record, identity, arn, invoked_by)?,
    };
    let via = invoked_by.filter(|service| kind != ActorKind::Service && *service != name);
    Some(Actor {
        kind,
        name: clean(name),
        session: session.map(clean),
        via: via.map(clean),
        arn: arn.map(clean),
        account: account.map(clean),
    })
}

fn clean(text: &str) -> String {
    clip(&mask::text(text), MAX_NAME)
}

/// An identity without a type that we know: what its ARN says, else the service that called.
fn by_arn<'a>(
    record: &Record<'a>,
    identity: &'a Value,
    arn: Option<&'a str>,
    invoked_by: Option<&'a str>,
) -> Option<(ActorKind, &'a str, Option<&'a str>)> {
    let resource = arn.and_then(Arn::parse).map_or("", |arn| arn.resource);
    if resource == "root" {
        return Some((ActorKind::Root, "root", None));
    }
    if resource.starts_with("assumed-role/") || resource.starts_with("role/") {
        return Some(role(identity, arn));
    }
    if resource.starts_with("user/") {
        return Some((ActorKind::User, user(identity, arn)?, None));
    }
    if let Some(service) = invoked_by.or(service_address(record)) {
        return Some((ActorKind::Service, service, None));
    }
    Some((ActorKind::Unknown, user(identity, arn)?, None))
}

/// A role and its session: `arn:aws:sts::111122223333:assumed-role/Deploy/alice@example.com`.
fn role<'a>(identity: &'a Value, arn: Option<&'a str>) -> (ActorKind, &'a str, Option<&'a str>) {
    let issuer = identity.pointer("/sessionContext/sessionIssuer").unwrap_or(&Value::Null);
    let session_arn = arn.and_then(Arn::parse).map_or("", |arn| arn.resource);
    let mut parts = session_arn.splitn(3, '/').skip(1);
    let (role, session) = (parts.next(), parts.next());
    let name = text(issuer, &["userName"]).or(role).or_else(|| principal(identity)).unwrap_or("unknown");
    let session = session.or_else(|| principal(identity)?.split_once(':').map(|(_, session)| session));
    (ActorKind::Role, name, session.filter(|session| !session.is_empty()))
}

fn user<'a>(identity: &'a Value, arn: Option<&'a str>) -> Option<&'a str> {
    let in_arn = || arn.and_then(Arn::parse).and_then(|arn| arn.resource.rsplit('/').next());
    let in_directory = || text(identity.get("onBehalfOf")?, &["userId"]);
    text(identity, &["userName"]).or_else(in_arn).or_else(in_directory).or_else(|| principal(identity))
}

fn principal(identity: &Value) -> Option<&str> {
    text(identity, &["principalId"])
}

/// The service that called, when the source address is one.
fn service_address<'a>(record: &Record<'a>) -> Option<&'a str> {
    text(record.whole, &["sourceIPAddress"]).filter(|address| address.ends_with(".amazonaws.com"))
}
