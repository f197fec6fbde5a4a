//! Against moto, which implements S3's side.

use testkit::Moto;

use super::*;

#[tokio::test]
async fn what_moto_serves_is_read() {
    let Some(moto) = Moto::start() else { return };
    moto.put("logs", "AWSLogs/a%20b%2Bc/%C3%A9.json", r#"{"Records":[]}"#);
    let objects = objects(&moto.endpoint(), &NoSleep::default());
    let location =
        |key: &str| ObjectLocation { bucket: "logs".to_owned(), key: key.to_owned(), region: None };

    let found = objects.get(&location("AWSLogs/a b+c/\u{e9}.json"), 100).await.unwrap();
    assert_eq!(String::from_utf8(found).unwrap(), r#"{"Records":[]}"#);
    let missing = objects.get(&location("AWSLogs/none"), 100).await.unwrap_err();
    assert!(matches!(missing, ObjectError::Missing(_)), "{missing:?}");
    let large = objects.get(&location("AWSLogs/a b+c/\u{e9}.json"), 5).await.unwrap_err();
    assert!(matches!(large, ObjectError::TooLarge { limit: 5, .. }), "{large:?}");
    let no_bucket = ObjectLocation { bucket: "nothing".to_owned(), ..location("a") };
    assert!(matches!(objects.get(&no_bucket, 100).await, Err(ObjectError::Missing(_))));
}
