//! Reading fields whose spelling differs between dialects of one shape.
//!
//! AWS writes the same field `accountId`, `AwsAccountId` or `awsAccountId`; each reader takes the spellings in order
//! of preference and answers with the first that holds something.

use std::borrow::Cow;
use std::collections::BTreeMap;

use model::Timestamp;
use serde_json::Value;

use crate::time;

/// The deepest that JSON inside a string inside JSON is read: Config's access control lists are three deep.
const EMBEDDED_DEPTH: usize = 4;

/// The first of the spellings that is there and not null.
pub(crate) fn field<'a>(value: &'a Value, names: &[&str]) -> Option<&'a Value> {
    names.iter().filter_map(|name| value.get(name)).find(|found| !found.is_null())
}

/// The first of the spellings that holds a text; white space around it is dropped, and an empty text is none.
pub(crate) fn text<'a>(value: &'a Value, names: &[&str]) -> Option<&'a str> {
    names.iter().filter_map(|name| value.get(name)?.as_str()).map(str::trim).find(|text| !text.is_empty())
}

/// A number, or a text that holds one.
pub(crate) fn number(value: &Value, names: &[&str]) -> Option<f64> {
    field(value, names).and_then(|found| match found {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}

/// The items of a list; none when the field is missing or is no list.
pub(crate) fn items<'a>(value: &'a Value, names: &[&str]) -> &'a [Value] {
    field(value, names).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The first of the spellings that holds a readable time.
pub(crate) fn instant(value: &Value, names: &[&str]) -> Option<Timestamp> {
    names.iter().filter_map(|name| value.get(name)).find_map(time::parse)
}

/// Tags in any of AWS's shapes: a map, or a list of `{key, value}`, `{Key, Value}` or `{tagKey, tagValue}`.
pub(crate) fn tags(value: Option<&Value>) -> BTreeMap<String, String> {
    match value {
        Some(Value::Object(map)) => {
            map.iter().filter_map(|(key, value)| Some((key.clone(), plain(value)?))).collect()
        }
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(|tag| {
                let key = text(tag, &["key", "Key", "tagKey", "TagKey", "tag"])?;
                let value = field(tag, &["value", "Value", "tagValue", "TagValue"]).and_then(plain);
                Some((key.to_owned(), value.unwrap_or_default()))
            })
            .collect(),
        _ => BTreeMap::new(),
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// JSON that AWS wrote into a string, read until it is no longer a string of an object or a list. A string that is
/// no JSON stays what it is.
pub(crate) fn embedded(value: &Value) -> Cow<'_, Value> {
    let mut read = Cow::Borrowed(value);
    for _ in 0..EMBEDDED_DEPTH {
        let Some(inner) = read.as_str().filter(|text| text.trim_start().starts_with(['{', '[', '"'])) else {
            break;
        };
        let Ok(inner) = serde_json::from_str(inner) else { break };
        read = Cow::Owned(inner);
    }
    read
}

/// Only the named fields, for details that say what matters and leave out what may hold secrets.
pub(crate) fn pick(value: &Value, names: &[&str]) -> Value {
    let picked = names.iter().filter_map(|name| Some(((*name).to_owned(), field(value, &[name])?.clone())));
    Value::Object(picked.collect())
}
