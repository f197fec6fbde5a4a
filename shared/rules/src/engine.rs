//! All rules together: which are tried on a resource, in which order, and what their answer is.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, OnceLock},
};

use chrono::TimeDelta;
use expr::Bindings;
use manifest::HealthRule;
use model::{Health, Timestamp, Verdict};
use serde_json::Value;
use thiserror::Error;

use crate::{
    builtin,
    compiled::{Compiled, Opinion},
    resource_of,
    selection::wild,
};

/// A rule that a person wrote, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRule {
    /// Its name: that of the manifest.
    pub name: String,
    /// What it says.
    pub spec: HealthRule,
}

/// A rule that does not compile.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the health rule `{rule}`, {place}: {reason}")]
pub struct Fault {
    /// The rule.
    pub rule: String,
    /// Where in it: `spec.cases[1].if`.
    pub place: String,
    /// What is wrong there.
    pub reason: String,
}

/// Rules, compiled: people's own and the built-in ones.
#[derive(Debug)]
pub struct Rules {
    /// In the order in which they are tried.
    rules: Vec<Arc<Rule>>,
    /// By type without wildcard.
    exact: HashMap<String, Vec<usize>>,
    /// Those with a wildcard among their types.
    wild: Vec<usize>,
}

/// One rule.
#[derive(Debug)]
pub(crate) struct Rule {
    /// What a verdict calls it.
    pub(crate) name: String,
    types: Vec<String>,
    priority: i32,
    every: Option<TimeDelta>,
    body: Body,
}

/// How a rule comes to its opinion.
enum Body {
    /// It was written by a person.
    Written(Box<Compiled>),
    /// It is built in, and compiled when it is first needed: a process that judges nothing pays nothing.
    Lazy(Box<HealthRule>, OnceLock<Result<Box<Compiled>, String>>),
    /// It is a function.
    Native(fn(&Value, Timestamp) -> Option<Opinion>),
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Written(_) => "Written",
            Self::Lazy(..) => "Lazy",
            Self::Native(_) => "Native",
        })
    }
}

impl Rule {
    /// A built-in manifest.
    pub(crate) fn lazy(name: &str, spec: Box<HealthRule>) -> Self {
        Self {
            name: format!("builtin/{name}"),
            types: spec.types.clone(),
            priority: spec.priority,
            every: every(&spec),
            body: Body::Lazy(spec, OnceLock::new()),
        }
    }

    /// A built-in function.
    pub(crate) fn native(
        name: &str,
        types: &[&str],
        priority: i32,
        judge: fn(&Value, Timestamp) -> Option<Opinion>,
    ) -> Self {
        Self {
            name: format!("builtin/{name}"),
            types: types.iter().map(|&kind| kind.to_owned()).collect(),
            priority,
            every: None,
            body: Body::Native(judge),
        }
    }

    fn written(rule: NamedRule) -> Result<Self, Fault> {
        let NamedRule { name, spec } = rule;
        match Compiled::new(&spec) {
            Ok(compiled) => Ok(Self {
                name,
                types: spec.types.clone(),
                priority: spec.priority,
                every: every(&spec),
                body: Body::Written(Box::new(compiled)),
            }),
            Err((place, reason)) => Err(Fault { rule: name, place, reason }),
        }
    }

    fn concerns(&self, kind: &str) -> bool {
        self.types.iter().any(|pattern| matches(pattern, kind))
    }

    /// What it says of a resource; an error is told in words. Nothing where it is not for the resource.
    fn judge(&self, resource: &Arc<Value>, now: Timestamp) -> Answer {
        let compiled = match &self.body {
            Body::Native(judge) => return judge(resource, now).map_or(Answer::Nothing, Answer::Opinion),
            Body::Written(compiled) => compiled,
            Body::Lazy(spec, compiled) => {
                let compiled = compiled.get_or_init(|| {
                    Compiled::new(spec).map(Box::new).map_err(|(place, reason)| format!("{place}: {reason}"))
                });
                match compiled {
                    Ok(compiled) => compiled,
                    Err(reason) => return Answer::Error(reason.clone()),
                }
            }
        };
        if !compiled.describes(resource, now) {
            return Answer::NotConcerned;
        }
        let bindings = Bindings::new().with_shared("resource", Arc::clone(resource)).with_time("now", now);
        match compiled.judge(bindings, now) {
            Ok(opinion) => opinion.map_or(Answer::Nothing, Answer::Opinion),
            Err(mishap) => Answer::Error(format!("{}: {}", mishap.place, mishap.error)),
        }
    }
}

enum Answer {
    /// The rule is not for the resource.
    NotConcerned,
    /// No case holds.
    Nothing,
    Opinion(Opinion),
    /// The rule could not be evaluated.
    Error(String),
}

fn every(spec: &HealthRule) -> Option<TimeDelta> {
    spec.every.and_then(|every| TimeDelta::from_std(every.0).ok())
}

fn matches(pattern: &str, kind: &str) -> bool {
    if pattern.contains('*') { wild(&pattern.split('*').collect::<Vec<_>>(), kind) } else { pattern == kind }
}

impl Rules {
    /// Compiles people's rules and puts the built-in ones beside them. A rule that does not compile is reported and
    /// left out; the others judge.
    #[must_use]
    pub fn new(rules: Vec<NamedRule>) -> (Self, Vec<Fault>) {
        let mut faults = Vec::new();
        let mut all: Vec<Arc<Rule>> = builtin::rules().to_vec();
        for rule in rules {
            match Rule::written(rule) {
                Ok(rule) => all.push(Arc::new(rule)),
                Err(fault) => faults.push(fault),
            }
        }
        all.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(&b.name)));
        let mut exact: HashMap<String, Vec<usize>> = HashMap::new();
        let mut wild = Vec::new();
        for (at, rule) in all.iter().enumerate() {
            if rule.types.iter().any(|kind| kind.contains('*')) {
                wild.push(at);
                continue;
            }
            for kind in &rule.types {
                exact.entry(kind.clone()).or_default().push(at);
            }
        }
        (Self { rules: all, exact, wild }, faults)
    }

    /// Whether any rule is for resources of a type.
    #[must_use]
    pub fn types_concerned(&self, kind: &str) -> bool {
        !self.candidates(kind).is_empty()
    }

    /// Whether the rule that is called `name` is for resources of a type.
    #[must_use]
    pub fn rule_concerns(&self, name: &str, kind: &str) -> bool {
        self.rules.iter().any(|rule| rule.name == name && rule.concerns(kind))
    }

    /// Judges a resource: the `resource` variable with `type`, `config` and whatever else is known of it. The rules of
    /// its type are tried by priority, then by name; the first case that holds is the verdict.
    ///
    /// A rule that cannot be evaluated on this resource makes the verdict `unknown` with status `RuleError`: what a
    /// person asked for is not silently answered by the rule after it.
    pub fn judge(&self, resource: impl Into<Arc<Value>>, now: Timestamp) -> Verdict {
        let resource = resource.into();
        let kind = resource.get("type").and_then(Value::as_str).unwrap_or_default();
        let mut again: Option<Timestamp> = None;
        for at in self.candidates(kind) {
            let Some(rule) = self.rules.get(at) else { continue };
            let answer = rule.judge(&resource, now);
            if !matches!(answer, Answer::NotConcerned) {
                let next = rule.every.and_then(|every| now.checked_add_signed(every));
                again = again.into_iter().chain(next).min();
            }
            match answer {
                Answer::NotConcerned | Answer::Nothing => {}
                Answer::Opinion(opinion) => return verdict(opinion, rule, again),
                Answer::Error(reason) => return rule_error(rule, &reason, again),
            }
        }
        Verdict {
            health: Health::Unknown,
            status: "Unknown".to_owned(),
            ready: true,
            reason: String::new(),
            rule: None,
            until: again,
        }
    }

    /// Judges a bare document: a Kubernetes object, a Config item, or a configuration whose type is given.
    #[must_use]
    pub fn judge_document(&self, document: Value, kind: Option<&str>, now: Timestamp) -> Verdict {
        self.judge(resource_of(document, kind), now)
    }

    /// The rules that may be for a type, in the order in which they are tried.
    fn candidates(&self, kind: &str) -> Vec<usize> {
        let wild = self.wild.iter().copied();
        let wild = wild.filter(|at| self.rules.get(*at).is_some_and(|rule| rule.concerns(kind)));
        let mut all: Vec<usize> = self.exact.get(kind).into_iter().flatten().copied().chain(wild).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn verdict(opinion: Opinion, rule: &Rule, again: Option<Timestamp>) -> Verdict {
    let Opinion { health, status, ready, reason, until } = opinion;
    Verdict {
        health,
        status,
        ready,
        reason,
        rule: Some(rule.name.clone()),
        until: until.into_iter().chain(again).min(),
    }
}

fn rule_error(rule: &Rule, reason: &str, again: Option<Timestamp>) -> Verdict {
    Verdict {
        health: Health::Unknown,
        status: "RuleError".to_owned(),
        ready: false,
        reason: format!("The health rule `{}` cannot judge this resource: {reason}", rule.name),
        rule: Some(rule.name.clone()),
        until: again,
    }
}
