//! Retention, holds, verify, export and import over HTTP.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Server, serve};
use crate::Config;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_hold_is_made_listed_and_released() {
    let server = Server::sample().await;
    let hold = json!({"name": "case-7", "kind": "legal", "reason": "a dispute", "selector": "type=AWS::*"});
    let made = server.post("/api/v1/holds", hold.to_string()).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    assert!(made.json()["resources"].as_i64().unwrap() > 0);
    assert_eq!(server.post("/api/v1/holds", hold.to_string()).await.status, StatusCode::CONFLICT);
    let listed = server.get("/api/v1/holds").await.json();
    assert_eq!(listed["items"][0]["name"], "case-7");
    assert_eq!(
        server.ask("DELETE", "/api/v1/holds/case-7", &[], "").await.json(),
        json!({"released": "case-7"})
    );
    assert_eq!(server.ask("DELETE", "/api/v1/holds/case-7", &[], "").await.status, StatusCode::NOT_FOUND);
    for (wrong, status) in [
        (json!({"name": "", "kind": "legal", "reason": "x", "selector": "a=b"}), 400),
        (json!({"name": "a", "kind": "other", "reason": "x", "selector": "type=a"}), 400),
        (json!({"name": "a", "kind": "legal", "reason": " ", "selector": "type=a"}), 400),
        (json!({"name": "a", "kind": "legal", "reason": "x", "selector": "  "}), 400),
        (json!({"name": "a", "kind": "legal", "reason": "x", "selector": "nothing=1"}), 400),
        (
            json!({"name": "a", "kind": "legal", "reason": "x", "selector": "type=a", "since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}),
            400,
        ),
    ] {
        let refused = server.post("/api/v1/holds", wrong.to_string()).await;
        assert_eq!(refused.status.as_u16(), status, "{wrong}: {}", refused.text);
    }
}

#[tokio::test]
async fn retention_is_planned_and_run_and_the_past_beyond_it_is_expired() {
    let server = Server::sample().await;
    let plan = server.get("/api/v1/retention").await.json();
    assert_eq!(plan["rows"], 0, "{plan}");
    assert_eq!(plan["horizon"], json!({"kinds": []}));
    let removed = server.post("/api/v1/retention/run", r#"{"fresh": true}"#).await;
    assert_eq!(removed.status, StatusCode::OK, "{}", removed.text);
    assert_eq!(removed.json()["done"], true);
    let expired: crate::problem::Problem =
        catalog::Error::Expired { horizon: "2025-01-01T00:00:00Z".parse().unwrap() }.into();
    assert_eq!(expired.kind.status(), StatusCode::GONE);
}

#[tokio::test]
async fn a_catalog_is_verified_exported_and_imported() {
    let server = Server::sample().await;
    let verified = server.get("/api/v1/verify").await;
    let told = lines(&verified.text);
    assert_eq!(verified.header("content-type"), "application/x-ndjson");
    assert_eq!(told.last().unwrap()["done"]["faults"], 0, "{}", verified.text);
    let repaired = lines(&server.ask("POST", "/api/v1/verify/repair", &[], "").await.text);
    assert_eq!(repaired.last().unwrap()["done"], json!({"faults": 0, "repaired": 0}));
    let exported = server.get("/api/v1/export").await.text;
    let other = Server::empty().await;
    let imported = other.ask("POST", "/api/v1/import", &[], exported.clone()).await;
    let told = lines(&imported.text);
    assert!(told.last().unwrap()["imported"]["rows"].as_i64().unwrap() > 0, "{}", imported.text);
    assert_eq!(other.get("/api/v1/digest").await.json(), server.get("/api/v1/digest").await.json());
    let again = lines(&other.ask("POST", "/api/v1/import", &[], exported).await.text);
    assert!(again.last().unwrap()["failed"]["reason"].as_str().unwrap().contains("not empty"), "{again:?}");
}

#[tokio::test]
async fn what_changes_much_is_done_by_local_servers_only() {
    let server = Server::sample().await;
    let remote = Server { router: serve(&server.catalog, Config::default()), ..server };
    for path in ["/api/v1/retention/run", "/api/v1/verify/repair", "/api/v1/import"] {
        let refused = remote.post(path, "{}").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}: {}", refused.text);
    }
}

/// The events that others published, in bodies that the API takes; none where they are not on this machine.
fn third_party() -> Vec<Vec<u8>> {
    #[expect(clippy::disallowed_methods, reason = "where the data is, is the environment's to say")]
    let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(folder) = var("PERIGEE_TEST_DATA") else {
        assert!(var("PERIGEE_REQUIRE_DATA").as_deref() != Some("1"), "PERIGEE_TEST_DATA is not set");
        println!("skipped: PERIGEE_TEST_DATA is not set");
        return Vec::new();
    };
    let folder = std::path::Path::new(&folder).join("aws-events");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (lines, packed): (Vec<_>, Vec<_>) =
        files.partition(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    let packed =
        packed.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "gz"));
    let mut bodies: Vec<Vec<u8>> = packed.map(|path| std::fs::read(path).unwrap()).collect();
    bodies.push(Vec::new());
    for file in lines {
        for line in std::fs::read(file).unwrap().split_inclusive(|byte| *byte == b'\n') {
            if bodies.last().is_none_or(|body| body.len() + line.len() > 1_000_000) {
                bodies.push(Vec::new());
            }
            bodies.last_mut().unwrap().extend_from_slice(line);
        }
    }
    bodies
}

#[tokio::test]
async fn the_story_and_what_others_published_agree_with_themselves_and_move_with_equal_digest() {
    let server = Server::empty().await;
    let fed = server.post("/api/v1/events", super::story::story()).await;
    assert_eq!(fed.status, StatusCode::OK, "{}", fed.text);
    for events in third_party() {
        let fed = server.post("/api/v1/events", events).await;
        assert!(fed.status.is_success(), "{}", fed.text);
    }
    let other = Server::empty().await;
    let exported = server.get("/api/v1/export").await.text;
    let imported = lines(&other.ask("POST", "/api/v1/import", &[], exported).await.text);
    let rows = &imported.last().unwrap()["imported"]["rows"];
    assert!(rows.as_i64().unwrap() > 100, "{imported:?}");
    println!("{rows} rows moved");
    assert_eq!(other.get("/api/v1/digest").await.json(), server.get("/api/v1/digest").await.json());
    for server in [&server, &other] {
        let verified = server.get("/api/v1/verify").await.text;
        assert_eq!(lines(&verified).last().unwrap()["done"]["faults"], 0, "{verified}");
    }
    // What was taken there is known here.
    let again = other.post("/api/v1/events", super::story::story()).await.json();
    assert_eq!(again["accepted"], 0, "{again}");
}
