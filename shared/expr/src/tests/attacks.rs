use std::{fmt::Write as _, sync::Arc, thread, time::Instant};

use serde_json::{Value, json};

use crate::{Bindings, Error, Program, Scope, Shape};

fn scope() -> Scope {
    Scope::new().with("x", Shape::Dyn)
}

fn outcome(source: &str, x: &Value) -> Result<Value, Error> {
    Program::compile(source, &scope()).unwrap().evaluate(&Bindings::new().with("x", x.clone()))
}

fn is_stopped(source: &str, x: &Value) {
    let begun = Instant::now();
    let outcome = outcome(source, x);
    assert!(matches!(outcome, Err(Error::Bound { .. })), "{source}: {outcome:?}");
    // Without optimisation; an evaluation that were not stopped would take minutes.
    assert!(begun.elapsed().as_secs() < 20, "{source} took {:?}", begun.elapsed());
}

#[test]
fn nested_loops_stop_at_the_bound() {
    let numbers: Value = (0..1_000).collect::<Vec<i32>>().into();
    is_stopped("x.map(a, x.map(b, x.map(c, a + b + c)))", &numbers);
    is_stopped("x.all(a, x.all(b, a + b >= 0))", &numbers);
    is_stopped("x.exists(a, x.exists(b, a + b < 0)) || true", &numbers);
    is_stopped("x.all(a, x.all(b, x == x))", &numbers);
    is_stopped("x.all(a, x.sort().distinct().size() > 0)", &numbers);
    is_stopped("lists.range(1000000000).size() > 0", &Value::Null);
    is_stopped("math.Seq([0, 9223372036854775806]).size() > 0", &Value::Null);
}

#[test]
fn text_that_grows_stops_at_the_bound() {
    let mut source = "x".to_owned();
    for _ in 0..30 {
        source = format!("cel.bind(a, {source}, a + a)");
    }
    is_stopped(&source, &json!("grow"));
    is_stopped("'ab'.repeat(1000000000)", &Value::Null);
    is_stopped("x.split('').map(a, x).map(b, b + x).join(x).replace('a', x)", &json!("a".repeat(4_000)));
    is_stopped("regex.replace(x, 'a', x)", &json!("a".repeat(20_000)));
    is_stopped("'%s'.format([x.split('').map(a, x)])", &json!("a".repeat(5_000)));
    is_stopped("x.indent(x)", &json!("\n".repeat(20_000)));
}

#[test]
fn a_big_result_is_refused_and_a_big_document_is_not_copied() {
    let big = Arc::new(json!({ "items": vec![json!({"name": "n".repeat(1_000)}); 20_000] }));
    let bindings = Bindings::new().with_shared("x", Arc::clone(&big));
    let whole = Program::compile("x", &scope()).unwrap();
    assert!(matches!(whole.evaluate(&bindings), Err(Error::Bound { .. })));
    let one = Program::compile("x.items[19999].name.size()", &scope()).unwrap();
    assert_eq!(one.evaluate(&bindings), Ok(json!(1_000)));
}

#[test]
fn expressions_that_are_no_good_for_a_regex_engine_end_soon() {
    let begun = Instant::now();
    let text = json!("a".repeat(100_000));
    assert_eq!(outcome("x.matches('(a+)+$')", &text), Ok(json!(true)));
    assert_eq!(outcome("x.matches('(a|aa)*b')", &text), Ok(json!(false)));
    assert!(begun.elapsed().as_secs() < 20);
    for pattern in ["a{1000}{1000}{1000}", "(((((\\\\w{200}){200}){200})))", &"(".repeat(100)] {
        let source = format!("x.matches('{pattern}')");
        assert!(Program::compile(&source, &scope()).is_err(), "{pattern}");
        let late = format!("x.matches('' + '{pattern}')");
        assert!(matches!(outcome(&late, &text), Err(Error::NoValue { .. })), "{pattern}");
    }
    let long = format!("x.matches('{}')", "a".repeat(2_000));
    assert!(Program::compile(&long, &scope()).unwrap_err().message.contains("at most 1024"));
    let many: Value = (0..2_000).map(|n| format!("a{n}")).collect::<Vec<_>>().into();
    is_stopped("x.all(a, 'text'.matches(a) || true)", &many);
}

/// As small a stack as a thread of the runtime has.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn deep_expressions_do_not_overflow_the_stack() {
    on_a_small_stack(|| {
        for (open, close) in
            [("(", ")"), ("[", "]"), ("{1: ", "}"), ("!(", ")"), ("size([", "])"), ("x[", "]")]
        {
            for depth in [10, 25, 29, 59, 100, 2_000] {
                let source = format!("{}x{}", open.repeat(depth), close.repeat(depth));
                if let Ok(program) = Program::compile(&source, &scope()) {
                    drop(program.evaluate(&Bindings::new().with("x", json!(1))));
                } else {
                    assert!(depth > 50, "{depth} of {open}");
                }
            }
        }
        for (part, joined) in [("x", "+"), ("x", " && "), ("x", "."), ("!", ""), ("-", ""), ("x ? x : ", "")]
        {
            for count in [20, 500, 1_900, 7_000] {
                let source = format!("{}x", vec![part; count].join(joined) + joined);
                if let Ok(program) = Program::compile(&source, &scope()) {
                    drop(program.evaluate(&Bindings::new().with("x", json!(true))));
                }
            }
        }
        let mut source = String::new();
        for depth in 0..25 {
            write!(source, "[1].map(v{depth}, ").unwrap();
        }
        source = format!("{source}1{}", ")".repeat(25));
        let program = Program::compile(&source, &Scope::new()).unwrap();
        assert!(program.evaluate(&Bindings::new()).is_ok());
    });
}

#[test]
fn a_long_row_of_terms_is_no_deep_expression() {
    let sum = vec!["1"; 1_000].join(" + ");
    assert_eq!(outcome(&sum, &Value::Null), Ok(json!(1_000)));
    let any = vec!["x == 1"; 300].join(" || ");
    assert_eq!(outcome(&any, &json!(2)), Ok(json!(false)));
}

#[test]
fn an_expression_that_is_too_long_is_refused() {
    let long = format!("'{}'", "a".repeat(20_000));
    assert!(Program::compile(&long, &scope()).unwrap_err().message.contains("at most 16384"));
    let many = vec!["1"; 3_000].join("+");
    assert!(Program::compile(&many, &scope()).unwrap_err().message.contains("more than 4000 words"));
}

proptest::proptest! {
    #[test]
    fn compiling_and_evaluating_never_panics(source in "[xy0-9 ().,'\"\\[\\]{}:?!&|+*/<>=%$a-c\u{e4}\\\\-]{0,60}") {
        let bindings = Bindings::new().with("x", json!({"a": [1, "b"], "b": null}));
        if let Ok(program) = Program::compile(&source, &scope().unchecked()) {
            drop(program.evaluate(&bindings));
        }
    }

    #[test]
    fn a_template_of_anything_never_panics(source in "[x${}'\" a.\\\\]{0,40}") {
        let bindings = Bindings::new().with("x", json!({"a": 1}));
        if let Ok(template) = crate::Template::compile(&source, &scope()) {
            drop(template.render(&bindings));
        }
    }
}
