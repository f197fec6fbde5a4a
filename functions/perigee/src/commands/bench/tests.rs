//! Every measurement on a small estate: that it is made, not how it comes out.

use std::time::Duration;

use catalog::{Catalog, ConnectOptions, bench::Estate};
use testkit::TestDb;

use super::{
    mixed,
    questions::{Question, Reader},
    reading, writing,
};

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_measured_on_a_small_estate() {
    let db = TestDb::empty().await;
    let options = ConnectOptions { url: db.url().to_owned(), max_connections: 40, pooler: false };
    let catalog = Catalog::connect(&options).unwrap();
    let now = "2026-03-03T12:00:00Z".parse().unwrap();
    catalog.migrate(now).await.unwrap();
    let estate = Estate { resources: 1_000, seed: 1, now };
    catalog.build_estate(&estate, &|_, _| {}).await.unwrap();
    let reader = Reader { catalog: catalog.clone(), estate };

    let mut rows = reading::disk(&catalog).await.unwrap();
    for question in Question::WITH_BARS {
        rows.extend(reading::question(&reader, question, 3).await.unwrap());
    }
    rows.extend(reading::beside_paths(&reader).await.unwrap());
    rows.extend(writing::fresh(&catalog, &estate).await.unwrap());
    rows.extend(writing::beside_readers(&reader, 2, Duration::from_secs(1)).await.unwrap());
    for row in &rows {
        assert!(row.value.is_finite(), "{row:?}");
    }
    let value = |name: &str| rows.iter().find(|row| row.name == name).map(|row| row.value);
    assert_eq!(value("the same documents, new versions"), Some(0.0), "{rows:#?}");
    assert!(value("recorded beside 32 readers").is_some(), "{rows:#?}");

    let rows = mixed::load(&reader, 3, Duration::from_secs(2), None).await.unwrap();
    // What was asked within two seconds depends on the machine; that memory was looked at does not.
    assert!(rows.iter().any(|row| row.name == "memory of perigee, last third"), "{rows:#?}");
    catalog.close().await;
}
