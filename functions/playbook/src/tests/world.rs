//! A catalog, a server that counts, and a function over both.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::any,
};
use catalog::{
    Catalog, ConnectOptions,
    manifests::NewManifest,
    runs::{RunDetail, RunQuery},
};
use connections::{Client, Guard};
use model::{
    Completeness, Document, Observation, ObservationKey, Rank, ResourceFact, ResourceId, ResourceKey, RunId,
    RunState, Sighting, Source, Timestamp,
};
use ports::{Clock, Http, SystemClock};
use serde_json::{Value, json};
use testkit::{FakeClock, FakeSecrets, TestDb, template_name};
use tokio::net::TcpListener;
use triggers::{Answer, Books, Principals, Request, Trigger};

use crate::Playbooks;

pub(super) const NOW: &str = "2026-03-03T12:00:00Z";

pub(super) struct World {
    _db: TestDb,
    pub(super) playbooks: Playbooks,
    pub(super) clock: Arc<FakeClock>,
    pub(super) secrets: Arc<FakeSecrets>,
    pub(super) server: Server,
}

impl World {
    /// With a clock that stands still.
    pub(super) async fn new() -> Self {
        let clock = Arc::new(FakeClock::at(NOW));
        Self::with_clock(Arc::clone(&clock), clock).await
    }

    /// With the machine's clock, for what happens in real time.
    pub(super) async fn in_real_time() -> Self {
        Self::with_clock(Arc::new(FakeClock::at(NOW)), Arc::new(SystemClock)).await
    }

    async fn with_clock(fake: Arc<FakeClock>, clock: Arc<dyn Clock>) -> Self {
        let options = |url: &str| ConnectOptions { url: url.to_owned(), max_connections: 8, pooler: false };
        let template = template_name("catalog", &catalog::migrator());
        let db = TestDb::from_template(&template, async |url| {
            Catalog::connect(&options(&url))?.migrate(NOW.parse().expect("an instant")).await
        })
        .await;
        let secrets = Arc::new(FakeSecrets::new());
        let http: Arc<dyn Http> = Arc::new(Client::new(Guard { loopback: true }));
        let playbooks = Playbooks {
            catalog: Catalog::connect(&options(db.url())).expect("the address of a test database"),
            http,
            secrets: Arc::clone(&secrets) as _,
            clock,
            worker: "test".to_owned(),
            principals: vec!["arn:aws:sts::*:assumed-role/perigee-*".to_owned()],
            library: Arc::default(),
        };
        Self { _db: db, playbooks, clock: fake, secrets, server: Server::start().await }
    }

    pub(super) fn catalog(&self) -> &Catalog {
        &self.playbooks.catalog
    }

    pub(super) fn now(&self) -> Timestamp {
        self.playbooks.clock.now()
    }

    pub(super) async fn apply(&self, kind: &str, name: &str, spec: Value) {
        let body = json!({"apiVersion": manifest::API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec});
        let new = NewManifest { kind: kind.to_owned(), name: name.to_owned(), body };
        self.catalog().apply_manifests(&[new], self.now()).await.expect("applied");
    }

    /// A resource of a type, that a source has seen.
    pub(super) async fn resource(&self, kind: &str, name: &str) -> ResourceId {
        let key = key(kind, name);
        let document =
            Document { name: Some(name.to_owned()), config: json!({"name": name}), ..Document::default() };
        let fact = ResourceFact {
            key: key.clone(),
            aliases: Vec::new(),
            state_id: 0,
            sighting: Sighting::Documented(Box::new(document)),
        };
        let observation = Observation {
            key: ObservationKey::of(&json!({"resource": name, "type": kind})),
            source: Source::new("config", Rank::Config),
            account: key.account.clone(),
            region: key.region.clone(),
            occurred_at: self.now(),
            resources: vec![fact],
            changes: Vec::new(),
            findings: Vec::new(),
            completeness: Completeness::OnlyThese,
        };
        self.catalog().record(&[observation], self.now()).await.expect("recorded");
        key.id()
    }

    /// Asks for a run by the API.
    pub(super) async fn ask(
        &self,
        name: &str,
        key: &str,
        target: Option<ResourceId>,
        parameters: Value,
    ) -> Answer {
        let books = Books::load(self.catalog()).await.expect("playbooks");
        assert!(books.unreadable().is_empty(), "{:?}", books.unreadable());
        let parameters: BTreeMap<String, Value> = serde_json::from_value(parameters).expect("parameters");
        let book = books.get(name).unwrap_or_else(|| panic!("playbook {name}"));
        let request = Request { book, trigger: Trigger::Api { key, by: Some("dana") }, target, parameters };
        let answers = triggers::start(self.catalog(), Principals::default(), &[request], self.now()).await;
        answers.expect("answers").remove(0)
    }

    pub(super) async fn started(&self, name: &str, key: &str, parameters: Value) -> RunId {
        match self.ask(name, key, None, parameters).await {
            Answer::Started(id) => id,
            other => panic!("{name} was not started: {other:?}"),
        }
    }

    pub(super) async fn run(&self, id: RunId) -> RunDetail {
        self.catalog().run(id).await.expect("a read").unwrap_or_else(|| panic!("run {id}"))
    }

    pub(super) async fn runs(&self) -> Vec<catalog::runs::Run> {
        let query = RunQuery { limit: 1000, ..RunQuery::default() };
        self.catalog().runs(&query).await.expect("runs").items
    }

    /// Ticks until nothing is due.
    pub(super) async fn settle(&self) {
        for _ in 0..1000 {
            let due = self.playbooks.tick().await.expect("a tick");
            if due.is_none_or(|due| due > self.now()) {
                return;
            }
        }
        panic!("there is always more to do");
    }

    /// Asks for a run, and executes it.
    pub(super) async fn finished(&self, name: &str, parameters: Value) -> RunDetail {
        let id = self.started(name, "a key", parameters).await;
        self.settle().await;
        self.run(id).await
    }

    /// The signals that wait to be told, by kind and payload.
    pub(super) async fn signals(&self) -> Vec<model::Signal> {
        let claimed = self.catalog().claim_signals(1000, self.now(), Duration::from_secs(1)).await;
        claimed.expect("signals").into_iter().map(|claimed| claimed.signal).collect()
    }
}

pub(super) fn key(kind: &str, name: &str) -> ResourceKey {
    ResourceKey {
        provider: "aws".to_owned(),
        partition: "aws".to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        kind: kind.to_owned(),
        native_id: name.to_owned(),
    }
}

/// Where a step of a run stands, and why.
pub(super) fn step<'a>(run: &'a RunDetail, name: &str) -> &'a catalog::runs::RunStep {
    run.steps.iter().find(|step| step.name == name).unwrap_or_else(|| panic!("step {name}"))
}

pub(super) fn assert_state(run: &RunDetail, state: RunState) {
    assert_eq!(run.run.state, state, "{run:#?}");
}

/// A server that counts the `Idempotency-Key`s of the requests that reach it.
///
/// `/ok` answers 200 with what was sent, `/status/N` answers N, `/fails/N` answers 503 to the first N requests of a key,
/// `/hangs` never answers.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) address: String,
    seen: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let server = Self { address, seen: Arc::default() };
        let router = Router::new().route("/{*path}", any(answer)).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// How often a key was seen.
    pub(super) fn seen(&self, key: uuid::Uuid) -> usize {
        self.seen.lock().expect("counts").get(&key.to_string()).copied().unwrap_or(0)
    }
}

async fn answer(
    State(server): State<Server>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Bytes) {
    let key = headers.get("idempotency-key").map_or("none", |key| key.to_str().expect("ASCII")).to_owned();
    let count = {
        let mut seen = server.seen.lock().expect("counts");
        let count = seen.entry(key).or_insert(0);
        *count += 1;
        *count
    };
    let number = path.split('/').nth(1).and_then(|number| number.parse::<u16>().ok()).unwrap_or(0);
    match path.split('/').next() {
        Some("status") => (StatusCode::from_u16(number).expect("a status"), body),
        Some("fails") if count <= usize::from(number) => (StatusCode::SERVICE_UNAVAILABLE, body),
        Some("hangs") => std::future::pending().await,
        _ => (StatusCode::OK, body),
    }
}
