//! One body of each operation, and the pages, over the same estate.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{ARN, Server, bucket_made};

async fn check(server: &Server, name: &str, path: &str) {
    let answer = server.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    insta::assert_json_snapshot!(name, answer.json());
}

#[tokio::test]
async fn lists_and_details_have_the_agreed_shape() {
    let server = Server::sample().await;
    let group = format!("/api/v1/resources/{}", ARN.replace('/', "%2F"));
    check(&server, "resources", "/api/v1/resources?q=type%3DAWS::EC2::*&limit=5").await;
    check(&server, "resource", &group).await;
    check(&server, "history", &format!("{group}/history")).await;
    check(&server, "resource_changes", &format!("{group}/changes?since=2026-03-01")).await;
    check(&server, "graph", &format!("{group}/graph?depth=1&direction=out")).await;
    check(&server, "resource_findings", &format!("{group}/findings")).await;
    check(&server, "edges", &format!("{group}/edges")).await;
    check(&server, "changes", "/api/v1/changes?q=kind%3DRevoke*&since=24h").await;
    check(&server, "findings", "/api/v1/findings?q=severity%3Dhigh").await;
    check(&server, "rejected", "/api/v1/rejected").await;
    check(&server, "sources", "/api/v1/sources").await;
    check(&server, "counts", "/api/v1/counts").await;
    check(&server, "healthz", "/healthz").await;
}

#[tokio::test]
async fn a_resource_is_found_by_any_of_its_names() {
    let server = Server::sample().await;
    let id = super::group().id().to_string();
    for reference in [
        &id,
        &ARN.replace('/', "%2F"),
        "AWS::EC2::SecurityGroup%2Fsg-0a1b2c3d",
        "AWS::EC2::SecurityGroup%2Fcheckout-db",
    ] {
        let answer = server.get(&format!("/api/v1/resources/{reference}")).await;
        assert_eq!(answer.json()["id"], json!(id), "{reference}: {}", answer.text);
    }
}

#[tokio::test]
async fn pages_of_a_list_follow_one_another() {
    let server = Server::sample().await;
    let all = server.get("/api/v1/resources?include_deleted=true").await.json();
    let mut seen = Vec::new();
    let mut path = "/api/v1/resources?include_deleted=true&limit=1".to_owned();
    loop {
        let page = server.get(&path).await.json();
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/resources?include_deleted=true&limit=1&cursor={next}");
    }
    assert_eq!(Value::from(seen), all["items"]);
    assert_eq!(all["items"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn a_page_of_one_version_still_knows_what_it_changed() {
    let server = Server::sample().await;
    let path = format!("/api/v1/resources/{}/history", super::group().id());
    let all = server.get(&path).await.json();
    let first = server.get(&format!("{path}?limit=1")).await.json();
    assert_eq!(first["items"][0], all["items"][0]);
    let with_diff = all["items"].as_array().unwrap().iter().filter(|item| item.get("diff").is_some()).count();
    assert_eq!(with_diff, 1);
}

#[tokio::test]
async fn events_are_taken_one_or_many() {
    let server = Server::empty().await;
    let one = server.post("/api/v1/events", bucket_made("one").to_string()).await.json();
    assert_eq!((&one["total"], &one["accepted"]), (&json!(1), &json!(1)));
    let lines = format!("{}\n{}\nnot json\n", bucket_made("one"), bucket_made("two"));
    let many = server.post("/api/v1/events?origin=two.jsonl", lines).await.json();
    let counts =
        ["total", "accepted", "duplicate", "ignored", "rejected"].map(|name| many[name].as_u64().unwrap());
    assert_eq!(counts, [3, 1, 1, 0, 1]);
    let rejected = server.get("/api/v1/rejected").await.json();
    assert_eq!(rejected["items"][0]["origin"], "two.jsonl");
}

#[tokio::test]
async fn a_reset_empties_the_catalog_and_may_load_the_sample() {
    let server = Server::sample().await;
    let before = server.get("/api/v1/digest").await.json();
    let done = server.post("/api/v1/reset", r#"{"confirm": "reset"}"#).await;
    assert_eq!((done.status, done.json()), (StatusCode::OK, json!({})));
    let empty = server.get("/api/v1/digest").await.json();
    assert_ne!(before, empty);
    let done = server.post("/api/v1/reset", r#"{"confirm": "reset", "sample": true}"#).await.json();
    assert_eq!(done["sample"]["accepted"], 1);
    assert_ne!(server.get("/api/v1/digest").await.json(), empty);
}

#[tokio::test]
async fn metrics_count_what_there_is_and_what_was_asked() {
    let server = Server::sample().await;
    server.get("/api/v1/counts").await;
    let text = server.get("/metrics").await.text;
    assert!(text.contains("perigee_database_up 1"), "{text}");
    assert!(text.contains("perigee_resources{account=\"111122223333\",region=\"eu-west-1\""), "{text}");
    assert!(
        text.contains(
            "perigee_http_request_seconds_count{method=\"GET\",route=\"/api/v1/counts\",status=\"200\"} 1"
        ),
        "{text}"
    );
}

#[tokio::test]
async fn every_page_is_served_over_real_data() {
    let server = Server::sample().await;
    let group = format!("/resources/{}", super::group().id());
    for (path, wanted) in [
        ("/", "RevokeSecurityGroupIngress"),
        ("/resources", "checkout-db"),
        ("/resources?q=checkout&include_deleted=true", "checkout-db"),
        (group.as_str(), "10.0.9.0/24"),
        ("/changes", "RevokeSecurityGroupIngress"),
        ("/changes?q=ada&since=24h&read_only=true", "RevokeSecurityGroupIngress"),
        ("/sources", "config"),
        ("/rejected", "Nothing was rejected"),
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert!(answer.text.contains(wanted), "{path} has no {wanted}: {}", answer.text);
        assert!(!answer.text.contains(" style=") && !answer.text.contains("<script"), "{path}");
    }
}

#[tokio::test]
async fn an_empty_catalog_is_a_page_too() {
    let server = Server::empty().await;
    assert!(server.get("/").await.text.contains("perigee ingest"));
    assert!(server.get("/resources").await.text.contains("perigee ingest"));
    for (path, said) in [
        ("/runs", "No run fits"),
        ("/deliveries", "No delivery fits"),
        ("/checks", "No check is applied"),
        ("/health", "No resource fits"),
        ("/manifests", "None is applied"),
        ("/sources", "No source was heard yet"),
    ] {
        let page = server.get(path).await;
        assert!(page.status == StatusCode::OK && page.text.contains(said), "{path}: {}", page.text);
    }
    assert!(server.get("/changes").await.text.contains("No change fits"));
}

#[tokio::test]
async fn assets_are_kept_by_their_hash() {
    let server = Server::without_database();
    let page = server.get("/nowhere").await.text;
    let (_, rest) = page.split_once("href=\"/assets/app.css").unwrap();
    let (query, _) = rest.split_once('"').unwrap();
    let style = server.get(&format!("/assets/app.css{query}")).await;
    assert_eq!((style.status, style.header("content-type")), (StatusCode::OK, "text/css; charset=utf-8"));
    assert!(style.header("cache-control").contains("immutable"));
    let again = server.ask("GET", "/assets/app.css", &[("if-none-match", style.header("etag"))], "").await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
}
