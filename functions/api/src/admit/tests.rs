use axum::http::Request;

use super::admit;
use crate::{Config, problem::Kind};

/// What becomes of a request: `None` when it is admitted.
fn judge(config: &Config, method: &str, path: &str, headers: &[(&str, &str)]) -> Option<Kind> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(()).unwrap();
    admit(config, request.method(), request.uri(), request.headers()).err().map(|problem| problem.kind)
}

fn local() -> Config {
    Config { local: true, ..Config::default() }
}

fn guarded() -> Config {
    Config { token: Some("s3cret".to_owned()), ..Config::default() }
}

#[test]
fn a_local_server_answers_under_loopback_names_only() {
    for host in ["127.0.0.1", "127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "[::1]"] {
        assert_eq!(judge(&local(), "GET", "/", &[("host", host)]), None, "{host}");
    }
    for host in
        ["attacker.example", "attacker.example:8080", "127.0.0.1.attacker.example", "127.0.0.1:8080@x", ""]
    {
        assert_eq!(judge(&local(), "GET", "/", &[("host", host)]), Some(Kind::ForeignHost), "{host}");
    }
    assert_eq!(judge(&local(), "GET", "/healthz", &[]), Some(Kind::ForeignHost));
    assert_eq!(judge(&Config::default(), "GET", "/", &[("host", "perigee.example")]), None);
}

#[test]
fn a_write_from_another_site_is_refused() {
    let host = ("host", "127.0.0.1:8080");
    let post =
        |headers: &[(&str, &str)]| judge(&local(), "POST", "/api/v1/events", &[&[host], headers].concat());
    assert_eq!(post(&[]), None);
    assert_eq!(post(&[("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "same-origin")]), None);
    assert_eq!(post(&[("sec-fetch-site", "none")]), None);
    for foreign in [
        ("origin", "http://attacker.example"),
        ("origin", "http://127.0.0.1:9090"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        assert_eq!(post(&[foreign]), Some(Kind::ForeignOrigin), "{foreign:?}");
        assert_eq!(judge(&local(), "GET", "/", &[host, foreign]), None, "{foreign:?}");
    }
    let with_token = [("host", "perigee.example"), ("origin", "http://attacker.example")];
    assert_eq!(judge(&guarded(), "POST", "/api/v1/reset", &with_token), Some(Kind::ForeignOrigin));
}

#[test]
fn a_token_is_needed_for_all_but_health() {
    let get =
        |path: &str, authorization: &str| judge(&guarded(), "GET", path, &[("authorization", authorization)]);
    assert_eq!(get("/api/v1/resources", "Bearer s3cret"), None);
    assert_eq!(get("/", "bearer s3cret"), None);
    assert_eq!(get("/", "Basic YW55b25lOnMzY3JldA=="), None);
    for wrong in [
        "",
        "s3cret",
        "Bearer",
        "Bearer ",
        "Bearer S3cret",
        "Bearer s3cret2",
        "Basic s3cret",
        "Basic czNjcmV0",
    ] {
        assert_eq!(get("/", wrong), Some(Kind::Unauthorized), "{wrong}");
        assert_eq!(get("/healthz", wrong), None, "{wrong}");
    }
    assert_eq!(judge(&guarded(), "GET", "/api/v1/resources", &[]), Some(Kind::Unauthorized));
}

#[test]
fn headers_are_bounded() {
    let long = "a".repeat(40_000);
    assert_eq!(judge(&Config::default(), "GET", "/", &[("x-long", &long)]), Some(Kind::HeadersTooLarge));
}
