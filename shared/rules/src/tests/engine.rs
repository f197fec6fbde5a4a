//! Which rule answers, what an error does, and what time does.

use std::sync::Arc;

use manifest::Spec;
use model::Health;
use proptest::prelude::*;
use serde_json::{Map, Number, Value, json};

use super::{at, built_in, judged};
use crate::{Fault, NamedRule, Rules};

const NOW: &str = "2026-03-03T02:13:00Z";

fn rules(text: &str) -> (Rules, Vec<Fault>) {
    let (manifests, faults) = manifest::parse(text, "test");
    assert_eq!(faults, []);
    let rules = manifests.into_iter().map(|one| {
        let name = one.name().to_owned();
        let Spec::HealthRule(spec) = one.spec else { panic!("{name}") };
        NamedRule { name, spec: *spec }
    });
    Rules::new(rules.collect())
}

fn rule(name: &str, rest: &str) -> String {
    format!(
        "---\napiVersion: perigee.dev/v1\nkind: HealthRule\nmetadata: {{name: {name}}}\nspec:\n  types: [\"Shop::Thing\"]\n{rest}\n"
    )
}

fn thing(config: Value) -> Value {
    let mut thing = json!({"type": "Shop::Thing", "name": "a", "tags": {"env": "prod"}});
    thing["config"] = config;
    thing
}

#[test]
fn rules_are_tried_by_priority_then_by_name_and_pass_on_when_no_case_holds() {
    let text = rule("b", "  cases: [{health: healthy, status: B}]")
        + &rule("a", "  cases: [{if: resource.config.n > 1, health: healthy, status: A}]")
        + &rule("z", "  priority: 5\n  cases: [{if: resource.config.n > 2, health: healthy, status: Z}]")
        + &rule("s", "  priority: 9\n  selector: tags.env=test\n  cases: [{health: healthy, status: S}]");
    let (rules, faults) = rules(&text);
    assert_eq!(faults, []);
    let status = |n: i64| rules.judge(thing(json!({ "n": n })), at(NOW)).status;
    assert_eq!([status(1), status(2), status(3)], ["B", "A", "Z"]);
    assert!(rules.types_concerned("Shop::Thing") && rules.types_concerned("AWS::EC2::Instance"));
    assert!(!rules.types_concerned("Shop::Other"));
}

#[test]
fn a_rule_that_errors_on_one_resource_says_so_and_harms_no_other() {
    let (rules, _) = rules(&rule(
        "mine",
        "  let: [{name: n, value: resource.config.n}]\n  cases: [{if: let.n > 1, health: warning, status: Many}]",
    ));
    let verdict = rules.judge(thing(json!({})), at(NOW));
    assert_eq!(
        (verdict.health, verdict.status.as_str(), verdict.ready),
        (Health::Unknown, "RuleError", false)
    );
    assert_eq!(verdict.rule.as_deref(), Some("mine"));
    assert!(verdict.reason.contains("`mine`") && verdict.reason.contains("value `n`"), "{}", verdict.reason);
    assert!(verdict.reason.contains("no such key"), "{}", verdict.reason);
    let wrong = rules.judge(thing(json!({"n": "two"})), at(NOW));
    assert!(wrong.reason.contains("case 1"), "{}", wrong.reason);
    assert_eq!(rules.judge(thing(json!({"n": 2})), at(NOW)).status, "Many");
}

#[test]
fn a_rule_that_does_not_compile_is_reported_and_left_out() {
    let text = rule("good", "  cases: [{health: healthy, status: Good}]")
        + &rule(
            "bad",
            "  priority: 5\n  cases: [{if: resource.nmae == \"x\", health: healthy, status: Bad}]",
        );
    let (rules, faults) = rules(&text);
    let [fault] = faults.as_slice() else { panic!("{faults:?}") };
    assert_eq!((fault.rule.as_str(), fault.place.as_str()), ("bad", "spec.cases[0].if"));
    assert!(fault.reason.contains("nmae"), "{}", fault.reason);
    assert_eq!(rules.judge(thing(json!({})), at(NOW)).status, "Good");
}

#[test]
fn a_verdict_names_the_earliest_instant_at_which_it_may_change() {
    let (rules, _) = rules(&rule(
        "mine",
        "  every: 1h\n  cases: [{health: healthy, status: Ok, until: timestamp(resource.config.ends)}]",
    ));
    let until = |ends: &str| rules.judge(thing(json!({ "ends": ends })), at(NOW)).until;
    assert_eq!(until("2026-03-03T02:20:00Z"), Some(at("2026-03-03T02:20:00Z")));
    assert_eq!(until("2026-03-03T05:00:00Z"), Some(at("2026-03-03T03:13:00Z")));
    assert_eq!(until("2026-03-03T01:00:00Z"), Some(at("2026-03-03T03:13:00Z")));
}

#[test]
fn health_moves_by_time_alone() {
    let cases = [
        ("v1", "Pod", json!({"phase": "Pending"}), "2026-03-03T02:05:00Z", Health::Unhealthy),
        ("v1", "PersistentVolumeClaim", json!({"phase": "Pending"}), "2026-03-03T02:05:00Z", Health::Warning),
        ("apps/v1", "Deployment", json!({"replicas": 1}), "2026-03-03T02:10:00Z", Health::Unhealthy),
    ];
    for (version, kind, status, turn, then) in cases {
        let object = json!({
            "apiVersion": version, "kind": kind, "status": status,
            "metadata": {"name": "a", "creationTimestamp": "2026-03-03T02:00:00Z"},
        });
        let before = built_in().judge_document(object.clone(), None, at("2026-03-03T02:04:59Z"));
        assert_eq!((before.health, before.until), (Health::Unknown, Some(at(turn))), "{kind}");
        let after = built_in().judge_document(object, None, at(turn));
        assert_eq!(after.health, then, "{kind}: {after:?}");
    }
}

#[test]
fn a_job_is_late_at_its_deadline_and_a_certificate_ten_days_before_its_end() {
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"},
        "spec": {"activeDeadlineSeconds": 60}, "status": {"active": 1, "startTime": "2026-03-03T02:12:30Z"},
    });
    let running = judged("", job.clone(), NOW);
    assert_eq!((running.status.as_str(), running.until), ("Running", Some(at("2026-03-03T02:13:30Z"))));
    assert_eq!(judged("", job, "2026-03-03T02:13:30Z").status, "DeadlineExceeded");

    let certificate = json!({
        "apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "a"},
        "status": {
            "notBefore": "2026-01-01T00:00:00Z", "notAfter": "2026-04-01T00:00:00Z",
            "conditions": [{"type": "Ready", "status": "True", "reason": "Ready"}],
        },
    });
    let early = judged("", certificate.clone(), NOW);
    assert_eq!((early.health, early.until), (Health::Healthy, Some(at("2026-03-22T00:00:00Z"))));
    let soon = judged("", certificate.clone(), "2026-03-22T00:00:00Z");
    assert_eq!((soon.status.as_str(), soon.until), ("ExpiresSoon", Some(at("2026-04-01T00:00:00Z"))));
    assert_eq!(judged("", certificate, "2026-04-01T00:00:00Z").status, "Expired");
}

#[test]
fn a_container_that_ended_is_remembered_for_a_day() {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
        "status": {
            "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "app", "restartCount": 1, "state": {"running": {}},
                "lastState": {"terminated": {"reason": "OOMKilled", "finishedAt": "2026-03-03T02:00:00Z"}}}],
        },
    });
    let health = |now: &str| {
        let verdict = judged("", pod.clone(), now);
        (verdict.health, verdict.status, verdict.until)
    };
    let oom = "OOMKilled".to_owned();
    assert_eq!(
        health("2026-03-03T02:30:00Z"),
        (Health::Unhealthy, oom.clone(), Some(at("2026-03-03T03:00:00Z")))
    );
    assert_eq!(health("2026-03-03T03:00:00Z"), (Health::Warning, oom, Some(at("2026-03-04T02:00:00Z"))));
    assert_eq!(health("2026-03-04T02:00:00Z"), (Health::Healthy, "Running".to_owned(), None));
}

/// JSON with the words that the rules look for in it, in places where they belong and where they do not.
fn arbitrary_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "status",
        "spec",
        "metadata",
        "conditions",
        "type",
        "reason",
        "message",
        "phase",
        "state",
        "State",
        "Name",
        "containerStatuses",
        "lastState",
        "terminated",
        "finishedAt",
        "creationTimestamp",
        "generation",
        "observedGeneration",
        "replicas",
        "deletionTimestamp",
        "Ready",
        "True",
        "False",
        "2026-03-03T02:00:00Z",
        "notAfter",
        "deployments",
        "RunningCount",
        "dBInstanceStatus",
        "stateValue",
        "suspend",
        "launchTime",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|n| Value::Number(Number::from(n))),
        word.clone().prop_map(|word| json!(word)),
        ".{0,8}".prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Map<_, _>>())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_judgement_never_panics(
        config in arbitrary_json(),
        kind in prop::sample::select(vec![
            "Kubernetes::core::Pod", "Kubernetes::core::Node", "Kubernetes::apps::Deployment", "Kubernetes::apps::StatefulSet",
            "Kubernetes::batch::Job", "Kubernetes::argoproj.io::Rollout", "Kubernetes::cert-manager.io::Certificate",
            "Kubernetes::example.com::Thing", "AWS::EC2::Instance", "AWS::ECS::Service", "AWS::ECS::Task",
            "AWS::Lambda::Function", "AWS::CloudWatch::Alarm", "AWS::RDS::DBInstance", "AWS::ACM::Certificate", "Other",
        ]),
    ) {
        let now = at(NOW);
        let verdict = built_in().judge(Arc::new(json!({"type": kind, "config": config})), now);
        prop_assert!(verdict.until.is_none_or(|until| until > now));
        prop_assert!(verdict.status.chars().all(char::is_alphanumeric));
        let bare = built_in().judge_document(config, None, now);
        prop_assert!(bare.until.is_none_or(|until| until > now));
    }
}
