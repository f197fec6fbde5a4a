//! A catalog, a clock, a channel on loopback.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use catalog::{
    Catalog, ConnectOptions,
    deliveries::{DeliveryDetail, DeliveryQuery},
    manifests::NewManifest,
};
use chrono::TimeDelta;
use connections::{Client, Guard};
use futures_util::stream;
use model::{ResourceKey, SecretRef, Signal, SignalId, SignalKind, Timestamp};
use ports::{Clock, Http, HttpError, Request, Secret, SecretError, Secrets};
use serde_json::{Value, json};
use testkit::{FakeClock, TestDb, template_name};

use crate::Notify;

pub(super) const NOW: &str = "2026-03-03T12:00:00Z";

/// What a channel was sent.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Received {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

type Inbox = Arc<Mutex<Vec<Received>>>;

/// A channel. Its paths say how it behaves.
pub(super) struct Channel {
    pub(super) address: SocketAddr,
    inbox: Inbox,
}

impl Channel {
    async fn start() -> Self {
        let inbox = Inbox::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inbox));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, inbox }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.inbox.lock().unwrap().clone()
    }
}

async fn answer(State(inbox): State<Inbox>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let before = inbox.lock().unwrap().len();
    let has_blocks = String::from_utf8_lossy(&body).contains("\"blocks\"");
    inbox.lock().unwrap().push(Received { headers, body: body.to_vec() });
    let status = |code: u16| StatusCode::from_u16(code).unwrap();
    match uri.path() {
        "/fail" => (status(500), "it is on fire").into_response(),
        "/flaky" if before < 2 => status(500).into_response(),
        "/busy" if before < 1 => (status(429), [(header::RETRY_AFTER, "30")]).into_response(),
        "/hang" => std::future::pending().await,
        "/away" => (status(302), [(header::LOCATION, "http://169.254.169.254/latest/")]).into_response(),
        "/big" => {
            let endless = stream::repeat_with(|| Ok::<_, Infallible>(vec![b'x'; 65_536]));
            Body::from_stream(endless).into_response()
        }
        "/blocks" if has_blocks => (status(400), "invalid_blocks").into_response(),
        "/echo" => (status(500), body).into_response(),
        path if path.starts_with("/leak") => (status(404), format!("no hook at {path}")).into_response(),
        _ => "ok".into_response(),
    }
}

/// A client that does not wait as long as the function would.
#[derive(Debug)]
pub(super) struct Impatient(Client);

#[async_trait]
impl Http for Impatient {
    async fn send(&self, request: Request) -> Result<ports::Response, HttpError> {
        self.0.send(Request { timeout: request.timeout.min(Duration::from_millis(500)), ..request }).await
    }
}

/// A client whose requests arrive and never come back.
#[derive(Debug)]
pub(super) struct Endless(Client);

#[async_trait]
impl Http for Endless {
    async fn send(&self, request: Request) -> Result<ports::Response, HttpError> {
        drop(self.0.send(request).await);
        std::future::pending().await
    }
}

#[derive(Debug)]
struct Known(BTreeMap<&'static str, Secret>);

#[async_trait]
impl Secrets for Known {
    async fn read(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        match reference {
            SecretRef::Env(name) => self.0.get(name.as_str()).cloned(),
            _ => None,
        }
        .ok_or_else(|| SecretError::Missing(reference.clone()))
    }
}

pub(super) struct World {
    pub(super) notify: Notify,
    pub(super) clock: Arc<FakeClock>,
    pub(super) channel: Channel,
    secrets: Arc<Known>,
    db: TestDb,
}

/// The key of the signatures: 24 bytes.
pub(super) const KEY: &[u8] = b"0123456789abcdefghijklmn";
pub(super) const SIGNING_KEY: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u";

fn connect(url: &str) -> Catalog {
    Catalog::connect(&ConnectOptions { url: url.to_owned(), max_connections: 4, pooler: false }).unwrap()
}

impl World {
    /// An empty catalog, and a connection `hook` to a channel that takes everything.
    pub(super) async fn new() -> Self {
        let template = template_name("catalog", &catalog::migrator());
        let db =
            TestDb::from_template(&template, async |url| connect(&url).migrate(NOW.parse().unwrap()).await)
                .await;
        let channel = Channel::start().await;
        let clock = Arc::new(FakeClock::at(NOW));
        let known = BTreeMap::from([
            ("SIGNING_KEY", SIGNING_KEY.to_owned()),
            ("SLACK", channel.url("services/T1/B1/plantedsecret")),
            ("BLOCKS", channel.url("blocks")),
            ("HANG", channel.url("hang")),
            ("LEAK", channel.url("leak/plantedsecret?token=plantedsecret")),
            ("TOKEN", "plantedsecret".to_owned()),
        ]);
        let known = known.into_iter().map(|(name, value)| (name, Secret::new(value)));
        let secrets = Arc::new(Known(known.collect()));
        let notify = Notify::new(
            connect(db.url()),
            Arc::new(Impatient(Client::new(Guard { loopback: true }))),
            Arc::clone(&secrets) as Arc<dyn Secrets>,
            Arc::clone(&clock) as Arc<dyn Clock>,
            Some("https://perigee.example.com/".to_owned()),
        );
        let world = Self { notify, clock, channel, secrets, db };
        world.webhook("ok", json!({})).await;
        world
    }

    /// Another copy of the function, with a client that never comes back.
    pub(super) fn doomed(&self) -> Notify {
        self.copy(Arc::new(Endless(Client::new(Guard { loopback: true }))))
    }

    pub(super) fn copy(&self, http: Arc<dyn Http>) -> Notify {
        let secrets = Arc::clone(&self.secrets) as Arc<dyn Secrets>;
        Notify::new(connect(self.db.url()), http, secrets, Arc::clone(&self.clock) as Arc<dyn Clock>, None)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    pub(super) async fn apply(&self, kind: &str, name: &str, spec: Value) {
        let body = json!({
            "apiVersion": "perigee.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec,
        });
        let new = NewManifest { kind: kind.to_owned(), name: name.to_owned(), body };
        self.notify.catalog.apply_manifests(&[new], self.now()).await.unwrap();
    }

    /// Makes the connection `hook` a webhook at a path of the channel.
    pub(super) async fn webhook(&self, path: &str, more: Value) {
        let mut webhook = json!({"url": self.channel.url(path)});
        webhook.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.apply("Connection", "hook", json!({"webhook": webhook})).await;
    }

    /// Applies the notification `on-call` to `hook`, of `health.changed` unless `more` says otherwise.
    pub(super) async fn notification(&self, more: Value) {
        let mut spec = json!({"on": ["health.changed"], "to": ["hook"]});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.apply("Notification", "on-call", spec).await;
    }

    pub(super) async fn sql(&self, statement: &str) {
        self.db.execute(statement).await;
    }

    /// The resource of this name, tagged `env=prod`, with this health.
    pub(super) async fn resource(&self, name: &str, health: &str) {
        let id = resource(name);
        self.sql(&format!(
            "insert into perigee.resources (id, provider, partition, account, region, type, native_id, evidence, name,
                                            tags, since, named_at, shown_from, recorded_at, shown_recorded_at)
             values ('{id}', 'aws', 'aws', '111122223333', 'eu-west-1', 'AWS::ECS::Service', '{name}', 2, '{name}',
                     '{{\"env\": \"prod\"}}', '{NOW}', '{NOW}', '{NOW}', '{NOW}', '{NOW}') on conflict do nothing"
        ))
        .await;
        self.sql(&format!(
            "insert into perigee.health (resource_id, type, account, region, health, status, since, judged_at)
             values ('{id}', 'AWS::ECS::Service', '111122223333', 'eu-west-1', '{health}', 'Any', '{NOW}', '{NOW}')
             on conflict (resource_id) do update set health = excluded.health"
        ))
        .await;
    }

    /// Tells that the health of a resource changed just now.
    pub(super) async fn told(&self, name: &str, health: &str) {
        self.notify.signals(&[self.signal(name, health)]).await.unwrap();
    }

    pub(super) fn signal(&self, name: &str, health: &str) -> Signal {
        let at = self.now();
        Signal {
            id: SignalId::of("health.changed", &[name, health, &at.to_rfc3339()]),
            kind: SignalKind::HealthChanged,
            subject: resource(name).into(),
            occurred_at: at,
            payload: json!({
                "type": "AWS::ECS::Service", "account": "111122223333", "region": "eu-west-1", "name": name,
                "health": health, "previous": "healthy", "status": "TasksMissing", "ready": true, "since": at,
                "reason": "0 of 2 tasks running", "rule": null,
            }),
        }
    }

    /// Does what is due now, and nothing that is due later.
    pub(super) async fn tick(&self) {
        while self.notify.tick().await.unwrap().is_some_and(|due| due <= self.now()) {}
    }

    /// All deliveries, the oldest first.
    pub(super) async fn deliveries(&self) -> Vec<DeliveryDetail> {
        let query = DeliveryQuery { limit: 1000, ..DeliveryQuery::default() };
        let page = self.notify.catalog.deliveries(&query).await.unwrap();
        let mut all = Vec::new();
        for delivery in page.items.iter().rev() {
            all.push(self.notify.catalog.delivery(delivery.id).await.unwrap().unwrap());
        }
        all
    }

    /// State and reason of each delivery, the oldest first.
    pub(super) async fn states(&self) -> Vec<String> {
        let all = self.deliveries().await;
        all.iter().map(|one| format!("{} {}", one.delivery.state.as_str(), one.delivery.reason)).collect()
    }

    /// Everything that is kept of deliveries and manifests, as text.
    pub(super) async fn dump(&self) -> String {
        self.db.dump(&["deliveries", "delivery_attempts", "manifests", "outbox"]).await
    }
}

pub(super) fn resource(name: &str) -> model::ResourceId {
    let owned = |text: &str| text.to_owned();
    ResourceKey {
        provider: owned("aws"),
        partition: owned("aws"),
        account: owned("111122223333"),
        region: owned("eu-west-1"),
        kind: owned("AWS::ECS::Service"),
        native_id: owned(name),
    }
    .id()
}
