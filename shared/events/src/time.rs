//! The time a payload says it happened at. Nothing here knows the present except as a bound.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use model::{Timestamp, to_micros};
use serde_json::Value;

use crate::{Reason, Rejection};

/// How far ahead of us a sender's clock may be.
const TOLERANCE: TimeDelta = TimeDelta::minutes(15);

/// Numbers are believed as an instant only between 2001-09-09 and 2286-11-20: ten digits of seconds.
const EPOCH_SECONDS: std::ops::Range<f64> = 1e9..1e10;

/// Reads an instant in any of the spellings that AWS uses, cut to the microsecond:
/// RFC 3339; the same with a blank, without a zone (UTC) or with `+0000`; epoch seconds or milliseconds; and the
/// object that recorders make of a `datetime`.
pub(crate) fn parse(value: &Value) -> Option<Timestamp> {
    let at = match value {
        Value::String(text) => parse_text(text.trim()),
        Value::Number(number) => parse_number(number.as_f64()?),
        Value::Object(_) => parse_recorded(value),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }?;
    Some(to_micros(at))
}

/// The time of a payload: the first of `candidates` that can be read.
///
/// # Errors
/// [`Reason::NoTime`] when none can, [`Reason::FutureTime`] when it lies more than 15 minutes after `now`.
pub(crate) fn occurred(
    what: &str,
    candidates: &[(&str, &Value)],
    now: Timestamp,
) -> Result<Timestamp, Rejection> {
    let Some(at) = candidates.iter().find_map(|(_, value)| parse(value)) else {
        return Err(Rejection::new(Reason::NoTime, no_time(what, candidates)));
    };
    if at > now + TOLERANCE {
        let message = format!(
            "{what} says it happened at {}, which lies in the future (now is {}); the sender's clock is wrong",
            at.format("%FT%TZ"),
            now.format("%FT%TZ")
        );
        return Err(Rejection::new(Reason::FutureTime, message));
    }
    Ok(at)
}

fn no_time(what: &str, candidates: &[(&str, &Value)]) -> String {
    let names: Vec<_> = candidates.iter().map(|(name, _)| format!("`{name}`")).collect();
    let names = names.join(" or ");
    if candidates.iter().all(|(_, value)| value.is_null()) {
        format!("{what} has no time of its own; expected it in {names}")
    } else {
        format!(
            "{what} has a time in {names} that cannot be read; expected RFC 3339, as in 2024-05-01T10:00:00Z"
        )
    }
}

fn parse_text(text: &str) -> Option<Timestamp> {
    const ZONED: [&str; 3] =
        ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z"];
    const PLAIN: [&str; 4] =
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d %H:%M:%S%.f UTC"];
    if let Ok(at) = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text)) {
        return Some(at.with_timezone(&Utc));
    }
    if let Some(at) = ZONED.iter().find_map(|form| DateTime::parse_from_str(text, form).ok()) {
        return Some(at.with_timezone(&Utc));
    }
    PLAIN.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).map(|at| at.and_utc())
}

fn parse_number(number: f64) -> Option<Timestamp> {
    let seconds = if EPOCH_SECONDS.contains(&number) { number } else { number / 1e3 };
    if !EPOCH_SECONDS.contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded by EPOCH_SECONDS")]
    DateTime::from_timestamp_micros((seconds * 1e6).round() as i64)
}

/// `{"__class__": "datetime", "year": 2022, "month": 10, ..., "microsecond": 468000}`, always UTC.
fn parse_recorded(value: &Value) -> Option<Timestamp> {
    if value.get("__class__")?.as_str()? != "datetime" {
        return None;
    }
    let part =
        |name: &str| value.get(name).map_or(Some(0), Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let year = i32::try_from(value.get("year")?.as_i64()?).ok()?;
    NaiveDate::from_ymd_opt(year, part("month")?, part("day")?)?
        .and_hms_micro_opt(part("hour")?, part("minute")?, part("second")?, part("microsecond")?)
        .map(|at| at.and_utc())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_spelling_of_an_instant_is_read() {
        let cases = [
            (json!("2024-05-01T10:00:00Z"), "2024-05-01T10:00:00+00:00"),
            (json!("2024-05-01T10:00:00.1234567Z"), "2024-05-01T10:00:00.123456+00:00"),
            (json!("2017-11-09T12:35:43.639000-05:00"), "2017-11-09T17:35:43.639+00:00"),
            (json!("2017-12-08T15:32:49.000+0000"), "2017-12-08T15:32:49+00:00"),
            (json!("2023-01-10 20:10:41"), "2023-01-10T20:10:41+00:00"),
            (json!("2023-01-10 20:10:41.000000000"), "2023-01-10T20:10:41+00:00"),
            (json!("2023-01-10T20:10:41.5"), "2023-01-10T20:10:41.500+00:00"),
            (json!("2023-01-10T20:10Z"), "2023-01-10T20:10:00+00:00"),
            (json!("Tue, 1 May 2018 12:00:00 GMT"), "2018-05-01T12:00:00+00:00"),
            (json!(1_714_557_600), "2024-05-01T10:00:00+00:00"),
            (json!(1_714_557_600_250_u64), "2024-05-01T10:00:00.250+00:00"),
            (json!(1_714_557_600.25), "2024-05-01T10:00:00.250+00:00"),
            (
                json!({"__class__": "datetime", "year": 2022, "month": 10, "day": 31, "hour": 18, "minute": 34,
                       "second": 1, "microsecond": 468_000}),
                "2022-10-31T18:34:01.468+00:00",
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(parse(&value).map(|at| at.to_rfc3339()).as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for value in
            [json!("redacted"), json!("-"), json!(""), json!(7), json!(1e20), json!(null), json!([1])]
        {
            assert_eq!(parse(&value), None, "{value}");
        }
    }

    #[test]
    fn a_time_in_the_future_is_refused_and_a_slightly_wrong_clock_is_not() {
        let now = parse(&json!("2024-05-01T10:00:00Z")).unwrap();
        assert!(occurred("It", &[("time", &json!("2024-05-01T10:14:00Z"))], now).is_ok());
        let refused = occurred("It", &[("time", &json!("2024-05-01T10:16:00Z"))], now).unwrap_err();
        assert_eq!(refused.reason, Reason::FutureTime);
    }
}
