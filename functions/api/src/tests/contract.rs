//! The OpenAPI document and the router say the same.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::Value;

use super::{ARN, Server};

fn document() -> Value {
    crate::rest::router().1
}

fn documented_paths(document: &Value) -> BTreeSet<String> {
    document["paths"].as_object().unwrap().keys().cloned().collect()
}

/// The paths of the router, as its debug output has them: axum offers no other list.
fn served_paths() -> BTreeSet<String> {
    let text = format!("{:?}", crate::rest::router().0);
    // The last two are the fallback, which is no route.
    let is_route = |piece: &&str| piece.starts_with('/') && *piece != "/" && !piece.contains("__private__");
    text.split('"').filter(is_route).map(str::to_owned).collect()
}

#[test]
fn the_document_is_the_agreed_one() {
    let mut document = document();
    document["info"]["version"] = Value::from("VERSION");
    insta::assert_json_snapshot!("openapi", document);
}

#[test]
fn every_route_is_documented_and_every_documented_route_is_served() {
    let served = served_paths();
    assert!(
        served.contains("/api/v1/resources/{reference}/graph"),
        "the debug output holds no paths any more: {served:?}"
    );
    assert_eq!(documented_paths(&document()), served);
}

#[test]
fn every_operation_is_named_and_may_fail_with_a_problem() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut names = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let name = operation["operationId"]
                .as_str()
                .unwrap_or_else(|| panic!("{method} {path} has no operationId"));
            assert!(names.insert(name.to_owned()), "two operations are called {name}");
            assert!(operation["summary"].is_string(), "{name} has no summary");
            let responses = operation["responses"].as_object().unwrap();
            let taken = ["200", "202"].iter().any(|status| responses.contains_key(*status));
            assert!(taken, "{name} does not say how it answers");
            assert!(
                responses["default"]["content"]["application/problem+json"].is_object(),
                "{name} has no problem"
            );
        }
    }
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads outside"));
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

/// A path with the names of things that are there.
fn filled(path: &str) -> String {
    let names = [
        ("/api/v1/checks/", "database"),
        ("/api/v1/deliveries/", super::work::DELIVERY),
        ("/api/v1/holds/", "case-7"),
        ("/api/v1/manifests/", "reopen"),
        ("/api/v1/playbooks/", "reopen"),
    ];
    let name = names.iter().find(|(start, _)| path.starts_with(start)).map_or("", |(_, name)| name);
    path.replace("{reference}", &ARN.replace('/', "%2F"))
        .replace("{name}", name)
        .replace("{id}", super::work::RUN)
        .replace("{kind}", "Playbook")
        .replace("/output", "/output?step=open")
        .replace("/paths", &format!("/paths?to={}", ARN.replace('/', "%2F")))
        .replace("/v1/graph", "/v1/graph?q=")
        .replace("/explain", "/explain?q=type%3DAWS::EC2::*")
        .replace("/api/v1/diff", "/api/v1/diff?account=111122223333&from=24h")
        .replace("%2Fsg-0a1b2c3d/diff", "%2Fsg-0a1b2c3d/diff?from=24h")
}

#[tokio::test]
async fn every_documented_route_answers() {
    let server = Server::at_work().await;
    for path in documented_paths(&document()) {
        let answer = server.get(&filled(&path)).await;
        let expected = if document()["paths"][&path].get("get").is_some() {
            StatusCode::OK
        } else {
            StatusCode::METHOD_NOT_ALLOWED
        };
        assert_eq!(answer.status, expected, "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn the_server_hands_out_its_own_document() {
    let answer = Server::without_database().get("/api/v1/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json(), document());
}
