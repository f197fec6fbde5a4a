//! The fields of a playbook's form: a parameter as a person fills it in, and what that means.

use std::collections::BTreeMap;

use manifest::{
    Playbook,
    kinds::playbook::{Parameter, ParameterType},
};
use maud::{Markup, html};
use model::SecretRef;
use serde_json::{Number, Value};

use super::super::{layout, text};
use crate::problem::{Kind, Problem};

/// What stands before the names of parameters, lest one is called as a field of ours.
const PREFIX: &str = "p.";
/// The longest key of a form, in characters.
const MAX_KEY: usize = 100;

/// What was filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::pages) struct Given {
    /// What makes sending the form again the same request.
    pub(super) key: String,
    /// The resource to run on; empty for none.
    pub(super) resource: String,
    /// The texts of the parameters by their names; what was left empty is not among them.
    texts: BTreeMap<String, String>,
}

impl Given {
    pub(super) fn read(fields: Vec<(String, String)>) -> Result<Self, Problem> {
        let mut given = Self::default();
        for (name, value) in fields {
            match (name.as_str(), name.strip_prefix(PREFIX)) {
                ("key", _) => given.key = value,
                ("resource", _) => given.resource = value,
                (_, Some(_)) if value.is_empty() => {}
                (_, Some(parameter)) => {
                    given.texts.insert(parameter.to_owned(), value);
                }
                (_, None) => {
                    let detail = format!("The form has no field `{}`.", text::cut(&name, 100));
                    return Err(Problem::new(Kind::BadBody, detail));
                }
            }
        }
        let length = given.key.chars().count();
        if length == 0 || length > MAX_KEY || given.key.contains(char::is_control) {
            let detail = "The form has no key; open it again and send it from there.";
            return Err(Problem::new(Kind::BadBody, detail));
        }
        Ok(given)
    }

    /// The values that the texts mean. What means nothing stays a text, which the playbook then refuses.
    pub(super) fn parameters(&self, playbook: &Playbook) -> BTreeMap<String, Value> {
        let known = |name: &str| playbook.parameters.iter().find(|parameter| parameter.name == name);
        let value =
            |name: &str, text: &str| known(name).map_or(Value::from(text), |known| value(known, text));
        self.texts.iter().map(|(name, text)| (name.clone(), value(name, text))).collect()
    }
}

/// The parameter that a fault is about, which it names first.
pub(super) fn of<'a>(playbook: &'a Playbook, fault: &str) -> Option<&'a Parameter> {
    playbook.parameters.iter().find(|parameter| about(parameter, fault).is_some())
}

/// What a fault says of a parameter, if it is about that: `params.port: must be a number`, "`port`: there is no ...".
fn about<'a>(parameter: &Parameter, fault: &'a str) -> Option<&'a str> {
    let (place, why) = fault.split_once(": ").unwrap_or((fault, fault));
    match place.strip_prefix("params.") {
        Some(name) => (name == parameter.name).then_some(why),
        None => (fault.split('`').nth(1) == Some(parameter.name.as_str())).then_some(fault),
    }
}

fn value(parameter: &Parameter, text: &str) -> Value {
    if let Some(option) = parameter.options.iter().find(|option| plain(option) == text) {
        return option.clone();
    }
    let trimmed = text.trim();
    match parameter.kind {
        ParameterType::Number => number(trimmed).map_or_else(|| Value::from(text), Value::Number),
        ParameterType::Boolean => trimmed.parse::<bool>().map_or_else(|_| Value::from(text), Value::Bool),
        ParameterType::Secret => secret(trimmed)
            .and_then(|secret| serde_json::to_value(secret).ok())
            .unwrap_or_else(|| Value::from(text)),
        ParameterType::Text => Value::from(text),
        ParameterType::Duration | ParameterType::Resource => Value::from(trimmed),
    }
}

fn number(text: &str) -> Option<Number> {
    match text.parse::<i64>() {
        Ok(whole) => Some(whole.into()),
        Err(_) => Number::from_f64(text.parse().ok()?),
    }
}

/// Where a secret is kept, as the form's hint says to write it.
fn secret(text: &str) -> Option<SecretRef> {
    let (kind, place) = text.split_once(':').filter(|(_, place)| !place.trim().is_empty())?;
    let owned = |text: &str| text.trim().to_owned();
    match kind.trim() {
        "env" => Some(SecretRef::Env(owned(place))),
        "file" => Some(SecretRef::File(owned(place))),
        "ssm" => Some(SecretRef::Ssm(owned(place))),
        "secretsManager" => {
            let (id, key) = place.split_once('#').map_or((place, None), |(id, key)| (id, Some(owned(key))));
            Some(SecretRef::SecretsManager { id: owned(id), key })
        }
        "kubernetesSecret" => {
            let (object, key) = place.split_once('#')?;
            let (namespace, name) = object.split_once('/')?;
            Some(SecretRef::KubernetesSecret {
                namespace: owned(namespace),
                name: owned(name),
                key: owned(key),
            })
        }
        _ => None,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A field with what is known of it, and what is wrong with what was given.
pub(super) fn field(parameter: &Parameter, given: &Given, faults: &[String], id: &str) -> Markup {
    let Parameter { name, description, kind, required, default, options, .. } = parameter;
    let wrong: Vec<&str> = faults.iter().filter_map(|fault| about(parameter, fault)).collect();
    let held = given.texts.get(name).map(String::as_str).unwrap_or_default();
    // What may be the secret itself is not sent back.
    let held = if *kind == ParameterType::Secret && secret(held).is_none() { "" } else { held };
    let hint = hint(parameter);
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described = match (hint.is_empty(), wrong.is_empty()) {
        (true, true) => None,
        (false, true) => Some(hint_id.clone()),
        (true, false) => Some(error_id.clone()),
        (false, false) => Some(format!("{error_id} {hint_id}")),
    };
    let invalid = (!wrong.is_empty()).then_some("true");
    let truths = [Value::Bool(true), Value::Bool(false)];
    let choices =
        if options.is_empty() && *kind == ParameterType::Boolean { truths.as_slice() } else { options };
    let empty = default
        .as_ref()
        .map_or_else(|| "not given".to_owned(), |value| format!("{} (default)", plain(value)));
    let shown = if description.is_empty() { name } else { description };
    html! {
        div class="field" {
            label for=(id) { (text::cut(shown, 200)) @if !required { span class="quiet" { " optional" } } }
            @if choices.is_empty() {
                input id=(id) type="text" name={ (PREFIX) (name) } value=(held) required[*required && default.is_none()] autocomplete="off" spellcheck="false"
                    inputmode=[(*kind == ParameterType::Number).then_some("decimal")]
                    placeholder=[default.as_ref().map(|value| text::cut(&plain(value), 80))]
                    aria-describedby=[described] aria-invalid=[invalid];
            } @else {
                select id=(id) name={ (PREFIX) (name) } required[*required && default.is_none()] aria-describedby=[described] aria-invalid=[invalid] {
                    option value="" { (text::cut(&empty, 80)) }
                    @for choice in choices { @let choice = plain(choice); option value=(choice) selected[choice == held] { (text::cut(&choice, 80)) } }
                }
            }
            @if !wrong.is_empty() { p id=(error_id) class="error" { @for fault in wrong { (layout::coded(&text::cut(fault, 300))) " " } } }
            @if !hint.is_empty() { p id=(hint_id) class="hint" { (hint) } }
        }
    }
}

fn hint(parameter: &Parameter) -> &'static str {
    match parameter.kind {
        ParameterType::Secret => {
            "Where the secret is kept, never the secret: env:NAME, file:PATH, ssm:NAME, secretsManager:ID#KEY or \
             kubernetesSecret:NAMESPACE/NAME#KEY"
        }
        ParameterType::Duration => "A length of time such as 30s, 5m or 1h30m",
        ParameterType::Resource => "An id, an ARN, an alias or type/name",
        ParameterType::Text | ParameterType::Number | ParameterType::Boolean => "",
    }
}

#[cfg(test)]
mod tests;
