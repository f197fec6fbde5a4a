use std::time::Duration;

use super::*;

fn at(bucket: &str, key: &str) -> ObjectLocation {
    ObjectLocation { bucket: bucket.to_owned(), key: key.to_owned(), region: None }
}

#[test]
fn a_bucket_is_a_host_unless_its_name_has_dots() {
    assert_eq!(
        url(&at("logs", "a/b.gz"), "eu-west-1", None),
        "https://logs.s3.eu-west-1.amazonaws.com/a/b.gz"
    );
    assert_eq!(url(&at("my.logs", "a"), "eu-west-1", None), "https://s3.eu-west-1.amazonaws.com/my.logs/a");
    assert_eq!(url(&at("logs", "a"), "cn-north-1", None), "https://logs.s3.cn-north-1.amazonaws.com.cn/a");
}

#[test]
fn an_endpoint_of_ones_own_is_addressed_by_path() {
    let url = url(&at("logs", "a b"), "eu-west-1", Some("http://127.0.0.1:5000/"));
    assert_eq!(url, "http://127.0.0.1:5000/logs/a%20b");
}

#[test]
fn a_key_is_encoded_once_and_its_slashes_stay() {
    let key = "AWSLogs/1/x+y z/\u{e9}%2F/../a:b~c_d-e.json";
    let url = url(&at("logs", key), "eu-west-1", None);
    assert_eq!(
        url,
        "https://logs.s3.eu-west-1.amazonaws.com/AWSLogs/1/x%2By%20z/%C3%A9%252F/../a%3Ab~c_d-e.json"
    );
}

#[test]
fn a_request_is_signed_for_its_region_and_with_the_session() {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("session".to_owned()), None, "test");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600);
    let url = "https://examplebucket.s3.us-east-1.amazonaws.com/test.txt";
    let request = signed_get(url, "us-east-1", &credentials, now).unwrap();
    assert_eq!(request.headers().get("x-amz-date"), Some("20130524T000000Z"));
    assert_eq!(
        request.headers().get("x-amz-content-sha256"),
        Some("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    );
    assert_eq!(request.headers().get("x-amz-security-token"), Some("session"));
    let authorization = request.headers().get("authorization").unwrap();
    let expected = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20130524/us-east-1/s3/aws4_request, \
                    SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=";
    assert!(authorization.starts_with(expected), "{authorization}");
}
