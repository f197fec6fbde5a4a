//! What texts are values of which kind. A form is strict, so that every back end reads the same; the SQL functions
//! `perigee.number_of`, `size_of`, `seconds_of` and `instant_of` say the same of documents.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// A value that has an order among those of its kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Literal {
    /// `3`, `-0.5`
    Number(f64),
    /// `10GiB`, `500MB`, `4k`, in bytes.
    Size(f64),
    /// `5m`, `1h30m`, in seconds.
    Seconds(i64),
    /// `2026-03-03T02:13:00Z`, `2026-03-03`, `now-24h`
    Moment(Moment),
}

/// An instant, perhaps as seen from the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// This one.
    At(DateTime<Utc>),
    /// So long after the present.
    FromNow(TimeDelta),
}

impl Moment {
    /// Which instant it is at an instant.
    #[must_use]
    pub fn at(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::FromNow(delta) => now.checked_add_signed(delta).unwrap_or(now),
        }
    }
}

/// How far from now an instant may lie: no catalog knows more.
const MAX_FROM_NOW: i64 = 100 * 366 * 86_400;

/// Reads a value that has an order.
#[must_use]
pub fn literal(text: &str) -> Option<Literal> {
    let number = number(text).map(Literal::Number);
    let size = || size(text).map(Literal::Size);
    let seconds = || seconds(text).map(Literal::Seconds);
    let moment = || moment(text).map(Literal::Moment);
    number.or_else(size).or_else(seconds).or_else(moment)
}

/// A number: a sign, up to 18 digits, up to 18 behind a point.
#[must_use]
pub fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(a, b)| (a, Some(b)));
    let fits = are_digits(whole, 18) && fraction.is_none_or(|fraction| are_digits(fraction, 18));
    fits.then(|| text.parse().ok()).flatten()
}

/// A size in bytes: a number, then `B`, or `k`, `M`, `G`, `T` or `P`, with `i` for powers of 1024, with or without `B`.
#[must_use]
pub fn size(text: &str) -> Option<f64> {
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (amount, unit) = text.split_at_checked(unit)?;
    let (whole, fraction) = amount.split_once('.').map_or((amount, None), |(a, b)| (a, Some(b)));
    if !are_digits(whole, 15) || !fraction.is_none_or(|fraction| are_digits(fraction, 6)) {
        return None;
    }
    let factor = if unit == "B" {
        1.0
    } else {
        let unit = unit.strip_suffix('B').unwrap_or(unit);
        let (letter, base) = unit.strip_suffix('i').map_or((unit, 1000.0_f64), |letter| (letter, 1024.0));
        let power = match letter {
            "k" | "K" => 1,
            "M" => 2,
            "G" => 3,
            "T" => 4,
            "P" => 5,
            _ => return None,
        };
        base.powi(power)
    };
    amount.parse::<f64>().ok().map(|amount| amount * factor)
}

/// A length of time in seconds: `1w2d3h4m5s`, any of them, in this order.
#[must_use]
pub fn seconds(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total = 0_i64;
    for (unit, seconds) in [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)] {
        let Some((amount, after)) = rest.split_once(unit) else { continue };
        if !are_digits(amount, 9) {
            continue;
        }
        total += amount.parse::<i64>().ok()? * seconds;
        rest = after;
    }
    (rest.is_empty() && !text.is_empty()).then_some(total)
}

/// An instant as people write it: RFC 3339, a date, `now`, `now-24h`, `now+7d`.
#[must_use]
pub fn moment(text: &str) -> Option<Moment> {
    if let Some(delta) = text.strip_prefix("now") {
        if delta.is_empty() {
            return Some(Moment::FromNow(TimeDelta::zero()));
        }
        let (sign, length) = match (delta.strip_prefix('-'), delta.strip_prefix('+')) {
            (Some(length), _) => (-1, length),
            (_, Some(length)) => (1, length),
            (None, None) => return None,
        };
        let length = seconds(length).filter(|length| *length <= MAX_FROM_NOW)?;
        return TimeDelta::try_seconds(sign * length).map(Moment::FromNow);
    }
    instant(text).or_else(|| Some(date(text)?.and_time(NaiveTime::MIN).and_utc())).map(Moment::At)
}

/// An instant as documents write it: RFC 3339, to the microsecond.
#[must_use]
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    let date = date(text.get(..10)?)?;
    let rest = text.get(10..)?.strip_prefix('T')?;
    let clock = rest.get(..8)?;
    let bytes = clock.as_bytes();
    if bytes.get(2) != Some(&b':') || bytes.get(5) != Some(&b':') {
        return None;
    }
    let part = |at: usize, below: u32| two_digits(clock.get(at..at + 2)?, below);
    let (hour, minute, second) = (part(0, 24)?, part(3, 60)?, part(6, 60)?);
    let rest = rest.get(8..)?;
    let (micros, zone) = match rest.strip_prefix('.') {
        None => (0, rest),
        Some(rest) => {
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            let (digits, zone) = rest.split_at_checked(end)?;
            if !are_digits(digits, 9) {
                return None;
            }
            (format!("{digits:0<6}").get(..6)?.parse().ok()?, zone)
        }
    };
    let ahead = if zone == "Z" { 0 } else { offset(zone)? };
    let time = NaiveTime::from_hms_micro_opt(hour, minute, second, micros)?;
    date.and_time(time).and_utc().checked_sub_signed(TimeDelta::try_minutes(ahead)?)
}

/// `+01:00`, in minutes.
fn offset(zone: &str) -> Option<i64> {
    let (sign, rest) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (_, Some(rest)) => (-1, rest),
        (None, None) => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    Some(sign * i64::from(two_digits(hours, 15)? * 60 + two_digits(minutes, 60)?))
}

fn date(text: &str) -> Option<NaiveDate> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    if year.len() != 4 || !are_digits(year, 4) || year == "0000" {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, two_digits(month, 13)?, two_digits(day, 32)?)
}

fn two_digits(text: &str, below: u32) -> Option<u32> {
    if text.len() != 2 || !are_digits(text, 2) {
        return None;
    }
    text.parse().ok().filter(|number| *number < below)
}

/// One to `most` digits of ASCII.
fn are_digits(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
