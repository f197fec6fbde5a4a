//! What is refused, and how that is said.

use axum::http::StatusCode;
use expect_test::{Expect, expect};
use futures_util::future::join_all;
use serde_json::json;

use super::{Answer, NOW, Server, at, serve};
use crate::Config;

/// The status and the detail of a problem, once its shape is seen to be right.
fn told(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.text);
    let problem = answer.json();
    assert_eq!(problem["status"], answer.status.as_u16());
    assert!(problem["title"].is_string());
    let kind = problem["type"].as_str().unwrap().strip_prefix("urn:perigee:problem:").unwrap();
    format!("{} {kind}: {}", answer.status.as_u16(), problem["detail"].as_str().unwrap())
}

async fn check(server: &Server, path: &str, expected: Expect) {
    expected.assert_eq(&told(&server.get(path).await));
}

#[tokio::test]
async fn parameters_that_cannot_be_read_are_named() {
    let server = Server::sample().await;
    check(&server, "/api/v1/resources?colour=red", expect!["400 bad-parameter: colour: unknown parameter `colour`, expected one of `q`, `include_deleted`, `include`, `at`, `recorded_at`, `limit`, `cursor`"]).await;
    check(
        &server,
        "/api/v1/resources?limit=0",
        expect!["400 bad-parameter: limit: 0 is not between 1 and 1000"],
    )
    .await;
    check(
        &server,
        "/api/v1/resources?limit=1001",
        expect!["400 bad-parameter: limit: 1001 is not between 1 and 1000"],
    )
    .await;
    check(
        &server,
        "/api/v1/resources?limit=many",
        expect!["400 bad-parameter: limit: invalid digit found in string"],
    )
    .await;
    check(
        &server,
        "/api/v1/resources?limit=1&limit=2",
        expect!["400 bad-parameter: duplicate field `limit`"],
    )
    .await;
    check(
        &server,
        "/api/v1/resources?include_deleted=yes",
        expect!["400 bad-parameter: include_deleted: provided string was not `true` or `false`"],
    )
    .await;
    check(
        &server,
        "/api/v1/resources?cursor=nonsense",
        expect!["400 bad-cursor: the cursor is not one that this list handed out; start again without it"],
    )
    .await;
    check(
        &server,
        "/api/v1/resources?q=type%20%3D%20x",
        expect![
            "400 bad-selector: column 6: `=` needs a field right before it, without a space: `field=value`"
        ],
    )
    .await;
    check(&server, "/api/v1/resources?q=colour%3Dred", expect!["400 bad-selector: column 1: there is no field `colour`; the fields are id, type, account, region, name, native_id, provider, evidence, since, deleted_at, changed, tags, labels, config, properties, health, status, ready"]).await;
    check(&server, "/api/v1/changes?since=yesterday", expect!["400 bad-parameter: since: `yesterday` is no time; write it like 2026-03-03T02:13:00Z, 2026-03-03, or, before now, 90m, 24h, 7d"]).await;
    check(&server, "/api/v1/changes?resource=nobody", expect!["404 not-found: No resource is called `nobody`. Give its id, its ARN or another alias, `type/native id` or `type/name`, percent-encoded; GET /api/v1/resources?q=... searches."]).await;
    check(
        &server,
        "/api/v1/counts?limit=5",
        expect!["400 bad-parameter: limit: unknown parameter `limit`, expected `at`"],
    )
    .await;
    check(&server, "/api/v1/resources/nobody", expect!["404 not-found: No resource is called `nobody`. Give its id, its ARN or another alias, `type/native id` or `type/name`, percent-encoded; GET /api/v1/resources?q=... searches."]).await;
    check(&server, "/api/v1/resources/nobody/history", expect!["404 not-found: No resource is called `nobody`. Give its id, its ARN or another alias, `type/native id` or `type/name`, percent-encoded; GET /api/v1/resources?q=... searches."]).await;
    check(
        &server,
        "/api/v1/resources/%FF",
        expect!["400 bad-parameter: Invalid URL: Invalid UTF-8 in `reference`"],
    )
    .await;
    check(&server, "/api/v1/nothing", expect!["404 not-found: Nothing is served at /api/v1/nothing. The routes are listed in /api/v1/openapi.json."]).await;
}

#[tokio::test]
async fn a_walk_without_bounds_or_into_the_future_is_refused() {
    let server = Server::sample().await;
    let group = format!("/api/v1/resources/{}", super::ARN.replace('/', "%2F"));
    for (path, expected) in [
        ("/graph?depth=1000000000", "400 bad-parameter: depth: 1000000000 is not between 1 and 10"),
        ("/graph?max_nodes=0", "400 bad-parameter: max_nodes: 0 is not between 1 and 5000"),
        (
            "/graph?kinds=",
            "400 bad-parameter: kinds: give 1 to 100 kinds of relations with commas between, none of them empty",
        ),
        (
            "/graph?at=2030-01-01",
            "400 bad-parameter: at: `2030-01-01` is in the future, of which nothing is known; it is 2026-03-03T12:00:00Z",
        ),
        (
            "/impact?recorded_at=2030-01-01",
            "400 bad-parameter: recorded_at: `2030-01-01` is in the future, of which nothing is known; it is 2026-03-03T12:00:00Z",
        ),
        (
            "/edges?cursor=00",
            "400 bad-cursor: the cursor is not one that this list handed out; start again without it",
        ),
    ] {
        assert_eq!(told(&server.get(&format!("{group}{path}")).await), expected, "{path}");
    }
    let deep = server.get("/api/v1/changes?of=type%3Dx&depth=1000000000").await;
    assert_eq!(told(&deep), "400 bad-parameter: depth: 1000000000 is not between 0 and 10");
    let both = server.get("/api/v1/changes?of=type%3Dx&resource=y").await;
    assert_eq!(told(&both), "400 bad-parameter: of: give either `resource` or `of`, not both");
    let wrong = server.get("/api/v1/changes?of=colour%3Dred").await;
    assert_eq!(wrong.json()["column"], 1);
    // Kinds that nothing is called, and instants before the beginning, are empty answers.
    let unknown = server.get(&format!("{group}/graph?kinds=is+dreamt+of")).await.json();
    assert_eq!(unknown["nodes"].as_array().unwrap().len(), 1);
    let before = server.get(&format!("{group}/graph?at=1999-01-01")).await.json();
    assert_eq!((&before["nodes"], &before["truncated"]), (&json!([]), &json!(false)));
    assert_eq!(server.get(&format!("{group}/edges?at=1999-01-01")).await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_graph_is_walked_to_its_ends_from_one_and_from_many() {
    let server = Server::sample().await;
    let group = format!("/api/v1/resources/{}", super::ARN.replace('/', "%2F"));
    let around = server.get(&format!("{group}/graph?direction=out&depth=1")).await.json();
    let far = around["edges"][0]["to_id"].as_str().unwrap().to_owned();
    let paths = server.get(&format!("{group}/paths?to={far}")).await.json();
    assert_eq!(paths["paths"][0]["nodes"].as_array().unwrap().len(), 2, "{paths}");
    assert_eq!(paths["paths"][0]["edges"][0]["to_id"], far.as_str());
    let impact = server.get(&format!("/api/v1/resources/{far}/impact")).await.json();
    assert!(impact["nodes"].as_array().unwrap().len() > 1, "{impact}");
    let parents = server.get(&format!("{group}/parents")).await.json();
    assert_eq!(parents["account"], "111122223333");
    let set = server.get("/api/v1/graph?q=type%3DAWS%3A%3AEC2%3A%3ASecurityGroup&depth=1").await.json();
    assert_eq!(set["nodes"][0]["distance"], 0);
    let groups = server.get("/api/v1/changes?group=true&of=type%3DAWS%3A%3A*&depth=1").await.json();
    assert_eq!(groups["items"][0]["count"], 1, "{groups}");
    let single = server.get("/api/v1/changes?of=type%3DAWS%3A%3A*&depth=1").await.json();
    assert_eq!(single["items"][0]["id"], groups["items"][0]["last_id"]);
}

#[tokio::test]
async fn a_wrong_selector_has_its_column_beside_the_text() {
    let server = Server::sample().await;
    let problem = server.get("/api/v1/resources?q=web%20type%3D").await.json();
    assert_eq!(problem["column"], 10);
    let page = server.get("/resources?q=web%20type%3D").await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.text.contains("column 10") && page.text.contains("aria-invalid"), "{}", page.text);
    let page = server.get("/changes?since=yesterday").await;
    assert!(page.status == StatusCode::BAD_REQUEST && page.text.contains("is no time"), "{}", page.text);
}

#[tokio::test]
async fn bodies_are_bounded_and_must_say_something() {
    let server = Server::empty().await;
    let large = server.post("/api/v1/events", vec![b' '; 4 * 1024 * 1024 + 1]).await;
    expect!["413 too-large: At most 4 MB are taken at once. Send fewer lines a request (`perigee ingest` splits by itself); a single larger event comes through S3."].assert_eq(&told(&large));
    let empty = server.post("/api/v1/events", " \n").await;
    expect!["400 bad-body: The body is empty; send one JSON document, or one a line."]
        .assert_eq(&told(&empty));
    let nameless = server.post("/api/v1/events?origin=", "{}").await;
    expect!["400 bad-parameter: origin: give 1 to 500 characters, none of them a control character, or leave it out"].assert_eq(&told(&nameless));
}

#[tokio::test]
async fn a_reset_wants_the_word_and_a_local_server() {
    let server = Server::sample().await;
    let wrong = server.post("/api/v1/reset", r#"{"confirm": "yes"}"#).await;
    expect![[
        r#"400 bad-body: This removes everything that was recorded. To do so, send {"confirm": "reset"}."#
    ]]
    .assert_eq(&told(&wrong));
    assert_eq!(server.post("/api/v1/reset", "{}").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(server.post("/api/v1/reset", "[").await.status, StatusCode::BAD_REQUEST);
    let remote = Server { router: serve(&server.catalog, Config::default()), ..server };
    let refused = remote.post("/api/v1/reset", r#"{"confirm": "reset"}"#).await;
    expect!["403 not-here: Only a local server (`perigee up`) can be reset through the API. Elsewhere drop the schema `perigee` and run `perigee migrate`."].assert_eq(&told(&refused));
    assert_ne!(remote.get("/api/v1/counts").await.json()["items"], json!([]));
}

#[tokio::test]
async fn without_its_database_the_server_asks_for_patience_and_tells_no_secret() {
    let server = Server::without_database();
    let paths = [
        "/api/v1/resources",
        "/api/v1/resources/x",
        "/api/v1/changes",
        "/api/v1/digest",
        "/healthz",
        "/",
        "/resources",
        "/resources/x",
        "/changes",
        "/health",
        "/checks",
        "/runs",
        "/runs/00000000-0000-0000-0000-000000000001",
        "/deliveries",
        "/manifests",
        "/playbooks/x/runs",
        "/sources",
        "/api/v1/health",
        "/api/v1/checks",
    ];
    // At once: each waits until the catalog gives the database up.
    let asked = (
        join_all(paths.map(|path| server.get(path))),
        server.post("/api/v1/events", super::bucket_made("one").to_string()),
        server.get("/metrics"),
    );
    let (answers, events, metrics) = tokio::join!(asked.0, asked.1, asked.2);
    for (path, answer) in paths.into_iter().zip(answers) {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {}", answer.text);
        assert_eq!(answer.header("retry-after"), "2", "{path}");
        assert!(
            !answer.text.contains("hunter2") && !answer.text.contains("onnection refused"),
            "{}",
            answer.text
        );
    }
    expect!["503 unavailable: Nothing was lost: send the request again in a few seconds. If it stays so, `perigee doctor` says what is wrong with the database."].assert_eq(&told(&events));
    assert!(metrics.text.contains("perigee_database_up 0"));
}

#[tokio::test]
async fn a_catalog_that_was_not_made_yet_says_what_to_do() {
    let db = testkit::TestDb::empty().await;
    let url = db.url().to_owned();
    let catalog =
        catalog::Catalog::connect(&catalog::ConnectOptions { url, max_connections: 2, pooler: false })
            .unwrap();
    let server = Server { router: serve(&catalog, Config::default()), catalog, db: Some(db) };
    check(
        &server,
        "/healthz",
        expect!["503 unavailable: The catalog is being prepared: send the request again in a few seconds. If it stays so, run `perigee migrate`."],
    )
    .await;
    for path in ["/api/v1/resources", "/api/v1/changes", "/api/v1/resources/web-1", "/api/v1/digest"] {
        let answer = server.get(path).await;
        assert!(answer.text.contains("is being prepared"), "{path}: {}", answer.text);
    }
    let fed = server.ask("POST", "/api/v1/events", &[], "nonsense").await;
    assert!(fed.text.contains("is being prepared"), "{}", fed.text);
    server.catalog.migrate(at(NOW)).await.unwrap();
    assert_eq!(server.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn foreign_hosts_and_origins_are_turned_away() {
    let server = Server::without_database();
    let rebound = server.ask("GET", "/api/v1/resources", &[("host", "attacker.example")], "").await;
    expect!["403 foreign-host: Ask for http://127.0.0.1 or http://localhost with the server's port; to serve other names, start it with `--listen` and a token."].assert_eq(&told(&rebound));
    let page = server.ask("GET", "/", &[("host", "attacker.example")], "").await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (StatusCode::FORBIDDEN, "text/html; charset=utf-8")
    );
    let written = server.ask("POST", "/api/v1/events", &[("origin", "http://attacker.example")], "{}").await;
    expect!["403 foreign-origin: Send writes from this server's own pages, or from a program."]
        .assert_eq(&told(&written));
}

#[tokio::test]
async fn a_token_is_asked_for_where_one_is_set() {
    let server = Server::without_database();
    let config = Config { token: Some("s3cret".to_owned()), local: false };
    let server = Server { router: serve(&server.catalog, config), ..server };
    let without = server.get("/api/v1/openapi.json").await;
    expect!["401 unauthorized: Send `Authorization: Bearer TOKEN`; in a browser, give the token as the password. It is the one the server was started with."].assert_eq(&told(&without));
    assert!(without.header("www-authenticate").starts_with("Basic"));
    let with = [("authorization", "Bearer s3cret")];
    assert_eq!(server.ask("GET", "/api/v1/openapi.json", &with, "").await.status, StatusCode::OK);
    assert_eq!(server.get("/healthz").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn other_methods_are_refused_with_a_problem() {
    let server = Server::without_database();
    expect!["405 method-not-allowed: /api/v1/resources does not take DELETE; /api/v1/openapi.json says what it takes."].assert_eq(&told(&server.ask("DELETE", "/api/v1/resources", &[], "").await));
    let page = server.ask("POST", "/changes", &[], "").await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (StatusCode::METHOD_NOT_ALLOWED, "text/html; charset=utf-8")
    );
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let server = Server::without_database();
    for path in ["/api/v1/openapi.json", "/nowhere", "/assets/app.css"] {
        let answer = server.get(path).await;
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_ne!(answer.header("cache-control"), "", "{path}");
    }
}
