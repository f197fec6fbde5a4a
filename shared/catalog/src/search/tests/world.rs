//! A small world in which everything that a selector can ask about happens, in a database and in memory.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use fastrand::Rng;
use model::{
    Actor, ActorKind, Category, Change, ChangeId, ChangeResource, Completeness, Document, Finding, FindingId,
    FindingStatus, Observation, ObservationKey, Rank, Relation, ResourceFact, ResourceId, ResourceKey, Role,
    Severity, Sighting, Source, Timestamp,
};
use rules::{Context, describes};
use selector::{Call, Direction, Selector};
use serde_json::{Value, json};
use uuid::Uuid;

use super::generate::{KEYS, TEXTS, pick, value};
use crate::{
    Catalog,
    tests_support::{minute, now},
};

/// How many resources there are.
pub(super) const RESOURCES: usize = 12;

pub(super) const TYPES: [&str; 3] = ["AWS::EC2::Instance", "AWS::S3::Bucket", "Kubernetes::apps::Deployment"];
pub(super) const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];
pub(super) const REGIONS: [&str; 3] = ["eu-west-1", "us-east-1", "global"];
pub(super) const NAMES: [&str; 8] = ["web-1", "web_2", "Web-3", "100%", "o'hara", "shop", "ünï", "a\\b"];
pub(super) const TAGS: [&str; 4] = ["env", "cost", "a.b", "Name"];
pub(super) const ACTORS: [&str; 3] = ["dana", "deployer", "Root"];
pub(super) const ACTIONS: [&str; 3] = ["DeleteBucket", "StopInstances", "GetObject"];

pub(super) fn key(n: usize) -> ResourceKey {
    ResourceKey {
        provider: if n.is_multiple_of(5) { "kubernetes" } else { "aws" }.to_owned(),
        partition: "aws".to_owned(),
        account: ACCOUNTS[n % 2].to_owned(),
        region: REGIONS[n % 3].to_owned(),
        kind: TYPES[n % 3].to_owned(),
        native_id: format!("id-{n}"),
    }
}

fn texts(rng: &mut Rng, keys: &[&str], chance: f32) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for key in keys {
        if rng.f32() < chance {
            found.insert((*key).to_owned(), (*pick(rng, &TEXTS)).to_owned());
        }
    }
    found
}

fn config(rng: &mut Rng) -> Value {
    let mut config = serde_json::Map::new();
    for key in KEYS {
        if rng.f32() < 0.5 {
            config.insert(key.to_owned(), value(rng, 3));
        }
    }
    match rng.u8(..8) {
        0 => return pick(rng, &[json!(null), json!("text"), json!([1, "a", {"a": 3}]), json!({})]).clone(),
        1 => drop(config.insert("apiVersion".to_owned(), json!("v1"))),
        2 | 3 => drop(config.insert("configuration".to_owned(), value(rng, 3))),
        4 => drop(config.insert("description".to_owned(), json!("The Front Door, 50% off"))),
        _ => {}
    }
    Value::Object(config)
}

fn observation(n: usize, at: Timestamp, source: Source) -> Observation {
    Observation {
        key: ObservationKey::of(&json!(["seen", n])),
        source,
        account: ACCOUNTS[0].to_owned(),
        region: REGIONS[0].to_owned(),
        occurred_at: at,
        resources: vec![],
        changes: vec![],
        findings: vec![],
        completeness: Completeness::OnlyThese,
    }
}

fn fact(rng: &mut Rng, n: usize) -> ResourceFact {
    let sighting = match rng.u8(..10) {
        0 => Sighting::Mentioned,
        1 => Sighting::Present,
        2 => Sighting::Deleted,
        _ => Sighting::Documented(Box::new(Document {
            name: (rng.u8(..4) > 0).then(|| (*pick(rng, &NAMES)).to_owned()),
            tags: texts(rng, &TAGS, 0.5),
            labels: texts(rng, &["app", "a.b", "tier"], 0.4),
            config: config(rng),
            replaced: false,
            relations: (0..rng.usize(..3))
                .map(|_| Relation { kind: "uses".to_owned(), to: key(rng.usize(..RESOURCES)) })
                .collect(),
        })),
    };
    let key = key(n);
    let aliases = vec![format!("Host-{n}.example.com"), format!("arn:aws:x:::thing/{n}")];
    ResourceFact { key, aliases, state_id: 0, sighting }
}

fn change(rng: &mut Rng, seen: &Observation) -> Change {
    let actor = (rng.u8(..4) > 0).then(|| Actor {
        kind: ActorKind::Role,
        name: (*pick(rng, &ACTORS)).to_owned(),
        session: rng.bool().then(|| (*pick(rng, &ACTORS)).to_owned()),
        via: None,
        arn: None,
        account: None,
    });
    Change {
        id: ChangeId::of(&seen.key, 0),
        occurred_at: seen.occurred_at,
        account: (*pick(rng, &ACCOUNTS)).to_owned(),
        region: (*pick(rng, &REGIONS)).to_owned(),
        source: "cloudtrail".to_owned(),
        kind: (*pick(rng, &ACTIONS)).to_owned(),
        category: Category::Delete,
        severity: [Severity::Info, Severity::High][rng.usize(..2)],
        read_only: rng.bool(),
        summary: format!("{} did it", pick(rng, &ACTORS)),
        actor,
        source_address: None,
        user_agent: None,
        error_code: rng.bool().then(|| "AccessDenied".to_owned()),
        error_message: None,
        event_id: None,
        session_id: None,
        details: json!({"a": value(rng, 2), "size": value(rng, 0)}),
        resources: (0..rng.usize(1..3))
            .map(|_| ChangeResource { key: key(rng.usize(..RESOURCES)), role: Role::Target })
            .collect(),
        mentions: vec![],
    }
}

fn finding(rng: &mut Rng, n: usize, seen: &Observation) -> Finding {
    Finding {
        id: FindingId::of("guardduty", ACCOUNTS[0], REGIONS[0], &n.to_string()),
        at: seen.occurred_at,
        first_seen: minute(0),
        account: ACCOUNTS[0].to_owned(),
        region: REGIONS[0].to_owned(),
        product: "guardduty".to_owned(),
        external_id: n.to_string(),
        kind: format!("Recon:{}", pick(rng, &ACTIONS)),
        title: format!("{} was probed", pick(rng, &NAMES[..4])),
        description: String::new(),
        severity: [Severity::Low, Severity::High][rng.usize(..2)],
        status: [FindingStatus::Open, FindingStatus::Resolved][rng.usize(..2)],
        details: json!({"a": value(rng, 2), "size": value(rng, 0)}),
        resources: (0..rng.usize(1..3)).map(|_| key(rng.usize(..RESOURCES))).collect(),
    }
}

/// Everything in memory.
#[derive(Debug)]
pub(super) struct World {
    pub(super) resources: Vec<(Uuid, Value)>,
    edges: Vec<(Uuid, Uuid)>,
    changes: Vec<(Value, Vec<Uuid>)>,
    findings: Vec<(Value, Vec<Uuid>)>,
    /// The resources of which a function holds, by its text.
    known: RefCell<HashMap<String, BTreeSet<Uuid>>>,
}

/// Records a world, and reads it back.
pub(super) async fn world(catalog: &Catalog, seed: u64) -> World {
    let mut rng = Rng::with_seed(seed);
    let sources = [
        Source::new("native", Rank::Native),
        Source::new("config", Rank::Config),
        Source::new("event", Rank::Event),
    ];
    let mut observations = Vec::new();
    let mut changes = Vec::new();
    let mut findings = Vec::new();
    for n in 0..RESOURCES * 4 {
        let at = minute(rng.i64(0..12));
        let mut seen = observation(n, at, sources[rng.usize(..3)].clone());
        seen.resources = vec![fact(&mut rng, n % RESOURCES)];
        observations.push(seen);
    }
    for n in 0..40 {
        let at = minute(rng.i64(0..3000));
        let mut seen = observation(1000 + n, at, sources[2].clone());
        if n % 2 == 0 {
            seen.changes = vec![change(&mut rng, &seen)];
            changes.extend(seen.changes.clone());
        } else {
            seen.findings = vec![finding(&mut rng, n, &seen)];
            findings.extend(seen.findings.clone());
        }
        observations.push(seen);
    }
    catalog.record(&observations, now()).await.expect("recorded");
    judge(catalog, &mut rng).await;
    World::read(catalog, &changes, &findings).await
}

/// Some are well, some are not, some are yet to be judged.
async fn judge(catalog: &Catalog, rng: &mut Rng) {
    for n in 0..RESOURCES {
        let health = *pick(rng, &[None, Some("healthy"), Some("warning"), Some("unknown")]);
        if rng.u8(..4) > 0 {
            sqlx::query(
                "insert into perigee.health (resource_id, type, account, region, health, status, ready, since, judged_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $8) on conflict (resource_id) do update
                 set health = excluded.health, status = excluded.status, ready = excluded.ready,
                     since = excluded.since, judged_at = excluded.judged_at",
            )
            .bind(key(n).id().0)
            .bind(key(n).kind)
            .bind(key(n).account)
            .bind(key(n).region)
            .bind(health)
            .bind(*pick(rng, &["Running", "Slow", ""]))
            .bind(rng.bool())
            .bind(minute(30))
            .execute(&catalog.pool)
            .await
            .expect("judged");
        }
    }
}

impl World {
    async fn read(catalog: &Catalog, changes: &[Change], findings: &[Finding]) -> Self {
        let ids: Vec<ResourceId> = (0..RESOURCES).map(|n| key(n).id()).collect();
        let touched =
            |change: &Change| -> Vec<Uuid> { change.resources.iter().map(|r| r.key.id().0).collect() };
        let mut resources = Vec::new();
        let details = catalog.subjects(&ids).await.expect("subjects");
        for subject in details {
            let id = subject.resource.id.0;
            let latest = changes
                .iter()
                .filter(|c| !c.read_only && touched(c).contains(&id))
                .map(|c| c.occurred_at)
                .max();
            let words: String = sqlx::query_scalar("select words from perigee.resources where id = $1")
                .bind(id)
                .fetch_one(&catalog.pool)
                .await
                .expect("words");
            let mut json = subject.to_json();
            json["provider"] = json!(subject.resource.provider);
            json["evidence"] = json!(subject.resource.evidence);
            json["changed"] = json!(latest);
            json["words"] = json!(words);
            resources.push((id, json));
        }
        let edges = sqlx::query_as("select distinct from_id, to_id from perigee.edges_open");
        Self {
            resources,
            edges: edges.fetch_all(&catalog.pool).await.expect("edges"),
            changes: changes.iter().map(|change| (change_json(change), touched(change))).collect(),
            findings: findings
                .iter()
                .map(|f| (finding_json(f), f.resources.iter().map(|key| key.id().0).collect()))
                .collect(),
            known: RefCell::default(),
        }
    }

    /// What a selector describes.
    pub(super) fn described(&self, selector: &Selector) -> BTreeSet<Uuid> {
        let described = |(id, thing): &(Uuid, Value)| describes(selector, thing, self, now()).then_some(*id);
        self.resources.iter().filter_map(described).collect()
    }

    fn touched(&self, selector: &Selector, things: &[(Value, Vec<Uuid>)]) -> BTreeSet<Uuid> {
        let described = things.iter().filter(|(thing, _)| describes(selector, thing, self, now()));
        described.flat_map(|(_, touched)| touched.iter().copied()).collect()
    }

    /// What lies within so many relations, step by step, as it is said and not as it is fast.
    fn related(&self, selector: &Selector, direction: Direction, depth: u8) -> BTreeSet<Uuid> {
        let mut reached = BTreeSet::new();
        let mut frontier = self.described(selector);
        for _ in 0..depth {
            let out = self.edges.iter().filter(|(from, _)| frontier.contains(from)).map(|(_, to)| *to);
            let back = self.edges.iter().filter(|(_, to)| frontier.contains(to)).map(|(from, _)| *from);
            frontier = match direction {
                Direction::Out => out.collect(),
                Direction::In => back.collect(),
                Direction::Both => out.chain(back).collect(),
            };
            reached.extend(&frontier);
        }
        reached
    }
}

impl Context for World {
    fn words(&self, thing: &Value) -> String {
        thing["words"].as_str().unwrap_or_default().to_owned()
    }

    fn holds(&self, call: &Call, thing: &Value, _: Timestamp) -> bool {
        let id: Uuid = thing["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        let text = call.to_string();
        if let Some(known) = self.known.borrow().get(&text) {
            return known.contains(&id);
        }
        let found = match call {
            Call::Related { selector, direction, depth } => self.related(selector, *direction, *depth),
            Call::Changed(selector) => self.touched(selector, &self.changes),
            Call::Finding(selector) => self.touched(selector, &self.findings),
        };
        let holds = found.contains(&id);
        self.known.borrow_mut().insert(text, found);
        holds
    }
}

fn change_json(change: &Change) -> Value {
    let actor = change.actor.as_ref();
    let name = actor.map(|actor| actor.name.clone());
    let session = actor.and_then(|actor| actor.session.clone());
    let both = name.as_ref().zip(session.as_ref()).map(|(name, session)| format!("{name}/{session}"));
    json!({
        "id": change.id, "kind": change.kind, "category": change.category, "severity": change.severity,
        "account": change.account, "region": change.region, "source": change.source, "actor": [name, session, both],
        "session": session, "error_code": change.error_code, "read_only": change.read_only,
        "occurred_at": change.occurred_at, "details": change.details,
        "words": format!("{}\n{}\n{}", change.summary, change.kind, name.clone().unwrap_or_default()).to_lowercase(),
    })
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "id": finding.id, "product": finding.product, "kind": finding.kind, "title": finding.title,
        "severity": finding.severity, "status": finding.status, "account": finding.account, "region": finding.region,
        "updated_at": finding.at, "first_seen": finding.first_seen, "details": finding.details,
        "words": format!("{}\n{}", finding.title, finding.kind).to_lowercase(),
    })
}
