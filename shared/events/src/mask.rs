//! Secrets do not enter (law 5). Every text of an observation passes here before it leaves this crate.
//!
//! A value is masked because of its field's name ([`names`]), because of where it stands (environment variables,
//! Kubernetes Secrets, settings as name and value), or because of what it looks like ([`patterns`]). JSON inside
//! strings is looked into. What cannot be looked into is masked whole.

mod names;
mod patterns;

use model::{Change, Document, Finding};
use serde_json::{Map, Value};

use names::{folded, is_environment, is_identifying, is_secret, is_suspicious};

/// What stands where a secret stood.
pub(crate) const MASKED: &str = "***";

/// JSON inside a string is looked into up to this size and depth; beyond, the string is masked whole.
const MAX_EMBEDDED: usize = 1 << 20;
const MAX_EMBEDDED_DEPTH: usize = 5;

/// Masks the document of a resource of type `kind`.
pub(crate) fn document(kind: &str, value: &mut Value) {
    match kind {
        "AWS::SSM::Parameter" | "AWS::ApiGateway::ApiKey" => mask_field(value, "value"),
        "Kubernetes::core::Secret" => mask_secret_object(value),
        _ => {}
    }
    details(value);
}

/// Masks the details of a change or a finding.
pub(crate) fn details(value: &mut Value) {
    walk(value, 0);
}

/// Masks the parameters of a call: like [`details`], and what only this call calls a secret. `value` holds them as
/// the fields `requestParameters` and `responseElements`.
pub(crate) fn call(service: &str, event: &str, value: &mut Value) {
    let request = match (service, event) {
        ("ssm", "PutParameter") | ("apigateway", "CreateApiKey" | "UpdateApiKey") => "value",
        ("secretsmanager", _) => "secretString",
        ("cognito-idp", _) => "session",
        ("ec2-instance-connect", _) => "sSHPublicKey",
        _ => "",
    };
    for part in ["requestParameters", "responseElements"] {
        if let Some(part) = value.get_mut(part).filter(|_| !request.is_empty()) {
            mask_field(part, request);
        }
    }
    details(value);
}

/// A text without the secrets in it.
pub(crate) fn text(text: &str) -> String {
    patterns::apply(text).into_owned()
}

/// Masks everything a change says.
pub(crate) fn change(change: &mut Change) {
    change.summary = text(&change.summary);
    for part in [&mut change.error_message, &mut change.user_agent, &mut change.source_address] {
        *part = part.as_deref().map(text);
    }
    for mention in &mut change.mentions {
        *mention = text(mention);
    }
    details(&mut change.details);
}

/// Masks everything a finding says.
pub(crate) fn finding(finding: &mut Finding) {
    finding.title = text(&finding.title);
    finding.description = text(&finding.description);
    details(&mut finding.details);
}

/// Masks everything a resource's document says.
pub(crate) fn whole_document(kind: &str, whole: &mut Document) {
    document(kind, &mut whole.config);
    whole.name = whole.name.as_deref().map(text);
    for (name, value) in whole.tags.iter_mut().chain(&mut whole.labels) {
        *value = if is_suspicious(&folded(name)) { MASKED.to_owned() } else { text(value) };
    }
}

fn walk(value: &mut Value, embedded: usize) {
    match value {
        Value::Object(fields) => object(fields, embedded),
        Value::Array(items) => array(items, embedded),
        Value::String(text) => string(text, embedded),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn object(fields: &mut Map<String, Value>, embedded: usize) {
    if fields.get("kind").is_some_and(|kind| kind == "Secret") && fields.contains_key("apiVersion") {
        for part in ["data", "stringData"] {
            fields.get_mut(part).into_iter().for_each(mask_leaves);
        }
    }
    setting(fields);
    for (name, field) in fields.iter_mut() {
        let name = folded(name);
        if is_secret(&name) {
            secret(field);
        } else if is_environment(&name) {
            environment(field, name != "environment");
        }
        walk(field, embedded);
    }
}

/// A list; what follows a flag such as `--password` is a secret.
fn array(items: &mut [Value], embedded: usize) {
    let mut after_flag = false;
    for item in items {
        if after_flag {
            mask_leaves(item);
        }
        after_flag = item
            .as_str()
            .and_then(|text| text.strip_prefix("--"))
            .is_some_and(|flag| !flag.contains('=') && is_suspicious(&folded(flag)));
        walk(item, embedded);
    }
}

fn string(text: &mut String, embedded: usize) {
    if let Some(json) = as_json(text) {
        let masked = match serde_json::from_str::<Value>(&json) {
            _ if json.len() > MAX_EMBEDDED || embedded >= MAX_EMBEDDED_DEPTH => Some(Value::from(MASKED)),
            Ok(before) => {
                let mut after = before.clone();
                walk(&mut after, embedded + 1);
                (after != before).then_some(after)
            }
            // Not JSON after all, or cut: it is text like any other.
            Err(_) => None,
        };
        match masked {
            Some(Value::String(masked)) => *text = masked,
            Some(masked) => *text = masked.to_string(),
            None => {}
        }
    }
    if let std::borrow::Cow::Owned(masked) = patterns::apply(text) {
        *text = masked;
    }
}

/// The JSON in a text: plain, or percent-encoded as IAM answers with policies.
fn as_json(text: &str) -> Option<std::borrow::Cow<'_, str>> {
    let start = text.trim_start();
    if start.starts_with(['{', '[']) {
        return Some(start.into());
    }
    start.starts_with("%7B").then(|| percent_encoding::percent_decode_str(start).decode_utf8_lossy())
}

/// A setting told as name and value: an environment variable, a stack's parameter, a tag, an option.
fn setting(fields: &mut Map<String, Value>) {
    const NAMES: [&str; 5] = ["name", "key", "parameterkey", "parametername", "optionname"];
    const VALUES: [&str; 4] = ["value", "parametervalue", "resolvedvalue", "values"];
    let named = |fields: &Map<String, Value>, of: &[&str]| {
        fields.iter().find(|(key, _)| of.contains(&&*folded(key))).and_then(|(_, v)| v.as_str()).map(folded)
    };
    let variables = named(fields, &["namespace"]).is_some_and(|n| n.ends_with("application:environment"));
    if named(fields, &NAMES).is_some_and(|name| variables || is_suspicious(&name)) {
        for (key, field) in fields.iter_mut() {
            if VALUES.contains(&&*folded(key)) {
                mask_leaves(field);
            }
        }
    }
}

/// Environment variables: a list of names and values, or a map, or (as Lambda and AWS's builds have it under `environment`) an
/// object that holds one of these. Values that only say where a secret is kept stay.
fn environment(field: &mut Value, map: bool) {
    const REFERENCES: [&str; 2] = ["PARAMETER_STORE", "SECRETS_MANAGER"];
    match field {
        Value::Array(items) => {
            for fields in items.iter_mut().filter_map(Value::as_object_mut) {
                let reference =
                    fields.get("type").and_then(Value::as_str).is_some_and(|t| REFERENCES.contains(&t));
                for (_, value) in fields.iter_mut().filter(|(key, _)| !reference && folded(key) == "value") {
                    mask_leaves(value);
                }
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                if map || folded(key) == "variables" {
                    mask_leaves(value);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The value of a field whose name means a secret. What identifies the secret stays: names, ids, ARNs.
fn secret(field: &mut Value) {
    match field {
        Value::Object(fields) => {
            for (name, inner) in fields.iter_mut() {
                if !is_identifying(&folded(name)) || !inner.is_string() {
                    secret(inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(secret),
        Value::String(text) if is_reference(text) => {}
        Value::String(text) => MASKED.clone_into(text),
        Value::Number(_) => *field = Value::from(MASKED),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Whether a text stands for a secret that is kept elsewhere, or for none.
fn is_reference(text: &str) -> bool {
    text.is_empty() || text.starts_with("HIDDEN_DUE_TO") || model::Arn::parse(text).is_some()
}

/// Masks every text and number in a value.
fn mask_leaves(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(mask_leaves),
        Value::Array(items) => items.iter_mut().for_each(mask_leaves),
        Value::String(text) if is_reference(text) => {}
        Value::String(_) | Value::Number(_) => *value = Value::from(MASKED),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Masks the field `name` of an object, whatever its case.
fn mask_field(value: &mut Value, name: &str) {
    let fields = value.as_object_mut().into_iter().flatten();
    fields.filter(|(key, _)| key.eq_ignore_ascii_case(name)).for_each(|(_, field)| mask_leaves(field));
}

/// A Kubernetes Secret's document, even where it does not say that it is one.
fn mask_secret_object(value: &mut Value) {
    mask_field(value, "data");
    mask_field(value, "stringData");
}

#[cfg(test)]
mod tests;
