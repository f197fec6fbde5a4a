//! Documents in, documents out, and how values read as text.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, Timelike, Utc};
use serde_json::{Map, Number, Value as Json};

use super::{Key, Text, Val};
use crate::budget::{Budget, Trouble};

/// The value that a document is.
pub(crate) fn from_json(json: &Json) -> Val<'_> {
    match json {
        Json::Null => Val::Null,
        Json::Bool(value) => Val::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Val::Int(number),
            (None, Some(number)) => Val::Uint(number),
            (None, None) => Val::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Val::Text(Text::Borrowed(text)),
        Json::Array(items) => Val::Items(items),
        Json::Object(object) => Val::Object(object),
    }
}

/// A document that outlives what it was read from.
pub(crate) fn owned(json: &Json) -> Val<'static> {
    match json {
        Json::Array(items) => Val::list(items.iter().map(owned).collect()),
        Json::Object(object) => Val::map(
            object
                .iter()
                .map(|(key, value)| (Key::Text(Text::Shared(Arc::from(key.as_str()))), owned(value)))
                .collect(),
        ),
        Json::String(text) => Val::text(text.as_str()),
        Json::Null => Val::Null,
        Json::Bool(value) => Val::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Val::Int(number),
            (None, Some(number)) => Val::Uint(number),
            (None, None) => Val::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
    }
}

/// A value as JSON: instants and lengths of time as CEL writes them, bytes as base64, an absent optional as null.
///
/// # Errors
/// When the document grows larger than a result may be.
pub(crate) fn to_json(value: &Val<'_>, budget: &Budget) -> Result<Json, Trouble> {
    budget.made(8)?;
    Ok(match value {
        Val::Null | Val::Optional(None) => Json::Null,
        Val::Bool(value) => Json::Bool(*value),
        Val::Int(number) => Json::from(*number),
        Val::Uint(number) => Json::from(*number),
        Val::Double(number) => {
            Number::from_f64(*number).map_or_else(|| Json::from(double_text(*number)), Json::Number)
        }
        Val::Text(text) => {
            budget.made(text.len())?;
            Json::from(&**text)
        }
        Val::Bytes(bytes) => {
            budget.made(bytes.len() * 2)?;
            Json::from(STANDARD.encode(bytes))
        }
        Val::List(_) | Val::Items(_) => {
            let items = value.items().unwrap_or_default();
            Json::Array(items.iter().map(|item| to_json(item, budget)).collect::<Result<_, _>>()?)
        }
        Val::Map(_) | Val::Object(_) => {
            let mut object = Map::new();
            for (key, value) in value.entries().unwrap_or_default() {
                let key = text_of(&key).unwrap_or_default();
                budget.made(key.len())?;
                object.insert(key, to_json(&value, budget)?);
            }
            Json::Object(object)
        }
        Val::Optional(Some(value)) => to_json(value, budget)?,
        Val::Duration(_) | Val::Time(_) | Val::Type(_) | Val::Net(_) => Json::from(text_of(value)),
    })
}

/// What `string()` makes of a value; nothing for what it takes none of, as lists.
pub(crate) fn text_of(value: &Val<'_>) -> Option<String> {
    Some(match value {
        Val::Bool(value) => value.to_string(),
        Val::Int(number) => number.to_string(),
        Val::Uint(number) => number.to_string(),
        Val::Double(number) => double_text(*number),
        Val::Text(text) | Val::Type(text) => text.to_string(),
        Val::Duration(nanos) => duration_text(*nanos),
        Val::Time(at) => time_text(*at),
        Val::Net(network) => network.to_string(),
        _ => return None,
    })
}

/// A double as text: the shortest that reads as the same number.
pub(crate) fn double_text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else if number != 0.0 && (number.abs() < 1e-4 || number.abs() >= 1e21) {
        let text = format!("{number:e}");
        match text.split_once('e') {
            Some((digits, exponent)) => {
                let (sign, exponent) =
                    exponent.strip_prefix('-').map_or(("+", exponent), |exponent| ("-", exponent));
                format!("{digits}e{sign}{exponent:0>2}")
            }
            None => text,
        }
    } else {
        number.to_string()
    }
}

/// A length of time in seconds: `90s`, `0.5s`.
fn duration_text(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    if rest == 0 {
        return format!("{sign}{seconds}s");
    }
    let rest = format!("{rest:09}");
    format!("{sign}{seconds}.{}s", rest.trim_end_matches('0'))
}

/// An instant as RFC 3339, with as many digits of a second as it has.
fn time_text(at: DateTime<Utc>) -> String {
    if at.nanosecond() == 0 {
        return at.to_rfc3339_opts(SecondsFormat::Secs, true);
    }
    let text = at.to_rfc3339_opts(SecondsFormat::Nanos, true);
    format!("{}Z", text.trim_end_matches('Z').trim_end_matches('0'))
}
