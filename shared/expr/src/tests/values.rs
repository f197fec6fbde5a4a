use serde_json::{Value, json};

use crate::{Bindings, Program, Scope, Shape};

fn evaluate(source: &str) -> Result<Value, String> {
    let scope = Scope::new()
        .with("x", Shape::Dyn)
        .with("now", Shape::Timestamp)
        .with("let", Shape::record([("age", Shape::Dyn)]))
        .with(
            "resource",
            Shape::record([("since", Shape::Timestamp), ("name", Shape::String), ("took", Shape::Duration)]),
        );
    let bindings = Bindings::new()
        .with("x", json!({"a": [1, 2.5, "c"], "b": {"k": null}, "t": "2026-03-03T02:00:00Z"}))
        .with("let", json!({"age": 7}))
        .with("resource", json!({"since": "2026-03-03T02:00:00Z", "name": "web", "took": "1.500000s"}))
        .with_time("now", "2026-03-03T02:13:00Z".parse().unwrap());
    let program = Program::compile(source, &scope).map_err(|fault| fault.to_string())?;
    program.evaluate(&bindings).map_err(|error| error.to_string())
}

#[test]
fn a_missing_key_is_an_error_and_has_is_not() {
    assert_eq!(evaluate("x.nope").unwrap_err(), "`x.nope`: no such key: `nope`");
    assert_eq!(evaluate("has(x.nope)"), Ok(json!(false)));
    assert_eq!(evaluate("has(x.b.k)"), Ok(json!(true)));
    assert_eq!(evaluate("x.?nope.orValue('none')"), Ok(json!("none")));
    assert_eq!(evaluate("x.nope == 1 || x.a.size() == 3"), Ok(json!(true)));
    assert_eq!(evaluate("x.b.k.deep").unwrap_err(), "`x.b.k.deep`: null has no field `deep`");
}

#[test]
fn a_declared_instant_is_an_instant_although_it_is_written_as_text() {
    assert_eq!(evaluate("now - resource.since > duration('10m')"), Ok(json!(true)));
    assert_eq!(evaluate("now - timestamp(resource.since)"), Ok(json!("780s")));
    assert_eq!(evaluate("resource.since + duration('1h')"), Ok(json!("2026-03-03T03:00:00Z")));
    assert_eq!(evaluate("now - timestamp(x.t)"), Ok(json!("780s")));
}

#[test]
fn a_declared_length_of_time_is_one_although_it_is_written_as_text() {
    assert_eq!(evaluate("resource.took > duration('1s')"), Ok(json!(true)));
    assert_eq!(evaluate("resource.took + duration('500ms')"), Ok(json!("2s")));
}

#[test]
fn let_is_a_variable_where_it_is_declared() {
    assert_eq!(evaluate("let.age + 1 // let it be\n"), Ok(json!(8)));
    assert_eq!(evaluate("'let' + string(let.age)"), Ok(json!("let7")));
}

#[test]
fn a_condition_gives_a_bool_and_an_instant_a_time() {
    let scope = Scope::new().with("now", Shape::Timestamp);
    let bindings = Bindings::new().with_time("now", "2026-03-03T02:13:00Z".parse().unwrap());
    let compile = |source| Program::compile(source, &scope).unwrap();
    assert_eq!(compile("1 < 2").holds(&bindings), Ok(true));
    assert_eq!(
        compile("1").holds(&bindings).unwrap_err().to_string(),
        "`1` gives an int, and must give true or false"
    );
    let at = compile("now + duration('1h')").instant(&bindings).unwrap().unwrap();
    assert_eq!(at.to_rfc3339(), "2026-03-03T03:13:00+00:00");
    assert_eq!(compile("null").instant(&bindings), Ok(None));
    assert!(compile("'soon'").instant(&bindings).is_err());
}

/// What engineers know from elsewhere, by their names there.
#[test]
fn known_functions_are_known_here() {
    for (source, wanted) in [
        ("'a-b'.split('-').join('+')", json!("a+b")),
        ("[3, 1, 2].sort()", json!([1, 2, 3])),
        ("[3, 1, 2].sortBy(n, -n)", json!([3, 2, 1])),
        ("[1, 1, 2].distinct()", json!([1, 2])),
        ("[[1], [2, 3]].flatten()", json!([1, 2, 3])),
        ("[1, 2.5].sum()", json!(3.5)),
        ("[1, 2, 3].slice(1, 3)", json!([2, 3])),
        ("lists.range(3)", json!([0, 1, 2])),
        ("{'b': 2, 'a': 1}.keys()", json!(["a", "b"])),
        ("{'a': 1}.merge({'a': 2, 'b': 3})", json!({"a": 2, "b": 3})),
        ("[1, 2, 3].transformMap(i, v, v * 2)", json!({"0": 2, "1": 4, "2": 6})),
        ("x.toJSON().JSON() == x", json!(true)),
        ("regex.replace('a1b22', '[0-9]+', '<\\\\0>')", json!("a<1>b<22>")),
        ("regex.extract('i-0abc', 'i-(.*)').value()", json!("0abc")),
        ("HumanSize(123456)", json!("120.6K")),
        ("k8s.memoryAsBytes('1.5Gi')", json!(1_610_612_736)),
        ("k8s.cpuAsMillicores('250m')", json!(250)),
        ("aws.arnToMap('arn:aws:sqs:eu-west-1:111122223333:q').account", json!("111122223333")),
        ("matchLabel({'region': 'us-east-1'}, 'region', 'us-*')", json!(true)),
        ("string(1000000.0) + ' ' + string(1e-7) + ' ' + string(0.1)", json!("1000000 1e-07 0.1")),
        ("duration('1.5h') + duration('-30m')", json!("3600s")),
    ] {
        assert_eq!(evaluate(source), Ok(wanted), "{source}");
    }
}

#[test]
fn functions_of_the_incumbent_give_what_they_gave() {
    let Some(data) = testkit::test_data() else { return };
    let text = std::fs::read_to_string(data.join("cel-functions/cases.jsonl")).unwrap();
    let (mut passed, mut missed) = (0, Vec::new());
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let mut bindings = Bindings::new();
        let mut scope = Scope::new();
        for (name, value) in case["env"].as_object().into_iter().flatten() {
            scope = scope.with(name, Shape::Dyn);
            bindings.set(name, value.clone());
        }
        let expression = case["expression"].as_str().unwrap();
        let outcome = Program::compile(expression, &scope)
            .map_err(|fault| fault.to_string())
            .and_then(|program| program.evaluate(&bindings).map_err(|error| error.to_string()));
        let spoken = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            Value::Array(items) => {
                let items: Vec<String> =
                    items.iter().map(|item| item.to_string().trim_matches('"').to_owned()).collect();
                format!("[{}]", items.join(" "))
            }
            other => other.to_string(),
        };
        let equal = outcome.as_ref().is_ok_and(|got| {
            *got == case["expected"]
                || spoken(got) == spoken(&case["expected"])
                || got.as_f64().is_some_and(|got| case["expected"].as_f64() == Some(got))
        });
        if equal {
            passed += 1;
        } else {
            missed.push(format!("{expression}: {outcome:?}, there {}", case["expected"]));
        }
    }
    println!("{}", missed.join("\n"));
    assert!(passed >= 100, "{passed} pass");
}
