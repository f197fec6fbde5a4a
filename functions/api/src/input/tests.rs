use expect_test::{Expect, expect};

use super::instant;

#[expect(clippy::needless_pass_by_value, reason = "an Expect is written in place")]
fn check(text: &str, expected: Expect) {
    let now = "2026-03-03T12:00:00Z".parse().unwrap();
    let read = instant("since", text, now).map_or_else(|problem| problem.detail, |at| at.to_rfc3339());
    expected.assert_eq(&read);
}

#[test]
fn an_instant_is_a_time_a_date_or_a_while_ago() {
    check("2026-03-03T04:13:00+02:00", expect![]);
    check("2026-03-03", expect![]);
    check("90m", expect![]);
    check("24h", expect![]);
    check("7d", expect![]);
}

#[test]
fn what_is_no_instant_is_told_what_one_looks_like() {
    check("yesterday", expect![]);
    check("", expect![]);
    check("-1d", expect![]);
    check("99999999999999d", expect![]);
    check("9999999d", expect![]);
}
