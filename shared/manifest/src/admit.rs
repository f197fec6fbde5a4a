//! Parameters of runs, checked where they cannot be gone around.

use model::SecretRef;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    Fault, Playbook, Span,
    kinds::playbook::{Parameter, ParameterType},
};

/// How long a text of a parameter may be, in bytes.
const MAX_TEXT: usize = 16 * 1024;

/// What is said of a secret that is given itself.
pub(crate) const SECRET: &str =
    "a secret is given as where it is kept, as {\"env\": \"TOKEN\"}, never as itself";

impl Playbook {
    /// Checks what a run is given against what the playbook declares, and fills in what has a default. What has neither
    /// a value nor a default is null.
    ///
    /// # Errors
    /// One fault for each parameter that is wrong, its field `params.NAME`. What was given is not repeated: it may be a
    /// secret.
    pub fn admit(&self, given: &Map<String, Value>) -> Result<Map<String, Value>, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut admitted = Map::new();
        for name in given.keys() {
            if !self.parameters.iter().any(|parameter| parameter.name == *name) {
                let known = self.parameters.iter().map(|parameter| parameter.name.as_str());
                let hint = if self.parameters.is_empty() {
                    "; the playbook takes none".to_owned()
                } else {
                    expr::did_you_mean(name, known)
                };
                faults.push(Fault::error(
                    format!("params.{name}"),
                    format!("there is no such parameter{hint}"),
                ));
            }
        }
        for parameter in &self.parameters {
            let value = match given.get(&parameter.name).filter(|value| !value.is_null()) {
                Some(value) => value.clone(),
                None if parameter.required => {
                    faults.push(Fault::error(
                        format!("params.{}", parameter.name),
                        "is required, and not given",
                    ));
                    continue;
                }
                None => match &parameter.default {
                    Some(default) => default.clone(),
                    None => {
                        admitted.insert(parameter.name.clone(), Value::Null);
                        continue;
                    }
                },
            };
            match fits(parameter, &value) {
                Ok(()) => {
                    admitted.insert(parameter.name.clone(), value);
                }
                Err(why) => faults.push(Fault::error(format!("params.{}", parameter.name), why)),
            }
        }
        if faults.is_empty() { Ok(admitted) } else { Err(faults) }
    }
}

/// Whether a value is a reference to a secret.
pub(crate) fn is_reference(value: &Value) -> bool {
    SecretRef::deserialize(value).is_ok()
}

/// Whether a value is of the parameter's type.
pub(crate) fn fits_type(parameter: &Parameter, value: &Value) -> Result<(), String> {
    let (fits, wanted) = match parameter.kind {
        ParameterType::Text => (value.is_string(), "a text"),
        ParameterType::Number => (value.is_number(), "a number"),
        ParameterType::Boolean => (value.is_boolean(), "true or false"),
        ParameterType::Duration => {
            (value.as_str().is_some_and(|text| text.parse::<Span>().is_ok()), "a length of time, as 5m")
        }
        ParameterType::Resource => (
            value.as_str().is_some_and(|text| !text.trim().is_empty()),
            "a resource: an id, an ARN, an alias or type/name",
        ),
        ParameterType::Secret => (is_reference(value), SECRET),
    };
    match (fits, parameter.kind) {
        (false, ParameterType::Secret) => Err(wanted.to_owned()),
        (false, _) => Err(format!("must be {wanted}")),
        (true, _) if value.as_str().is_some_and(|text| text.len() > MAX_TEXT) => {
            Err(format!("is longer than {MAX_TEXT} bytes"))
        }
        (true, _) => Ok(()),
    }
}

/// Whether a value is all that the parameter wants.
pub(crate) fn fits(parameter: &Parameter, value: &Value) -> Result<(), String> {
    fits_type(parameter, value)?;
    if !parameter.options.is_empty() && !parameter.options.contains(value) {
        let options: Vec<String> = parameter
            .options
            .iter()
            .map(|option| option.as_str().map_or_else(|| option.to_string(), str::to_owned))
            .collect();
        return Err(format!("must be one of {}", options.join(", ")));
    }
    if let Some(pattern) = &parameter.pattern
        && let Some(text) = value.as_str()
    {
        let whole = expr::pattern(&format!("^(?:{pattern})$"))?;
        if !whole.is_match(text) {
            return Err(format!("must be like `{pattern}` as a whole"));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a text is shorter than a double can count")]
    let (size, what) = match (parameter.kind, value) {
        (ParameterType::Number, value) => (value.as_f64(), ""),
        (ParameterType::Text, Value::String(text)) => (Some(text.chars().count() as f64), " characters"),
        _ => (None, ""),
    };
    if let Some((size, min)) = size.zip(parameter.min)
        && size < min
    {
        return Err(format!("must be at least {min}{what}"));
    }
    if let Some((size, max)) = size.zip(parameter.max)
        && size > max
    {
        return Err(format!("must be at most {max}{what}"));
    }
    Ok(())
}
