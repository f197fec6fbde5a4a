//! The command line as a whole: what it takes, and how answers look.

use std::fmt::Write;

use clap::{Command, CommandFactory, Parser};
use expect_test::{expect, expect_file};
use serde_json::json;

use crate::{
    cli::{self, Cli},
    commands::{changes, checks, diff, findings, graph, history, query, rejected, show, sources},
};

#[test]
fn the_arguments_of_every_command_are_as_promised() {
    let mut command = Cli::command();
    command.build();
    let mut text = describe(&command);
    for subcommand in command.get_subcommands().filter(|found| found.get_name() != "help") {
        text += &describe(subcommand);
    }
    expect_file!["tests/arguments.txt"].assert_eq(&text);
}

fn describe(command: &Command) -> String {
    let mut text = format!("{}\n", command.get_name());
    for argument in command.get_arguments() {
        let values: Vec<_> = argument.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect();
        let defaults: Vec<_> = argument.get_default_values().iter().map(|v| v.to_string_lossy()).collect();
        write!(text, "  {argument}").unwrap();
        if let Some(short) = argument.get_short() {
            write!(text, " (-{short})").unwrap();
        }
        if argument.get_action().takes_values() && !values.is_empty() {
            write!(text, " one of {}", values.join(" ")).unwrap();
        }
        if argument.get_action().takes_values() && !defaults.is_empty() {
            write!(text, " default {}", defaults.join(" ")).unwrap();
        }
        if let Some(variable) = argument.get_env() {
            write!(text, " env {}", variable.to_string_lossy()).unwrap();
        }
        text.push('\n');
    }
    text
}

#[test]
fn a_bare_perigee_is_up_with_its_options() {
    let bare = Cli::try_parse_from(["perigee", "--listen", "9000", "--no-sample"]).unwrap();
    assert!(bare.command.is_none());
    assert_eq!(bare.up.listen.port(), 9000);
    let named = Cli::try_parse_from(["perigee", "up", "--sample"]).unwrap();
    assert!(matches!(named.command, Some(cli::Command::Up(options)) if options.sample));
    assert!(Cli::try_parse_from(["perigee", "up", "--sample", "--no-sample"]).is_err());
}

#[expect(clippy::needless_pass_by_value, reason = "an Expect is written in place")]
fn check(table: anyhow::Result<String>, expected: expect_test::Expect) {
    let table: String = table.unwrap().lines().map(|line| format!("{}\n", line.trim_end())).collect();
    expected.assert_eq(&table);
}

fn group() -> serde_json::Value {
    json!({
        "id": "6f2d7c1e-0000-5000-8000-000000000001", "provider": "aws", "partition": "aws",
        "account": "111122223333", "region": "eu-west-1", "type": "AWS::EC2::SecurityGroup",
        "native_id": "sg-0a1b", "name": "checkout-db", "tags": {"env": "prod"}, "evidence": "document",
        "since": "2026-03-01T00:00:00Z"
    })
}

#[test]
fn resources_are_a_row_each() {
    let mut gone = group();
    gone["native_id"] = json!("sg-9\u{1b}[2J");
    gone["deleted_at"] = json!("2026-03-02T10:00:00.5Z");
    check(
        query::table(&json!({"items": [group(), gone]})),
        expect![[r#"
            TYPE                     ID        NAME         ACCOUNT       REGION     HEALTH  STATE
            AWS::EC2::SecurityGroup  sg-0a1b   checkout-db  111122223333  eu-west-1          document
            AWS::EC2::SecurityGroup  sg-9�[2J  checkout-db  111122223333  eu-west-1          deleted 2026-03-02T10:00:00Z
        "#]],
    );
    check(
        query::table(&json!({"items": []})),
        expect![[r#"
            TYPE  ID  NAME  ACCOUNT  REGION  HEALTH  STATE
        "#]],
    );
}

#[test]
fn parents_are_a_row_each_and_no_path_is_said_so() {
    let vpc = json!({
        "id": "6f2d7c1e-0000-5000-8000-000000000009", "provider": "aws", "partition": "aws",
        "account": "111122223333", "region": "eu-west-1", "type": "AWS::EC2::VPC", "native_id": "vpc-1",
        "name": "main", "tags": {}, "evidence": "document", "distance": 2
    });
    let parents = json!({
        "account": "111122223333", "region": "eu-west-1", "vpcs": [vpc], "clusters": [], "namespaces": [],
        "applications": [], "application_tag": "shop", "all": [vpc], "truncated": false
    });
    check(
        graph::parents(&parents),
        expect![[r#"
            WHAT             TYPE           NAME
            account                         111122223333
            region                          eu-west-1
            network          AWS::EC2::VPC  main
            application tag                 shop
        "#]],
    );
    let none = graph::paths(&json!({"paths": [], "nodes": [], "truncated": false})).unwrap();
    assert_eq!(none, "there is no path");
    let cut =
        graph::paths(&json!({"paths": [], "nodes": [], "truncated": true, "truncated_by": "time"})).unwrap();
    assert_eq!(cut, "no path was found in what was searched");
}

#[test]
fn a_resource_is_its_facts_its_sources_and_its_document() {
    let mut detail = group();
    detail["aliases"] = json!(["arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a1b"]);
    detail["document"] = json!({"GroupId": "sg-0a1b", "Rules": [{"Port": 5432}]});
    detail["sources"] = json!([{
        "source": "config", "from": "2026-03-01T00:00:00Z", "state": "documented", "hash": "0123456789abcdef",
        "recorded_at": "2026-03-01T00:00:05Z"
    }]);
    check(
        show::table(&detail),
        expect![[r#"
        type        AWS::EC2::SecurityGroup
        name        checkout-db
        native id   sg-0a1b
        id          6f2d7c1e-0000-5000-8000-000000000001
        account     111122223333
        region      eu-west-1
        evidence    document
        seen since  2026-03-01T00:00:00Z
        also named  arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a1b
        tag         env=prod

        FROM                  TO  SOURCE  STATE       DOCUMENT
        2026-03-01T00:00:00Z      config  documented  0123456789ab

        GroupId: sg-0a1b
        Rules:
        - Port: 5432
    "#]],
    );
}

#[test]
fn a_version_is_followed_by_the_first_of_what_it_changed() {
    let version = |from: &str, diff: serde_json::Value| {
        let mut version = json!({
            "source": "config", "from": from, "state": "documented", "hash": "0123456789abcdef",
            "recorded_at": "2026-03-01T00:00:05Z"
        });
        if !diff.is_null() {
            version["diff"] = diff;
        }
        version
    };
    let port = json!({"path": "Rules[0].Port", "before": 5432, "after": 5433});
    let long = json!({"path": "Note", "after": format!("two\nlines {}", "x".repeat(100))});
    let gone = json!({"path": "Tags.env", "before": "prod"});
    let rest = json!({"path": "Rest", "before": null, "after": true});
    check(
        history::table(&json!({"items": [
            version("2026-03-03T02:13:00Z", json!([port, long, gone, rest, rest, rest, rest])),
            version("2026-03-02T00:00:00Z", json!([])),
            version("2026-03-01T00:00:00Z", json!(null)),
        ]})),
        expect![[r#"
            FROM                  TO  SOURCE  STATE       DOCUMENT
            2026-03-03T02:13:00Z      config  documented  0123456789ab
              Rules[0].Port: 5432 -> 5433
              Note: none -> "two\nlines xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
              Tags.env: "prod" -> none
              Rest: null -> true
              Rest: null -> true
              and 2 more; -o yaml shows all
            2026-03-02T00:00:00Z      config  documented  0123456789ab
              the document is the same; its relations changed
            2026-03-01T00:00:00Z      config  documented  0123456789ab
        "#]],
    );
}

#[test]
fn a_graph_is_its_resources_and_their_relations() {
    let mut instance = group();
    instance["id"] = json!("6f2d7c1e-0000-5000-8000-000000000002");
    instance["type"] = json!("AWS::EC2::Instance");
    instance["name"] = json!("checkout-1");
    instance["distance"] = json!(1);
    let mut group = group();
    group["distance"] = json!(0);
    let edge = json!({
        "from_id": instance["id"], "to_id": group["id"], "kind": "uses", "source": "config",
        "from": "2026-03-01T00:00:00Z"
    });
    check(
        graph::table(&json!({"nodes": [group, instance], "edges": [edge], "truncated": false})),
        expect![[r#"
            STEPS  TYPE                     NAME         ACCOUNT       REGION
            0      AWS::EC2::SecurityGroup  checkout-db  111122223333  eu-west-1
            1      AWS::EC2::Instance       checkout-1   111122223333  eu-west-1

            FROM                           RELATION  TO
            AWS::EC2::Instance/checkout-1  uses      AWS::EC2::SecurityGroup/checkout-db
        "#]],
    );
}

#[test]
fn changes_say_when_who_and_what() {
    let change = json!({
        "id": "6f2d7c1e-0000-5000-8000-000000000003", "occurred_at": "2026-03-03T02:13:00.25Z",
        "recorded_at": "2026-03-03T02:13:05Z", "account": "111122223333", "region": "eu-west-1",
        "source": "cloudtrail", "kind": "RevokeSecurityGroupIngress", "category": "update", "severity": "high",
        "read_only": false, "summary": "RevokeSecurityGroupIngress on checkout-db",
        "actor": {"kind": "role", "name": "deployer", "session": "build-881"}, "error_code": "AccessDenied", "details": {},
        "resources": [], "mentions": []
    });
    let mut by_person = change.clone();
    by_person["actor"]["name"] = json!("AWSReservedSSO_PlatformEngineer_0a1b2c3d4e5f6071");
    by_person["actor"]["session"] = json!("dana@example.com");
    check(
        changes::table(&json!({"items": [change, by_person]})),
        expect![[r#"
        TIME                  SEVERITY  WHO                                       WHAT
        2026-03-03T02:13:00Z  high      deployer/build-881                        RevokeSecurityGroupIngress on checkout-db (failed: AccessDenied)
        2026-03-03T02:13:00Z  high      AWSReservedSSO_Platfor…/dana@example.com  RevokeSecurityGroupIngress on checkout-db (failed: AccessDenied)
    "#]],
    );
}

#[test]
fn findings_sources_and_rejected_input_are_a_row_each() {
    let finding = json!({
        "id": "6f2d7c1e-0000-5000-8000-000000000004", "account": "111122223333", "region": "eu-west-1",
        "product": "GuardDuty", "external_id": "x", "kind": "Recon:EC2/Portscan", "title": "A port scan",
        "description": "", "severity": "medium", "status": "open", "first_seen": "2026-03-03T02:00:00Z",
        "updated_at": "2026-03-03T02:13:00Z", "details": {}, "resources": []
    });
    check(
        findings::table(&json!({"items": [finding]})),
        expect![[r#"
        UPDATED               SEVERITY  STATUS  PRODUCT    WHAT
        2026-03-03T02:13:00Z  medium    open    GuardDuty  A port scan
    "#]],
    );
    let source = json!({
        "source": "cloudtrail", "account": "111122223333", "region": "eu-west-1", "observations": 12,
        "latest": "2026-03-03T02:13:00Z", "heard_at": "2026-03-03T02:13:05Z"
    });
    check(
        sources::table(&json!({"items": [source]})),
        expect![[r#"
        SOURCE      ACCOUNT       REGION     OBSERVATIONS  LATEST FACT           LAST HEARD
        cloudtrail  111122223333  eu-west-1  12            2026-03-03T02:13:00Z  2026-03-03T02:13:05Z
    "#]],
    );
    let item = json!({
        "id": "6f2d7c1e-0000-5000-8000-000000000005", "origin": "trail.json", "place": "Records[4]",
        "reason": "no_time", "message": "it has no valid time of its own", "size": 120, "hash": "ab",
        "recorded_at": "2026-03-03T02:13:05Z"
    });
    check(
        rejected::table(&json!({"items": [item]})),
        expect![[r#"
        TIME                  FROM        PLACE       REASON   WHY
        2026-03-03T02:13:05Z  trail.json  Records[4]  no_time  it has no valid time of its own
    "#]],
    );
}

#[test]
fn checks_are_a_row_each_and_one_is_told_with_its_runs() {
    let probe = json!({
        "id": "6f2d7c1e-0000-5000-8000-000000000006", "name": "shop-front", "target": "GET https://example.com/",
        "state": "failing", "reason": "the status was 500", "since": "2026-03-03T02:13:00Z", "failures": 2,
        "due_at": "2026-03-03T02:15:00Z", "uptime": 0.5, "p95_ms": 41.6, "runs": 4
    });
    check(
        checks::table(&json!({"items": [probe]})),
        expect![[r#"
        CHECK       STATE    SINCE                 UPTIME  WHAT                      WHY
        shop-front  failing  2026-03-03T02:13:00Z  50.0 %  GET https://example.com/  the status was 500
    "#]],
    );
    let mut detail = probe;
    detail["results"] = json!({"items": [
        {"at": "2026-03-03T02:14:00Z", "state": "failing", "status": 500, "latency_ms": 41.6, "reason": "the status was 500"},
        {"at": "2026-03-03T02:13:00Z", "state": "failing", "reason": "nothing listens there"},
    ]});
    check(
        checks::detail(&detail),
        expect![[r#"
        shop-front is failing since 2026-03-03T02:13:00Z: the status was 500
        GET https://example.com/; next at 2026-03-03T02:15:00Z
        the last 24 hours: 50.0 % of 4 runs passed, 95 of 100 answers within 42 ms

        RAN                   STATE    STATUS  TOOK   WHY
        2026-03-03T02:14:00Z  failing  500     42 ms  the status was 500
        2026-03-03T02:13:00Z  failing                 nothing listens there
    "#]],
    );
}

#[test]
fn superseded_versions_and_changes_of_health_are_rows_among_the_versions() {
    let superseded = json!({
        "source": "config", "from": "2026-03-01T00:00:00Z", "to": "2026-03-03T00:00:00Z", "state": "documented",
        "hash": "0123456789abcdef", "recorded_at": "2026-03-01T00:00:05Z", "superseded_at": "2026-03-02T00:00:00Z"
    });
    let ill = json!({"transition": {
        "type": "AWS::EC2::SecurityGroup", "name": "checkout-db", "account": "111122223333", "region": "eu-west-1",
        "recorded_at": "2026-03-03T02:21:00Z", "resource": "6f2d7c1e-0000-5000-8000-000000000001",
        "at": "2026-03-03T02:20:00Z", "health": "unhealthy", "status": "Closed", "ready": false
    }});
    check(
        history::table(&json!({"items": [ill, superseded]})),
        expect![[r#"
        FROM                  TO                    SOURCE  STATE                                                                      DOCUMENT
        2026-03-03T02:20:00Z                        health  unhealthy Closed
        2026-03-01T00:00:00Z  2026-03-03T00:00:00Z  config  documented, learned 2026-03-01T00:00:05Z, superseded 2026-03-02T00:00:00Z  0123456789ab
    "#]],
    );
}

#[test]
fn what_differs_is_a_line_for_each_place() {
    let id = "6f2d7c1e-0000-5000-8000-000000000001";
    let edge = json!({
        "from_id": id, "to_id": "6f2d7c1e-0000-5000-8000-000000000002", "kind": "is contained in vpc", "source": "config",
        "from": "2026-03-02T00:00:00Z"
    });
    let port = json!({"path": "config.port", "before": 5432, "after": 5433});
    check(
        diff::table(&json!({
            "id": id, "type": "AWS::EC2::SecurityGroup", "name": "checkout-db", "from": "2026-03-01T00:00:00Z",
            "to": "2026-03-03T00:00:00Z", "became": "changed", "differences": [port],
            "relations": {"appeared": [edge], "went": [], "truncated": false}
        })),
        expect![[r#"
            AWS::EC2::SecurityGroup/checkout-db changed between 2026-03-01T00:00:00Z and 2026-03-03T00:00:00Z
              config.port: 5432 -> 5433
              relation came: is contained in vpc -> 6f2d7c1e-0000-5000-8000-000000000002
        "#]],
    );
    let (mut changed, mut gone) = (group(), group());
    changed["became"] = json!("changed");
    changed["differences"] = json!(7);
    changed["diff"] = json!([port, port, port, port, port, port, port]);
    gone["became"] = json!("went");
    gone["differences"] = json!(0);
    check(
        diff::account_table(&json!({"items": [changed, gone]})),
        expect![[r#"
        BECAME   PLACES  TYPE                     NATIVE ID  REGION
        changed  7       AWS::EC2::SecurityGroup  sg-0a1b    eu-west-1
          config.port: 5432 -> 5433
          config.port: 5432 -> 5433
          config.port: 5432 -> 5433
          config.port: 5432 -> 5433
          config.port: 5432 -> 5433
          and 2 more; `perigee diff 6f2d7c1e-0000-5000-8000-000000000001` between the same instants shows all
        went             AWS::EC2::SecurityGroup  sg-0a1b    eu-west-1
    "#]],
    );
}
