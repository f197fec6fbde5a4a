//! Finding values in CloudTrail's parameters, whose shapes differ from service to service.

use serde_json::Value;

/// The texts at `path` below `root`: keys joined by dots, read without regard to case. Lists are walked through, and
/// so are the `items`, `item` and `content` with which older services wrap lists and texts.
pub(super) fn texts<'v>(root: &'v Value, path: &str) -> Vec<&'v str> {
    let mut found = spread(root);
    for part in path.split('.') {
        found = found.into_iter().filter_map(|value| get(value, part)).flat_map(spread).collect();
    }
    found.into_iter().filter_map(Value::as_str).filter(|text| !text.is_empty() && !hidden(text)).collect()
}

/// The field `name` of an object, whatever its case.
pub(super) fn get<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let fields = value.as_object()?;
    fields
        .get(name)
        .or_else(|| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, field)| field))
}

/// The parameters of an event: some EC2 calls put them into one field named after the event.
pub(super) fn parameters<'v>(record: &'v Value, field: &str, event: &str, suffix: &str) -> &'v Value {
    let parameters = record.get(field).unwrap_or(&Value::Null);
    get(parameters, &format!("{event}{suffix}")).unwrap_or(parameters)
}

/// What AWS writes where it hides a value itself.
pub(super) fn hidden(text: &str) -> bool {
    text.starts_with("HIDDEN_DUE_TO")
}

fn spread(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().flat_map(spread).collect(),
        Value::Object(fields) => match ["items", "item", "content"].iter().find_map(|name| fields.get(*name))
        {
            Some(inner) => spread(inner),
            None => vec![value],
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![value],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_found_through_lists_and_wrappings() {
        let cases = [
            (
                json!({"instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}}),
                "instancesSet.instanceId",
            ),
            (
                json!({"InstancesSet": {"item": [{"InstanceID": "i-1"}, {"instanceId": "i-2"}]}}),
                "instancesSet.instanceId",
            ),
            (json!({"ids": ["i-1", "i-2", "", 7, "HIDDEN_DUE_TO_SECURITY_REASONS"]}), "ids"),
            (json!({"ids": [{"tag": 1, "content": "i-1"}, {"tag": 2, "content": "i-2"}]}), "ids"),
        ];
        for (root, path) in cases {
            assert_eq!(texts(&root, path), ["i-1", "i-2"], "{root}");
        }
        assert!(texts(&json!(null), "a.b").is_empty());
    }
}
