//! Documents cut to a size that a row can carry.

use serde_json::{Map, Value};

/// How many characters a text keeps, and how many elements a list, when their document is too large.
const MAX_TEXT: usize = 512;
const MAX_ITEMS: usize = 20;

/// The key under which a cut object says that it was cut.
const NOTE: &str = "(cut)";

/// `value`, cut until it has at most about `limit` bytes of JSON: long texts and lists first, then what is deep. Where
/// something was cut, it says so.
pub(crate) fn bound(value: Value, limit: usize) -> Value {
    let mut value = value;
    for depth in [usize::MAX, 6, 4, 2, 1] {
        let size = size(&value);
        if size <= limit {
            return value;
        }
        value = shorten(value, depth);
    }
    if size(&value) <= limit {
        return value;
    }
    Value::from(format!("(cut: {} bytes)", size(&value)))
}

fn size(value: &Value) -> usize {
    value.to_string().len()
}

fn shorten(value: Value, depth: usize) -> Value {
    match value {
        Value::String(text) if text.chars().count() > MAX_TEXT => {
            let kept: String = text.chars().take(MAX_TEXT).collect();
            Value::from(format!("{kept}… (cut: {} characters)", text.chars().count()))
        }
        Value::Array(items) if depth == 0 && !items.is_empty() => {
            Value::from(format!("(cut: {} items)", items.len()))
        }
        Value::Object(fields) if depth == 0 && !fields.is_empty() => {
            Value::from(format!("(cut: {} fields)", fields.len()))
        }
        Value::Array(items) => {
            let cut = items.len().saturating_sub(MAX_ITEMS);
            let mut kept: Vec<Value> =
                items.into_iter().take(MAX_ITEMS).map(|item| shorten(item, depth - 1)).collect();
            if cut > 0 {
                kept.push(Value::from(format!("(cut: {cut} more)")));
            }
            Value::Array(kept)
        }
        Value::Object(fields) => {
            let cut = fields.len().saturating_sub(MAX_ITEMS * 5);
            let mut kept: Map<String, Value> = fields
                .into_iter()
                .take(MAX_ITEMS * 5)
                .map(|(key, field)| (key, shorten(field, depth - 1)))
                .collect();
            if cut > 0 {
                kept.insert(NOTE.to_owned(), Value::from(format!("{cut} more")));
            }
            Value::Object(kept)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_stays_as_it_is() {
        let value = json!({"a": [1, 2, {"b": "c"}]});
        assert_eq!(bound(value.clone(), 1000), value);
    }

    #[test]
    fn whatever_is_too_large_is_cut_and_says_so() {
        let long = json!({"text": "x".repeat(100_000), "n": 1});
        let many = json!({"list": (0..10_000).collect::<Vec<_>>(), "n": 1});
        let deep =
            (0..100).fold(json!("x".repeat(400)), |inner, _| json!({"a": inner, "b": "y".repeat(400)}));
        let wide: Value =
            (0..5000).map(|n| (format!("key{n}"), json!("v".repeat(300)))).collect::<Map<_, _>>().into();
        for value in [long, many, deep, wide] {
            let cut = bound(value, 8192);
            assert!(size(&cut) <= 8192, "{}", size(&cut));
            assert!(cut.to_string().contains("(cut"), "{cut}");
        }
    }
}
