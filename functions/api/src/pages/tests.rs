//! Every page over a small invented estate. The snapshots are whole documents: open one in a browser to see it.

mod resource;
mod runs;
mod work;

use std::collections::BTreeMap;

use ::catalog::{Change, ChangeTarget, Count, Page, Rejected, Resource, SourceStatus, shards::Coverage};
use maud::Markup;
use model::{Actor, ActorKind, Category, ChangeId, Evidence, ResourceId, Role, Severity, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{catalog, changes, rejected, sources};
use crate::{
    VERSION,
    problem::{Kind, Problem},
};

/// Pages are a hundred kilobytes at most, their style sheet included.
const MAX_PAGE: usize = 100_000;

fn now() -> Timestamp {
    at("2026-03-03T02:31:00Z")
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn id(number: u128) -> ResourceId {
    ResourceId(Uuid::from_u128(number))
}

fn thing(number: u128, kind: &str, name: &str, native_id: &str) -> Resource {
    Resource {
        id: id(number),
        provider: "aws".to_owned(),
        partition: "aws".to_owned(),
        account: "111122223333".to_owned(),
        region: if kind.starts_with("AWS::IAM") { "global" } else { "eu-west-1" }.to_owned(),
        kind: kind.to_owned(),
        native_id: native_id.to_owned(),
        name: name.to_owned(),
        tags: BTreeMap::from([
            ("env".to_owned(), "prod".to_owned()),
            ("team".to_owned(), "checkout".to_owned()),
        ]),
        evidence: Evidence::Document,
        since: Some(at("2026-01-12T09:14:03Z")),
        deleted_at: None,
        health: None,
    }
}

fn estate() -> Vec<Resource> {
    let mut resources = vec![
        thing(1, "AWS::EC2::SecurityGroup", "checkout-db", "sg-0a1b2c3d4e5f60718"),
        thing(2, "AWS::ECS::Service", "checkout", "shop/checkout"),
        thing(3, "AWS::ECS::TaskDefinition", "checkout:42", "checkout:42"),
        thing(4, "AWS::RDS::DBInstance", "checkout-primary", "checkout-primary"),
        thing(
            5,
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "shop-public",
            "app/shop-public/50dc6c495c0c9188",
        ),
        thing(6, "AWS::IAM::Role", "checkout-task", "checkout-task"),
        thing(7, "AWS::EC2::Subnet", "private-a", "subnet-0f00ba4"),
        thing(8, "AWS::S3::Bucket", "shop-receipts-111122223333", "shop-receipts-111122223333"),
        thing(9, "AWS::Lambda::Function", "resize-images", "resize-images"),
        thing(10, "AWS::SQS::Queue", "https://sqs.eu-west-1.amazonaws.com/111122223333/orders", "orders"),
        thing(11, "AWS::EC2::Instance", "<b>bastion</b> & \"friends\"", "i-0123456789abcdef0"),
    ];
    resources[2].evidence = Evidence::Event;
    resources[2].since = None;
    resources[6].evidence = Evidence::Reference;
    resources[8].deleted_at = Some(at("2026-03-03T01:58:11Z"));
    resources
}

fn counts() -> Vec<Count> {
    let count = |kind: &str, region: &str, count| Count {
        account: "111122223333".to_owned(),
        region: region.to_owned(),
        kind: kind.to_owned(),
        count,
    };
    vec![
        count("AWS::EC2::Instance", "eu-west-1", 1240),
        count("AWS::EC2::SecurityGroup", "eu-west-1", 61),
        count("AWS::EC2::Subnet", "eu-west-1", 12),
        count("AWS::EC2::Subnet", "us-east-1", 6),
        count("AWS::ECS::Service", "eu-west-1", 14),
        count("AWS::ECS::TaskDefinition", "eu-west-1", 88),
        count("AWS::ElasticLoadBalancingV2::LoadBalancer", "eu-west-1", 3),
        count("AWS::IAM::Role", "global", 130),
        count("AWS::Lambda::Function", "eu-west-1", 25),
        count("AWS::RDS::DBInstance", "eu-west-1", 4),
        count("AWS::S3::Bucket", "global", 17),
    ]
}

fn actor(kind: ActorKind, name: &str, session: Option<&str>) -> Actor {
    let owned = |text: &str| text.to_owned();
    let arn = format!("arn:aws:sts::111122223333:assumed-role/{name}/{}", session.unwrap_or("x"));
    Actor {
        kind,
        name: owned(name),
        session: session.map(owned),
        via: None,
        arn: Some(arn),
        account: Some(owned("111122223333")),
    }
}

fn change(number: u128, time: &str, kind: &str, category: Category, summary: &str) -> Change {
    Change {
        id: ChangeId(Uuid::from_u128(number)),
        occurred_at: at(time),
        recorded_at: at(time) + chrono::TimeDelta::seconds(41),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        source: "cloudtrail".to_owned(),
        kind: kind.to_owned(),
        category,
        severity: Severity::Info,
        read_only: false,
        summary: summary.to_owned(),
        actor: Some(actor(ActorKind::Role, "ops-admin", Some("mira@shop.example"))),
        source_address: Some("192.0.2.17".to_owned()),
        user_agent: Some("aws-cli/2.15.30".to_owned()),
        error_code: None,
        error_message: None,
        event_id: Some("0e4b7d52-7a3c-4f0e-9f19-5a2f2d3c1b10".to_owned()),
        session_id: Some("ASIAEXAMPLE".to_owned()),
        details: json!({"request": {"groupId": "sg-0a1b2c3d4e5f60718", "ipPermissions": [{"fromPort": 5432, "toPort": 5432}]}}),
        resources: vec![target(1, Role::Target, "AWS::EC2::SecurityGroup", "checkout-db")],
        mentions: vec![],
    }
}

fn target(number: u128, role: Role, kind: &str, name: &str) -> ChangeTarget {
    ChangeTarget { id: id(number), role, kind: kind.to_owned(), name: name.to_owned() }
}

fn story() -> Vec<Change> {
    let mut alarm = change(
        9,
        "2026-03-03T02:19:30Z",
        "CloudWatch Alarm State Change",
        Category::State,
        "checkout-5xx went from OK to ALARM",
    );
    (alarm.actor, alarm.source, alarm.severity, alarm.details) =
        (None, "cloudwatch".to_owned(), Severity::High, Value::Null);
    alarm.resources = vec![target(2, Role::Related, "AWS::ECS::Service", "checkout")];
    let mut denied = change(
        8,
        "2026-03-03T02:17:02Z",
        "RebootDBInstance",
        Category::Update,
        "ops-admin tried to reboot checkout-primary",
    );
    denied.error_code = Some("AccessDenied".to_owned());
    denied.error_message = Some("User: mira is not authorized to perform: rds:RebootDBInstance".to_owned());
    denied.resources = vec![target(4, Role::Target, "AWS::RDS::DBInstance", "checkout-primary")];
    denied.mentions = vec!["arn:aws:kms:eu-west-1:111122223333:key/example".to_owned()];
    let revoke = change(
        7,
        "2026-03-03T02:13:07Z",
        "RevokeSecurityGroupIngress",
        Category::Security,
        "ops-admin removed an inbound rule of checkout-db",
    );
    let mut deploy = change(
        6,
        "2026-03-03T01:58:40Z",
        "UpdateService",
        Category::Deployment,
        "deployer updated checkout to checkout:42",
    );
    deploy.actor = Some(Actor {
        via: Some("cloudformation.amazonaws.com".to_owned()),
        ..actor(ActorKind::Role, "deployer", Some("build-881"))
    });
    deploy.resources = vec![
        target(2, Role::Target, "AWS::ECS::Service", "checkout"),
        target(3, Role::Related, "AWS::ECS::TaskDefinition", "checkout:42"),
        target(6, Role::Related, "AWS::IAM::Role", "checkout-task"),
    ];
    let mut gone = change(
        5,
        "2026-03-03T01:58:11Z",
        "DeleteFunction20150331",
        Category::Delete,
        "deployer deleted resize-images",
    );
    gone.resources = vec![target(9, Role::Target, "AWS::Lambda::Function", "resize-images")];
    let mut made = change(
        4,
        "2026-03-02T22:04:00Z",
        "CreateBucket",
        Category::Create,
        "root created shop-receipts-111122223333",
    );
    made.actor = Some(Actor { session: None, ..actor(ActorKind::Root, "root", None) });
    made.resources = vec![target(8, Role::Target, "AWS::S3::Bucket", "shop-receipts-111122223333")];
    let mut read =
        change(3, "2026-03-02T21:58:00Z", "DescribeInstances", Category::Access, "ops-admin read instances");
    (read.read_only, read.resources) = (true, vec![]);
    vec![alarm, denied, revoke, deploy, gone, made, read]
}

fn check(name: &str, page: &Markup) {
    assert!(page.0.len() + super::STYLE.len() < MAX_PAGE, "{name} has {} bytes", page.0.len());
    // One element a line, so that a difference is readable.
    let text = page.0.replace("><", ">\n<").replace(VERSION, "VERSION");
    let text = text.replace(&super::layout::fingerprint(super::STYLE), "STYLE");
    insta::assert_snapshot!(name, text);
}

fn catalog_page(q: &str, error: Option<&str>, resources: Vec<Resource>, counts: &[Count]) -> Markup {
    let next = (resources.len() > 5).then(|| "cursor+/=".to_owned());
    let page = Page { items: resources, next };
    let selector = selector::parse(q).unwrap_or_default();
    let (include_deleted, first) = (false, true);
    catalog::View { q, selector: &selector, error, include_deleted, counts, page: &page, first, now: now() }
        .render()
}

#[test]
fn the_catalog_lists_what_exists() {
    check("catalog", &catalog_page("", None, estate(), &counts()));
}

#[test]
fn a_chosen_facet_is_marked_and_can_be_taken_back() {
    check(
        "catalog_chosen",
        &catalog_page("check type=AWS::ECS::Service", None, estate().split_off(9), &counts()),
    );
}

#[test]
fn a_bad_search_is_explained_under_the_field() {
    let q = "type == <i>";
    let problem = Problem::from(selector::parse(q).unwrap_err());
    check("catalog_wrong", &catalog_page(q, Some(&problem.detail), vec![], &counts()));
}

#[test]
fn an_empty_catalog_says_how_to_feed_it() {
    check("catalog_empty", &catalog_page("", None, vec![], &[]));
    check("catalog_nothing_found", &catalog_page("type=AWS::None", None, vec![], &counts()));
}

#[test]
fn the_changes_are_grouped_and_counted() {
    let params = changes::ChangesParams {
        q: "checkout".to_owned(),
        since: "7d".to_owned(),
        read_only: true,
        ..Default::default()
    };
    let counted: Vec<_> =
        story().iter().map(|change| (change.occurred_at, change.error_code.is_some())).collect();
    let resource = Some(estate().swap_remove(1));
    let found = changes::Found {
        resource,
        listed: story(),
        next: Some("older".to_owned()),
        counted: counted.repeat(200),
    };
    check("changes", &changes::View { params: &params, error: None, found: &found, now: now() }.render());
}

#[test]
fn no_changes_offer_the_read_only_calls() {
    let params = changes::ChangesParams::default();
    let found = changes::Found::default();
    check(
        "changes_none",
        &changes::View { params: &params, error: None, found: &found, now: now() }.render(),
    );
}

#[test]
fn sources_show_coverage_and_freshness() {
    let source = |source: &str, observations, latest: &str| SourceStatus {
        source: source.to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        observations,
        latest: at(latest),
        heard_at: at("2026-03-03T02:30:10Z"),
    };
    let all = [
        source("cloudtrail", 120_433, "2026-03-03T02:19:30Z"),
        source("config", 904, "2026-03-02T11:00:00Z"),
    ];
    check("sources", &sources::render(&all, &work::coverage(), now()));
    let nothing = Coverage { scrapers: vec![], shards: vec![] };
    check("sources_none", &sources::render(&[], &nothing, now()));
}

#[test]
fn rejected_input_shows_its_reason() {
    let item = Rejected {
        id: Uuid::from_u128(1),
        origin: "2026-03-03.json.gz".to_owned(),
        place: "Records[17]".to_owned(),
        reason: "no_time".to_owned(),
        message: "eventTime is missing; a CloudTrail record needs one, like 2026-03-03T02:13:07Z".to_owned(),
        size: 2417,
        hash: "cd".repeat(32),
        recorded_at: at("2026-03-03T02:30:00Z"),
    };
    check("rejected", &rejected::render(&Page { items: vec![item], next: Some("older".to_owned()) }, now()));
    check("rejected_none", &rejected::render(&Page { items: vec![], next: None }, now()));
}

#[test]
fn a_full_page_of_changes_with_long_details_stays_small() {
    let mut long = change(
        1,
        "2026-03-03T02:13:07Z",
        "PutBucketPolicy",
        Category::Security,
        &"a long summary ".repeat(40),
    );
    long.details =
        Value::from((0..500).map(|n| json!({"statement": n, "text": "x".repeat(300)})).collect::<Vec<_>>());
    long.user_agent = Some("agent ".repeat(300));
    long.resources = (0..40)
        .map(|n| target(n, Role::Related, "AWS::EC2::NetworkInterface", "eni-0123456789abcdef0"))
        .collect();
    let found = changes::Found { listed: vec![long; changes::LISTED.into()], ..Default::default() };
    let params = changes::ChangesParams::default();
    let page = changes::View { params: &params, error: None, found: &found, now: now() }.render();
    assert!(page.0.len() + super::STYLE.len() < MAX_PAGE, "{} bytes", page.0.len());
}

#[test]
fn a_problem_is_a_page_with_the_way_out() {
    let problem = Problem::new(Kind::NotFound, "No resource is called `x`.");
    let response = super::problem(&problem);
    assert_eq!(response.status(), 404);
}
