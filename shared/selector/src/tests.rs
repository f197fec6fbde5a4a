use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::{MAX_BYTES, MAX_TERMS, Op, Pattern, Selector, Term, parse};

/// The terms one a line, or the error.
#[expect(clippy::needless_pass_by_value, reason = "an Expect is written in place")]
fn check(text: &str, expected: Expect) {
    let actual = match parse(text) {
        Ok(selector) => selector.terms.iter().map(|term| format!("{term:?}\n")).collect(),
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
        Compare { field: ["type"], op: Equal, values: [Wild(["AWS::EC2::", ""])], column: 1 }
        Compare { field: ["account"], op: NotEqual, values: [Exact("111122223333"), Exact("other")], column: 18 }
        Word("web")
        Word("prod.example.com")
    "#]],
    );
    check(
        "since>=2026-03-03T02:13:00Z size>5 age<10 age<=-3",
        expect![[r#"
        Compare { field: ["since"], op: GreaterOrEqual, values: [Exact("2026-03-03T02:13:00Z")], column: 1 }
        Compare { field: ["size"], op: Greater, values: [Exact("5")], column: 29 }
        Compare { field: ["age"], op: Less, values: [Exact("10")], column: 36 }
        Compare { field: ["age"], op: LessOrEqual, values: [Exact("-3")], column: 43 }
    "#]],
    );
}

#[test]
fn quotes_hold_spaces_and_signs() {
    check(
        r#"tags."a b"="c d" "free words" name="*" name="a \"b\" \\" name="a b"*".c""#,
        expect![[r#"
        Compare { field: ["tags", "a b"], op: Equal, values: [Exact("c d")], column: 1 }
        Word("free words")
        Compare { field: ["name"], op: Equal, values: [Exact("*")], column: 31 }
        Compare { field: ["name"], op: Equal, values: [Exact("a \"b\" \\")], column: 40 }
        Compare { field: ["name"], op: Equal, values: [Wild(["a b", ".c"])], column: 58 }
    "#]],
    );
    check(
        r#"tags.env="" name=* name=**a**"#,
        expect![[r#"
        Compare { field: ["tags", "env"], op: Equal, values: [Exact("")], column: 1 }
        Compare { field: ["name"], op: Equal, values: [Wild(["", ""])], column: 13 }
        Compare { field: ["name"], op: Equal, values: [Wild(["", "a", ""])], column: 20 }
    "#]],
    );
}

#[test]
fn values_may_hold_signs_after_their_first_character() {
    check(
        "tags.token=YWJj== native_id=arn:aws:iam::111122223333:role/a=b!c",
        expect![[r#"
        Compare { field: ["tags", "token"], op: Equal, values: [Exact("YWJj==")], column: 1 }
        Compare { field: ["native_id"], op: Equal, values: [Exact("arn:aws:iam::111122223333:role/a=b!c")], column: 19 }
    "#]],
    );
}

#[test]
fn what_is_not_there_yet_is_said_with_the_way_out() {
    check(
        "type=a | type=b",
        expect![[r#"
        column 8: `|` is not available yet; list the values: `field=a,b`, or ask in several queries
    "#]],
    );
    check(
        "a=1 (b=2)",
        expect![[r#"
        column 5: groups and functions are not available yet; terms side by side must all hold. Quote the text if the parenthesis belongs to it
    "#]],
    );
    check(
        "a=1 -region=us-east-1",
        expect![[r#"
        column 5: negation is not available yet; write `field!=value`, or quote the word if it begins so
    "#]],
    );
    check(
        "!web",
        expect![[r#"
        column 1: negation is not available yet; write `field!=value`, or quote the word if it begins so
    "#]],
    );
    check(
        "name~web",
        expect![[r#"
        column 5: regular expressions are not available yet; write `=` with `*`: `name=web-*`
    "#]],
    );
    check(
        "name=~web",
        expect![[r#"
        column 5: regular expressions are not available yet; write `=` with `*`: `name=web-*`
    "#]],
    );
    check(
        "name!~web",
        expect![[r#"
        column 5: regular expressions are not available yet; write `=` with `*`: `name=web-*`
    "#]],
    );
    check(
        "since>now()-24h",
        expect![[r#"
        column 10: groups and functions are not available yet; terms side by side must all hold. Quote the text if the parenthesis belongs to it
    "#]],
    );
    check(
        "count(x)>5",
        expect![[r#"
        column 6: groups and functions are not available yet; terms side by side must all hold. Quote the text if the parenthesis belongs to it
    "#]],
    );
    check(
        "a=1 AND b=2",
        expect![[r#"
        column 5: terms side by side must all hold: leave `AND` out, or quote it to search for it
    "#]],
    );
    check(
        "a=1 OR b=2",
        expect![[r#"
        column 5: `OR` is not available yet; list the values: `field=a,b`, or quote it to search for it
    "#]],
    );
    check(
        "NOT b=2",
        expect![[r#"
        column 1: `NOT` is not available yet; write `field!=value`, or quote it to search for it
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
    assert_eq!(parse(&"a ".repeat(MAX_TERMS)).map(|s| s.terms.len()), Ok(MAX_TERMS));
}

fn text() -> impl Strategy<Value = String> {
    r#"([a-zA-Z0-9ü.:/@=<>!~|(),* "\\-]){1,12}|AND|OR|NOT"#
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

fn term() -> impl Strategy<Value = Term> {
    let equality = prop_oneof![Just(Op::Equal), Just(Op::NotEqual)];
    let order =
        prop_oneof![Just(Op::Greater), Just(Op::GreaterOrEqual), Just(Op::Less), Just(Op::LessOrEqual)];
    let field = || proptest::collection::vec(text(), 1..4);
    prop_oneof![
        text().prop_map(Term::Word),
        (field(), equality, proptest::collection::vec(pattern(), 1..4))
            .prop_map(|(field, op, values)| Term::Compare { field, op, values, column: 0 }),
        (field(), order, text()).prop_map(|(field, op, value)| Term::Compare {
            field,
            op,
            values: vec![Pattern::Exact(value)],
            column: 0
        }),
    ]
}

/// Where a term stood is no part of what it means.
fn without_columns(mut selector: Selector) -> Selector {
    for term in &mut selector.terms {
        if let Term::Compare { column, .. } = term {
            *column = 0;
        }
    }
    selector
}

proptest! {
    #[test]
    fn no_text_panics_and_an_error_lies_within_it(text in "\\PC{0,40}|[a-c.=!<>~|(),*\"\\\\ -]{0,40}") {
        if let Err(error) = parse(&text) {
            prop_assert!((1..=text.chars().count() + 1).contains(&error.column), "{error}");
        }
    }

    #[test]
    fn a_selector_written_and_read_again_is_the_same(terms in proptest::collection::vec(term(), 0..6)) {
        let selector = Selector { terms };
        let read = parse(&selector.to_string());
        prop_assert_eq!(read.map(without_columns), Ok(selector));
    }
}
