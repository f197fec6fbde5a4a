//! The past over HTTP: one resource, its history and its health as they were, and what differs.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{ARN, Server, group};

fn path(below: &str) -> String {
    format!("/api/v1/resources/{}{below}", group().id())
}

async fn json(server: &Server, path: &str) -> Value {
    let answer = server.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.json()
}

async fn told(server: &Server, path: &str, status: StatusCode) -> String {
    let answer = server.get(path).await;
    assert_eq!(answer.status, status, "{path}: {}", answer.text);
    answer.json()["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_resource_is_answered_as_it_was_and_as_it_was_known() {
    let server = Server::sample().await;
    let cidr = |answer: &Value| answer["document"]["config"]["ipPermissions"][0]["cidrIp"].clone();
    let before = json(&server, &path("?at=2026-03-02")).await;
    assert_eq!(cidr(&before), json!("10.0.0.0/16"));
    assert_eq!(before["sources"][0]["to"], json!("2026-03-03T02:13:00Z"));
    let after = json(&server, &path("?at=2026-03-03T02:13:00Z")).await;
    assert_eq!(cidr(&after), json!("10.0.9.0/24"));
    let by_arn = format!("/api/v1/resources/{}?at=24h", ARN.replace('/', "%2F"));
    assert_eq!(cidr(&json(&server, &by_arn).await), json!("10.0.0.0/16"));

    let early = told(&server, &path("?at=2026-02-01"), StatusCode::NOT_FOUND).await;
    assert!(
        early.ends_with("is known since 2026-03-01T00:00:00Z; it was not there at 2026-02-01T00:00:00Z."),
        "{early}"
    );
    let unknown = told(&server, &path("?at=2026-03-02&recorded_at=2026-03-03"), StatusCode::NOT_FOUND).await;
    assert!(unknown.ends_with("as far as was known at 2026-03-03T00:00:00Z."), "{unknown}");
    let future = told(&server, &path("?at=2030-01-01"), StatusCode::BAD_REQUEST).await;
    assert_eq!(
        future,
        "at: `2030-01-01` is in the future, of which nothing is known; it is 2026-03-03T12:00:00Z"
    );
    let far = told(&server, &path("?at=-4800-01-01"), StatusCode::NOT_FOUND).await;
    assert!(far.contains("was not there"), "{far}");
    told(&server, &path("?at=yesterday"), StatusCode::BAD_REQUEST).await;

    let gone = json(&server, "/api/v1/resources/AWS::SQS::Queue%2Forders?at=2026-03-02T01:00:00Z").await;
    assert_eq!(gone["deleted_at"], json!("2026-03-02T00:00:00Z"));
}

#[tokio::test]
async fn history_is_narrowed_and_interleaved_with_health() {
    let server = Server::at_work().await;
    let at = |item: &Value| match item.get("transition") {
        Some(transition) => format!("{} {}", transition["at"], transition["health"]),
        None => format!("{} {}", item["from"], item["source"]),
    };
    let all = json(&server, &path("/history?transitions=true")).await;
    let all: Vec<String> = all["items"].as_array().unwrap().iter().map(at).collect();
    assert_eq!(all.len(), 5, "{all:?}");
    assert!(all[0].starts_with("\"2026-03-03T02:20:00Z\" \"unhealthy\""), "{all:?}");
    let mut paged = Vec::new();
    let mut next = path("/history?transitions=true&limit=2");
    loop {
        let page = json(&server, &next).await;
        paged.extend(page["items"].as_array().unwrap().iter().map(at));
        let Some(cursor) = page["next"].as_str() else { break };
        next = path(&format!("/history?transitions=true&limit=2&cursor={cursor}"));
    }
    assert_eq!(paged, all);
    let of_source = json(&server, &path("/history?source=cloudtrail")).await;
    assert_eq!(of_source["items"].as_array().unwrap().len(), 1);
    let since =
        json(&server, &path("/history?since=2026-03-02&until=2026-03-03T02:13:01Z&superseded=true")).await;
    assert_eq!(since["items"].as_array().unwrap().len(), 2);
    let at = json(&server, &path("/history?at=2026-03-02")).await;
    assert_eq!(at["items"].as_array().unwrap().len(), 1);
    let gone = json(&server, "/api/v1/resources/AWS::SQS::Queue%2Forders/history").await;
    assert_eq!(gone["items"][0]["state"], json!("deleted"));
}

#[tokio::test]
async fn two_instants_of_a_resource_and_of_an_account_are_compared() {
    let server = Server::at_work().await;
    let diff = json(&server, &path("/diff?from=2026-03-02&to=2026-03-03T03:00:00Z")).await;
    assert_eq!(diff["became"], json!("changed"));
    let places: Vec<&str> =
        diff["differences"].as_array().unwrap().iter().map(|place| place["path"].as_str().unwrap()).collect();
    assert!(places.contains(&"config.ipPermissions[0].cidrIp"), "{places:?}");
    let appeared = json(&server, &path("/diff?from=2026-02-01&to=2026-03-02")).await;
    assert_eq!(appeared["became"], json!("appeared"));
    assert_eq!(appeared["relations"]["appeared"][0]["kind"], json!("is contained in vpc"));
    let same = json(&server, &path("/diff?from=2026-03-02&to=2026-03-02")).await;
    assert_eq!((same.get("became"), &same["differences"]), (None, &json!([])));
    told(&server, &path("/diff?from=2026-02-01&to=2026-02-02"), StatusCode::NOT_FOUND).await;
    told(&server, &path("/diff?from=2026-03-03&to=2026-03-02"), StatusCode::BAD_REQUEST).await;
    told(&server, &path("/diff"), StatusCode::BAD_REQUEST).await;

    let account = "/api/v1/diff?account=111122223333&from=2026-03-02T01:00:00Z";
    let all = json(&server, account).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "{all}");
    assert_eq!((&all["items"][0]["became"], &all["items"][0]["differences"]), (&json!("changed"), &json!(1)));
    assert_eq!(all["items"][0]["id"], json!(group().id()));
    let none = json(&server, &format!("{account}&q=type%3DAWS::S3::Bucket")).await;
    assert_eq!(none["items"], json!([]));
    assert_eq!(json(&server, "/api/v1/diff?account=%00&from=24h").await["items"], json!([]));
    told(&server, &format!("{account}&q=colour%3Dred"), StatusCode::BAD_REQUEST).await;
    told(&server, &format!("{account}&cursor=zz"), StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn health_and_findings_are_answered_as_they_were() {
    let server = Server::at_work().await;
    let closed = format!(
        "insert into perigee.health_closed (resource_id, type, account, region, native_id, health, status, ready, reason,
                                            rule, valid_from, valid_to, recorded_at, end_recorded_at)
         values ('{}', 'AWS::EC2::SecurityGroup', '111122223333', 'eu-west-1', 'sg-0a1b2c3d', 'healthy', 'Open', true, '',
                 'closed-group', '2026-03-01', '2026-03-03T02:20:00Z', '2026-03-01', '2026-03-03T02:21:00Z')",
        group().id()
    );
    server.db().execute(&closed).await;
    let one = json(&server, &path("/health?at=2026-03-02")).await;
    assert_eq!((&one["health"]["health"], &one["health"]["status"]), (&json!("healthy"), &json!("Open")));
    assert_eq!(one["items"].as_array().unwrap().len(), 1, "what came later is not told");
    assert_eq!(json(&server, &path("/health?at=2026-02-01")).await.get("health"), None);
    assert_eq!(json(&server, &path("?at=2026-03-02")).await["health"]["status"], json!("Open"));
    let list = json(&server, "/api/v1/health?at=2026-03-02&q=health%3Dhealthy").await;
    assert_eq!(list["items"][0]["resource"], json!(group().id()));
    let ill = json(&server, "/api/v1/health?at=2026-03-02&q=health%3Dunhealthy").await;
    assert_eq!(ill["items"], json!([]));
    let now = json(&server, "/api/v1/health?at=2026-03-03T12:00:00Z").await;
    assert_eq!(now["items"].as_array().unwrap().len(), 1);
    assert_eq!(now["items"][0]["health"], json!("unhealthy"));
    let summary = json(&server, "/api/v1/health/summary?at=2026-03-02").await;
    assert_eq!(
        (&summary["items"][0]["counts"]["healthy"], &summary["items"][0]["counts"]["unhealthy"]),
        (&json!(1), &json!(0))
    );
    let summary = json(&server, "/api/v1/health/summary?at=2026-03-03T03:00:00Z&by=type").await;
    assert_eq!(summary["items"][0]["worst"][0]["status"], json!("Closed"));

    assert_eq!(json(&server, "/api/v1/findings?at=2026-03-03T02:00:00Z").await["items"], json!([]));
    let found = json(&server, &path("/findings?at=2026-03-03T03:00:00Z")).await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_page_of_a_resource_shows_it_as_of_then() {
    let server = Server::at_work().await;
    let page = |query: &str| format!("/resources/{}{query}", group().id());
    let past = server.get(&page("?at=2026-03-02")).await;
    assert_eq!(past.status, StatusCode::OK, "{}", past.text);
    assert!(past.text.contains("As of 2026-03-02 00:00:00 UTC"));
    assert!(past.text.contains("10.0.0.0/16") && !past.text.contains("10.0.9.0/24"));
    assert!(past.text.contains("is contained in vpc"));
    assert!(!past.text.contains("What may be done"), "nothing is done in the past");
    let now = server.get(&page("?at=")).await;
    assert!(now.text.contains("Another time") && !now.text.contains("As of 2026"));
    let early = server.get(&page("?at=2026-02-01")).await;
    assert_eq!(early.status, StatusCode::NOT_FOUND);
    assert!(early.text.contains("it was not there at 2026-02-01T00:00:00Z"));
}
