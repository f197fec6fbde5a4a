//! Types and conversions between them.

use std::sync::Arc;

use super::{Function, Outcome, both, global, int, no_overload, time};
use crate::{
    budget::{Budget, Trouble},
    value::{Text, Val, text_of},
};

pub(super) const FUNCTIONS: &[Function] = &[
    both("size", 1, 1, size),
    global("type", 1, 1, type_of),
    global("dyn", 1, 1, same),
    global("bool", 1, 1, to_bool),
    global("int", 1, 1, to_int),
    global("uint", 1, 1, to_uint),
    global("double", 1, 1, to_double),
    global("string", 1, 1, to_string),
    global("bytes", 1, 1, to_bytes),
    global("timestamp", 1, 1, to_time),
    global("duration", 1, 1, to_duration),
    global("Duration", 1, 1, to_duration),
];

fn size<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Text(text)] => {
            budget.read(text.len())?;
            Ok(int(text.chars().count()))
        }
        [Val::Bytes(bytes)] => Ok(int(bytes.len())),
        [value] => value.len().map(int).ok_or_else(|| no_overload("size", args)),
        _ => Err(no_overload("size", args)),
    }
}

fn type_of<'a>(_: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let name = args.first().map_or("null_type", Val::type_name);
    Ok(Val::Type(Text::Borrowed(name)))
}

fn same<'a>(_: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    args.first().cloned().ok_or_else(|| no_overload("dyn", args))
}

fn unreadable(text: &str, wanted: &str) -> Trouble {
    Trouble::no_value(format!("`{}` is no {wanted}", crate::fault::shortened(text)))
}

fn out_of_range(wanted: &str) -> Trouble {
    Trouble::no_value(format!("the number is out of the range of {wanted}"))
}

fn to_bool<'a>(_: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Bool(value)] => Ok(Val::Bool(*value)),
        [Val::Text(text)] => match &**text {
            "1" | "t" | "true" | "TRUE" | "True" => Ok(Val::Bool(true)),
            "0" | "f" | "false" | "FALSE" | "False" => Ok(Val::Bool(false)),
            other => Err(unreadable(other, "bool")),
        },
        _ => Err(no_overload("bool", args)),
    }
}

fn to_int<'a>(_: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Int(number)] => Ok(Val::Int(*number)),
        [Val::Uint(number)] => i64::try_from(*number).map(Val::Int).map_err(|_| out_of_range("int")),
        [Val::Double(number)] => {
            // The bounds themselves are refused, as a double cannot tell them from what lies beyond.
            if !(number.is_finite() && number.abs() < 9_223_372_036_854_775_808.0) {
                return Err(out_of_range("int"));
            }
            #[expect(clippy::cast_possible_truncation, reason = "within the range; the fraction is cut")]
            Ok(Val::Int(*number as i64))
        }
        [Val::Text(text)] => text.parse().map(Val::Int).map_err(|_| unreadable(text, "int")),
        [Val::Time(at)] => Ok(Val::Int(at.timestamp())),
        [Val::Duration(nanos)] => Ok(Val::Int(nanos / 1_000_000_000)),
        _ => Err(no_overload("int", args)),
    }
}

fn to_uint<'a>(_: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Uint(number)] => Ok(Val::Uint(*number)),
        [Val::Int(number)] => u64::try_from(*number).map(Val::Uint).map_err(|_| out_of_range("uint")),
        [Val::Double(number)] => {
            if !(*number >= 0.0 && *number < 18_446_744_073_709_551_616.0) {
                return Err(out_of_range("uint"));
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "within the range; the fraction is cut"
            )]
            Ok(Val::Uint(*number as u64))
        }
        [Val::Text(text)] => text.parse().map(Val::Uint).map_err(|_| unreadable(text, "uint")),
        _ => Err(no_overload("uint", args)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "the nearest double is what the conversion gives")]
fn to_double<'a>(_: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Double(number)] => Ok(Val::Double(*number)),
        [Val::Int(number)] => Ok(Val::Double(*number as f64)),
        [Val::Uint(number)] => Ok(Val::Double(*number as f64)),
        [Val::Text(text)] => text.parse().map(Val::Double).map_err(|_| unreadable(text, "double")),
        _ => Err(no_overload("double", args)),
    }
}

fn to_string<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Text(text)] => Ok(Val::Text(text.clone())),
        [Val::Bytes(bytes)] => {
            let text = std::str::from_utf8(bytes).map_err(|_| Trouble::no_value("the bytes are no UTF-8"))?;
            super::made(text.to_owned(), budget)
        }
        [value] => {
            text_of(value).map_or_else(|| Err(no_overload("string", args)), |t| super::made(t, budget))
        }
        _ => Err(no_overload("string", args)),
    }
}

fn to_bytes<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Bytes(bytes)] => Ok(Val::Bytes(Arc::clone(bytes))),
        [Val::Text(text)] => {
            budget.made(text.len())?;
            Ok(Val::Bytes(text.as_bytes().into()))
        }
        _ => Err(no_overload("bytes", args)),
    }
}

fn to_time<'a>(_: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Time(at)] => Ok(Val::Time(*at)),
        [Val::Int(seconds)] => time::from_seconds(*seconds).ok_or_else(|| out_of_range("timestamp")),
        [Val::Text(text)] => {
            time::parse_time(text).map(Val::Time).ok_or_else(|| unreadable(text, "timestamp as RFC 3339"))
        }
        _ => Err(no_overload("timestamp", args)),
    }
}

fn to_duration<'a>(_: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Duration(nanos)] => Ok(Val::Duration(*nanos)),
        [Val::Int(seconds)] => {
            seconds.checked_mul(1_000_000_000).map(Val::Duration).ok_or_else(|| out_of_range("duration"))
        }
        [Val::Text(text)] => time::parse_duration(text)
            .map(Val::Duration)
            .ok_or_else(|| unreadable(text, "duration; write it as 90s, 5m or 1h30m")),
        _ => Err(no_overload("duration", args)),
    }
}
