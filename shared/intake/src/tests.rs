//! On a real database, with events in AWS's shapes.

use std::fmt::Write as _;

use catalog::ConnectOptions;
use model::ContentHash;
use ports::NoObjects;
use serde_json::json;
use testkit::{Failure, FakeClock, FakeObjects, TestDb, template_name};

use super::*;

const NOW: &str = "2026-03-03T12:00:00Z";

/// A migrated, empty catalog.
async fn catalog() -> (TestDb, Catalog) {
    let options = |url: &str| ConnectOptions { url: url.to_owned(), max_connections: 2, pooler: false };
    let template = template_name("catalog", &catalog::migrator());
    let db = TestDb::from_template(&template, async |url| {
        Catalog::connect(&options(&url))?.migrate(NOW.parse().unwrap()).await
    })
    .await;
    let catalog = Catalog::connect(&options(db.url())).unwrap();
    (db, catalog)
}

fn intake(catalog: &Catalog, objects: impl Objects + 'static) -> Intake {
    Intake {
        catalog: catalog.clone(),
        objects: Arc::new(objects),
        clock: Arc::new(FakeClock::at(NOW)),
        accounts: None,
    }
}

/// A CloudTrail record of a bucket that was made.
fn record(bucket: &str) -> Value {
    record_in("111122223333", bucket)
}

fn record_in(account: &str, bucket: &str) -> Value {
    json!({
        "eventVersion": "1.09", "eventID": format!("id-of-{bucket}"), "eventTime": "2026-03-03T09:00:00Z",
        "eventSource": "s3.amazonaws.com", "eventName": "CreateBucket", "eventType": "AwsApiCall",
        "awsRegion": "eu-west-1", "recipientAccountId": account, "sourceIPAddress": "192.0.2.10",
        "userAgent": "aws-cli/2.15.0", "readOnly": false, "managementEvent": true,
        "userIdentity": {"type": "IAMUser", "accountId": account, "userName": "ada",
            "arn": format!("arn:aws:iam::{account}:user/ada"), "principalId": "AIDAEXAMPLE"},
        "requestParameters": {"bucketName": bucket}, "responseElements": null,
    })
}

/// An S3 notification that a log file was written.
fn notification(key: &str) -> Value {
    json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1",
        "eventTime": "2026-03-03T10:00:00.000Z", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "trail", "arn": "arn:aws:s3:::trail"}, "object": {"key": key, "size": 1}}}]})
}

fn lines(payloads: &[Value]) -> Vec<u8> {
    payloads.iter().map(Value::to_string).collect::<Vec<_>>().join("\n").into_bytes()
}

/// A report's counts, and the reasons of its rejections with their index and place.
fn told(report: &Report) -> String {
    let Report { total, accepted, duplicate, ignored, rejected, pieces, rejections } = report;
    assert_eq!(accepted + duplicate + ignored + rejected, *total);
    assert_eq!(rejections.len() as u64, *rejected);
    let mut text = format!("{total} of {pieces}: {accepted} new, {duplicate} known, {ignored} ignored");
    for RejectedItem { index, place, reason, .. } in rejections {
        write!(text, "; {index} {reason} ({place})").unwrap();
    }
    text
}

#[tokio::test]
async fn every_item_is_counted_once_and_the_broken_harms_no_neighbour() {
    let (_db, catalog) = catalog().await;
    let intake = intake(&catalog, NoObjects);
    let mut input = lines(&[record("one"), record("two"), record("one"), json!({"some": "thing"})]);
    input.extend(b"\n{\"eventVersion\": \n");
    input.extend(lines(&[record("three")]));

    let report = intake.take("a file", &input).await.unwrap();
    assert_eq!(
        told(&report),
        "6 of 6: 3 new, 1 known, 0 ignored; 3 unknown_shape (line 4); 4 malformed_json (line 5)"
    );
    let again = intake.take("a file", &input).await.unwrap();
    assert_eq!(
        told(&again),
        "6 of 6: 0 new, 4 known, 0 ignored; 3 unknown_shape (line 4); 4 malformed_json (line 5)"
    );

    let kept = catalog.rejected(100, None).await.unwrap().items;
    assert_eq!(kept.len(), 2, "what is refused again is kept once");
    assert!(kept.iter().all(|item| item.origin == "a file" && !item.message.is_empty() && item.size > 0));
    let hash = ContentHash::of_bytes(b"{\"some\":\"thing\"}").to_string();
    assert!(kept.iter().any(|item| item.hash == hash && item.reason == "unknown_shape"), "{kept:?}");
}

#[tokio::test]
async fn a_body_that_lies_elsewhere_counts_as_its_items() {
    let (_db, catalog) = catalog().await;
    let objects = FakeObjects::new();
    let log = json!({"Records": [record("one"), record("two"), {"no": "record"}]});
    objects.put("trail", "AWSLogs/a b.json", log.to_string());
    let intake = intake(&catalog, objects);

    let input = lines(&[record("two"), notification("AWSLogs/a+b.json"), json!({"some": "thing"})]);
    let report = intake.take("a file", &input).await.unwrap();
    assert_eq!(
        told(&report),
        "5 of 3: 2 new, 1 known, 0 ignored; 1 unknown_shape (line 2, Records[0], s3://trail/AWSLogs/a b.json, Records[2]); \
         2 unknown_shape (line 3)"
    );
}

#[tokio::test]
async fn a_body_that_cannot_be_had_is_one_rejected_item_with_a_way_out() {
    let (_db, catalog) = catalog().await;
    let objects = FakeObjects::new();
    objects.fail("trail", "denied", Failure::Denied);
    objects.put("trail", "onward", notification("again").to_string());
    let input =
        lines(&[notification("missing"), notification("denied"), notification("onward"), record("one")]);
    let report = intake(&catalog, objects).take("a file", &input).await.unwrap();
    assert_eq!(
        told(&report),
        "4 of 4: 1 new, 0 known, 0 ignored; 0 no_body (line 1, Records[0]); 1 no_body (line 2, Records[0]); \
         2 no_body (line 3, Records[0], s3://trail/onward, Records[0])"
    );
    assert!(report.rejections[1].message.contains("s3:GetObject"), "{}", report.rejections[1].message);

    let without = intake(&catalog, NoObjects).take("a file", &lines(&[notification("log")])).await.unwrap();
    assert!(without.rejections[0].message.contains("start with --aws"), "{}", without.rejections[0].message);
}

#[tokio::test]
async fn a_body_that_is_away_for_now_sends_only_its_own_input_again() {
    let (_db, catalog) = catalog().await;
    let objects = FakeObjects::new();
    objects.put("trail", "log", record("in-log").to_string());
    objects.fail("trail", "log", Failure::Busy(1));
    let intake = intake(&catalog, objects);
    let input =
        |origin: &str, payloads: &[Value]| Input { origin: origin.to_owned(), bytes: lines(payloads) };
    let inputs = vec![
        input("first", &[record("one")]),
        input("second", &[record("two"), notification("log")]),
        input("third", &[record("three")]),
    ];

    let taken = intake.take_each(inputs.clone()).await;
    assert_eq!(told(taken[0].as_ref().unwrap()), "1 of 1: 1 new, 0 known, 0 ignored");
    let error = taken[1].as_ref().unwrap_err();
    assert_eq!(error.to_string(), "cannot read the body that second, line 2, Records[0] points at");
    assert_eq!(told(taken[2].as_ref().unwrap()), "1 of 1: 1 new, 0 known, 0 ignored");

    let again = intake.take_each(inputs).await;
    let again: Vec<String> = again.iter().map(|taken| told(taken.as_ref().unwrap())).collect();
    assert_eq!(
        again,
        [
            "1 of 1: 0 new, 1 known, 0 ignored",
            "2 of 2: 1 new, 1 known, 0 ignored",
            "1 of 1: 0 new, 1 known, 0 ignored"
        ]
    );
}

#[tokio::test]
async fn an_observation_that_the_database_refuses_stands_alone() {
    let (db, catalog) = catalog().await;
    db.execute("alter table perigee.resources add constraint refused check (native_id <> 'b4')").await;
    let intake = intake(&catalog, NoObjects);
    let payloads: Vec<Value> = (0..7).map(|n| record(&format!("b{n}"))).collect();
    let report = intake.take_payloads("a test", &payloads).await.unwrap();
    assert_eq!(told(&report), "7 of 7: 6 new, 0 known, 0 ignored; 4 not_storable (line 5)");
    assert_eq!(catalog.rejected(10, None).await.unwrap().items[0].reason, "not_storable");
}

#[tokio::test]
async fn a_database_that_is_away_loses_nothing_and_rejects_nothing() {
    let options =
        ConnectOptions { url: "postgres://127.0.0.1:9/none".to_owned(), max_connections: 1, pooler: false };
    let intake = intake(&Catalog::connect(&options).unwrap(), NoObjects);
    let inputs = ["one", "two"]
        .map(|name| Input { origin: name.to_owned(), bytes: lines(&[record(name), json!({})]) });
    for (taken, name) in intake.take_each(inputs.to_vec()).await.iter().zip(["one", "two"]) {
        let error = taken.as_ref().unwrap_err();
        assert_eq!(error.to_string(), format!("cannot record the items of {name}"));
        assert!(matches!(error, Error::Record { source, .. } if source.is_transient()), "{error:?}");
    }
}

#[tokio::test]
async fn an_input_of_many_batches_is_taken_whole() {
    let (_db, catalog) = catalog().await;
    let payloads: Vec<Value> = (0..1203).map(|n| record(&format!("bucket-{n}"))).collect();
    let report = intake(&catalog, NoObjects).take("a file", &lines(&payloads)).await.unwrap();
    assert_eq!(told(&report), "1203 of 1203: 1203 new, 0 known, 0 ignored");
}

#[tokio::test]
async fn what_happened_in_a_foreign_account_is_refused_where_accounts_are_named() {
    let (_db, catalog) = catalog().await;
    let ours = BTreeSet::from(["111122223333".to_owned()]);
    let intake = Intake { accounts: Some(ours), ..intake(&catalog, NoObjects) };
    let report =
        intake.take_payloads("a test", &[record("one"), record_in("444455556666", "two")]).await.unwrap();
    assert_eq!(told(&report), "2 of 2: 1 new, 0 known, 0 ignored; 1 foreign_account (line 2)");
    assert!(report.rejections[0].message.contains("PERIGEE_ACCOUNTS"), "{}", report.rejections[0].message);
}

#[test]
fn reports_of_parts_add_up_to_the_report_of_the_whole() {
    let item = |index| RejectedItem {
        index,
        place: String::new(),
        reason: "no_time".to_owned(),
        message: String::new(),
    };
    let mut whole = Report {
        total: 5,
        accepted: 4,
        rejected: 1,
        pieces: 3,
        rejections: vec![item(2)],
        ..Report::default()
    };
    whole.add(Report {
        total: 2,
        ignored: 1,
        rejected: 1,
        pieces: 2,
        rejections: vec![item(0)],
        ..Report::default()
    });
    assert_eq!((whole.total, whole.accepted, whole.ignored, whole.rejected, whole.pieces), (7, 4, 1, 2, 5));
    assert_eq!(whole.rejections, [item(2), item(3)]);
}
