use chrono::TimeDelta;

use crate::literal::{Literal, Moment, instant, literal, seconds, size};

#[test]
fn a_text_is_a_value_by_its_form() {
    for (text, expected) in [
        ("3", Some(Literal::Number(3.0))),
        ("-0.5", Some(Literal::Number(-0.5))),
        ("10GiB", Some(Literal::Size(10_737_418_240.0))),
        ("500MB", Some(Literal::Size(500_000_000.0))),
        ("4k", Some(Literal::Size(4000.0))),
        ("1.5Ki", Some(Literal::Size(1536.0))),
        ("100B", Some(Literal::Size(100.0))),
        ("5m", Some(Literal::Seconds(300))),
        ("1h30m", Some(Literal::Seconds(5400))),
        ("1w2d3h4m5s", Some(Literal::Seconds(788_645))),
        ("now", Some(Literal::Moment(Moment::FromNow(TimeDelta::zero())))),
        ("now-24h", Some(Literal::Moment(Moment::FromNow(TimeDelta::hours(-24))))),
        ("now+7d", Some(Literal::Moment(Moment::FromNow(TimeDelta::days(7))))),
        ("2026-03-03", Some(Literal::Moment(Moment::At("2026-03-03T00:00:00Z".parse().unwrap())))),
        ("", None),
        ("web", None),
        ("1e5", None),
        ("0x10", None),
        ("5.", None),
        ("٣", None),
        ("5Eb", None),
        ("30m1h", None),
        ("5 m", None),
        ("now-", None),
        ("now*2h", None),
        ("now+99999w", None),
        ("2026-13-03", None),
        ("2026-3-3", None),
        ("0000-01-01", None),
    ] {
        assert_eq!(literal(text), expected, "{text}");
    }
    assert_eq!((size("B"), seconds("")), (None, None));
}

#[test]
fn an_instant_is_one_of_rfc_3339_to_the_microsecond() {
    for (text, expected) in [
        ("2026-03-03T02:13:00Z", Some("2026-03-03T02:13:00Z")),
        ("2026-03-03T02:13:00.1234567Z", Some("2026-03-03T02:13:00.123456Z")),
        ("2026-03-03T02:13:00.5+01:30", Some("2026-03-03T00:43:00.500Z")),
        ("2026-03-03T02:13:00-14:59", Some("2026-03-03T17:12:00Z")),
        ("2026-03-03T02:13:00", None),
        ("2026-03-03 02:13:00Z", None),
        ("2026-03-03T24:00:00Z", None),
        ("2026-03-03T02:13:60Z", None),
        ("2026-02-29T00:00:00Z", None),
        ("2026-03-03T02:13:00.Z", None),
        ("2026-03-03T02:13:00+15:00", None),
        ("ü026-03-03T02:13:00Z", None),
    ] {
        let expected = expected.map(|text| text.parse().unwrap());
        assert_eq!(instant(text), expected, "{text}");
    }
}
