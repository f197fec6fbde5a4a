//! Manifests in and out.

use axum::http::StatusCode;
use expect_test::expect;
use serde_json::{Value, json};

use super::Server;

fn silence(name: &str, reason: &str) -> String {
    format!(
        "apiVersion: perigee.dev/v1\nkind: Silence\nmetadata: {{name: {name}}}\nspec:\n  reason: {reason}\n  until: 2026-03-03T00:00:00Z\n"
    )
}

fn outcomes(answer: &Value) -> Vec<String> {
    let items = answer["items"].as_array().unwrap();
    items.iter().map(|item| format!("{} {} {}", item["name"], item["generation"], item["outcome"])).collect()
}

#[tokio::test]
async fn manifests_are_applied_listed_shown_and_deleted() {
    let server = Server::empty().await;
    let both = format!("{}---\n{}", silence("a", "night"), silence("b", "day"));
    let planned = server.post("/api/v1/manifests?dryRun=true", both.clone()).await.json();
    assert_eq!(outcomes(&planned), [r#""a" 1 "created""#, r#""b" 1 "created""#]);
    assert_eq!(server.get("/api/v1/manifests").await.json(), json!({"items": []}));

    assert_eq!(outcomes(&server.post("/api/v1/manifests", both).await.json()).len(), 2);
    let put = server.ask("PUT", "/api/v1/manifests/Silence/a", &[], silence("a", "noon")).await.json();
    assert_eq!(outcomes(&put), [r#""a" 2 "changed""#]);
    assert_eq!(put["items"][0]["before"]["spec"]["reason"], "night");

    let first = server.get("/api/v1/manifests?kind=Silence&limit=1").await.json();
    assert_eq!(first["items"][0]["name"], "a");
    let next = format!("/api/v1/manifests?limit=1&cursor={}", first["next"].as_str().unwrap());
    assert_eq!(server.get(&next).await.json()["items"][0]["name"], "b");

    let shown = server.get("/api/v1/manifests/silences/a").await.json();
    assert_eq!((&shown["generation"], &shown["body"]["spec"]["reason"]), (&json!(2), &json!("noon")));
    let deleted = server.ask("DELETE", "/api/v1/manifests/Silence/a", &[], "").await;
    assert_eq!(deleted.json(), json!({"kind": "Silence", "name": "a"}));
    assert_eq!(server.get("/api/v1/manifests/Silence/a").await.status, StatusCode::NOT_FOUND);
    let generations = server.get("/api/v1/manifests/Silence/a/generations").await.json();
    assert_eq!(generations["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_manifest_that_is_refused_is_explained_and_nothing_is_applied() {
    let server = Server::empty().await;
    let body = format!("{}---\n{}", silence("a", "night"), silence("b", "day").replace("reason", "raeson"));
    let answer = server.post("/api/v1/manifests", body).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let problem = answer.json();
    expect!["line 12: Silence/b: spec.raeson: unknown field `raeson`; did you mean `reason`?"]
        .assert_eq(problem["detail"].as_str().unwrap());
    assert_eq!(problem["faults"][0]["field"], "spec.raeson");
    assert_eq!(problem["faults"][0]["line"], 12);
    assert_eq!(server.get("/api/v1/manifests").await.json(), json!({"items": []}));
}

#[tokio::test]
async fn what_means_nothing_is_refused_with_the_way_out() {
    let server = Server::empty().await;
    let other = server.ask("PUT", "/api/v1/manifests/Silence/a", &[], silence("b", "x")).await;
    expect!["The body is Silence/b, and the address is that of Silence/a."]
        .assert_eq(other.json()["detail"].as_str().unwrap());
    let several = format!("{}---\n{}", silence("a", "x"), silence("b", "x"));
    let several = server.ask("PUT", "/api/v1/manifests/Silence/a", &[], several).await;
    assert_eq!(several.status, StatusCode::BAD_REQUEST);
    assert_eq!(server.post("/api/v1/manifests", "# nothing\n").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(server.post("/api/v1/manifests", vec![0xff, 0xfe]).await.status, StatusCode::BAD_REQUEST);
    let large = server.post("/api/v1/manifests", " ".repeat(2 << 20)).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    let kind = server.get("/api/v1/manifests/Silense/a").await;
    assert_eq!(
        (kind.status, kind.json()["detail"].as_str().unwrap()),
        (StatusCode::NOT_FOUND, "there is no kind `Silense`; did you mean `Silence`?")
    );
    assert_eq!(server.get("/api/v1/manifests?kind=Nothing").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(server.get("/api/v1/manifests?colour=red").await.status, StatusCode::BAD_REQUEST);
    let missing = server.ask("DELETE", "/api/v1/manifests/Silence/none", &[], "").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}
