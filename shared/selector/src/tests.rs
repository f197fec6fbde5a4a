use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::{
    Call, Direction, MAX_BYTES, MAX_DEPTH, MAX_TERMS, Node, Op, Path, Pattern, Regex, Selector, Step, Term,
    parse,
};

mod checks;
mod literals;
mod regexes;

/// A node without what every one of its kind has.
fn shown(node: &Node) -> String {
    match node {
        Node::Term(Term::Compare { field, op, values, column }) => {
            format!("{column}: {:?} {op} {values:?}", field.steps)
        }
        Node::Term(Term::Matches { field, negated, regex, column }) => {
            format!("{column}: {:?} {} {:?}", field.steps, if *negated { "!~" } else { "~" }, regex.as_str())
        }
        Node::Term(Term::Word(text)) => format!("word {text:?}"),
        Node::Term(Term::Call { call, column }) => format!("{column}: {call}"),
        Node::Not(node) => format!("not [{}]", shown(node)),
        Node::All(nodes) => format!("all [{}]", nodes.iter().map(shown).collect::<Vec<_>>().join("; ")),
        Node::Any(nodes) => format!("any [{}]", nodes.iter().map(shown).collect::<Vec<_>>().join("; ")),
    }
}

/// The nodes one a line, or the error.
#[expect(clippy::needless_pass_by_value, reason = "an Expect is written in place")]
fn check(text: &str, expected: Expect) {
    let actual = match parse(text) {
        Ok(selector) => selector.nodes.iter().map(|node| format!("{}\n", shown(node))).collect(),
        Err(error) => format!("{error}\n"),
    };
    expected.assert_eq(&actual);
}

#[test]
fn the_empty_text_selects_everything() {
    assert_eq!(parse(""), Ok(Selector::default()));
    assert_eq!(parse(" \t\n "), Ok(Selector::default()));
}

#[test]
fn comparisons_and_words_stand_side_by_side() {
    check(
        "type=AWS::EC2::* account!=111122223333,other web prod.example.com",
        expect![[r#"
            1: [Key("type")] = [Wild(["AWS::EC2::", ""])]
            18: [Key("account")] != [Exact("111122223333"), Exact("other")]
            word "web"
            word "prod.example.com"
        "#]],
    );
    check(
        "since>=2026-03-03T02:13:00Z size>5 age<10 age<=-3",
        expect![[r#"
            1: [Key("since")] >= [Exact("2026-03-03T02:13:00Z")]
            29: [Key("size")] > [Exact("5")]
            36: [Key("age")] < [Exact("10")]
            43: [Key("age")] <= [Exact("-3")]
        "#]],
    );
}

#[test]
fn quotes_hold_spaces_and_signs() {
    check(
        r#"tags."a b"="c d" "free words" name="*" name="a \"b\" \\" name="a b"*".c""#,
        expect![[r#"
            1: [Key("tags"), Key("a b")] = [Exact("c d")]
            word "free words"
            31: [Key("name")] = [Exact("*")]
            40: [Key("name")] = [Exact("a \"b\" \\")]
            58: [Key("name")] = [Wild(["a b", ".c"])]
        "#]],
    );
    check(
        r#"tags.env="" name=* name=**a**"#,
        expect![[r#"
            1: [Key("tags"), Key("env")] = [Exact("")]
            13: [Key("name")] = [Wild(["", ""])]
            20: [Key("name")] = [Wild(["", "a", ""])]
        "#]],
    );
}

#[test]
fn values_may_hold_signs_after_their_first_character() {
    check(
        "tags.token=YWJj== native_id=arn:aws:iam::111122223333:role/a=b!c",
        expect![[r#"
            1: [Key("tags"), Key("token")] = [Exact("YWJj==")]
            19: [Key("native_id")] = [Exact("arn:aws:iam::111122223333:role/a=b!c")]
        "#]],
    );
}

#[test]
fn alternatives_bind_weaker_than_terms_side_by_side() {
    check(
        "type=a | type=b",
        expect![[r#"
        any [1: [Key("type")] = [Exact("a")]; 10: [Key("type")] = [Exact("b")]]
    "#]],
    );
    check(
        "a b|c d",
        expect![[r#"
        any [all [word "a"; word "b"]; all [word "c"; word "d"]]
    "#]],
    );
    check(
        "a (b | c) -d",
        expect![[r#"
        word "a"
        any [word "b"; word "c"]
        not [word "d"]
    "#]],
    );
    check(
        "a=1 (b=2 c=3)",
        expect![[r#"
        1: [Key("a")] = [Exact("1")]
        6: [Key("b")] = [Exact("2")]
        10: [Key("c")] = [Exact("3")]
    "#]],
    );
    check(
        "(a | b) | c",
        expect![[r#"
        any [word "a"; word "b"; word "c"]
    "#]],
    );
    check(
        "((a))",
        expect![[r#"
        word "a"
    "#]],
    );
    check(
        "(a b) c | (d)",
        expect![[r#"
        any [all [word "a"; word "b"; word "c"]; word "d"]
    "#]],
    );
    check(
        "type=a|type=b,c",
        expect![[r#"
        any [1: [Key("type")] = [Exact("a")]; 8: [Key("type")] = [Exact("b"), Exact("c")]]
    "#]],
    );
}

#[test]
fn a_sign_right_before_a_term_negates_it() {
    check(
        "a=1 -region=us-east-1 !web",
        expect![[r#"
        1: [Key("a")] = [Exact("1")]
        not [6: [Key("region")] = [Exact("us-east-1")]]
        not [word "web"]
    "#]],
    );
    check(
        "-(a b) !(a | b) -(-a)",
        expect![[r#"
        not [all [word "a"; word "b"]]
        not [any [word "a"; word "b"]]
        not [not [word "a"]]
    "#]],
    );
    check(
        "-tags.env=*",
        expect![[r#"
        not [2: [Key("tags"), Key("env")] = [Wild(["", ""])]]
    "#]],
    );
    check(
        "-related(name=a)",
        expect![[r#"
        not [2: related(name=a, both, 1)]
    "#]],
    );
    check(
        "age<=-3 web-1",
        expect![[r#"
        1: [Key("age")] <= [Exact("-3")]
        word "web-1"
    "#]],
    );
}

#[test]
fn a_negation_of_nothing_is_told_the_right_form() {
    check(
        "- a",
        expect![[r#"
        column 1: `-` negates the term right after it: `-field=value` or `-(a b)`; quote it to search for it
    "#]],
    );
    check(
        "a -",
        expect![[r#"
        column 3: `-` negates the term right after it: `-field=value` or `-(a b)`; quote it to search for it
    "#]],
    );
    check(
        "-",
        expect![[r#"
        column 1: `-` negates the term right after it: `-field=value` or `-(a b)`; quote it to search for it
    "#]],
    );
    check(
        "--a",
        expect![[r#"
        column 2: `--` negates twice; leave both out, or write `-(-...)`
    "#]],
    );
    check(
        "!-a",
        expect![[r#"
        column 2: `!-` negates twice; leave both out, or write `!(-...)`
    "#]],
    );
    check(
        "(-)",
        expect![[r#"
        column 2: `-` negates the term right after it: `-field=value` or `-(a b)`; quote it to search for it
    "#]],
    );
    check(
        "!=x",
        expect![[r#"
        column 1: there is no field before `!=`; write `field!=value`
    "#]],
    );
    check(
        "NOT a",
        expect![[r#"
        column 1: write `-` right before what must not hold: `-field=value`; or quote `NOT` to search for it
    "#]],
    );
    check(
        "a AND b",
        expect![[r#"
        column 3: terms side by side must all hold: leave `AND` out, or quote it to search for it
    "#]],
    );
    check(
        "a OR b",
        expect![[r#"
        column 3: write `|` between alternatives: `a | b`; or quote `OR` to search for it
    "#]],
    );
}

#[test]
fn patterns_stand_behind_a_tilde() {
    check(
        "name~^web-[0-9]+$",
        expect![[r#"
        1: [Key("name")] ~ "^web-[0-9]+$"
    "#]],
    );
    check(
        r#"name!~"(a|b)+ c""#,
        expect![[r#"
        1: [Key("name")] !~ "(a|b)+ c"
    "#]],
    );
    check(
        "name~(?i)web",
        expect![[r#"
        column 6: quote a value that has parentheses or `|` in it: `name="a (b)"`
    "#]],
    );
    check(
        r#"name~"(?i)web""#,
        expect![[r#"
        1: [Key("name")] ~ "(?i)web"
    "#]],
    );
    check(
        "name=~web",
        expect![[r#"
        column 5: there is no `=~`; write `~`
    "#]],
    );
    check(
        "name~",
        expect![[r#"
        column 6: a value is missing; write it without a space before it, and empty text as `""`
    "#]],
    );
    check(
        "name~a,b",
        expect![[r#"
        column 7: `~` takes one pattern; quote it if the comma belongs to it, and write `a|b` in quotes for several
    "#]],
    );
    check(
        "name~a|b",
        expect![[r#"
            column 7: quote a pattern that has `|` or parentheses in it: `name~"a|b"`; or put a space before it
        "#]],
    );
    check(
        r#"name~"a(b""#,
        expect![[r#"
        column 6: the pattern cannot be read: unclosed group; allowed are characters, `.`, `[a-z]`, `[^a]`, `\d`, `\w`, `\s`, `|`, `( )`, `*`, `+`, `?`, `{2,5}`, `^`, `$`, and `(?i)` at the start
    "#]],
    );
    check(
        r#"name~"a*?""#,
        expect![[r#"
        column 6: lazy repetitions such as `*?` are not allowed in a pattern; allowed are characters, `.`, `[a-z]`, `[^a]`, `\d`, `\w`, `\s`, `|`, `( )`, `*`, `+`, `?`, `{2,5}`, `^`, `$`, and `(?i)` at the start
    "#]],
    );
    check(
        r#"name~"\\bweb""#,
        expect![[r#"
        column 6: boundaries such as `\b` are not allowed in a pattern; allowed are characters, `.`, `[a-z]`, `[^a]`, `\d`, `\w`, `\s`, `|`, `( )`, `*`, `+`, `?`, `{2,5}`, `^`, `$`, and `(?i)` at the start
    "#]],
    );
}

#[test]
fn paths_lead_into_documents() {
    check(
        "config.nets[0].status=a config.nets[*].id=b",
        expect![[r#"
        1: [Key("config"), Key("nets"), Index(0), Key("status")] = [Exact("a")]
        25: [Key("config"), Key("nets"), Every, Key("id")] = [Exact("b")]
    "#]],
    );
    check(
        r#"config."a.b"[2][*]=c tags."x[0]"=y"#,
        expect![[r#"
        1: [Key("config"), Key("a.b"), Index(2), Every] = [Exact("c")]
        22: [Key("tags"), Key("x[0]")] = [Exact("y")]
    "#]],
    );
    check(
        "labels.app.kubernetes.io/name=web",
        expect![[r#"
        1: [Key("labels"), Key("app"), Key("kubernetes"), Key("io/name")] = [Exact("web")]
    "#]],
    );
    check(
        "config.a[x]=1",
        expect![[r#"
        column 9: write `[0]` for an element and `[*]` for any; quote the part if the bracket belongs to it
    "#]],
    );
    check(
        "config.a[1=2",
        expect![[r#"
        column 9: write `[0]` for an element and `[*]` for any; quote the part if the bracket belongs to it
    "#]],
    );
    check(
        "config.[0]=1",
        expect![[r#"
        column 8: the field has an empty part; write it like `tags.env` or `tags."a b"`
    "#]],
    );
    check(
        "[ERROR] a[0] b[*]",
        expect![[r#"
        word "[ERROR]"
        word "a[0]"
        word "b[*]"
    "#]],
    );
    check(
        r#""a"[0]"#,
        expect![[r#"
        column 1: `[` is not expected here; quote the text if it belongs to it
    "#]],
    );
}

#[test]
fn functions_take_a_selector_and_more() {
    check(
        "related(type=AWS::EC2::VPC)",
        expect![[r#"
        1: related(type=AWS::EC2::VPC, both, 1)
    "#]],
    );
    check(
        "related(type=a,b name=c, out, 3) web",
        expect![[r#"
        1: related(type=a,b name=c, out, 3)
        word "web"
    "#]],
    );
    check(
        "related(web,in)",
        expect![[r#"
        1: related(web, in, 1)
    "#]],
    );
    check(
        "related((a | b), both,10)",
        expect![[r#"
        1: related(a | b, both, 10)
    "#]],
    );
    check(
        "changed(kind=Delete* actor=dana occurred_at>now-1d)",
        expect![[r#"
        1: changed(kind=Delete* actor=dana occurred_at>now-1d)
    "#]],
    );
    check(
        "-finding(severity=critical | severity=high)",
        expect![[r#"
        not [2: finding(severity=critical | severity=high)]
    "#]],
    );
    check(
        "related(related(related(a)))",
        expect![[r#"
        1: related(related(related(a, both, 1), both, 1), both, 1)
    "#]],
    );
    check(
        "related (a)",
        expect![[r#"
        word "related"
        word "a"
    "#]],
    );
}

#[test]
fn a_wrong_function_is_told_the_right_form() {
    check(
        "related()",
        expect![[r#"
        column 9: the function needs a selector: `related(type=AWS::EC2::VPC)`
    "#]],
    );
    check(
        "related(a",
        expect![[r#"
        column 8: this parenthesis is never closed; add `)`
    "#]],
    );
    check(
        "related(type=a,out)",
        expect![[r#"
        column 16: write a space after the comma before the direction: `related(SELECTOR, out)`; quote it if it is a value
    "#]],
    );
    check(
        "related(a, up)",
        expect![[r#"
        column 12: `up` is no direction; write in, out or both: `related(SELECTOR, out, 2)`
    "#]],
    );
    check(
        "related(a, in, 11)",
        expect![[r#"
        column 16: `11` is no depth; write a number from 1 to 10
    "#]],
    );
    check(
        "related(a, in, 1, 2)",
        expect![[r#"
        column 17: a comma only separates values after `=` or `!=`; quote the text if the comma belongs to it
    "#]],
    );
    check(
        "changed(a, b)",
        expect![[r#"
        column 10: `changed` takes a selector only
    "#]],
    );
    check(
        "count(x)>5",
        expect![[r#"
        column 6: the functions are related(SELECTOR, direction, depth), changed(SELECTOR) and finding(SELECTOR); a group needs a space before it, and text with a parenthesis quotes
    "#]],
    );
    check(
        "since>now()-24h",
        expect![[r#"
        column 10: a group needs a space before it; quote the text if the parenthesis belongs to it
    "#]],
    );
    check(
        "related(related(related(related(a))))",
        expect![[r#"
        column 25: more than 3 functions within one another
    "#]],
    );
    check(
        r#""related"(a)"#,
        expect![[r#"
        column 10: the functions are related(SELECTOR, direction, depth), changed(SELECTOR) and finding(SELECTOR); a group needs a space before it, and text with a parenthesis quotes
    "#]],
    );
}

#[test]
fn a_parenthesis_out_of_place_is_named_with_its_column() {
    check(
        "(a",
        expect![[r#"
        column 1: this parenthesis is never closed; add `)`
    "#]],
    );
    check(
        "a)",
        expect![[r#"
        column 2: this parenthesis closes nothing; remove it, or quote the text if it belongs to it
    "#]],
    );
    check(
        "()",
        expect![[r#"
        column 2: the parentheses hold nothing; put a term in, or remove them
    "#]],
    );
    check(
        "a ( )",
        expect![[r#"
        column 5: the parentheses hold nothing; put a term in, or remove them
    "#]],
    );
    check(
        "(a | )",
        expect![[r#"
        column 6: the parentheses hold nothing; put a term in, or remove them
    "#]],
    );
    check(
        "| a",
        expect![[r#"
        column 1: `|` needs a term on both sides: `a | b`
    "#]],
    );
    check(
        "a |",
        expect![[r#"
        column 4: `|` needs a term on both sides: `a | b`
    "#]],
    );
    check(
        "a||b",
        expect![[r#"
        column 3: `|` needs a term on both sides: `a | b`
    "#]],
    );
    check(
        "name=(a)",
        expect![[r#"
        column 6: quote a value that has parentheses or `|` in it: `name="a (b)"`
    "#]],
    );
    check(
        "name=a(b)",
        expect![[r#"
        column 7: a group needs a space before it; quote the text if the parenthesis belongs to it
    "#]],
    );
    check(
        "a=1(b=2)",
        expect![[r#"
        column 4: a group needs a space before it; quote the text if the parenthesis belongs to it
    "#]],
    );
    check(
        "name=|",
        expect![[r#"
        column 6: a value is missing; write it without a space before it, and empty text as `""`
    "#]],
    );
    check(
        "(a, b)",
        expect![[r#"
        column 3: a comma only separates values after `=` or `!=`; quote the text if the comma belongs to it
    "#]],
    );
}

#[test]
fn an_error_names_its_column_in_characters() {
    check(
        "naïve=ü =x",
        expect![[r#"
        column 9: `=` needs a field right before it, without a space: `field=value`
    "#]],
    );
    check(
        "type =x",
        expect![[r#"
        column 6: `=` needs a field right before it, without a space: `field=value`
    "#]],
    );
    check(
        "type= x",
        expect![[r#"
        column 6: a value is missing; write it without a space before it, and empty text as `""`
    "#]],
    );
    check(
        "type=a, b",
        expect![[r#"
        column 8: a value is missing; write it without a space before it, and empty text as `""`
    "#]],
    );
    check(
        "type=",
        expect![[r#"
        column 6: a value is missing; write it without a space before it, and empty text as `""`
    "#]],
    );
}

#[test]
fn a_wrong_operator_is_told_the_right_one() {
    check(
        "type==x",
        expect![[r#"
        column 5: there is no `==`; write `=`
    "#]],
    );
    check(
        "size=>5",
        expect![[r#"
        column 5: there is no `=>`; write `>=`
    "#]],
    );
    check(
        "size<>5",
        expect![[r#"
        column 5: there is no `<>`; write `!=`
    "#]],
    );
    check(
        "size!5",
        expect![[r#"
        column 5: `!` alone compares nothing; write `!=`
    "#]],
    );
    check(
        "size>5,6",
        expect![[r#"
        column 6: `>` compares with one value; lists go with `=` and `!=`
    "#]],
    );
    check(
        "size>5*",
        expect![[r#"
        column 7: `>` takes no `*`; wildcards go with `=` and `!=`
    "#]],
    );
}

#[test]
fn a_sign_out_of_place_is_named_with_its_column() {
    check(
        "web*",
        expect![[r#"
        column 4: `*` works in values, as in `name=web-*`; a free word matches anywhere in a name and needs none
    "#]],
    );
    check(
        "a,b",
        expect![[r#"
        column 2: a comma only separates values after `=` or `!=`; quote the text if the comma belongs to it
    "#]],
    );
    check(
        "tags.=x",
        expect![[r#"
        column 6: the field has an empty part; write it like `tags.env` or `tags."a b"`
    "#]],
    );
    check(
        "tags.\"\"=x",
        expect![[r#"
        column 6: the field has an empty part; write it like `tags.env` or `tags."a b"`
    "#]],
    );
    check(
        "tags.\"a b\"",
        expect![[r#"
        column 1: a comparison is missing after this field: `field=value`
    "#]],
    );
    check(
        "\"\"",
        expect![[r#"
        column 1: an empty word matches everything; remove it
    "#]],
    );
    check(
        "name=\"never closed",
        expect![[r#"
        column 6: this quote is never closed; add `"`
    "#]],
    );
    check(
        "name=\"a\\n\"",
        expect![[r#"
        column 8: inside quotes write `\\` for a backslash and `\"` for a quote
    "#]],
    );
    check(
        "ab\"cd\"",
        expect![[r#"
        column 3: a quote must begin a word or a part of a field; put a space before it
    "#]],
    );
    check(
        "a=b\u{0}c",
        expect![[r#"
        column 4: a control character; remove it
    "#]],
    );
    check(
        "name=>",
        expect![[r#"
        column 5: there is no `=>`; write `>=`
    "#]],
    );
    check(
        "name>>5",
        expect![[r#"
        column 6: a value cannot begin with `>`; quote it: `">..."`
    "#]],
    );
}

#[test]
fn input_is_bounded() {
    check(
        &"a ".repeat(MAX_TERMS + 1),
        expect![[r#"
        column 2001: more than 1000 terms and values; ask in several queries
    "#]],
    );
    check(
        &format!("a={}", vec!["b"; MAX_TERMS + 1].join(",")),
        expect![[r#"
        column 2003: more than 1000 terms and values; ask in several queries
    "#]],
    );
    check(
        &"a".repeat(MAX_BYTES + 1),
        expect![[r#"
        column 1: the selector has 65537 bytes, at most 65536 are read
    "#]],
    );
    assert_eq!(parse(&"a ".repeat(MAX_TERMS)).map(|s| s.nodes.len()), Ok(MAX_TERMS));
    let nested = |deep: usize| parse(&format!("{}a{}", "(".repeat(deep), ")".repeat(deep)));
    assert_eq!(nested(MAX_DEPTH).map(|s| s.to_string()), Ok("a".to_owned()));
    assert_eq!(
        nested(500).unwrap_err().to_string(),
        "column 51: more than 50 parentheses within one another"
    );
    assert_eq!(parse(&"-(".repeat(500)).unwrap_err().column, 102);
    assert_eq!(parse(&"-".repeat(60_000)).unwrap_err().column, 2);
    assert!(parse(&"(a)".repeat(1000)).is_ok());
    assert!(parse(&format!("config{}=1", ".a".repeat(40))).is_err());
}

fn text() -> impl Strategy<Value = String> {
    r#"([a-zA-Z0-9ü.:/@=<>!~|(),* "\\\[\]-]){1,12}|AND|OR|NOT|in|out|both|related"#
}

fn pattern() -> impl Strategy<Value = Pattern> {
    prop_oneof![
        prop_oneof![text(), Just(String::new())].prop_map(Pattern::Exact),
        (text(), text()).prop_map(|(a, b)| Pattern::Wild(vec![a, b])),
        Just(Pattern::Wild(vec![String::new(), String::new()])),
        // Only the ends of a pattern are ever empty: neighbouring stars are one.
        text().prop_map(|middle| Pattern::Wild(vec![String::new(), middle, String::new()])),
    ]
}

fn path() -> impl Strategy<Value = Path> {
    let step = prop_oneof![
        3 => text().prop_map(Step::Key),
        1 => (0..1000u32).prop_map(Step::Index),
        1 => Just(Step::Every),
    ];
    (text(), proptest::collection::vec(step, 0..3)).prop_map(|(name, within)| {
        let mut path = Path::of(&name);
        path.steps.extend(within);
        path
    })
}

fn plain_term() -> impl Strategy<Value = Term> {
    let equality = prop_oneof![Just(Op::Equal), Just(Op::NotEqual)];
    let order =
        prop_oneof![Just(Op::Greater), Just(Op::GreaterOrEqual), Just(Op::Less), Just(Op::LessOrEqual)];
    let regex = prop_oneof![
        Just("^web-[0-9]+$"),
        Just("(?i)a|b"),
        Just(r#"\d{2,3} "x""#),
        Just("a.b"),
        Just("plain"),
    ];
    prop_oneof![
        text().prop_map(Term::Word),
        (path(), equality, proptest::collection::vec(pattern(), 1..4))
            .prop_map(|(field, op, values)| Term::Compare { field, op, values, column: 0 }),
        (path(), order, text()).prop_map(|(field, op, value)| Term::Compare {
            field,
            op,
            values: vec![Pattern::Exact(value)],
            column: 0
        }),
        (path(), any::<bool>(), regex).prop_map(|(field, negated, regex)| Term::Matches {
            field,
            negated,
            regex: Regex::new(regex).unwrap(),
            column: 0
        }),
    ]
}

/// Groups of groups are flat, as the parser leaves them.
fn tree(term: impl Strategy<Value = Term> + 'static) -> impl Strategy<Value = Node> {
    term.prop_map(Node::Term).prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|node| Node::Not(Box::new(node))),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(all),
            proptest::collection::vec(inner, 2..4).prop_map(any_of),
        ]
    })
}

fn all(nodes: Vec<Node>) -> Node {
    let flat = nodes.into_iter().flat_map(|node| match node {
        Node::All(nodes) => nodes,
        other => vec![other],
    });
    Node::All(flat.collect())
}

fn any_of(nodes: Vec<Node>) -> Node {
    let flat = nodes.into_iter().flat_map(|node| match node {
        Node::Any(nodes) => nodes,
        other => vec![other],
    });
    Node::Any(flat.collect())
}

/// The top of a selector is a conjunction already.
fn selector(term: impl Strategy<Value = Term> + 'static) -> impl Strategy<Value = Selector> {
    proptest::collection::vec(tree(term), 1..4).prop_map(|nodes| match all(nodes) {
        Node::All(nodes) => Selector { nodes },
        other => Selector { nodes: vec![other] },
    })
}

fn term() -> impl Strategy<Value = Term> {
    let direction = prop_oneof![Just(Direction::In), Just(Direction::Out), Just(Direction::Both)];
    let call = prop_oneof![
        (selector(plain_term()), direction, 1..=10u8)
            .prop_map(|(selector, direction, depth)| Call::Related { selector, direction, depth }),
        selector(plain_term()).prop_map(Call::Changed),
        selector(plain_term()).prop_map(Call::Finding),
    ];
    prop_oneof![5 => plain_term(), 1 => call.prop_map(|call| Term::Call { call, column: 0 })]
}

/// Where a term stood is no part of what it means.
fn without_columns(selector: Selector) -> Selector {
    Selector { nodes: selector.nodes.into_iter().map(node_without_columns).collect() }
}

fn node_without_columns(node: Node) -> Node {
    let each = |nodes: Vec<Node>| nodes.into_iter().map(node_without_columns).collect();
    match node {
        Node::Term(term) => Node::Term(match term {
            Term::Compare { field, op, values, .. } => Term::Compare { field, op, values, column: 0 },
            Term::Matches { field, negated, regex, .. } => Term::Matches { field, negated, regex, column: 0 },
            Term::Word(text) => Term::Word(text),
            Term::Call { call, .. } => Term::Call {
                column: 0,
                call: match call {
                    Call::Related { selector, direction, depth } => {
                        Call::Related { selector: without_columns(selector), direction, depth }
                    }
                    Call::Changed(selector) => Call::Changed(without_columns(selector)),
                    Call::Finding(selector) => Call::Finding(without_columns(selector)),
                },
            },
        }),
        Node::Not(node) => Node::Not(Box::new(node_without_columns(*node))),
        Node::All(nodes) => Node::All(each(nodes)),
        Node::Any(nodes) => Node::Any(each(nodes)),
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_an_error_lies_within_it(text in "\\PC{0,40}|[a-c.=!<>~|(),*\"\\\\ \\[\\]0-]{0,40}") {
        if let Err(error) = parse(&text) {
            prop_assert!((1..=text.chars().count() + 1).contains(&error.column), "{error}");
        }
    }

    #[test]
    fn a_selector_written_and_read_again_is_the_same(selector in selector(term())) {
        let read = parse(&selector.to_string());
        prop_assert_eq!(read.map(without_columns), Ok(selector));
    }
}
