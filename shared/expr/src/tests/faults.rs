use expect_test::expect;

use crate::{Program, Scope, Shape};

fn scope() -> Scope {
    Scope::new()
        .with(
            "resource",
            Shape::record([
                ("type", Shape::String),
                ("tags", Shape::map(Shape::String)),
                ("config", Shape::Dyn),
                ("aliases", Shape::list(Shape::String)),
                ("edges", Shape::list(Shape::record([("kind", Shape::String)]))),
                ("health", Shape::record([("health", Shape::String), ("since", Shape::Timestamp)])),
            ]),
        )
        .with("now", Shape::Timestamp)
        .with("let", Shape::record([("age", Shape::Dyn)]))
}

const WRONG: &[&str] = &[
    "resource.helth.health == 'unhealthy'",
    "resource.type == 'x' &&\n  resource.healt == 'y'",
    "resorce.type",
    "resource['typ'] == 'x'",
    "has(resource.tpye)",
    "resource.aliases.first == 'x'",
    "resource.edges.exists(e, e.knd == 'x')",
    "resource.type.length() > 2",
    "siez(resource.tags) > 1",
    "startsWith(resource.type, 'AWS')",
    "resource.type.size == 2",
    "math.grtest(1, 2)",
    "resource.type.contains()",
    "resource.type.matches('(')",
    "resource.type ==",
    "resource.type = 'x'",
    "(resource.type",
    "let.aeg > 1",
    "lett.age",
    "size > 1",
    "resource.aliases.all(x)",
    "resource.aliases.all(x.y, true)",
    "has(now)",
    "",
    "'ä' + resource.nme",
    "while",
    "Thing{a: 1}",
];

#[test]
fn every_fault_says_where_it_is_and_what_would_be_right() {
    let mut out = String::new();
    for source in WRONG {
        let fault = Program::compile(source, &scope()).expect_err(source);
        out.push_str(&format!("{source:?}\n  {fault}\n"));
    }
    expect![[r#"
        "resource.helth.health == 'unhealthy'"
          unknown field `helth` of `resource`; did you mean `health`? (line 1, column 10)
        "resource.type == 'x' &&\n  resource.healt == 'y'"
          unknown field `healt` of `resource`; did you mean `health`? (line 2, column 12)
        "resorce.type"
          unknown variable `resorce`; did you mean `resource`? (line 1, column 1)
        "resource['typ'] == 'x'"
          unknown field `typ` of `resource`; did you mean `type`? (line 1, column 9)
        "has(resource.tpye)"
          unknown field `tpye` of `resource`; did you mean `type`? (line 1, column 14)
        "resource.aliases.first == 'x'"
          `resource.aliases` is a list and has no field `first`; use an index or a macro such as exists() (line 1, column 18)
        "resource.edges.exists(e, e.knd == 'x')"
          unknown field `knd` of `e`; did you mean `kind`? (line 1, column 28)
        "resource.type.length() > 2"
          unknown function `length` (line 1, column 15)
        "siez(resource.tags) > 1"
          unknown function `siez`; did you mean `size`? (line 1, column 1)
        "startsWith(resource.type, 'AWS')"
          unknown function `startsWith`; write `value.startsWith(...)` (line 1, column 1)
        "resource.type.size == 2"
          `resource.type` has no fields, so not `size` (line 1, column 15)
        "math.grtest(1, 2)"
          unknown function `math.grtest`; did you mean `math.greatest`? (line 1, column 12)
        "resource.type.contains()"
          `contains` takes 1 arguments, not 0 (line 1, column 23)
        "resource.type.matches('(')"
          not a regular expression: unclosed group (line 1, column 22)
        "resource.type =="
          not a CEL expression: the end is not expected here (line 1, column 17)
        "resource.type = 'x'"
          not a CEL expression: `=` is not expected here; equality is `==` (line 1, column 15)
        "(resource.type"
          not a CEL expression: missing ')' at the end (line 1, column 15)
        "let.aeg > 1"
          unknown field `aeg` of `let`; did you mean `age`? (line 1, column 5)
        "lett.age"
          unknown variable `lett`; did you mean `let`? (line 1, column 1)
        "size > 1"
          unknown variable `size`; `size` is a function: write `size(...)` (line 1, column 1)
        "resource.aliases.all(x)"
          unknown function `all` with these arguments; `all` is a macro, as in items.all(x, x > 0) (line 1, column 18)
        "resource.aliases.all(x.y, true)"
          a macro wants a plain name here, as `x` in items.all(x, x > 0) (line 1, column 24)
        "has(now)"
          has() takes a field, as in has(resource.region) (line 1, column 4)
        ""
          the expression is empty (line 1, column 1)
        "'ä' + resource.nme"
          unknown field `nme` of `resource`; there is `aliases`, `config`, `edges`, `health`, `tags`, `type` (line 1, column 17)
        "while"
          not a CEL expression: reserved identifier: while (line 1, column 1)
        "Thing{a: 1}"
          messages such as `Thing` cannot be made here (line 1, column 6)
    "#]].assert_eq(&out);
}

#[test]
fn words_of_kubernetes_are_fields_as_any() {
    for source in [
        "resource.config.metadata.namespace == 'x'",
        "let.age > 1",
        "resource.config.let == 1",
        "resource.config.`a-b`",
    ] {
        Program::compile(source, &scope()).expect(source);
    }
}
