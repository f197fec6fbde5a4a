//! One rule, compiled.

use expr::{Bindings, Error, Program, Template};
use manifest::{Condition, HealthRule, kinds::health_rule::Case, scopes};
use model::{Health, Timestamp};
use selector::Selector;
use serde_json::{Map, Value, json};

use crate::{
    selection::{Alone, describes},
    status::pascal,
};

/// What a case says, before the rule puts its name to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opinion {
    pub(crate) health: Health,
    pub(crate) status: String,
    pub(crate) ready: bool,
    pub(crate) reason: String,
    pub(crate) until: Option<Timestamp>,
}

/// What went wrong with a rule on one resource: where in the rule, and why.
#[derive(Debug)]
pub(crate) struct Mishap {
    pub(crate) place: String,
    pub(crate) error: Error,
}

/// A rule's values and cases.
#[derive(Debug)]
pub(crate) struct Compiled {
    selector: Option<Selector>,
    lets: Vec<CompiledLet>,
    cases: Vec<CompiledCase>,
}

#[derive(Debug)]
struct CompiledLet {
    name: String,
    program: Program,
    /// Whether it may use the values before it.
    uses_others: bool,
}

#[derive(Debug)]
struct CompiledCase {
    condition: Option<Program>,
    health: Health,
    status: Template,
    ready: bool,
    reason: Option<Template>,
    until: Option<Program>,
}

/// Binds the values that were made so far as `let`.
fn bind(bindings: &mut Bindings, values: &[Value]) -> Result<(), Mishap> {
    let typed = json!({"t": "map", "v": values});
    bindings.set_typed("let", &typed).map_err(|reason| Mishap {
        place: "the values of `let`".to_owned(),
        error: Error::NoValue { expression: "let".to_owned(), reason },
    })
}

impl Compiled {
    /// Compiles a rule; an error is the place in it and what is wrong there.
    pub(crate) fn new(spec: &HealthRule) -> Result<Self, (String, String)> {
        let selector = spec
            .selector
            .as_ref()
            .map(|selector| {
                let selector = selector::parse(selector.as_str())?;
                selector::check(&selector, &selector::RULES).map(|()| selector)
            })
            .transpose()
            .map_err(|error| ("spec.selector".to_owned(), error.to_string()))?;
        let mut names: Vec<&str> = Vec::new();
        let mut lets = Vec::with_capacity(spec.lets.len());
        for (at, one) in spec.lets.iter().enumerate() {
            let program = Program::compile(one.value.as_str(), &scopes::health_rule(names.iter().copied()))
                .map_err(|fault| (format!("spec.let[{at}].value"), fault.to_string()))?;
            let uses_others = one.value.as_str().contains("let");
            lets.push(CompiledLet { name: one.name.clone(), program, uses_others });
            names.push(&one.name);
        }
        let scope = scopes::health_rule(names.iter().copied());
        let cases = spec
            .cases
            .iter()
            .enumerate()
            .map(|(at, case)| {
                CompiledCase::new(case, &scope)
                    .map_err(|(field, reason)| (format!("spec.cases[{at}].{field}"), reason))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { selector, lets, cases })
    }

    /// Whether the rule is for this resource.
    pub(crate) fn describes(&self, resource: &Value, now: Timestamp) -> bool {
        self.selector.as_ref().is_none_or(|selector| describes(selector, resource, &Alone, now))
    }

    /// What the first case that holds says.
    pub(crate) fn judge(&self, mut bindings: Bindings, now: Timestamp) -> Result<Option<Opinion>, Mishap> {
        // With their types: an instant stays an instant.
        let mut values = Vec::new();
        bindings.set("let", Value::Object(Map::new()));
        for one in &self.lets {
            let mishap = |error| Mishap { place: format!("value `{}`", one.name), error };
            if one.uses_others {
                bind(&mut bindings, &values)?;
            }
            let value = one.program.evaluate_typed(&bindings).map_err(mishap)?;
            values.push(json!([{"t": "string", "v": one.name}, value]));
        }
        bind(&mut bindings, &values)?;
        for (at, case) in self.cases.iter().enumerate() {
            let opinion = case
                .judge(&bindings, now)
                .map_err(|error| Mishap { place: format!("case {}", at + 1), error })?;
            if opinion.is_some() {
                return Ok(opinion);
            }
        }
        Ok(None)
    }
}

impl CompiledCase {
    fn new(case: &Case, scope: &expr::Scope) -> Result<Self, (&'static str, String)> {
        let program = |field, text: &Option<Condition>| {
            text.as_ref()
                .map(|text| Program::compile(text.as_str(), scope))
                .transpose()
                .map_err(|fault| (field, fault.to_string()))
        };
        let template = |field, text: &manifest::Template| {
            Template::compile(text.as_str(), scope).map_err(|fault| (field, fault.to_string()))
        };
        Ok(Self {
            condition: program("if", &case.condition)?,
            health: case.health,
            status: template("status", &case.status)?,
            ready: case.ready.unwrap_or(matches!(case.health, Health::Healthy | Health::Unhealthy)),
            reason: case.reason.as_ref().map(|text| template("reason", text)).transpose()?,
            until: program("until", &case.until)?,
        })
    }

    fn judge(&self, bindings: &Bindings, now: Timestamp) -> Result<Option<Opinion>, Error> {
        if let Some(condition) = &self.condition
            && !condition.holds(bindings)?
        {
            return Ok(None);
        }
        let until = self.until.as_ref().map(|until| until.instant(bindings)).transpose()?.flatten();
        Ok(Some(Opinion {
            health: self.health,
            status: pascal(&self.status.render(bindings)?),
            ready: self.ready,
            reason: self
                .reason
                .as_ref()
                .map(|reason| reason.render(bindings))
                .transpose()?
                .map(|reason| reason.trim().to_owned())
                .unwrap_or_default(),
            until: until.filter(|until| *until > now),
        }))
    }
}
