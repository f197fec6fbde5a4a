//! What a thing has at a path.

use selector::{Path, Step};
use serde_json::Value;

/// How many elements of an array `[*]` looks at.
const MOST_ELEMENTS: usize = 1000;

/// The values that a path leads to; null is none. Keys of tags and labels may have dots in them; `health`, `status` and
/// `ready` are those of the verdict before; a field that holds several texts is any of them.
pub(super) fn values<'a>(thing: &'a Value, path: &Path) -> Vec<&'a Value> {
    let found = match (path.name(), path.within()) {
        (map @ ("tags" | "labels"), [_, ..]) => {
            let key = path.key().unwrap_or_default();
            thing.get(map).and_then(|map| map.get(key)).into_iter().collect()
        }
        ("properties", steps) => within(thing.get("config"), steps),
        (verdict @ ("health" | "status" | "ready"), []) => {
            let held = thing.get("health").filter(|held| held.is_object());
            let held = held.map_or_else(|| thing.get(verdict), |held| held.get(verdict));
            held.into_iter().collect()
        }
        (name, []) => match thing.get(name) {
            Some(Value::Array(several)) => several.iter().collect(),
            found => found.into_iter().collect(),
        },
        (name, steps) => within(thing.get(name), steps),
    };
    found.into_iter().filter(|value| !value.is_null()).collect()
}

/// Whether a field holds an instant, which is then compared as one.
pub(super) fn is_time(path: &Path) -> bool {
    matches!(
        path.name(),
        "since"
            | "deleted_at"
            | "changed"
            | "occurred_at"
            | "created_at"
            | "ended_at"
            | "updated_at"
            | "first_seen"
    )
}

fn within<'a>(document: Option<&'a Value>, steps: &[Step]) -> Vec<&'a Value> {
    let mut found: Vec<&Value> = document.into_iter().collect();
    for step in steps {
        found = match step {
            Step::Key(key) => found.into_iter().filter_map(|value| value.as_object()?.get(key)).collect(),
            Step::Index(at) => {
                let at = usize::try_from(*at).unwrap_or(usize::MAX);
                found.into_iter().filter_map(|value| value.as_array()?.get(at)).collect()
            }
            Step::Every => found
                .into_iter()
                .filter_map(Value::as_array)
                .flat_map(|list| list.iter().take(MOST_ELEMENTS))
                .collect(),
        };
    }
    found
}

/// The texts of a resource that free words are looked for in: name, native id, tags, description, aliases but ARNs.
pub(super) fn words(thing: &Value) -> String {
    let texts = |value: Option<&'_ Value>| -> Vec<String> {
        match value {
            Some(Value::String(text)) => vec![text.to_lowercase()],
            Some(Value::Array(list)) => {
                let texts = list.iter().filter_map(Value::as_str);
                texts.filter(|text| !text.starts_with("arn:")).map(str::to_lowercase).collect()
            }
            Some(Value::Object(map)) => {
                map.values().filter_map(Value::as_str).map(str::to_lowercase).collect()
            }
            _ => Vec::new(),
        }
    };
    let config = thing.get("config");
    let described = ["description", "Description"].map(|name| config.and_then(|config| config.get(name)));
    let description = described.into_iter().flatten().find(|value| value.is_string());
    let all =
        [thing.get("name"), thing.get("native_id"), thing.get("tags"), description, thing.get("aliases")];
    all.into_iter().flat_map(texts).collect::<Vec<_>>().join("\n")
}
