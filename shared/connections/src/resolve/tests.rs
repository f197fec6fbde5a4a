use async_trait::async_trait;
use manifest::Connection;
use model::SecretRef;
use ports::{Secret, SecretError, Secrets};
use serde_json::json;

use crate::{Error, join, resolve};

#[derive(Debug)]
struct Echo;

/// Answers `env: X` with `secret-X`, and knows no variable called `NONE`.
#[async_trait]
impl Secrets for Echo {
    async fn read(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        match reference {
            SecretRef::Env(name) if name == "URL" => {
                Ok(Secret::new("https://example.com/hook?t=1".to_owned()))
            }
            SecretRef::Env(name) if name == "CRLF" => Ok(Secret::new("a\r\nx-evil: 1".to_owned())),
            SecretRef::Env(name) if name != "NONE" => Ok(Secret::new(format!("secret-{name}"))),
            _ => Err(SecretError::Missing(reference.clone())),
        }
    }
}

fn connection(spec: serde_json::Value) -> Connection {
    serde_json::from_value(spec).unwrap()
}

#[test]
fn what_is_put_behind_an_address_stays_on_its_host() {
    for (base, rest, whole) in [
        ("https://example.com", "", "https://example.com/"),
        ("https://example.com/v1", "users", "https://example.com/v1/users"),
        ("https://example.com/v1/", "/users?a=1", "https://example.com/v1/users?a=1"),
        ("https://example.com/v1?key=k", "/users?a=1#top", "https://example.com/v1/users?key=k&a=1"),
        ("https://example.com", "@192.0.2.1/", "https://example.com/@192.0.2.1/"),
        ("https://example.com", ":8080/", "https://example.com/:8080/"),
        ("https://example.com", ".evil.example/", "https://example.com/.evil.example/"),
        ("https://example.com/v1", "?to=http://b", "https://example.com/v1?to=http://b"),
        ("http://example.com:81", "a b", "http://example.com:81/a%20b"),
    ] {
        assert_eq!(join(base, rest).unwrap(), whole, "{base} {rest}");
    }
}

#[test]
fn what_would_lead_elsewhere_is_refused() {
    for rest in [
        "//evil.example/",
        "https://evil.example/",
        "../admin",
        "/a/../../b",
        "/%2e%2E/b",
        "a/./b",
        "\\\\evil.example",
        "/a\r\nHost: b",
        "/a\tb",
    ] {
        assert!(matches!(join("https://example.com/v1", rest), Err(Error::Path(_))), "{rest}");
    }
    for base in
        ["ftp://example.com", "https://user:pass@example.com", "https://user@example.com", "example.com", ""]
    {
        let error = join(base, "").unwrap_err().to_string();
        assert!(!error.contains("user:") && !error.contains("pass@"), "{error}");
    }
}

#[tokio::test]
async fn an_http_connection_has_its_headers_and_credentials() {
    let connection = connection(json!({ "http": {
        "url": "https://api.example.com/v1",
        "headers": { "X-Team": "core", "X-Key": { "env": "KEY" } },
        "basic": { "username": "perigee", "password": { "env": "PASS" } },
    } }));
    let resolved = resolve(&connection, &Echo).await.unwrap();
    let request = resolved.request("GET", "/things").unwrap();
    assert_eq!(request.url, "https://api.example.com/v1/things");
    let header = |name: &str| request.headers.iter().find(|(own, _)| own == name).unwrap().1.clone();
    assert_eq!(header("X-Team"), "core");
    assert_eq!(header("X-Key"), "secret-KEY");
    assert_eq!(header("authorization"), "Basic cGVyaWdlZTpzZWNyZXQtUEFTUw==");
    let shown = resolved.redactor.redact("secret-KEY Basic cGVyaWdlZTpzZWNyZXQtUEFTUw== secret-PASS");
    assert_eq!(shown, "*** Basic *** ***");
    assert!(!format!("{resolved:?} {request:?}").contains("secret-"));
}

#[tokio::test]
async fn a_connection_that_cannot_be_used_says_why_without_a_value() {
    let with = |header: serde_json::Value| {
        connection(json!({ "http": { "url": "https://example.com", "headers": { "X-A": header } } }))
    };
    let missing = resolve(&with(json!({ "env": "NONE" })), &Echo).await.unwrap_err();
    assert!(matches!(&missing, Error::Secret { field, .. } if field == "header `X-A`"), "{missing}");
    let split = resolve(&with(json!({ "env": "CRLF" })), &Echo).await.unwrap_err();
    assert!(matches!(split, Error::Header(_)) && !split.to_string().contains("evil"), "{split}");
    let aws = resolve(&connection(json!({ "aws": {} })), &Echo).await.unwrap_err();
    assert!(matches!(aws, Error::NotHttp));
    let slack =
        resolve(&connection(json!({ "slack": { "url": { "env": "KEY" } } })), &Echo).await.unwrap_err();
    assert!(matches!(slack, Error::Address(_)) && !slack.to_string().contains("secret-KEY"));
}

#[tokio::test]
async fn a_webhook_has_its_signing_key() {
    let webhook = connection(json!({ "webhook": { "url": { "env": "URL" }, "secret": { "env": "KEY" } } }));
    let resolved = resolve(&webhook, &Echo).await.unwrap();
    assert_eq!(resolved.base_url, "https://example.com/hook?t=1");
    assert_eq!(resolved.signing_key.unwrap().expose(), "secret-KEY");
}
