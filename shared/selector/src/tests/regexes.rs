use expect_test::{Expect, expect};

use crate::Regex;

#[expect(clippy::needless_pass_by_value, reason = "an Expect is written in place")]
fn check(pattern: &str, expected: Expect) {
    let actual = Regex::new(pattern).map_or_else(
        |error| error.split("; allowed are").next().unwrap_or_default().to_owned(),
        |regex| regex.portable().to_owned(),
    );
    expected.assert_eq(&actual);
}

#[test]
fn a_pattern_is_written_so_that_both_engines_take_it() {
    check("^web-[0-9]+$", expect![[r#"^web\u002d(?:[0-9])+$"#]]);
    check("a.b|(c|d)?", expect![[r#"(?:a[^\u000a]b|(?:(?:(?:c|d)))?)"#]]);
    check(
        r"\d{2,3}\s\w\D\.",
        expect![[r#"(?:[0-9]){2,3}[\u0009-\u000d\u0020][0-9A-Za-z\u005f][^0-9]\u002e"#]],
    );
    check("(?i)aB[c-eü]", expect![[r#"[aA][Bb][c-eC-E\u00fc]"#]]);
    check(r"[^a\]:.\-]", expect![[r#"[^a\u005d\u003a\u002e\u002d]"#]]);
    check("ü🦀", expect![[r#"\u00fc\U0001f980"#]]);
    check("", expect![[r#""#]]);
}

#[test]
fn what_the_engines_see_differently_is_refused() {
    for pattern in [
        r"\bweb",
        "(?=a)",
        r"(a)\1",
        "a*?",
        r"\p{L}",
        "[[:alpha:]]",
        "[a&&b]",
        "(?m)^a",
        "a(?i)b",
        "(?P<n>a)",
        "a**",
        "(a*)*",
        "(a?){2}",
        "a{101}",
        "((a{9}){9}){9}",
        "(a",
        "[b",
        "a{3,1}",
        r"\x{0}",
        r"[\D]",
        r"\A",
        "(?i:a)",
    ] {
        assert!(Regex::new(pattern).is_err(), "{pattern}");
    }
    check(r"\bweb", expect![[r#"boundaries such as `\b` are not allowed in a pattern"#]]);
    check(
        "(a*)*",
        expect!["repetitions of what may be empty, such as `(a*)*`, are not allowed in a pattern"],
    );
    check("((a{9}){9}){9}", expect!["the pattern repeats 729 times; at most 100 are allowed"]);
    check(&"a".repeat(201), expect!["the pattern has 201 characters; at most 200 are allowed"]);
    check(
        &format!("(?:{}){{100}}", "[a-z]".repeat(39)),
        expect!["the pattern has 204 characters; at most 200 are allowed"],
    );
    check("(a", expect!["the pattern cannot be read: unclosed group"]);
}

#[test]
fn the_largest_patterns_can_be_compiled() {
    let wide: String = ('\u{100}'..='\u{195}').collect();
    for pattern in ["[^a-zü]{100}".repeat(16), format!("[{wide}]{{100}}"), "(?:\\w{10}|[^b]){10}".repeat(9)]
    {
        let regex = Regex::new(&pattern).unwrap();
        assert!(regex.is_found_in(&format!("{}{}", "ā".repeat(2000), "1".repeat(2000))), "{pattern}");
    }
}

#[test]
fn a_pattern_is_found_anywhere_in_a_text() {
    for (pattern, text, found) in [
        ("eb", "web", true),
        ("^eb", "web", false),
        ("W", "web", false),
        ("(?i)W", "web", true),
        ("a.b", "a\nb", false),
        ("[^a]", "\n", true),
        ("a$", "a\n", false),
        ("", "", true),
        (r"\d", "٣", false),
    ] {
        assert_eq!(Regex::new(pattern).unwrap().is_found_in(text), found, "{pattern} in {text}");
    }
}
