//! Instants and lengths of time.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDateTime, TimeDelta, Timelike, Utc};

use super::{Function, Outcome, global, member, no_overload};
use crate::{
    budget::{Budget, Trouble},
    value::Val,
};

pub(super) const FUNCTIONS: &[Function] = &[
    member("getFullYear", 1, 2, |_, args| part("getFullYear", args, |at| i64::from(at.year()))),
    member("getMonth", 1, 2, |_, args| part("getMonth", args, |at| i64::from(at.month0()))),
    member("getDate", 1, 2, |_, args| part("getDate", args, |at| i64::from(at.day()))),
    member("getDayOfMonth", 1, 2, |_, args| part("getDayOfMonth", args, |at| i64::from(at.day0()))),
    member("getDayOfWeek", 1, 2, |_, args| {
        part("getDayOfWeek", args, |at| i64::from(at.weekday().num_days_from_sunday()))
    }),
    member("getDayOfYear", 1, 2, |_, args| part("getDayOfYear", args, |at| i64::from(at.ordinal0()))),
    member("getHours", 1, 2, |_, args| match args {
        [Val::Duration(nanos)] => Ok(Val::Int(nanos / 3_600_000_000_000)),
        _ => part("getHours", args, |at| i64::from(at.hour())),
    }),
    member("getMinutes", 1, 2, |_, args| match args {
        [Val::Duration(nanos)] => Ok(Val::Int(nanos / 60_000_000_000)),
        _ => part("getMinutes", args, |at| i64::from(at.minute())),
    }),
    member("getSeconds", 1, 2, |_, args| match args {
        [Val::Duration(nanos)] => Ok(Val::Int(nanos / 1_000_000_000)),
        _ => part("getSeconds", args, |at| i64::from(at.second())),
    }),
    member("getMilliseconds", 1, 2, |_, args| match args {
        [Val::Duration(nanos)] => Ok(Val::Int(nanos % 1_000_000_000 / 1_000_000)),
        _ => part("getMilliseconds", args, |at| i64::from(at.nanosecond() / 1_000_000)),
    }),
    global("time.InTimeRange", 3, 3, in_time_range),
    global("time.ParseDateTime", 1, 1, parse_date_time),
];

/// The first and the last second that a timestamp may have: the years 1 to 9999.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

fn within_range(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (FIRST..=LAST).contains(&at.timestamp()).then_some(at)
}

/// The instant of so many seconds after 1970.
pub(crate) fn from_seconds<'a>(seconds: i64) -> Option<Val<'a>> {
    DateTime::from_timestamp(seconds, 0).and_then(within_range).map(Val::Time)
}

/// Another instant, so many nanoseconds later.
pub(crate) fn moved<'a>(at: DateTime<Utc>, nanos: i64) -> Option<Val<'a>> {
    at.checked_add_signed(TimeDelta::nanoseconds(nanos)).and_then(within_range).map(Val::Time)
}

/// Reads an instant as RFC 3339 writes it.
pub(crate) fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    within_range(at.to_utc())
}

/// Reads a length of time: `90s`, `1h30m`, `1.5h`, `-250ms`. Days and weeks are read as well: `7d`, `2w`.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1_i128, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total: i128 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(end)?;
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit_end)?;
        let nanos: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            "w" => 604_800_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || whole.len() > 20 {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total = total.checked_add(whole.checked_mul(nanos)?)?;
        let fraction: String = fraction.chars().take(15).collect();
        if !fraction.is_empty() {
            let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
            total = total.checked_add(fraction.parse::<i128>().ok()?.checked_mul(nanos)? / scale)?;
        }
        rest = tail;
    }
    i64::try_from(sign * total).ok()
}

/// A part of an instant, in UTC or in the zone that the second argument names.
fn part<'a>(name: &str, args: &[Val<'a>], of: fn(&NaiveDateTime) -> i64) -> Outcome<'a> {
    match args {
        [Val::Time(at)] => Ok(Val::Int(of(&at.naive_utc()))),
        [Val::Time(at), Val::Text(zone)] => local(*at, zone).map(|at| Val::Int(of(&at))),
        _ => Err(no_overload(name, args)),
    }
}

/// An instant as the clocks of a zone show it: `Europe/Berlin`, `+02:00`.
fn local(at: DateTime<Utc>, zone: &str) -> Result<NaiveDateTime, Trouble> {
    if let Ok(zone) = zone.parse::<chrono_tz::Tz>() {
        return Ok(at.with_timezone(&zone).naive_local());
    }
    offset(zone).map(|offset| at.with_timezone(&offset).naive_local()).ok_or_else(|| {
        Trouble::no_value(format!("there is no time zone `{}`", crate::fault::shortened(zone)))
    })
}

fn offset(zone: &str) -> Option<FixedOffset> {
    let (sign, digits) = match zone.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, zone.strip_prefix('+').unwrap_or(zone)),
    };
    let (hours, minutes) = digits.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let seconds = hours.parse::<i32>().ok()? * 3_600 + minutes.parse::<i32>().ok()? * 60;
    FixedOffset::east_opt(sign * seconds)
}

/// Whether the time of day of an instant lies between two: `09:00`, `17:30:00`.
fn in_time_range<'a>(_: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let at = match args.first() {
        Some(Val::Time(at)) => Some(*at),
        Some(Val::Text(text)) => parse_time(text),
        _ => None,
    };
    match (at, args) {
        (Some(at), [_, Val::Text(from), Val::Text(to)]) => match (time_of_day(from), time_of_day(to)) {
            (Some(from), Some(to)) => {
                let seconds = at.num_seconds_from_midnight();
                Ok(Val::Bool(from <= seconds && seconds <= to))
            }
            _ => Err(Trouble::no_value("time.InTimeRange() wants times of day such as 09:00")),
        },
        _ => Err(no_overload("time.InTimeRange", args)),
    }
}

fn time_of_day(text: &str) -> Option<u32> {
    let mut parts = text.split(':').map(str::parse::<u32>);
    let (hours, minutes) = (parts.next()?.ok()?, parts.next()?.ok()?);
    let seconds = parts.next().transpose().ok()?.unwrap_or(0);
    (hours < 24 && minutes < 60 && seconds < 60).then_some(hours * 3_600 + minutes * 60 + seconds)
}

/// An instant from what people and programs write: RFC 3339, `2024-01-15 10:30:00`, a date, seconds or milliseconds.
fn parse_date_time<'a>(_: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [Val::Text(text)] = args else { return Err(no_overload("time.ParseDateTime", args)) };
    let text = text.trim();
    let naive = |format| NaiveDateTime::parse_from_str(text, format).ok().map(|at| at.and_utc());
    let number = || {
        let number: i64 = text.parse().ok()?;
        if text.len() >= 12 {
            DateTime::from_timestamp_millis(number)
        } else {
            DateTime::from_timestamp(number, 0)
        }
    };
    let date = || {
        chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0).map(|at| at.and_utc())
    };
    parse_time(text)
        .or_else(|| naive("%Y-%m-%d %H:%M:%S%.f"))
        .or_else(|| naive("%Y-%m-%dT%H:%M:%S%.f"))
        .or_else(date)
        .or_else(number)
        .and_then(within_range)
        .map(Val::Time)
        .ok_or_else(|| Trouble::no_value(format!("`{}` is no instant", crate::fault::shortened(text))))
}
