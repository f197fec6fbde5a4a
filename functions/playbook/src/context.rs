//! What the expressions of a step see.

use std::collections::BTreeMap;

use catalog::{
    Catalog,
    runs::{Work, WorkStep},
};
use connections::Redactor;
use expr::{Bindings, Program, Template};
use manifest::{
    Playbook, Value as Written,
    kinds::playbook::{Parameter, ParameterType},
    scopes,
};
use model::{ResourceId, SecretRef, Timestamp};
use ports::Secrets;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::clean;

/// What the expressions of one attempt see. Secrets are read only for the fields that may hold them, and every one that
/// is read is remembered by the redactor.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    playbook: &'a Playbook,
    secrets: &'a dyn Secrets,
    bindings: Bindings,
    /// The parameters without the secret ones.
    params: Map<String, Value>,
    /// Where the secret parameters are kept.
    references: BTreeMap<String, SecretRef>,
    /// Knows the secrets that this attempt was given.
    pub(crate) redactor: Redactor,
}

/// Why a step cannot be done, for a person.
pub(crate) type Reason = String;

impl<'a> Context<'a> {
    /// What the run's expressions see now.
    pub(crate) async fn load(
        catalog: &Catalog,
        secrets: &'a dyn Secrets,
        playbook: &'a Playbook,
        work: &Work,
        now: Timestamp,
    ) -> Result<Self, catalog::Error> {
        let (mut params, references) = split(playbook, &work.parameters);
        let named = |parameter: &&Parameter| parameter.kind == ParameterType::Resource;
        let resources: BTreeMap<&str, ResourceId> = playbook
            .parameters
            .iter()
            .filter(named)
            .filter_map(|parameter| {
                Some((parameter.name.as_str(), params.get(&parameter.name)?.as_str()?.parse().ok()?))
            })
            .collect();
        let mut ids: Vec<ResourceId> = resources.values().copied().chain(work.resource).collect();
        ids.sort_unstable();
        ids.dedup();
        let found: BTreeMap<ResourceId, Value> = catalog
            .subjects(&ids)
            .await?
            .into_iter()
            .map(|subject| (subject.resource.id, subject.to_json()))
            .collect();
        for (name, id) in resources {
            params.insert(name.to_owned(), found.get(&id).cloned().unwrap_or_default());
        }
        let resource = work.resource.and_then(|id| found.get(&id)).cloned().unwrap_or_default();
        let run = json!({
            "id": work.lease.run, "playbook": work.playbook, "started_at": work.started_at.unwrap_or(now),
        });
        let bindings = Bindings::new()
            .with("run", run)
            .with("params", Value::Object(params.clone()))
            .with("resource", resource)
            .with("steps", Value::Object(work.steps.iter().map(shown).collect()))
            .with("signal", work.cause.clone().unwrap_or_default())
            .with_time("now", now);
        Ok(Self { playbook, secrets, bindings, params, references, redactor: Redactor::new() })
    }

    fn steps(&self) -> impl Iterator<Item = &'a str> {
        self.playbook.steps.iter().map(|step| step.name.as_str())
    }

    /// Whether a condition holds. It sees no secret.
    pub(crate) fn holds(&self, condition: &str) -> Result<bool, Reason> {
        let scope = scopes::step(self.params.keys().map(String::as_str), self.steps());
        let program = Program::compile(condition, &scope).map_err(|fault| fault.to_string())?;
        program.holds(&self.bindings).map_err(|error| error.to_string())
    }

    /// Whether a condition on an answer holds. It sees no secret but what the answer shows.
    pub(crate) fn expects(&self, condition: &str, response: Value) -> Result<bool, Reason> {
        let scope = scopes::step_response(self.params.keys().map(String::as_str), self.steps());
        let program = Program::compile(condition, &scope).map_err(|fault| fault.to_string())?;
        let held = program.holds(&self.bindings.clone().with("response", response));
        held.map_err(|error| clean::text(&self.redactor, &error.to_string()))
    }

    /// A text that holds no secret.
    pub(crate) fn render(&self, template: &str) -> Result<String, Reason> {
        let scope = scopes::step(self.params.keys().map(String::as_str), self.steps());
        let template = Template::compile(template, &scope).map_err(|fault| fault.to_string())?;
        template.render(&self.bindings).map_err(|error| error.to_string())
    }

    /// A text that may hold secret parameters.
    pub(crate) async fn render_secret(&mut self, text: &str) -> Result<String, Reason> {
        let mut params = self.params.clone();
        for (name, reference) in &self.references {
            if text.contains(name.as_str()) {
                let read = self.redactor.read(&Written::Secret(reference.clone()), self.secrets).await;
                let value = read.map_err(|error| format!("parameter `{name}`: {}", clean::chain(&error)))?;
                params.insert(name.clone(), Value::String(value));
            }
        }
        let names = self.playbook.parameters.iter().map(|parameter| parameter.name.as_str());
        let template =
            Template::compile(text, &scopes::step(names, self.steps())).map_err(|fault| fault.to_string())?;
        let bindings = self.bindings.clone().with("params", Value::Object(params));
        template.render(&bindings).map_err(|error| clean::text(&self.redactor, &error.to_string()))
    }

    /// A text or a reference, as it is used.
    pub(crate) async fn value(&mut self, field: &str, written: &Written) -> Result<String, Reason> {
        match written {
            Written::Text(text) => {
                self.render_secret(text).await.map_err(|reason| format!("{field}: {reason}"))
            }
            Written::Secret(_) => {
                let read = self.redactor.read(written, self.secrets).await;
                read.map_err(|error| format!("{field}: {}", clean::chain(&error)))
            }
        }
    }

    /// Where secrets are read.
    pub(crate) fn secrets(&self) -> &'a dyn Secrets {
        self.secrets
    }
}

/// The parameters that everybody may see, and where the others are kept.
fn split(playbook: &Playbook, parameters: &Value) -> (Map<String, Value>, BTreeMap<String, SecretRef>) {
    let mut open = parameters.as_object().cloned().unwrap_or_default();
    let mut references = BTreeMap::new();
    for parameter in playbook.parameters.iter().filter(|parameter| parameter.kind == ParameterType::Secret) {
        if let Some(Ok(reference)) = open.get(&parameter.name).map(SecretRef::deserialize) {
            references.insert(parameter.name.clone(), reference);
            open.remove(&parameter.name);
        }
    }
    (open, references)
}

/// A step as others see it.
fn shown(step: &WorkStep) -> (String, Value) {
    let result = step.result.clone().unwrap_or_default();
    let text = |name: &str| result.get(name).and_then(Value::as_str).map(str::to_owned);
    let output = text("stdout").or_else(|| text("body")).unwrap_or_default();
    (step.name.clone(), json!({"state": step.state, "output": output, "result": result}))
}
