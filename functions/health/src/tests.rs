//! On a real database, with a clock that is told the time and a world that answers as it is told.

mod checks;
mod events;
mod judging;

use std::{sync::Arc, time::Duration};

use catalog::{Catalog, ConnectOptions, manifests::NewManifest};
use model::{
    Completeness, Document, Observation, ObservationKey, Rank, ResourceFact, ResourceId, ResourceKey,
    Sighting, Signal, SignalKind, Source, Timestamp,
};
use ports::Clock;
use serde_json::{Value, json};
use testkit::{FakeClock, FakeHttp, FakeSecrets, TestDb, template_name};

use crate::{Cache, Health};

const NOW: &str = "2026-03-03T12:00:00Z";

struct World {
    _db: TestDb,
    health: Health,
    clock: Arc<FakeClock>,
    http: Arc<FakeHttp>,
    secrets: Arc<FakeSecrets>,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn world() -> World {
    let options = |url: &str| ConnectOptions { url: url.to_owned(), max_connections: 4, pooler: false };
    let template = template_name("catalog", &catalog::migrator());
    let db = TestDb::from_template(&template, async |url| {
        Catalog::connect(&options(&url))?.migrate(at(NOW)).await
    })
    .await;
    let (clock, http, secrets) =
        (Arc::new(FakeClock::at(NOW)), Arc::new(FakeHttp::new()), Arc::new(FakeSecrets::new()));
    let health = Health {
        catalog: Catalog::connect(&options(db.url())).unwrap(),
        http: Arc::<FakeHttp>::clone(&http),
        secrets: Arc::<FakeSecrets>::clone(&secrets),
        clock: Arc::<FakeClock>::clone(&clock),
        cache: Arc::new(Cache::default()),
    };
    World { _db: db, health, clock, http, secrets }
}

fn key(kind: &str, native_id: &str) -> ResourceKey {
    ResourceKey {
        provider: "test".to_owned(),
        partition: "test".to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        kind: kind.to_owned(),
        native_id: native_id.to_owned(),
    }
}

impl World {
    /// Another copy of the function: it shares the catalog and the world, nothing else.
    fn copy(&self) -> Health {
        Health { cache: Arc::new(Cache::default()), ..self.health.clone() }
    }

    fn advance(&self, seconds: i64) {
        self.clock.advance(chrono::TimeDelta::seconds(seconds));
    }

    /// Records how a resource looks now, or that it is gone.
    async fn see(&self, kind: &str, native_id: &str, config: Option<Value>) -> ResourceId {
        let now = self.clock.now();
        let key = key(kind, native_id);
        let id = key.id();
        let sighting = config.clone().map_or(Sighting::Deleted, |config| {
            Sighting::Documented(Box::new(Document { config, ..Document::default() }))
        });
        let observation = Observation {
            key: ObservationKey::of(&json!([kind, native_id, config, now])),
            source: Source::new("test", Rank::Native),
            account: key.account.clone(),
            region: key.region.clone(),
            occurred_at: now,
            resources: vec![ResourceFact { key, aliases: vec![], state_id: 0, sighting }],
            changes: vec![],
            findings: vec![],
            completeness: Completeness::OnlyThese,
        };
        self.health.catalog.record(&[observation], now).await.unwrap();
        id
    }

    async fn apply(&self, kind: &str, name: &str, spec: Value) {
        let body = json!({
            "apiVersion": "perigee.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec,
        });
        let manifest = NewManifest { kind: kind.to_owned(), name: name.to_owned(), body };
        self.health.catalog.apply_manifests(&[manifest], self.clock.now()).await.unwrap();
    }

    async fn delete(&self, kind: &str, name: &str) {
        let name = (kind.to_owned(), name.to_owned());
        self.health.catalog.delete_manifests(&[name], self.clock.now()).await.unwrap();
    }

    /// Takes the signals that wait from the outbox.
    async fn signals(&self) -> Vec<Signal> {
        let now = self.clock.now();
        let claimed = self.health.catalog.claim_signals(5_000, now, Duration::from_secs(1)).await.unwrap();
        let signals: Vec<Signal> = claimed.into_iter().map(|one| one.signal).collect();
        let ids: Vec<_> = signals.iter().map(|signal| signal.id).collect();
        self.health.catalog.signals_told(&ids, now).await.unwrap();
        signals
    }

    /// Tells the function what waits, and has it do what is due. Answers with the signals of a kind that it then told.
    async fn turn(&self, kinds: &[SignalKind]) -> Vec<Signal> {
        self.health.signals(&self.signals().await).await.unwrap();
        self.health.tick().await.unwrap();
        let mut told = self.signals().await;
        told.retain(|signal| kinds.contains(&signal.kind));
        told.sort_by_key(|signal| signal.occurred_at);
        told
    }

    /// `health status` of a resource, and since when.
    async fn state(&self, id: ResourceId) -> Option<(String, Timestamp)> {
        let state = self.health.catalog.health_of(id).await.unwrap()?.state;
        Some((format!("{} {}", state.verdict.health, state.verdict.status), state.since))
    }
}
