use std::fmt::Write as _;

use expect_test::expect_file;
use serde_json::{Value, json};

use crate::{Fault, Kind, Manifest, Spec, from_json, lint, parse, references, schema};

/// Documents that are wrong, each in its own way; the answers stand beside, to be read aloud.
const WRONG: &str = include_str!("tests/wrong.yaml");

fn playbook(spec: &str) -> crate::Playbook {
    let text = format!("apiVersion: perigee.dev/v1\nkind: Playbook\nmetadata: {{name: p}}\nspec:\n{spec}");
    let (mut manifests, faults) = lint(&text, "");
    assert_eq!(faults, []);
    match manifests.remove(0).spec {
        Spec::Playbook(playbook) => *playbook,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_fault_says_where_it_is_and_what_would_be_right() {
    let (manifests, faults) = lint(WRONG, "wrong.yaml");
    assert_eq!(manifests.iter().map(Manifest::name).collect::<Vec<_>>(), ["good-beside-bad"]);
    let lines: Vec<&str> = WRONG.lines().collect();
    let mut out = String::new();
    for fault in &faults {
        let line = lines.get(fault.line.unwrap_or(1) - 1).unwrap_or(&"");
        writeln!(out, "{}\n{fault}", line.trim()).unwrap();
    }
    expect_file!["tests/wrong.txt"].assert_eq(&out);
}

#[test]
fn what_may_be_a_secret_is_never_repeated() {
    for (field, value) in
        [("bearer", "hunter2"), ("basic", "{username: a, password: hunter2}"), ("bearer", "{token: hunter2}")]
    {
        let text = format!(
            "apiVersion: perigee.dev/v1\nkind: Connection\nmetadata: {{name: a}}\nspec:\n  http:\n    url: https://example.com\n    {field}: {value}\n"
        );
        let (manifests, faults) = lint(&text, "");
        assert_eq!(manifests, []);
        assert!(faults[0].message.contains("never as itself"), "{}", faults[0]);
        assert!(!faults[0].to_string().contains("hunter2"), "{}", faults[0]);
    }
}

#[test]
fn a_document_that_is_no_yaml_does_not_stop_its_neighbours() {
    let text = "apiVersion: perigee.dev/v1\nkind: Silence\nmetadata: {name: a}\nspec: {reason: x, until: 2026-03-03T00:00:00Z}\n---\na: [\n---\n- b\n...\n---\napiVersion: perigee.dev/v1\nkind: Silence\nmetadata: {name: c}\nspec: {reason: x, until: 2026-03-03T00:00:00Z}\n";
    let (manifests, faults) = lint(text, "f.yaml");
    assert_eq!(manifests.iter().map(Manifest::name).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].to_string().starts_with("f.yaml:"), "{}", faults[0]);
}

#[test]
fn json_is_read_as_yaml_is_and_lists_hold_several() {
    let one = json!({"apiVersion": "perigee.dev/v1", "kind": "Silence", "metadata": {"name": "a"},
        "spec": {"reason": "x", "until": "2026-03-03T00:00:00Z"}});
    let (manifests, faults) = lint(&one.to_string(), "");
    assert_eq!((manifests.len(), faults), (1, vec![]));
    let (manifests, _) = lint(&json!([one, {"kind": "x"}, one]).to_string(), "");
    assert_eq!(manifests.len(), 2);
    assert_eq!(from_json(&manifests[0].body()).unwrap().0, manifests[0]);
}

#[test]
fn what_is_written_out_can_be_read_again() {
    let (manifests, _) = lint(WRONG, "");
    for manifest in manifests {
        let (again, faults) = parse(&manifest.body().to_string(), "");
        assert_eq!((again, faults), (vec![manifest], vec![]));
    }
}

#[test]
fn a_bomb_of_aliases_is_refused_early() {
    let mut text = format!("a: &a {}\n", "x".repeat(10_000));
    for (name, of) in [("b", "a"), ("c", "b"), ("d", "c"), ("e", "d"), ("f", "e")] {
        let aliases = vec![format!("*{of}"); 10].join(", ");
        text += &format!("{name}: &{name} [{aliases}]\n");
    }
    let (_, faults) = parse(&text, "bomb.yaml");
    assert!(faults[0].message.contains("too large with its aliases"), "{}", faults[0]);
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    assert_eq!(parse(&deep, "").1.len(), 1);
}

#[test]
fn the_schema_of_every_kind_names_its_fields() {
    for kind in Kind::ALL {
        let schema = schema(*kind);
        assert_eq!(schema["properties"]["kind"]["const"], kind.as_str());
        let spec = schema["properties"]["spec"]["$ref"].as_str().unwrap();
        let spec = schema.pointer(spec.trim_start_matches('#')).unwrap();
        assert_eq!(spec["additionalProperties"], false, "{kind}");
        assert!(!spec["properties"].as_object().unwrap().is_empty());
    }
}

#[test]
fn kinds_are_found_as_people_type_them() {
    for (typed, kind) in
        [("playbook", Kind::Playbook), ("HealthRules", Kind::HealthRule), ("checks", Kind::Check)]
    {
        assert_eq!(typed.parse(), Ok(kind));
    }
    assert_eq!(
        "playbok".parse::<Kind>().unwrap_err(),
        "there is no kind `playbok`; did you mean `Playbook`?"
    );
}

#[test]
fn parameters_are_admitted_or_each_fault_is_told() {
    let playbook = playbook(
        "  parameters:\n    - {name: size, type: number, min: 1, max: 5, default: 2}\n    - {name: who, required: true, pattern: '[a-z]+'}\n    - {name: env, options: [prod, test]}\n    - {name: token, type: secret}\n    - {name: for, type: duration}\n  steps: [{name: a, wait: {for: 5s}}]\n",
    );
    let admit = |given: Value| playbook.admit(given.as_object().unwrap());
    let admitted = admit(json!({"who": "dana", "token": {"env": "T"}})).unwrap();
    assert_eq!(
        Value::Object(admitted),
        json!({"size": 2, "who": "dana", "env": null, "token": {"env": "T"}, "for": null})
    );
    let faults =
        admit(json!({"size": 9, "env": "dev", "token": "hunter2", "whoo": "x", "for": "soon"})).unwrap_err();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "params.whoo: there is no such parameter; did you mean `who`?",
            "params.size: must be at most 5",
            "params.who: is required, and not given",
            "params.env: must be one of prod, test",
            "params.token: a secret is given as where it is kept, as {\"env\": \"TOKEN\"}, never as itself",
            "params.for: must be a length of time, as 5m",
        ]
    );
    assert!(admit(json!({"who": "Dana 1"})).unwrap_err()[0].message.contains("like `[a-z]+` as a whole"));
}

#[test]
fn names_that_lead_nowhere_are_warned_of() {
    let text = "apiVersion: perigee.dev/v1\nkind: Connection\nmetadata: {name: slack-ops}\nspec: {slack: {url: {env: URL}}}\n---\napiVersion: perigee.dev/v1\nkind: Notification\nmetadata: {name: n}\nspec: {on: [run.failed], to: [slack-opps, slack-ops]}\n---\napiVersion: perigee.dev/v1\nkind: Check\nmetadata: {name: c}\nspec: {every: 1m, http: {connection: slack-ops}}\n";
    let (manifests, faults) = lint(text, "");
    assert_eq!(faults, []);
    let told: Vec<String> = references(&manifests).iter().map(Fault::to_string).collect();
    assert_eq!(
        told,
        [
            "warning: Notification/n: spec.to[0]: there is no connection `slack-opps` among these; did you mean `slack-ops`?",
            "warning: Check/c: spec.http.connection: the connection `slack-ops` has no http block",
        ]
    );
}

/// What is told of a text, a line each.
fn told(text: &str) -> String {
    let (manifests, faults) = lint(text, "");
    assert!(manifests.is_empty() || faults.iter().all(|fault| !fault.is_error()), "{manifests:?}");
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

#[test]
fn all_that_is_wrong_is_told_in_one_go() {
    let text = r"apiVersion: perigee.dev/v2
kind: Playbok
metdata:
  name: Two_Words
  lables: {a: b}
spec:
  tittle: x
  timeout: soon
  on: {signals: [{kinds: [health.change], if: signal.knd == 'x'}]}
  parmeters: [{name: note, type: txt}]
  steps:
    - name: say
      exec: {script: echo, env: {NOTE: '${{ params.note }}', WHO: '${{ resource.nme }}', N: 1}}
    - {name: rest, wiat: {for: 5s}}
    - {wait: {for: 5s}}
";
    expect_file!["tests/all.txt"].assert_eq(&told(text));
    // What is no manifest at all is told of once.
    let foreign = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {namespace: shop}\nspec: {replicas: 2}\n";
    assert_eq!(told(foreign).lines().count(), 1, "{}", told(foreign));
}

#[test]
fn what_was_mended_to_look_further_is_never_taken_and_never_told_of() {
    let playbook = |rest: &str| {
        told(&format!("apiVersion: perigee.dev/v1\nkind: Playbook\nmetadata: {{name: p}}\nspec:\n{rest}"))
    };
    let one = playbook("  params: [{name: a}]\n  steps: [{name: s, if: params.a == 'x', wait: {for: 5s}}]\n");
    assert_eq!(one.lines().count(), 1, "{one}");
    let one = playbook("  steps: [{name: s, exe: {script: ls}}]\n");
    assert_eq!(one.lines().count(), 1, "{one}");
    let one = playbook("  steps: none\n");
    assert_eq!(one.lines().count(), 1, "{one}");
}

#[test]
fn what_double_quotes_made_of_an_escape_is_said_to_be_that() {
    let rule = |case: &str| {
        let head =
            "apiVersion: perigee.dev/v1\nkind: HealthRule\nmetadata: {name: r}\nspec:\n  types: [a::b]\n";
        told(&format!("{head}  cases:\n    - status: S\n      health: healthy\n      {case}\n"))
    };
    expect_test::expect![[r#"
        line 9: HealthRule/r: spec.cases[0].if: not a CEL expression: ''a
        ' is not expected here (column 24); in double quotes YAML reads `\n` before the expression is read: write the text in single quotes
    "#]]
    .assert_eq(&rule(r#"if: "resource.name.contains('a\nb')""#));
    let backspace = rule(r#"if: "resource.name.matches('\bshop')""#);
    assert!(backspace.contains("U+0008, which YAML makes of `\\b`"), "{backspace}");
    let digit = rule(r#"if: "resource.name.matches('\d+')""#);
    assert!(digit.contains("line 9") && digit.contains("write the text in single quotes"), "{digit}");
    assert_eq!(rule(r#"if: 'resource.name.matches(r"\bshop\d")'"#), "");
    assert_eq!(rule(r#"reason: "two\nlines""#), "");
}

#[test]
fn a_line_that_is_indented_wrongly_is_said_to_be_that() {
    let text = "apiVersion: perigee.dev/v1\nkind: Silence\nmetadata:\n  name: a\n spec:\n  reason: x\n";
    assert_eq!(
        told(text),
        "line 5: not YAML: did not find expected key; this line or one above it is indented otherwise than those beside it\n"
    );
}

#[test]
fn a_wait_that_its_run_does_not_live_to_see_is_warned_of() {
    let text = "apiVersion: perigee.dev/v1\nkind: Playbook\nmetadata: {name: p}\nspec: {steps: [{name: a, wait: {for: 2h}}, {name: b, wait: {for: 29m}}]}\n";
    assert_eq!(
        told(text),
        "line 4: warning: Playbook/p: spec.steps[0].wait.for: `2h` is not shorter than spec.timeout, `30m`: the run ends before\n"
    );
}

#[test]
fn what_a_manifest_names_of_others_is_known() {
    let silence = "apiVersion: perigee.dev/v1\nkind: Silence\nmetadata: {name: s}\nspec: {reason: x, until: 2026-03-03T00:00:00Z, notifications: [on-call]}\n";
    let (manifests, _) = lint(silence, "");
    let named = crate::named(&manifests[0]);
    let named: Vec<_> = named.iter().map(|found| (found.field.as_str(), found.kind, found.name)).collect();
    assert_eq!(named, [("spec.notifications[0]", Kind::Notification, "on-call")]);
}

proptest::proptest! {
    #[test]
    fn reading_never_panics(text in "[a-d:\\-\\[\\]{}&*|>'\"# \n0-9ä%@]{0,80}") {
        drop(lint(&text, "x"));
    }

    #[test]
    fn a_changed_byte_never_panics(at in 0_usize..10_000, with in "[ -~\n]") {
        let mut text: Vec<char> = WRONG.chars().collect();
        let at = at % text.len();
        text[at] = with.chars().next().unwrap();
        drop(lint(&text.into_iter().collect::<String>(), "x"));
    }
}
