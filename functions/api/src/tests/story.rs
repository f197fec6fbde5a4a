//! The story of `events/story`, followed as a person would: from what is broken to who broke it.

use std::{fs, path::Path};

use axum::http::StatusCode;
use serde_json::Value;

use super::{NOW, Server};

/// The events of the story, one a line.
pub(super) fn story() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/story");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let event =
        |path: &std::path::PathBuf| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    paths.iter().map(|path| event(path).to_string() + "\n").collect()
}

#[tokio::test]
async fn the_page_of_the_broken_service_shows_who_closed_its_database() {
    let server = Server::empty().await;
    let fed = server.post("/api/v1/events", story()).await;
    assert_eq!((fed.status, &fed.json()["rejected"]), (StatusCode::OK, &Value::from(0)), "{}", fed.text);
    let found = server.get("/api/v1/resources?q=type%3DAWS::ECS::Service%20name%3Dcheckout").await.json();
    let id = found["items"][0]["id"].as_str().unwrap().to_owned();
    // As judged by the last document alone: the trouble seems to begin with the last release.
    let last = server.get(&format!("/api/v1/resources/{id}/history?limit=1")).await.json();
    let since = last["items"][0]["from"].as_str().unwrap();
    let judged = format!(
        "insert into perigee.health (resource_id, type, account, region, health, status, ready, reason, rule, since, judged_at)
         values ('{id}', 'AWS::ECS::Service', '111122223333', 'eu-west-1', 'unhealthy', 'TasksFailing', false,
                 '0 of 3 tasks run', 'ecs-service', '{since}', '{NOW}')"
    );
    server.db().execute(&judged).await;
    let home = server.get("/").await.text;
    assert!(home.contains(&format!("href=\"/resources/{id}\"")) && home.contains("1 unhealthy"), "{home}");
    let page = server.get(&format!("/resources/{id}")).await.text;
    let (_, around) = page.split_once("What changed around it shortly before").unwrap();
    let (around, _) = around.split_once("</section>").unwrap();
    let revoked: Vec<&str> =
        around.split("<li>").filter(|item| item.contains("RevokeSecurityGroupIngress")).collect();
    assert!(revoked.iter().any(|item| item.contains("dana") && item.contains("steps away")), "{around}");
    assert!(page.len() < 90_000, "{} bytes", page.len());
}
