//! Against a scripted server for what S3 may do, and against moto for what S3 does.

mod moto;
mod script;

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use aws_config::Region;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::Sleep;
use ports::Objects as _;

use super::*;
use script::{Script, answer};

/// Sleeps at once, and counts how often.
#[derive(Debug, Clone, Default)]
struct NoSleep(Arc<AtomicU32>);

impl AsyncSleep for NoSleep {
    fn sleep(&self, _duration: Duration) -> Sleep {
        self.0.fetch_add(1, Ordering::Relaxed);
        Sleep::new(std::future::ready(()))
    }
}

fn objects(endpoint: &str, sleep: &NoSleep) -> Objects {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let config = SdkConfig::builder()
        .endpoint_url(endpoint)
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .sleep_impl(sleep.clone())
        .build();
    Objects::new(&config)
}

fn log_file() -> ObjectLocation {
    ObjectLocation { bucket: "logs".to_owned(), key: "a b/c.json".to_owned(), region: None }
}

async fn get(script: &Script, limit: usize) -> Result<Vec<u8>, ObjectError> {
    objects(&script.endpoint, &NoSleep::default()).get(&log_file(), limit).await
}

#[tokio::test]
async fn an_object_is_read_with_a_signed_request() {
    let script = Script::play([answer(200, &[], "hello")]);
    assert_eq!(get(&script, 100).await.unwrap(), b"hello");
    let [request] = &script.requests()[..] else { panic!("one request") };
    assert!(request.starts_with("GET /logs/a%20b/c.json HTTP/1.1"), "{request}");
    assert!(request.contains("/eu-west-1/s3/aws4_request"), "{request}");
}

#[tokio::test]
async fn a_larger_object_is_given_up_however_it_is_announced() {
    let announced = Script::play([answer(200, &[], "0123456789")]);
    assert!(matches!(get(&announced, 9).await, Err(ObjectError::TooLarge { limit: 9, .. })));
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n";
    let silent = Script::play([chunked.to_owned()]);
    assert!(matches!(get(&silent, 9).await, Err(ObjectError::TooLarge { limit: 9, .. })));
    let exact = Script::play([chunked.to_owned()]);
    assert_eq!(get(&exact, 10).await.unwrap(), b"0123456789");
}

#[tokio::test]
async fn a_busy_store_is_asked_three_times() {
    let busy = || answer(503, &[], "<Error><Code>SlowDown</Code><Message>slower</Message></Error>");
    let script = Script::play([busy(), busy(), answer(200, &[], "at last")]);
    let sleep = NoSleep::default();
    assert_eq!(objects(&script.endpoint, &sleep).get(&log_file(), 100).await.unwrap(), b"at last");
    assert_eq!(sleep.0.load(Ordering::Relaxed), 2);

    let script = Script::play([busy(), busy(), busy(), answer(200, &[], "too late")]);
    let error = get(&script, 100).await.unwrap_err();
    assert_eq!(chain(&error), "cannot read s3://logs/a b/c.json: S3 answered 503 SlowDown: slower");
    assert_eq!(script.requests().len(), 3);
}

#[tokio::test]
async fn an_object_that_breaks_off_is_asked_again() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\n01234".to_owned();
    let script = Script::play([cut, answer(200, &[], "0123456789")]);
    assert_eq!(get(&script, 100).await.unwrap(), b"0123456789");
}

#[tokio::test]
async fn a_store_that_is_not_there_is_unavailable() {
    let error = objects("http://127.0.0.1:9", &NoSleep::default()).get(&log_file(), 100).await.unwrap_err();
    assert!(matches!(error, ObjectError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_bucket_in_another_region_is_followed_once() {
    let moved = |to| answer(301, &[("x-amz-bucket-region", to)], "");
    let script = Script::play([moved("us-east-2"), answer(200, &[], "found")]);
    assert_eq!(get(&script, 100).await.unwrap(), b"found");
    let requests = script.requests();
    assert!(requests[0].contains("/eu-west-1/s3/") && requests[1].contains("/us-east-2/s3/"), "{requests:?}");

    let script = Script::play([moved("us-east-2"), moved("us-west-1"), answer(200, &[], "never")]);
    let error = get(&script, 100).await.unwrap_err();
    assert!(matches!(error, ObjectError::Unavailable { .. }), "{error:?}");
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn credentials_that_were_refused_are_fetched_again() {
    let expired =
        "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";
    let script = Script::play([answer(400, &[], expired)]);
    let objects = objects(&script.endpoint, &NoSleep::default());
    let error = objects.get(&log_file(), 100).await.unwrap_err();
    let said = "cannot read s3://logs/a b/c.json: the AWS credentials have expired; renew them and try again";
    assert_eq!(chain(&error), said);
    assert!(objects.credentials.is_empty().await);
}

#[tokio::test]
async fn without_credentials_nothing_is_asked() {
    let script = Script::play([]);
    let config = SdkConfig::builder().endpoint_url(&script.endpoint).region(Region::new("eu-west-1")).build();
    let error = Objects::new(&config).get(&log_file(), 100).await.unwrap_err();
    assert!(matches!(error, ObjectError::NotConfigured(_)), "{error:?}");
}
