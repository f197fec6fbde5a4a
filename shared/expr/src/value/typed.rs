//! The tagged form of values: `{"t": type, "v": value}`.

use std::{str::FromStr, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value as Json, json};

use super::{Dict, Key, Text, Val, json::text_of};
use crate::{
    budget::{Budget, Trouble},
    functions,
};

/// Reads a value in the tagged form.
///
/// # Errors
/// Says what is no such value.
pub(crate) fn from_typed(json: &Json) -> Result<Val<'static>, String> {
    let tag = json.get("t").and_then(Json::as_str).ok_or("a typed value is {\"t\": type, \"v\": value}")?;
    let inner = json.get("v").unwrap_or(&Json::Null);
    let wrong = || format!("{inner} is no value of type {tag}");
    let text = || inner.as_str().ok_or_else(wrong);
    Ok(match tag {
        "null" => Val::Null,
        "bool" => Val::Bool(inner.as_bool().ok_or_else(wrong)?),
        "int" => Val::Int(whole(inner).ok_or_else(wrong)?),
        "uint" => Val::Uint(whole(inner).ok_or_else(wrong)?),
        "double" => Val::Double(double(inner).ok_or_else(wrong)?),
        "string" => Val::text(text()?),
        "type" => Val::Type(Text::Shared(Arc::from(text()?))),
        "bytes" => Val::Bytes(STANDARD.decode(text()?).map_err(|_| wrong())?.into()),
        "duration" => Val::Duration(functions::time::parse_duration(text()?).ok_or_else(wrong)?),
        "timestamp" => Val::Time(functions::time::parse_time(text()?).ok_or_else(wrong)?),
        "list" => {
            let items = inner.as_array().ok_or_else(wrong)?;
            Val::list(items.iter().map(from_typed).collect::<Result<_, _>>()?)
        }
        "map" => {
            let mut entries = Dict::new();
            for pair in inner.as_array().ok_or_else(wrong)? {
                let (Some(key), Some(value)) = (pair.get(0), pair.get(1)) else { return Err(wrong()) };
                entries.insert(Key::of(&from_typed(key)?).ok_or_else(wrong)?, from_typed(value)?);
            }
            Val::map(entries)
        }
        _ => return Err(format!("there is no type `{tag}`")),
    })
}

/// A number, or its digits as text.
fn whole<T: FromStr + TryFrom<i128>>(json: &Json) -> Option<T> {
    match json {
        Json::String(digits) => digits.parse().ok(),
        _ => {
            let number = json.as_i64().map(i128::from).or_else(|| json.as_u64().map(i128::from))?;
            T::try_from(number).ok()
        }
    }
}

fn double(json: &Json) -> Option<f64> {
    match json {
        Json::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => json.as_f64(),
    }
}

/// A value in the tagged form.
///
/// # Errors
/// When it grows larger than a result may be.
pub(crate) fn to_typed(value: &Val<'_>, budget: &Budget) -> Result<Json, Trouble> {
    budget.made(16)?;
    let (tag, inner) = match value {
        Val::Null => ("null", Json::Null),
        Val::Bool(value) => ("bool", Json::Bool(*value)),
        Val::Int(number) => ("int", Json::from(*number)),
        Val::Uint(number) => ("uint", Json::from(*number)),
        Val::Double(number) if number.is_finite() => ("double", Json::from(*number)),
        Val::Double(_) => ("double", Json::from(text_of(value))),
        Val::Text(text) => {
            budget.made(text.len())?;
            ("string", Json::from(&**text))
        }
        Val::Bytes(bytes) => {
            budget.made(bytes.len() * 2)?;
            ("bytes", Json::from(STANDARD.encode(bytes)))
        }
        Val::List(_) | Val::Items(_) => {
            let items = value.items().unwrap_or_default();
            ("list", Json::Array(items.iter().map(|item| to_typed(item, budget)).collect::<Result<_, _>>()?))
        }
        Val::Map(_) | Val::Object(_) => {
            let mut pairs = Vec::new();
            for (key, value) in value.entries().unwrap_or_default() {
                pairs.push(json!([to_typed(&key, budget)?, to_typed(&value, budget)?]));
            }
            ("map", Json::Array(pairs))
        }
        Val::Duration(_) => ("duration", Json::from(text_of(value))),
        Val::Time(_) => ("timestamp", Json::from(text_of(value))),
        Val::Type(_) => ("type", Json::from(text_of(value))),
        Val::Optional(None) => ("optional", Json::Null),
        Val::Optional(Some(inner)) => ("optional", to_typed(inner, budget)?),
        Val::Net(_) => (value.type_name(), Json::from(text_of(value))),
    };
    Ok(json!({ "t": tag, "v": inner }))
}
