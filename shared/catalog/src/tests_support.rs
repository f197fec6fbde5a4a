//! A catalog on a database of its own, for this crate's tests.

use model::{
    Completeness, Observation, ObservationKey, Rank, ResourceFact, ResourceKey, Sighting, Source, Timestamp,
};
use testkit::{TestDb, template_name};

use crate::{Catalog, ConnectOptions};

/// The instant at which tests happen.
pub(crate) fn now() -> Timestamp {
    "2026-03-03T12:00:00Z".parse().expect("an instant")
}

/// An instant, `minutes` after the tests' past began.
pub(crate) fn minute(minutes: i64) -> Timestamp {
    "2026-03-01T00:00:00Z".parse::<Timestamp>().expect("an instant") + chrono::Duration::minutes(minutes)
}

/// Options to reach a database of tests.
pub(crate) fn options(url: &str) -> ConnectOptions {
    ConnectOptions { url: url.to_owned(), max_connections: 4, pooler: false }
}

/// A migrated, empty catalog.
pub(crate) async fn catalog() -> (TestDb, Catalog) {
    let template = template_name("catalog", &crate::migrator());
    let db = TestDb::from_template(&template, async |url| {
        let catalog = Catalog::connect(&options(&url))?;
        catalog.migrate(now()).await?;
        catalog.pool.close().await;
        Ok::<(), crate::Error>(())
    })
    .await;
    let catalog = Catalog::connect(&options(db.url())).expect("the address of a test database");
    (db, catalog)
}

/// A resource of the tests' account.
pub(crate) fn resource_key(kind: &str, native_id: &str) -> ResourceKey {
    ResourceKey {
        provider: "aws".to_owned(),
        partition: "aws".to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        kind: kind.to_owned(),
        native_id: native_id.to_owned(),
    }
}

/// What AWS Config saw of one resource at a minute.
pub(crate) fn fact(key: ResourceKey, at: i64, sighting: Sighting) -> Observation {
    let told = serde_json::json!([key.native_id, at, format!("{sighting:?}")]);
    Observation {
        key: ObservationKey::of(&told),
        source: Source::new("config", Rank::Config),
        account: key.account.clone(),
        region: key.region.clone(),
        occurred_at: minute(at),
        resources: vec![ResourceFact { key, aliases: vec![], state_id: 0, sighting }],
        changes: vec![],
        findings: vec![],
        completeness: Completeness::OnlyThese,
    }
}
