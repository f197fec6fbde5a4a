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
    check("2026-03-03T04:13:00+02:00", expect!["2026-03-03T02:13:00+00:00"]);
    check("2026-03-03", expect!["2026-03-03T00:00:00+00:00"]);
    check("90m", expect!["2026-03-03T10:30:00+00:00"]);
    check("24h", expect!["2026-03-02T12:00:00+00:00"]);
    check("7d", expect!["2026-02-24T12:00:00+00:00"]);
}

#[test]
fn what_is_no_instant_is_told_what_one_looks_like() {
    check(
        "yesterday",
        expect![
            "since: `yesterday` is no time; write it like 2026-03-03T02:13:00Z, 2026-03-03, or, before now, 90m, 24h, 7d"
        ],
    );
    check(
        "",
        expect![
            "since: `` is no time; write it like 2026-03-03T02:13:00Z, 2026-03-03, or, before now, 90m, 24h, 7d"
        ],
    );
    check(
        "-1d",
        expect![
            "since: `-1d` is no time; write it like 2026-03-03T02:13:00Z, 2026-03-03, or, before now, 90m, 24h, 7d"
        ],
    );
    check(
        "99999999999999d",
        expect![
            "since: `99999999999999d` is no time; write it like 2026-03-03T02:13:00Z, 2026-03-03, or, before now, 90m, 24h, 7d"
        ],
    );
    check("9999999d", expect!["-25353-02-07T12:00:00+00:00"]);
}
