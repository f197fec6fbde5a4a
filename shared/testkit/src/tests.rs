//! The kit on itself.

use model::Timestamp;
use ports::{Clock, ObjectError, ObjectLocation, Objects};
use sqlx::{Connection, PgConnection};

use crate::{Failure, FakeClock, FakeObjects, TestDb, database::is_left_over};

async fn filled() -> TestDb {
    // The name says what is in it: another content needs another name.
    TestDb::from_template("testkit_one_row", async |url| {
        let mut db = PgConnection::connect(&url).await?;
        sqlx::query("create table fact (number int not null)").execute(&mut db).await?;
        sqlx::query("insert into fact values (1)").execute(&mut db).await
    })
    .await
}

async fn rows(db: &TestDb) -> i64 {
    let mut connection = PgConnection::connect(db.url()).await.unwrap();
    sqlx::query_scalar("select count(*) from fact").fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn each_test_has_its_own_copy_of_the_template() {
    let (one, other) = (filled().await, filled().await);
    let mut connection = PgConnection::connect(one.url()).await.unwrap();
    sqlx::query("insert into fact values (2)").execute(&mut connection).await.unwrap();
    assert_eq!((rows(&one).await, rows(&other).await), (2, 1));
}

#[tokio::test]
async fn a_database_goes_with_its_value_even_while_connected() {
    let db = TestDb::empty().await;
    let url = db.url().to_owned();
    let _open = PgConnection::connect(&url).await.unwrap();
    drop(db);
    let gone = PgConnection::connect(&url).await.unwrap_err();
    assert!(gone.to_string().contains("does not exist"), "{gone}");
}

#[test]
fn databases_of_dead_processes_are_left_over_and_those_of_failed_tests_are_kept() {
    let now = crate::database::unique("t");
    assert!(!is_left_over(&now, false));
    assert!(is_left_over("t_2000000000_1700000000_0", false));
    assert!(!is_left_over(&now.replacen(&std::process::id().to_string(), "2000000000", 1), true));
    assert!(!is_left_over("t_somebody_elses", false));
}

#[test]
fn the_clock_moves_only_when_told() {
    let clock = FakeClock::at("2024-05-01T12:00:00Z");
    clock.advance(chrono::TimeDelta::minutes(5));
    assert_eq!(clock.now(), "2024-05-01T12:05:00Z".parse::<Timestamp>().unwrap());
}

#[tokio::test]
async fn objects_are_found_refused_or_busy_as_told() {
    let objects = FakeObjects::new();
    let at = |key: &str| ObjectLocation { bucket: "b".to_owned(), key: key.to_owned(), region: None };
    objects.put("b", "small", "1234");
    assert_eq!(objects.get(&at("small"), 4).await.unwrap(), b"1234");
    assert!(matches!(objects.get(&at("small"), 3).await, Err(ObjectError::TooLarge { .. })));
    assert!(matches!(objects.get(&at("none"), 3).await, Err(ObjectError::Missing(_))));
    objects.fail("b", "small", Failure::Busy(1));
    assert!(matches!(objects.get(&at("small"), 4).await, Err(ObjectError::Unavailable { .. })));
    assert!(objects.get(&at("small"), 4).await.is_ok());
    objects.fail("b", "small", Failure::Denied);
    assert!(matches!(objects.get(&at("small"), 4).await, Err(ObjectError::Denied(_))));
    assert_eq!(objects.reads(), 6);
}
