//! Out of one database and into another.

use std::collections::BTreeSet;

use tokio::sync::mpsc;

use super::{Imported, LEFT, MOVED};
use crate::{
    Catalog, Error, Recorded,
    record::tests::sample_world,
    retention::tests::{documented, key, said},
    tests_support::{catalog, now},
    verify::tests::faults,
};

async fn export(catalog: &Catalog) -> Vec<u8> {
    let (to, mut from) = mpsc::channel(4);
    let exporting = tokio::spawn({
        let catalog = catalog.clone();
        async move { catalog.export(now(), to).await }
    });
    let mut all = Vec::new();
    while let Some(piece) = from.recv().await {
        all.extend(piece);
    }
    exporting.await.unwrap().unwrap();
    all
}

async fn import(catalog: &Catalog, bytes: &[u8]) -> Result<Imported, Error> {
    let (to, from) = mpsc::channel(4);
    let bytes = bytes.to_vec();
    tokio::spawn(async move {
        for piece in bytes.chunks(1000) {
            if to.send(piece.to_vec()).await.is_err() {
                break;
            }
        }
    });
    catalog.import(from, now()).await
}

#[tokio::test]
async fn every_table_is_moved_or_left_on_purpose() {
    let (_db, catalog) = catalog().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'perigee' and c.relkind in ('r', 'p') and not c.relispartition",
    )
    .fetch_all(&catalog.pool)
    .await
    .unwrap();
    let there: BTreeSet<&str> = tables.iter().map(String::as_str).collect();
    let known: BTreeSet<&str> = MOVED.iter().chain(LEFT).copied().collect();
    assert_eq!(there, known);
}

#[tokio::test]
async fn a_catalog_that_moved_has_the_same_digest_and_is_as_sound_and_goes_on() {
    let ((_one, from), (_other, to)) = (catalog().await, catalog().await);
    sample_world(&from, 100).await;
    let bucket = key("AWS::S3::Bucket", "logs");
    // Numbers that no float holds, and letters that need care.
    let mut odd = said(&bucket, 700, documented("a \\ \"quoted\"\n\t name \u{1f980}", 9_007_199_254_740_993));
    from.record(std::slice::from_ref(&odd), now()).await.unwrap();
    crate::status::fold_counts(&from.pool).await.unwrap();
    let file = export(&from).await;
    let imported = import(&to, &file).await.unwrap();
    println!("{} rows in {} bytes", imported.rows, file.len());
    assert_eq!(to.digest().await.unwrap(), from.digest().await.unwrap());
    assert_eq!(faults(&to, false, now()).await.0, []);
    assert_eq!(to.counts().await.unwrap(), from.counts().await.unwrap());
    // What was recorded there is known here.
    assert_eq!(to.record(std::slice::from_ref(&odd), now()).await.unwrap(), [Recorded::Duplicate]);
    odd = said(&bucket, 1, documented("renamed", 1));
    for catalog in [&from, &to] {
        assert_eq!(catalog.record(std::slice::from_ref(&odd), now()).await.unwrap(), [Recorded::New]);
    }
    assert_eq!(to.digest().await.unwrap(), from.digest().await.unwrap());
    // Nothing is yet to be told of what happened elsewhere.
    let signals: i64 = sqlx::query_scalar("select count(*) from perigee.outbox where subject <> $1")
        .bind(bucket.id().0)
        .fetch_one(&to.pool)
        .await
        .unwrap();
    assert_eq!(signals, 0);
    let again = export(&to).await;
    assert!(matches!(import(&to, &again).await, Err(Error::NotEmpty { .. })));
}

#[tokio::test]
async fn a_file_that_was_cut_or_changed_or_is_of_another_build_is_refused_and_leaves_nothing() {
    let ((_one, from), (_other, to)) = (catalog().await, catalog().await);
    sample_world(&from, 5).await;
    let file = export(&from).await;
    let text = String::from_utf8(file.clone()).unwrap();
    let last = text.trim_end().rfind('\n').unwrap() + 1;
    let without_a_row = text.replacen(text.lines().nth(2).unwrap(), "", 1).replacen("\n\n", "\n", 1);
    let wrong: Vec<(String, &str)> = vec![
        (String::new(), "not the first line"),
        ("hello\n".to_owned(), "not the first line"),
        (text[..last].to_owned(), "was cut"),
        (text[..text.len() / 2].to_owned(), "was cut"),
        (text[..text.len() - 1].to_owned(), "was cut"),
        (text.replacen("r0", "r9", 1), "its hash is another"),
        (without_a_row, "more or fewer rows"),
        (text.replacen("\"schema\":", "\"schema\":9", 1), "schema version"),
        (
            text.replacen(
                "{\"perigee\":\"table\",\"name\":\"ledger\"}",
                "{\"perigee\":\"table\",\"name\":\"pg_authid\"}",
                1,
            ),
            "knows no table",
        ),
        (text.replacen("{\"perigee\":\"table\",\"name\":\"ledger\"}\n", "", 1), "before any table"),
        (text.replacen("\"mask_set\": ", "\"mask_set\": 99999999", 1), "is refused"),
    ];
    for (file, reason) in wrong {
        let refused = import(&to, file.as_bytes()).await.unwrap_err();
        assert!(refused.to_string().contains(reason), "{reason}: {refused}");
        assert!(to.is_empty().await.unwrap());
    }
    import(&to, &file).await.unwrap();
}
