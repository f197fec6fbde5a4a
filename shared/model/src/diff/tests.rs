use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Difference, MAX_DIFFERENCES, diff};

#[expect(clippy::needless_pass_by_value, reason = "the arguments are written in place")]
fn check(before: Value, after: Value, expected: Expect) {
    let show = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), Value::to_string);
    let differences = diff(&before, &after);
    let lines: String = differences
        .iter()
        .map(|d| format!("{}: {} -> {}\n", d.path, show(&d.before), show(&d.after)))
        .collect();
    expected.assert_eq(&lines);
    assert_eq!(apply(before, &differences), after);
}

#[test]
fn fields_are_told_by_their_path() {
    check(
        json!({"config": {"size": 1, "gone": null, "same": {"deep": [1, 2]}}, "name": "a"}),
        json!({"config": {"size": 2, "new": null, "same": {"deep": [1, 2]}}, "name": "a", "tags": {"a.b": "c"}}),
        expect![[r#"
            config.gone: null -> nothing
            config.new: nothing -> null
            config.size: 1 -> 2
            tags: nothing -> {"a.b":"c"}
        "#]],
    );
    check(
        json!({"tags": {"a.b": 1, "": 2, "k8s.io/app": 3}}),
        json!({"tags": {"a.b": 2, "": 3, "k8s.io/app": 4}}),
        expect![[r#"
        tags[""]: 2 -> 3
        tags["a.b"]: 1 -> 2
        tags["k8s.io/app"]: 3 -> 4
    "#]],
    );
    check(
        json!({"a": 1}),
        json!([1]),
        expect![[r#"
        : {"a":1} -> [1]
    "#]],
    );
    check(
        json!({"a": {}}),
        json!({"a": null}),
        expect![[r#"
        a: {} -> null
    "#]],
    );
}

#[test]
fn elements_are_matched_by_their_key_whatever_the_order() {
    check(
        json!({"tags": [{"key": "env", "value": "prod"}, {"key": "team", "value": "shop"}]}),
        json!({"tags": [{"key": "team", "value": "pay"}, {"key": "env", "value": "prod"}]}),
        expect![[r#"
            tags[key=team].value: "shop" -> "pay"
            tags[order by key]: ["env","team"] -> ["team","env"]
        "#]],
    );
    check(
        json!([{"name": "web", "image": "shop:1"}, {"name": "side car", "image": "proxy:7"}]),
        json!([{"name": "web", "image": "shop:2"}, {"name": "log.v2", "image": "log:1"}]),
        expect![[r#"
            [name=web].image: "shop:1" -> "shop:2"
            [name="side car"]: {"image":"proxy:7","name":"side car"} -> nothing
            [name=log.v2]: nothing -> {"image":"log:1","name":"log.v2"}
        "#]],
    );
    check(
        json!([{"subnetId": "subnet-1", "state": "a"}, {"subnetId": "subnet-2", "state": "a"}]),
        json!([{"subnetId": "subnet-1", "state": "b"}, {"subnetId": "subnet-2", "state": "a"}]),
        expect![[r#"
            [subnetId=subnet-1].state: "a" -> "b"
        "#]],
    );
    check(
        json!([{"id": 5, "v": 1}, {"id": "5", "v": 1}]),
        json!([{"id": 5, "v": 2}, {"id": "5", "v": 3}]),
        expect![[r#"
            [id=5].v: 1 -> 2
            [id="5"].v: 1 -> 3
        "#]],
    );
}

#[test]
fn elements_without_a_key_are_aligned() {
    check(
        json!(["a", "b", "c", "d"]),
        json!(["a", "c", "x", "d", "e"]),
        expect![[r#"
        [1]: "b" -> nothing
        [2]: nothing -> "x"
        [4]: nothing -> "e"
    "#]],
    );
    check(
        json!([{"from": 443, "cidr": "10.0.0.0/8"}, {"from": 22, "cidr": "10.0.0.0/8"}]),
        json!([{"from": 443, "cidr": "0.0.0.0/0"}, {"from": 22, "cidr": "10.0.0.0/8"}]),
        expect![[r#"
            [0].cidr: "10.0.0.0/8" -> "0.0.0.0/0"
        "#]],
    );
    // The same name twice tells nothing apart.
    check(
        json!([{"name": "a", "v": 1}, {"name": "a", "v": 2}]),
        json!([{"name": "a", "v": 2}]),
        expect![[r#"
        [0]: {"name":"a","v":1} -> nothing
    "#]],
    );
}

#[test]
fn a_subtree_with_too_many_differences_is_told_as_one() {
    let numbers = |from: usize| {
        (from..from + MAX_DIFFERENCES + 1).map(|n| (n.to_string(), json!(n))).collect::<Value>()
    };
    let (before, after) = (json!({"a": numbers(0), "b": 1}), json!({"a": numbers(5000), "b": 2}));
    let differences = diff(&before, &after);
    assert_eq!(differences.iter().map(|d| d.path.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(apply(before, &differences), after);
}

#[test]
fn long_and_deep_documents_are_compared_in_bounded_time() {
    let long = |n: i32| Value::from((0..20_000).map(|i| i * n).collect::<Vec<_>>());
    let mut deep = (json!(1), json!(2));
    for _ in 0..500 {
        deep = (json!([deep.0]), json!([deep.1]));
    }
    for (before, after) in [(long(1), long(2)), deep] {
        let differences = diff(&before, &after);
        assert_eq!(differences.len(), 1);
        assert_eq!(apply(before, &differences), after);
    }
}

#[test]
fn five_megabytes_of_near_twins_are_compared_in_bounded_time() {
    // Elements without a key that differ at their very end only: the worst that aligning can meet.
    let twins = |end: &str| -> Value {
        (0..480).map(|n| json!({ "rows": vec![1; 4500], "zz": format!("{end}{n}") })).collect()
    };
    let (old, new) = (json!({ "list": twins("a") }), json!({ "list": twins("b") }));
    let long = |end: &str| -> Value {
        let fields: serde_json::Map<String, Value> = (0..900).map(|n| (n.to_string(), json!(end))).collect();
        json!({ "k".repeat(1 << 20): { "k".repeat(1 << 20): fields } })
    };
    let began = std::time::Instant::now();
    assert!(!diff(&old, &new).is_empty());
    let told = diff(&long("a"), &long("b"));
    assert_eq!(told.len(), 1, "below a long path everything is told whole");
    let took = began.elapsed();
    assert!(took < std::time::Duration::from_secs(10), "{took:?}");
    println!("{took:?}");
    assert_eq!(diff(&old, &old), []);
}

#[test]
fn null_survives_being_written_and_read() {
    let differences = diff(&json!({"a": null}), &json!({"b": null}));
    let text = serde_json::to_string(&differences).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Difference>>(&text).unwrap(), differences, "{text}");
}

fn document() -> impl Strategy<Value = Value> {
    let scalar = || {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..4).prop_map(Value::from),
            "[a-c. \"\\]]{0,2}".prop_map(Value::from)
        ]
    };
    scalar().prop_recursive(4, 40, 5, move |inner| {
        let named = ("[a-d]", inner.clone()).prop_map(|(name, v)| json!({"name": name, "v": v}));
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec(named, 0..5).prop_map(Value::from),
            proptest::collection::btree_map("name|id|[a-c.\"\\]]{0,2}", inner, 0..5)
                .prop_map(|fields| fields.into_iter().collect::<Value>()),
        ]
    })
}

proptest! {
    #[test]
    fn applying_the_differences_to_the_old_gives_the_new(before in document(), after in document()) {
        prop_assert_eq!(apply(before.clone(), &diff(&before, &after)), after);
    }

    #[test]
    fn a_document_differs_from_itself_in_nothing(document in document()) {
        prop_assert_eq!(diff(&document, &document), vec![]);
    }
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    Key(String, String),
    Place(usize),
    Order(String),
}

fn steps(mut path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    while !path.is_empty() {
        let Some(inside) = path.strip_prefix('[') else {
            let name = path.strip_prefix('.').unwrap_or(path);
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let (field, rest) = name.split_at(end);
            steps.push(Step::Field(field.to_owned()));
            path = rest;
            continue;
        };
        let (step, rest) = bracket(inside);
        steps.push(step);
        path = rest.strip_prefix(']').unwrap();
    }
    steps
}

fn bracket(inside: &str) -> (Step, &str) {
    if let Some(rest) = inside.strip_prefix("order by ") {
        let (field, rest) = rest.split_at(rest.find(']').unwrap());
        return (Step::Order(field.to_owned()), rest);
    }
    if inside.starts_with('"') {
        let (text, rest) = json_prefix(inside);
        return (Step::Field(text.as_str().unwrap().to_owned()), rest);
    }
    let (head, rest) = inside.split_at(inside.find(['=', ']']).unwrap());
    let Some(value) = rest.strip_prefix('=') else {
        return (Step::Place(head.parse().unwrap()), rest);
    };
    if value.starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        let (value, rest) = json_prefix(value);
        return (Step::Key(head.to_owned(), value.to_string()), rest);
    }
    let (value, rest) = value.split_at(value.find(']').unwrap());
    (Step::Key(head.to_owned(), Value::from(value).to_string()), rest)
}

fn json_prefix(text: &str) -> (Value, &str) {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = values.next().unwrap().unwrap();
    let (_, rest) = text.split_at(values.byte_offset());
    (value, rest)
}

/// The edits that begin with one step, and whether the step names an element that goes.
type Group<'a> = ((bool, Step), Vec<(Vec<Step>, &'a Difference)>);

fn apply(before: Value, differences: &[Difference]) -> Value {
    apply_steps(before, differences.iter().map(|d| (steps(&d.path), d)).collect())
}

fn apply_steps(value: Value, edits: Vec<(Vec<Step>, &Difference)>) -> Value {
    if let [(path, difference)] = edits.as_slice()
        && path.is_empty()
    {
        assert_eq!(difference.before.as_ref(), Some(&value));
        return difference.after.clone().unwrap();
    }
    if edits.is_empty() {
        return value;
    }
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (mut path, difference) in edits {
        let removal = path.len() == 1 && difference.after.is_none();
        let step = path.remove(0);
        match groups.iter_mut().find(|((r, s), _)| *r == removal && *s == step) {
            Some((_, group)) => group.push((path, difference)),
            None => groups.push(((removal, step), vec![(path, difference)])),
        }
    }
    match value {
        Value::Object(mut fields) => {
            for ((_, step), edits) in groups {
                let Step::Field(field) = step else { panic!("{step:?} in an object") };
                let old = fields.remove(&field);
                if let Some(new) = edit(old, edits) {
                    fields.insert(field, new);
                }
            }
            Value::Object(fields)
        }
        Value::Array(elements) => apply_to_array(elements, groups),
        other => panic!("steps into {other}: {groups:?}"),
    }
}

/// One child: added, removed, or edited inside.
fn edit(old: Option<Value>, edits: Vec<(Vec<Step>, &Difference)>) -> Option<Value> {
    match (old, edits.as_slice()) {
        (None, [(path, difference)]) if path.is_empty() => {
            assert_eq!(difference.before, None);
            difference.after.clone()
        }
        (old, [(path, Difference { before, after: None, .. })]) if path.is_empty() => {
            assert_eq!(&old, before);
            None
        }
        (old, _) => Some(apply_steps(old.unwrap(), edits)),
    }
}

fn apply_to_array(mut elements: Vec<Value>, groups: Vec<Group<'_>>) -> Value {
    let mut order = None;
    let removed: Vec<_> =
        groups.iter().map(|(key, _)| key).filter(|(removal, _)| *removal).rev().cloned().collect();
    for (_, step) in removed {
        if let Step::Place(place) = step {
            elements.remove(place);
        }
    }
    let key = |element: &Value, field: &str| element[field].to_string();
    let mut added = Vec::new();
    for ((removal, step), edits) in groups {
        match step {
            Step::Place(_) if removal => {}
            Step::Place(place) if edits[0].0.is_empty() && edits[0].1.before.is_none() => {
                elements.insert(place, edits[0].1.after.clone().unwrap());
            }
            Step::Place(place) => elements[place] = apply_steps(elements[place].clone(), edits),
            Step::Key(field, value) => {
                let at = elements.iter().position(|element| key(element, &field) == value);
                match (at, edit(at.map(|at| elements[at].clone()), edits)) {
                    (Some(at), Some(new)) => elements[at] = new,
                    (Some(at), None) => drop(elements.remove(at)),
                    (None, Some(new)) => added.push(new),
                    (None, None) => panic!("nothing to remove"),
                }
            }
            Step::Order(field) => order = Some((field, edits[0].1.after.clone().unwrap())),
            Step::Field(field) => panic!("{field} in an array"),
        }
    }
    elements.extend(added);
    if let Some((field, keys)) = order {
        let find =
            |wanted: &Value| elements.iter().find(|element| element.get(&field) == Some(wanted)).cloned();
        return Value::Array(keys.as_array().unwrap().iter().filter_map(find).collect());
    }
    Value::Array(elements)
}
