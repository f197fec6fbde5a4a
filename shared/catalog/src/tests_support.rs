//! A catalog on a database of its own, for this crate's tests.

use model::Timestamp;
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
