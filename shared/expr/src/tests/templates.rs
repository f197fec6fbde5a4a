use serde_json::json;

use crate::{Bindings, Error, Scope, Shape, Template};

fn rendered(source: &str) -> Result<String, String> {
    let scope = Scope::new().with("x", Shape::Dyn).with("now", Shape::Timestamp);
    let bindings = Bindings::new()
        .with("x", json!({"name": "web", "n": 3, "evil": "${{ x.name }}", "list": ["a", 1], "null": null}))
        .with_time("now", "2026-03-03T02:13:00Z".parse().unwrap());
    let template = Template::compile(source, &scope).map_err(|fault| fault.to_string())?;
    template.render(&bindings).map_err(|error| error.to_string())
}

#[test]
fn values_take_the_place_of_their_expressions() {
    for (source, wanted) in [
        ("no value", "no value"),
        ("", ""),
        ("${{ x.name }} has ${{ x.n }}", "web has 3"),
        ("${{x.list}} ${{ x['null'] }} ${{ now }}", "[\"a\",1] null 2026-03-03T02:13:00Z"),
        ("${{ {'a': {'b': 1}}.a }}", "{\"b\":1}"),
        ("${{ '}}' + \"}}\" }}", "}}}}"),
        ("a $${{ x.name }} b", "a ${{ x.name }} b"),
        ("$5 and ${HOME} and {{ x }}", "$5 and ${HOME} and {{ x }}"),
    ] {
        assert_eq!(rendered(source).as_deref(), Ok(wanted), "{source}");
    }
}

#[test]
fn what_a_value_brings_is_never_read_again() {
    assert_eq!(rendered("${{ x.evil }}").as_deref(), Ok("${{ x.name }}"));
}

#[test]
fn a_missing_key_is_an_error() {
    assert_eq!(rendered("a ${{ x.nme }}").unwrap_err(), "`x.nme`: no such key: `nme`");
}

#[test]
fn a_fault_is_placed_in_the_whole_text() {
    assert_eq!(
        rendered("first\nsecond ${{ y.a }}").unwrap_err(),
        "unknown variable `y`; did you mean `x`? (line 2, column 12)"
    );
    assert_eq!(
        rendered("a ${{ x").unwrap_err(),
        "`${{` has no `}}`; write `$${{` for the text itself (line 1, column 3)"
    );
}

#[test]
fn a_text_that_grows_too_long_is_refused() {
    let scope = Scope::new().with("x", Shape::Dyn);
    let template = Template::compile(&"${{ x }}".repeat(100), &scope).unwrap();
    let outcome = template.render(&Bindings::new().with("x", json!("a".repeat(20_000))));
    assert!(matches!(outcome, Err(Error::Bound { .. })), "{outcome:?}");
}
