//! The router over a real database.

mod bodies;
mod contract;
mod manifests;
mod moments;
mod refusals;
mod resume;
mod story;
mod upkeep;
mod work;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use catalog::{Catalog, ConnectOptions};
use intake::Intake;
use model::{
    Actor, ActorKind, Category, Change, ChangeId, ChangeResource, Completeness, Document, Evidence, Finding,
    FindingId, FindingStatus, Observation, ObservationKey, Rank, Relation, ResourceFact, ResourceKey, Role,
    Severity, Sighting, Source, Timestamp,
};
use ports::NoObjects;
use serde_json::{Value, json};
use testkit::{FakeClock, TestDb, template_name};
use tower::ServiceExt;

use crate::{Config, Context, router};

const NOW: &str = "2026-03-03T12:00:00Z";
const ARN: &str = "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a1b2c3d";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A server over a database of its own.
struct Server {
    router: Router,
    catalog: Catalog,
    db: Option<TestDb>,
}

/// An answer, read to its end.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Server {
    /// Over an empty catalog.
    async fn empty() -> Self {
        let options = |url: &str| ConnectOptions { url: url.to_owned(), max_connections: 2, pooler: false };
        let template = template_name("catalog", &catalog::migrator());
        let db = TestDb::from_template(&template, async |url| {
            Catalog::connect(&options(&url))?.migrate(at(NOW)).await
        })
        .await;
        let catalog = Catalog::connect(&options(db.url())).unwrap();
        let local = Config { local: true, ..Config::default() };
        Self { router: serve(&catalog, local), catalog, db: Some(db) }
    }

    /// Over the small estate of [`estate`].
    async fn sample() -> Self {
        let server = Self::empty().await;
        server.catalog.record(&estate(), at(NOW)).await.unwrap();
        server
    }

    /// Over a database that is not there.
    fn without_database() -> Self {
        let url = "postgres://perigee:hunter2@127.0.0.1:1/perigee".to_owned();
        let catalog = Catalog::connect(&ConnectOptions { url, max_connections: 1, pooler: false }).unwrap();
        let local = Config { local: true, ..Config::default() };
        Self { router: serve(&catalog, local), catalog, db: None }
    }

    /// Its database.
    fn db(&self) -> &TestDb {
        self.db.as_ref().expect("a server with a database")
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.ask("POST", path, &[("content-type", "application/json")], body).await
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if headers.iter().all(|(name, _)| *name != "host") {
            request = request.header("host", "127.0.0.1:8080");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answer { status, headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }
}

fn serve(catalog: &Catalog, config: Config) -> Router {
    let clock = Arc::new(FakeClock::at(NOW));
    let intake = Intake {
        catalog: catalog.clone(),
        objects: Arc::new(NoObjects),
        clock: clock.clone(),
        accounts: None,
    };
    let sample = Arc::new(|| vec![bucket_made("sample-bucket")]);
    router(Context { catalog: catalog.clone(), intake, clock, config, sample: Some(sample) })
}

/// A CloudTrail record.
fn bucket_made(bucket: &str) -> Value {
    json!({
        "eventVersion": "1.09", "eventID": format!("id-of-{bucket}"), "eventTime": "2026-03-03T09:00:00Z",
        "eventSource": "s3.amazonaws.com", "eventName": "CreateBucket", "eventType": "AwsApiCall",
        "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "sourceIPAddress": "192.0.2.10",
        "userAgent": "aws-cli/2.15.0", "readOnly": false, "managementEvent": true,
        "userIdentity": {"type": "IAMUser", "accountId": "111122223333", "userName": "ada",
            "arn": "arn:aws:iam::111122223333:user/ada", "principalId": "AIDAEXAMPLE"},
        "requestParameters": {"bucketName": bucket}, "responseElements": null,
    })
}

fn key(kind: &str, native_id: &str) -> ResourceKey {
    let owned = |text: &str| text.to_owned();
    ResourceKey {
        provider: owned("aws"),
        partition: owned("aws"),
        account: owned("111122223333"),
        region: owned("eu-west-1"),
        kind: owned(kind),
        native_id: owned(native_id),
    }
}

fn group() -> ResourceKey {
    key("AWS::EC2::SecurityGroup", "sg-0a1b2c3d")
}

fn vpc() -> ResourceKey {
    key("AWS::EC2::VPC", "vpc-0c0ffee")
}

fn fact(key: ResourceKey, aliases: &[&str], sighting: Sighting) -> ResourceFact {
    ResourceFact {
        key,
        aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
        state_id: 0,
        sighting,
    }
}

fn documented(cidr: &str) -> Sighting {
    Sighting::Documented(Box::new(Document {
        name: Some("checkout-db".to_owned()),
        tags: BTreeMap::from([("env".to_owned(), "prod".to_owned())]),
        labels: BTreeMap::new(),
        replaced: false,
        config: json!({"ipPermissions": [{"fromPort": 5432, "cidrIp": cidr}]}),
        relations: [Relation { kind: "is contained in vpc".to_owned(), to: vpc() }].into(),
    }))
}

fn observation(source: &str, rank: Rank, time: &str, resources: Vec<ResourceFact>) -> Observation {
    Observation {
        key: ObservationKey::of(&json!([source, time])),
        source: Source::new(source, rank),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        occurred_at: at(time),
        resources,
        changes: vec![],
        findings: vec![],
        completeness: Completeness::OnlyThese,
    }
}

/// A security group that was documented twice, a VPC that it names, the change in between and a finding on it.
fn estate() -> Vec<Observation> {
    let first = "2026-03-01T00:00:00Z";
    let second = "2026-03-03T02:13:00Z";
    let gone = observation(
        "config",
        Rank::Config,
        "2026-03-02T00:00:00Z",
        vec![fact(key("AWS::SQS::Queue", "orders"), &[], Sighting::Deleted)],
    );
    let mut call =
        observation("cloudtrail", Rank::Event, second, vec![fact(group(), &[], Sighting::Present)]);
    call.changes = vec![change(&call)];
    let mut claim = observation("securityhub", Rank::Event, "2026-03-03T03:00:00Z", vec![]);
    claim.findings = vec![finding()];
    vec![
        observation("config", Rank::Config, first, vec![fact(group(), &[ARN], documented("10.0.0.0/16"))]),
        observation("config", Rank::Config, second, vec![fact(group(), &[ARN], documented("10.0.9.0/24"))]),
        gone,
        call,
        claim,
    ]
}

fn change(call: &Observation) -> Change {
    let owned = |text: &str| text.to_owned();
    Change {
        id: ChangeId::of(&call.key, 0),
        occurred_at: call.occurred_at,
        account: call.account.clone(),
        region: call.region.clone(),
        source: call.source.name.clone(),
        kind: owned("RevokeSecurityGroupIngress"),
        category: Category::Security,
        severity: Severity::Low,
        read_only: false,
        summary: owned("ada removed an inbound rule of checkout-db"),
        actor: Some(Actor {
            kind: ActorKind::User,
            name: owned("ada"),
            session: None,
            via: None,
            arn: None,
            account: None,
        }),
        source_address: Some(owned("192.0.2.17")),
        user_agent: None,
        error_code: None,
        error_message: None,
        event_id: Some(owned("e-1")),
        session_id: None,
        details: json!({"request": {"groupId": "sg-0a1b2c3d"}}),
        resources: vec![ChangeResource { key: group(), role: Role::Target }],
        mentions: vec![],
    }
}

fn finding() -> Finding {
    let owned = |text: &str| text.to_owned();
    Finding {
        id: FindingId::of("securityhub", "111122223333", "eu-west-1", "f-1"),
        at: at("2026-03-03T03:00:00Z"),
        first_seen: at("2026-03-02T03:00:00Z"),
        account: owned("111122223333"),
        region: owned("eu-west-1"),
        product: owned("securityhub"),
        external_id: owned("f-1"),
        kind: owned("EC2.13"),
        title: owned("Port 22 is open to everybody"),
        description: owned("It should not be."),
        severity: Severity::High,
        status: FindingStatus::Open,
        details: json!({}),
        resources: vec![group()],
    }
}

/// The evidence words are part of the contract.
#[test]
fn evidence_is_a_word() {
    assert_eq!(serde_json::to_value(Evidence::Document).unwrap(), json!("document"));
}
