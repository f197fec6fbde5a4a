use super::Estate;
use crate::{
    Catalog, Error,
    tests_support::{catalog, now},
    verify::tests::faults,
};

async fn indexes(catalog: &Catalog) -> Result<Vec<(String, String)>, Error> {
    sqlx::query_as("select indexname::text, indexdef from pg_indexes where schemaname = 'perigee' order by 1")
        .fetch_all(&catalog.pool)
        .await
        .map_err(Error::reading("the indexes"))
}

async fn count(catalog: &Catalog, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&catalog.pool).await.unwrap()
}

#[tokio::test]
async fn an_estate_agrees_with_itself_and_leaves_the_indexes_as_they_were() {
    let (_db, catalog) = catalog().await;
    let before = indexes(&catalog).await.unwrap();
    let estate = Estate { resources: 3_000, seed: 7, now: now() };
    catalog.build_estate(&estate, &|_, _| {}).await.unwrap();
    assert_eq!(indexes(&catalog).await.unwrap(), before);
    let (faults, checked) = faults(&catalog, false, now()).await;
    assert_eq!(faults, []);
    assert!(checked.iter().all(|check| check.faults == 0), "{checked:?}");

    let count = async |sql| count(&catalog, sql).await;
    assert_eq!(count("select count(*) from perigee.resources").await, 3_000);
    assert_eq!(count("select count(distinct hash) from perigee.documents").await, 9_000);
    assert!(count("select count(*) from perigee.resources where deleted_at is not null").await > 20);
    assert!(count("select count(*) from perigee.changes").await > 28_000);
    assert!(count("select count(*) from perigee.edges_open").await > 10_000);
    let diamond = uuid::Uuid::from(estate.diamond());
    let levels: i64 = sqlx::query_scalar(
        "select count(*) from perigee.edges_open e join perigee.resources r on r.id = e.to_id
         where e.from_id = $1 and r.named_at = (select named_at from perigee.resources where id = $1)",
    )
    .bind(diamond)
    .fetch_one(&catalog.pool)
    .await
    .unwrap();
    assert_eq!(levels.unsigned_abs(), estate.width());
    let found = catalog.estate().await.unwrap().unwrap();
    assert_eq!((found.resources, found.seed, found.now), (estate.resources, estate.seed, estate.now));
}

#[tokio::test]
async fn paths_are_waited_for_no_longer_than_said() {
    let (_db, catalog) = catalog().await;
    let estate = Estate { resources: 3_000, seed: 7, now: now() };
    catalog.build_estate(&estate, &|_, _| {}).await.unwrap();
    let patience = std::time::Duration::from_secs(60);
    assert!(catalog.enumerate_paths(estate.diamond(), 2, patience).await.unwrap().ended);
    let moment = std::time::Duration::from_millis(1);
    assert!(!catalog.enumerate_paths(estate.diamond(), 9, moment).await.unwrap().ended);
    let disk = catalog.disk(0.5).await.unwrap();
    assert_eq!(disk.resources, 3_000);
    assert!(disk.naive > disk.versions / 2 && disk.all > disk.versions, "{disk:?}");
}
