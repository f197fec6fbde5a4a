//! Generated worlds: small enough to collide in every way, each in an account of its own.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Actor, ActorKind, Category, Change, ChangeId, ChangeResource, Completeness, Document, Finding, FindingId,
    FindingStatus, ListingId, Observation, ObservationKey, Partition, Rank, Relation, ResourceFact,
    ResourceId, ResourceKey, Role, Severity, Sighting, Source, Timestamp,
};
use proptest::{collection::vec, prelude::*};
use serde_json::json;

use crate::tests_support::minute;

/// What one generated observation is about; indices are taken modulo what exists.
#[derive(Debug, Clone)]
pub(crate) enum Saw {
    Fact { resource: u8, source: u8, at: u8, state_id: u8, sighting: u8 },
    Happened { resource: u8, at: u8, salt: u8 },
    Claimed { finding: u8, at: u8, status: u8, salt: u8 },
    Listed { kind: u8, source: u8, at: u8, seen: u8, split: u8, cut: bool, grace: u8 },
}

/// The observations of one account.
pub(crate) type Case = Vec<Saw>;

pub(super) fn case() -> impl Strategy<Value = Case> {
    let fact =
        (0..4u8, 0..3u8, 0..12u8, 0..3u8, 0..9u8).prop_map(|(resource, source, at, state_id, sighting)| {
            // Most states have no number of their own, so that ties are decided by content.
            Saw::Fact { resource, source, at, state_id: state_id / 2, sighting }
        });
    let happened =
        (0..4u8, 0..12u8, 0..3u8).prop_map(|(resource, at, salt)| Saw::Happened { resource, at, salt });
    let claimed = (0..2u8, 0..6u8, 0..3u8, 0..2u8).prop_map(|(finding, at, status, salt)| Saw::Claimed {
        finding,
        at,
        status,
        salt,
    });
    let listed = (0..2u8, 0..2u8, 0..12u8, 0..16u8, 0..3u8, prop::bool::weighted(0.2), 0..3u8).prop_map(
        |(kind, source, at, seen, split, cut, grace)| Saw::Listed {
            kind,
            source,
            at,
            seen,
            split,
            cut,
            grace,
        },
    );
    vec(prop_oneof![8 => fact, 1 => happened, 1 => claimed, 2 => listed], 1..14)
}

const KINDS: [&str; 2] = ["AWS::EC2::Instance", "AWS::S3::Bucket"];

/// Resource `n` of an account: 0 and 1 are instances, 2 and 3 buckets.
fn resource(account: &str, n: u8) -> ResourceKey {
    ResourceKey {
        provider: "aws".to_owned(),
        partition: "aws".to_owned(),
        account: account.to_owned(),
        region: "eu-west-1".to_owned(),
        kind: KINDS[usize::from(n / 2) % 2].to_owned(),
        native_id: format!("r{}", n % 4),
    }
}

/// The ids of an account's resources.
pub(super) fn ids(account: &str) -> Vec<ResourceId> {
    (0..4).map(|n| resource(account, n).id()).collect()
}

fn source(n: u8) -> Source {
    [
        Source::new("config", Rank::Config),
        Source::new("cloudtrail", Rank::Event),
        Source::new("ecs", Rank::Event),
    ][usize::from(n) % 3]
        .clone()
}

fn at(n: u8) -> Timestamp {
    minute(i64::from(n) * 10)
}

/// Five documents, two of which relate to the same resource and one of which has no name.
fn document(account: &str, n: u8) -> Document {
    let related = match n {
        0 => vec![("is in", 2)],
        1 => vec![("is in", 2), ("uses", 3)],
        2 => vec![("uses", 3), ("uses", 0)],
        _ => vec![],
    };
    Document {
        name: (n != 3).then(|| format!("name {n}")),
        tags: BTreeMap::from([("env".to_owned(), format!("e{}", n % 2))]),
        labels: BTreeMap::new(),
        replaced: false,
        config: json!({ "n": n }),
        relations: related
            .into_iter()
            .map(|(kind, to)| Relation { kind: kind.to_owned(), to: resource(account, to) })
            .collect::<BTreeSet<_>>(),
    }
}

fn observation(account: &str, source: Source, at: Timestamp, payload: &serde_json::Value) -> Observation {
    Observation {
        key: ObservationKey::of(&json!([account, payload])),
        source,
        account: account.to_owned(),
        region: "eu-west-1".to_owned(),
        occurred_at: at,
        resources: vec![],
        changes: vec![],
        findings: vec![],
        completeness: Completeness::OnlyThese,
    }
}

/// The observations that a case stands for.
pub(crate) fn observations(account: &str, case: &Case) -> Vec<Observation> {
    case.iter().enumerate().flat_map(|(index, saw)| one(account, index, saw)).collect()
}

fn one(account: &str, index: usize, saw: &Saw) -> Vec<Observation> {
    match *saw {
        Saw::Fact { resource: n, source: s, at: t, state_id, sighting } => {
            let mut seen =
                observation(account, source(s), at(t), &json!(["fact", n, s, t, state_id, sighting]));
            seen.resources = vec![fact(account, n, state_id.into(), sighting)];
            vec![seen]
        }
        Saw::Happened { resource: n, at: t, salt } => {
            let mut seen = observation(account, source(1), at(t), &json!(["change", n, t, salt]));
            seen.changes = vec![change(account, &seen, n, salt)];
            vec![seen]
        }
        Saw::Claimed { finding: n, at: t, status, salt } => {
            let mut seen = observation(account, source(2), at(t), &json!(["finding", n, t, status, salt]));
            seen.findings = vec![finding(account, n, at(t), status, salt)];
            vec![seen]
        }
        Saw::Listed { kind, source: s, at: t, seen, split, cut, grace } => {
            listing(account, index, kind, s, at(t), seen, split, cut, grace)
        }
    }
}

fn fact(account: &str, n: u8, state_id: i64, sighting: u8) -> ResourceFact {
    let sighting = match sighting {
        0..=4 => Sighting::Documented(Box::new(document(account, sighting))),
        5 => Sighting::Present,
        6 | 7 => Sighting::Deleted,
        _ => Sighting::Mentioned,
    };
    let key = resource(account, n);
    ResourceFact { aliases: vec![format!("alias of {}", key.native_id)], key, state_id, sighting }
}

fn change(account: &str, seen: &Observation, n: u8, salt: u8) -> Change {
    Change {
        id: ChangeId::of(&seen.key, 0),
        occurred_at: seen.occurred_at,
        account: account.to_owned(),
        region: "eu-west-1".to_owned(),
        source: "cloudtrail".to_owned(),
        kind: "StopInstances".to_owned(),
        category: Category::Update,
        severity: Severity::Info,
        read_only: salt == 0,
        summary: format!("dana stopped it, {salt}"),
        actor: Some(Actor {
            kind: ActorKind::Role,
            name: "dana".to_owned(),
            session: None,
            via: None,
            arn: None,
            account: None,
        }),
        source_address: None,
        user_agent: None,
        error_code: None,
        error_message: None,
        event_id: None,
        session_id: None,
        details: json!({ "salt": salt }),
        resources: vec![
            ChangeResource { key: resource(account, n), role: Role::Target },
            ChangeResource { key: resource(account, n + 1), role: Role::Related },
        ],
        mentions: vec!["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()],
    }
}

fn finding(account: &str, n: u8, at: Timestamp, status: u8, salt: u8) -> Finding {
    Finding {
        id: FindingId::of("guardduty", account, "eu-west-1", &n.to_string()),
        at,
        first_seen: at - chrono::Duration::minutes(salt.into()),
        account: account.to_owned(),
        region: "eu-west-1".to_owned(),
        product: "guardduty".to_owned(),
        external_id: n.to_string(),
        kind: "Recon:EC2/PortProbe".to_owned(),
        title: format!("probe {salt}"),
        description: String::new(),
        severity: Severity::Low,
        status: [FindingStatus::Open, FindingStatus::Resolved, FindingStatus::Suppressed]
            [usize::from(status) % 3],
        details: json!({}),
        resources: vec![resource(account, n)],
    }
}

/// A listing of one type in pages; a cut one lost a page, so it must prove nothing.
#[expect(clippy::too_many_arguments, reason = "the fields of one generated variant")]
fn listing(
    account: &str,
    index: usize,
    kind: u8,
    s: u8,
    began: Timestamp,
    seen: u8,
    split: u8,
    cut: bool,
    grace: u8,
) -> Vec<Observation> {
    let listing = ListingId::of(&[account, &index.to_string()]);
    let ids: Vec<u8> = (0..2u8).filter(|n| seen & (1 << n) != 0).map(|n| n + kind % 2 * 2).collect();
    let pages: Vec<&[u8]> = match split {
        0 => vec![&ids[..]],
        _ => ids.chunks(1).collect(),
    };
    let source = source(s % 2);
    let mut all: Vec<Observation> = Vec::new();
    for (page, ids) in pages.iter().enumerate().filter(|(page, _)| !(cut && *page == 0)) {
        let mut seen_here = observation(account, source.clone(), began, &json!(["page", index, page]));
        seen_here.resources = ids.iter().map(|n| fact(account, *n, 0, (seen >> 2) % 4)).collect();
        seen_here.completeness =
            Completeness::Page { listing, page: i32::try_from(page).expect("few pages") };
        all.push(seen_here);
    }
    let mut closing = observation(account, source, began, &json!(["closing", index]));
    closing.completeness = Completeness::Closing {
        listing,
        partition: Partition {
            account: account.to_owned(),
            region: "eu-west-1".to_owned(),
            kind: KINDS[usize::from(kind) % 2].to_owned(),
        },
        pages: i32::try_from(pages.len()).expect("few pages"),
        count: i64::try_from(ids.len()).expect("few ids"),
        grace_seconds: i32::from(grace) * 600,
    };
    all.push(closing);
    all
}
