//! The page of a resource.

use ::catalog::{
    AsOf, Edge, Finding, Graph, GraphNode, Page, Resource, ResourceDetail, Version, VersionState,
};
use maud::Markup;
use model::{FindingId, FindingStatus, Severity, Timestamp, diff};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{STYLE, feed, resource},
    MAX_PAGE, at, check, estate, id, now, runs, story, work,
};
use crate::history::HistoryItem;

fn documents() -> (Value, Value) {
    let group = |cidr: &str, description: &str| {
        json!({"name": "checkout-db", "tags": {"env": "prod"}, "config": {
        "groupId": "sg-0a1b2c3d4e5f60718", "vpcId": "vpc-0c0ffee", "description": description,
        "ipPermissions": [
            {"ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432, "ipRanges": [{"cidrIp": cidr}]},
            {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": [{"cidrIp": "192.0.2.0/24"}]},
        ]}})
    };
    (group("10.0.0.0/16", "database of the checkout"), group("10.0.9.0/24", "database of checkout <script>"))
}

fn version(source: &str, from: &str, to: Option<&str>, document: Option<&Value>) -> Version {
    let state = if document.is_some() { VersionState::Documented } else { VersionState::Present };
    Version {
        source: source.to_owned(),
        from: at(from),
        to: to.map(at),
        state,
        hash: document.map(|_| "ab".repeat(32)),
        document: document.cloned(),
        recorded_at: at(from),
        superseded_at: None,
    }
}

fn resource_page(deleted_at: Option<Timestamp>) -> Markup {
    resource_page_as_of(deleted_at, AsOf::default())
}

fn resource_page_as_of(deleted_at: Option<Timestamp>, as_of: AsOf) -> Markup {
    let (old, new) = documents();
    let resources = estate();
    let resource = Resource { deleted_at, ..resources[0].clone() };
    let current = version("config", "2026-03-03T02:13:07Z", None, Some(&new));
    let detail = ResourceDetail {
        resource: resource.clone(),
        aliases: vec!["arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a1b2c3d4e5f60718".to_owned()],
        document: new.clone(),
        sources: vec![current.clone()],
    };
    let history = Page {
        items: vec![
            HistoryItem { version: current, diff: Some(diff(&old, &new)) },
            HistoryItem {
                version: version("config", "2026-01-12T09:14:03Z", Some("2026-03-03T02:13:07Z"), Some(&old)),
                diff: None,
            },
            HistoryItem { version: version("cloudtrail", "2026-01-12T09:14:00Z", None, None), diff: None },
        ],
        next: Some("older".to_owned()),
    };
    let changes = Page { items: story().into_iter().skip(2).take(1).collect(), next: None };
    let node = |resource: &Resource, distance| GraphNode { resource: resource.clone(), distance };
    let edge = |from: u128, kind: &str, to: u128| Edge {
        from_id: id(from),
        to_id: id(to),
        kind: kind.to_owned(),
        source: "config".to_owned(),
        from: at("2026-01-12T09:14:03Z"),
        to: None,
    };
    let graph = Graph {
        nodes: vec![
            node(&resource, 0),
            node(&resources[1], 1),
            node(&resources[3], 1),
            node(&resources[6], 1),
            node(&resources[8], 1),
        ],
        edges: vec![
            edge(1, "is contained in vpc", 7),
            edge(4, "is associated with securitygroup", 1),
            edge(2, "is associated with securitygroup", 1),
            edge(9, "is associated with securitygroup", 1),
        ],
        truncated: false,
    };
    let findings = Page { items: vec![finding()], next: None };
    let (health, transitions) = (work::unhealthy(), work::transitions());
    let way = |steps, said: &str| feed::Way { steps, said: said.to_owned() };
    let around = resource::Around {
        began: at("2026-03-03T02:16:00Z"),
        changes: story().into_iter().skip(2).take(2).collect(),
        others: 3,
        ways: [(id(1), way(0, "on it")), (id(2), way(1, "one step away"))].into(),
    };
    let (checks, runs, playbooks) = (work::checks(), runs::runs(), [work::book()]);
    resource::View {
        detail: &detail,
        as_of,
        health: Some(&health),
        transitions: &transitions,
        around: Some(&around),
        checks: &checks,
        runs: Some(&runs),
        playbooks: &playbooks,
        changes: &changes,
        findings: &findings,
        graph: &graph,
        history: &history,
        now: now(),
    }
    .render()
}

fn finding() -> Finding {
    Finding {
        id: FindingId(Uuid::from_u128(1)),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        product: "securityhub".to_owned(),
        external_id: "EC2.13/sg-0a1b2c3d4e5f60718".to_owned(),
        kind: "EC2.13".to_owned(),
        title: "Security groups should not allow ingress from 0.0.0.0/0 to port 22".to_owned(),
        description: "This control checks whether port 22 is open to everybody.".to_owned(),
        severity: Severity::High,
        status: FindingStatus::Open,
        first_seen: at("2026-02-01T00:00:00Z"),
        updated_at: at("2026-03-02T23:00:00Z"),
        details: Value::Null,
        resources: vec![id(1)],
    }
}

#[test]
fn a_resource_shows_what_happened_to_it() {
    check("resource", &resource_page(None));
}

#[test]
fn a_deleted_resource_says_so_first() {
    let page = resource_page(Some(at("2026-03-03T02:29:00Z")));
    assert!(page.0.contains("Deleted 2 min ago"));
}

#[test]
fn a_page_of_the_past_says_so_and_leads_back_to_now() {
    let as_of = AsOf { at: Some(at("2026-03-03T02:13:07Z")), recorded_at: Some(at("2026-03-03T02:20:00Z")) };
    let page = resource_page_as_of(None, as_of);
    assert!(page.0.contains("As of 2026-03-03 02:13:07 UTC"));
    assert!(page.0.contains("as it was known at 2026-03-03 02:20:00 UTC"));
    assert!(page.0.contains("Show it as it is now"));
    assert!(page.0.contains("?at=2026-01-12T09%3A14%3A03Z"), "each version leads to the page as of then");
    assert!(!resource_page(None).0.contains("Show it as it is now"));
    check("resource_of_the_past", &page);
}

#[test]
fn a_document_of_megabytes_makes_a_small_page() {
    let wide: Value = (0..5000).map(|n| (format!("field{n}"), json!("y".repeat(500)))).collect();
    let resource = estate().swap_remove(0);
    let current = version("config", "2026-03-03T02:13:07Z", None, Some(&wide));
    let detail = ResourceDetail {
        resource: resource.clone(),
        aliases: vec!["a".repeat(500); 100],
        document: wide.clone(),
        sources: vec![current.clone()],
    };
    let item = HistoryItem { version: current, diff: Some(diff(&json!({}), &wide)) };
    let history = Page { items: vec![item; 10], next: None };
    let graph = Graph { nodes: vec![GraphNode { resource, distance: 0 }], edges: vec![], truncated: true };
    let (changes, findings) = (Page { items: vec![], next: None }, Page { items: vec![], next: None });
    let page = resource::View {
        detail: &detail,
        as_of: AsOf::default(),
        health: Some(&work::unhealthy()),
        transitions: &work::transitions(),
        around: None,
        checks: &[],
        runs: Some(&Page { items: vec![], next: None }),
        playbooks: &[],
        changes: &changes,
        findings: &findings,
        graph: &graph,
        history: &history,
        now: now(),
    }
    .render();
    assert!(page.0.len() + STYLE.len() < MAX_PAGE, "{} bytes", page.0.len());
}
