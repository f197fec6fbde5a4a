//! What serde says, in words that say what would be right.

use serde_json::Value;

use crate::Fault;

/// A fault of a document that does not fit its type. `root` is where the document stands.
pub(super) fn fault(
    root: &str,
    document: &Value,
    error: &serde_path_to_error::Error<serde_json::Error>,
) -> Fault {
    let path = error.path().to_string();
    let mut field = match path.as_str() {
        "." => root.to_owned(),
        path => format!("{root}.{path}"),
    };
    let inner = error.inner().to_string();
    let found = at(document, &path);
    let message = if let Some(rest) = inner.strip_prefix("unknown field ") {
        let (name, known) = quoted(rest);
        // serde names the field itself in the path, or the map that holds it.
        if field.rsplit('.').next() != Some(name) {
            field = format!("{field}.{name}");
        }
        let known: Vec<&str> = known.collect();
        if known.contains(&"secretsManager") {
            reference()
        } else {
            format!("unknown field `{name}`{}", expr::did_you_mean(name, known))
        }
    } else if let Some(rest) = inner.strip_prefix("unknown variant ") {
        let (name, known) = quoted(rest);
        let known: Vec<&str> = known.collect();
        // What stands in the place of a reference may be the secret itself: it is not repeated.
        if known.contains(&"secretsManager") {
            reference()
        } else {
            format!("there is no `{name}`{}", expr::did_you_mean(name, known))
        }
    } else if let Some(rest) = inner.strip_prefix("missing field ") {
        let (name, _) = quoted(rest);
        field = format!("{field}.{name}");
        "is missing".to_owned()
    } else if inner.contains("untagged enum Value") {
        format!("{}, or a text", reference())
    } else if inner.contains("expected") && inner.contains("SecretRef") {
        reference()
    } else if let Some((_, wanted)) = inner.split_once(", expected ") {
        format!("must be {}, and is {}", plainly(wanted), described(found))
    } else if CHRONO.iter().any(|words| inner.starts_with(words)) {
        "must be an instant as RFC 3339 writes it, as 2026-03-03T02:13:00Z".to_owned()
    } else {
        inner
    };
    Fault::error(field, message)
}

/// What chrono says of a text that is no instant.
const CHRONO: [&str; 5] = [
    "input contains invalid",
    "input is out of range",
    "premature end of input",
    "trailing input",
    "no possible date and time",
];

fn reference() -> String {
    "a secret is given as where it is kept, never as itself: {env: NAME}, {file: PATH}, {ssm: NAME}, \
     {secretsManager: {id: NAME, key: KEY}} or {kubernetesSecret: {namespace: N, name: N, key: K}}"
        .to_owned()
}

/// The first word in backticks, and those after it.
pub(super) fn quoted(text: &str) -> (&str, impl Iterator<Item = &str>) {
    let mut words = text.split('`').skip(1).step_by(2);
    (words.next().unwrap_or_default(), words)
}

/// What serde calls a type, as people do.
fn plainly(wanted: &str) -> String {
    let wanted = wanted.trim_end_matches('.');
    match wanted {
        "a string" => "a text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a map".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "u8" | "u32" | "u64" | "usize" => "a whole number of at least 0".to_owned(),
        "i32" | "i64" => "a whole number".to_owned(),
        "f64" => "a number".to_owned(),
        other => other.strip_prefix("struct ").map_or_else(|| other.to_owned(), |_| "a map".to_owned()),
    }
}

fn described(found: Option<&Value>) -> &'static str {
    match found {
        None => "something else",
        Some(Value::Null) => "empty",
        Some(Value::Bool(_)) => "true or false; put it in quotes if it is a text",
        Some(Value::Number(_)) => "a number; put it in quotes if it is a text",
        Some(Value::String(_)) => "a text",
        Some(Value::Array(_)) => "a list",
        Some(Value::Object(_)) => "a map",
    }
}

/// The value at a path as serde writes it: `cases[1].if`.
fn at<'v>(document: &'v Value, path: &str) -> Option<&'v Value> {
    document.pointer(&pointer(path))
}

/// The same, to be changed.
pub(super) fn at_mut<'v>(document: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    document.pointer_mut(&pointer(path))
}

fn pointer(path: &str) -> String {
    path.split(['.', '['])
        .filter(|part| !part.is_empty())
        .map(|part| format!("/{}", part.trim_end_matches(']')))
        .collect()
}
