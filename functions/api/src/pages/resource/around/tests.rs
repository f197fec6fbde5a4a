//! What is near, what is likely, and since when.

use ::catalog::{Edge, GraphNode, Resource};
use model::{HealthState, Transition, Verdict};
use serde_json::json;
use uuid::Uuid;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn id(number: u128) -> ResourceId {
    ResourceId(Uuid::from_u128(number))
}

fn graph(edges: &[(u128, u128)]) -> Graph {
    let node = |number: u128| {
        let resource: Resource = serde_json::from_value(json!({
            "id": id(number), "provider": "aws", "partition": "aws", "account": "111122223333", "region": "eu-west-1",
            "type": "T", "native_id": format!("r{number}"), "name": format!("r{number}"), "tags": {},
            "evidence": "document",
        }))
        .unwrap();
        GraphNode { resource, distance: 0 }
    };
    let edge = |(from, to): &(u128, u128)| Edge {
        from_id: id(*from),
        to_id: id(*to),
        kind: "uses".to_owned(),
        source: "config".to_owned(),
        from: at("2026-03-01T00:00:00Z"),
        to: None,
    };
    Graph {
        nodes: (1..=5).map(node).collect(),
        edges: edges.iter().map(edge).collect(),
        truncated: false,
        truncated_by: None,
    }
}

fn verdict(health: Health) -> Verdict {
    Verdict { health, status: "S".to_owned(), ready: true, reason: String::new(), rule: None, until: None }
}

fn state(health: Health, since: &str) -> ResourceHealth {
    ResourceHealth {
        kind: "T".to_owned(),
        name: "r1".to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        namespace: None,
        state: HealthState {
            resource: id(1),
            verdict: verdict(health),
            since: at(since),
            judged_at: at(since),
        },
    }
}

fn transition(time: &str, health: Health) -> HealthChange {
    let text = String::new;
    let transition =
        Transition { resource: id(1), at: at(time), from: None, from_status: None, verdict: verdict(health) };
    HealthChange {
        kind: text(),
        name: text(),
        account: text(),
        region: text(),
        recorded_at: at(time),
        transition,
    }
}

#[test]
fn what_is_within_two_steps_is_named_by_its_shortest_way() {
    let ways = ways(&graph(&[(1, 2), (3, 2), (3, 4), (5, 1), (5, 3)]), id(1));
    let said: Vec<(usize, &str)> = ways.values().map(|way| (way.steps, way.said.as_str())).collect();
    let wanted = [(0, "on it"), (1, "one step away"), (2, "two steps away, over r2"), (1, "one step away")];
    assert_eq!(said, wanted);
}

#[test]
fn the_trouble_began_when_it_was_last_well() {
    let past = [
        transition("2026-03-03T02:30:00Z", Health::Unhealthy),
        transition("2026-03-03T02:16:00Z", Health::Warning),
        transition("2026-03-03T02:00:00Z", Health::Healthy),
        transition("2026-03-03T01:00:00Z", Health::Unhealthy),
    ];
    let now = state(Health::Unhealthy, "2026-03-03T02:30:00Z");
    assert_eq!(began(&now, &past), Some(at("2026-03-03T02:16:00Z")));
    assert_eq!(began(&now, &[]), Some(at("2026-03-03T02:30:00Z")));
    assert_eq!(began(&state(Health::Healthy, "2026-03-03T02:30:00Z"), &past), None);
    assert_eq!(began(&state(Health::Unknown, "2026-03-03T02:30:00Z"), &past), None);
}

#[test]
fn who_may_reach_whom_is_likelier_than_a_tag_nearby() {
    let ways = ways(&graph(&[(1, 2), (2, 3)]), id(1));
    let change = |category: &str, target: u128, error_code: Option<&str>| -> Change {
        serde_json::from_value(json!({
            "id": id(9), "occurred_at": "2026-03-03T02:13:00Z", "recorded_at": "2026-03-03T02:13:00Z", "account": "1",
            "region": "r", "source": "cloudtrail", "kind": "K", "category": category, "severity": "info",
            "read_only": false, "summary": "", "error_code": error_code, "details": null, "mentions": [],
            "resources": [{"id": id(target), "role": "target", "type": "T", "name": "n"}],
        }))
        .unwrap()
    };
    let far_security = unlikeliness(&change("security", 3, None), &ways);
    let near_update = unlikeliness(&change("update", 2, None), &ways);
    let denied = unlikeliness(&change("security", 1, Some("AccessDenied")), &ways);
    assert!(far_security < near_update && near_update < denied, "{far_security} {near_update} {denied}");
}
