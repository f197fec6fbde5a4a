//! Playbooks: triggers, parameters, steps and what they need of one another.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::Checker;
use crate::{
    Playbook, Span, Value, admit,
    kinds::playbook::{CatalogStep, ExecStep, ParameterType, Step, WaitStep},
    scopes,
};

/// How many steps a playbook may have.
const MAX_STEPS: usize = 200;
impl Checker {
    pub(super) fn playbook(&mut self, playbook: &Playbook) {
        let day = Span::hours(24);
        self.span("spec.timeout", playbook.timeout, Span::seconds(1), Span::hours(24 * 31));
        self.span("spec.maxAge", playbook.max_age, Span::seconds(1), Span::hours(24 * 31));
        if let Some(target) = &playbook.target {
            self.resources("spec.target", target);
        }
        self.parameters(playbook);
        self.triggers(playbook);
        self.not_empty("spec.steps", &playbook.steps, "a playbook without steps does nothing");
        if playbook.steps.len() > MAX_STEPS {
            self.error(
                "spec.steps",
                format!("has {} steps; at most {MAX_STEPS} are allowed", playbook.steps.len()),
            );
        }
        let needs = self.order(playbook);
        let params: Vec<&str> = playbook.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        for (at, step) in playbook.steps.iter().enumerate() {
            self.span(&format!("spec.steps[{at}].timeout"), step.timeout, Span::seconds(1), day);
            if let Some(span) = step.wait.as_ref().and_then(|wait| wait.duration)
                && span >= playbook.timeout
            {
                self.warning(
                    format!("spec.steps[{at}].wait.for"),
                    format!(
                        "`{span}` is not shorter than spec.timeout, `{}`: the run ends before",
                        playbook.timeout
                    ),
                );
            }
            let before = needs.get(step.name.as_str()).cloned().unwrap_or_default();
            let found = self.faults.len();
            self.step(&format!("spec.steps[{at}]"), step, &params, &before);
            let later =
                playbook.steps.iter().map(|step| step.name.as_str()).filter(|name| !before.contains(name));
            for name in later {
                let unknown = format!("unknown field `{name}` of `steps`");
                for fault in
                    self.faults.iter_mut().skip(found).filter(|fault| fault.message.starts_with(&unknown))
                {
                    fault.message =
                        format!("the step `{name}` need not have ended by then; name it under `needs`");
                }
            }
        }
    }

    fn parameters(&mut self, playbook: &Playbook) {
        let mut seen = BTreeSet::new();
        for (at, parameter) in playbook.parameters.iter().enumerate() {
            let field = format!("spec.parameters[{at}]");
            self.identifier(&format!("{field}.name"), &parameter.name);
            if !seen.insert(&parameter.name) {
                self.error(format!("{field}.name"), format!("`{}` is there twice", parameter.name));
            }
            self.escapes(&format!("{field}.pattern"), parameter.pattern.as_deref().unwrap_or_default());
            if let Some(pattern) = &parameter.pattern
                && let Err(why) = expr::pattern(pattern)
            {
                self.error(format!("{field}.pattern"), why);
                continue;
            }
            if parameter.min.zip(parameter.max).is_some_and(|(min, max)| min > max) {
                self.error(format!("{field}.min"), "is greater than max");
            }
            if parameter.kind == ParameterType::Secret
                && parameter.default.as_ref().is_some_and(|default| !admit::is_reference(default))
            {
                self.error(format!("{field}.default"), admit::SECRET);
                continue;
            }
            for (index, option) in parameter.options.iter().enumerate() {
                if let Err(why) = admit::fits_type(parameter, option) {
                    self.error(format!("{field}.options[{index}]"), why);
                }
            }
            if let Some(default) = &parameter.default {
                if let Err(why) = admit::fits(parameter, default) {
                    self.error(format!("{field}.default"), why);
                }
                if parameter.required {
                    self.warning(format!("{field}.default"), "is never used, as the parameter is required");
                }
            }
        }
    }

    fn triggers(&mut self, playbook: &Playbook) {
        let scope = scopes::trigger();
        for (at, trigger) in playbook.on.signals.iter().enumerate() {
            let field = format!("spec.on.signals[{at}]");
            self.not_empty(&format!("{field}.kinds"), &trigger.kinds, "name the signals, as health.changed");
            if let Some(condition) = &trigger.condition {
                self.condition(&format!("{field}.if"), condition, &scope);
            }
            self.given(&format!("{field}.parameters"), playbook, &trigger.parameters);
        }
        for (at, trigger) in playbook.on.schedules.iter().enumerate() {
            let field = format!("spec.on.schedules[{at}]");
            self.every(&format!("{field}.every"), &trigger.every);
            self.given(&format!("{field}.parameters"), playbook, &trigger.parameters);
        }
    }

    /// The parameters that a trigger gives, checked as those of a caller are. A text may hold values of the signal, which
    /// are checked when they are there.
    fn given(&mut self, field: &str, playbook: &Playbook, given: &BTreeMap<String, Json>) {
        let scope = scopes::trigger();
        let mut known = serde_json::Map::new();
        for (name, value) in given {
            match value {
                Json::String(text) if text.contains("${{") => {
                    self.text(&format!("{field}.{name}"), text, &scope);
                    let declared = playbook.parameters.iter().any(|parameter| parameter.name == *name);
                    if !declared {
                        known.insert(name.clone(), value.clone());
                    }
                }
                value => {
                    known.insert(name.clone(), value.clone());
                }
            }
        }
        let Err(faults) = playbook.admit(&known) else { return };
        for fault in faults {
            let name = fault.field.strip_prefix("params.").unwrap_or_default();
            let parameter = playbook.parameters.iter().find(|parameter| parameter.name == name);
            // What is wrong with a default is said where the default stands.
            let here = known.contains_key(name)
                || !given.contains_key(name) && parameter.is_some_and(|parameter| parameter.required);
            if here {
                self.error(format!("{field}.{name}"), fault.message);
            }
        }
    }

    /// The steps that have ended before each step begins, by its name.
    fn order<'p>(&mut self, playbook: &'p Playbook) -> BTreeMap<&'p str, BTreeSet<&'p str>> {
        let names: Vec<&str> = playbook.steps.iter().map(|step| step.name.as_str()).collect();
        let mut before: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (at, step) in playbook.steps.iter().enumerate() {
            let field = format!("spec.steps[{at}]");
            self.identifier(&format!("{field}.name"), &step.name);
            if names.iter().take(at).any(|name| *name == step.name) {
                self.error(format!("{field}.name"), format!("`{}` is there twice", step.name));
            }
            let mut direct = BTreeSet::new();
            match &step.needs {
                Some(needs) => {
                    for (index, need) in needs.iter().enumerate() {
                        let place = format!("{field}.needs[{index}]");
                        if *need == step.name {
                            self.error(place, "a step cannot need itself");
                        } else if names.contains(&need.as_str()) {
                            direct.insert(need.as_str());
                        } else {
                            let hint = expr::did_you_mean(need, names.iter().copied());
                            self.error(place, format!("there is no step `{need}`{hint}"));
                        }
                    }
                }
                None => direct.extend(at.checked_sub(1).and_then(|before| names.get(before)).copied()),
            }
            before.entry(&step.name).or_default().extend(direct);
        }
        // What the needed steps need has ended as well; as many rounds as there are steps reach everything.
        for _ in 0..playbook.steps.len().min(MAX_STEPS) {
            let all = before.clone();
            let mut grown = false;
            for needs in before.values_mut() {
                let more: BTreeSet<&str> =
                    needs.iter().filter_map(|need| all.get(need)).flatten().copied().collect();
                let size = needs.len();
                needs.extend(more);
                grown |= needs.len() > size;
            }
            if !grown {
                break;
            }
        }
        for (at, step) in playbook.steps.iter().enumerate() {
            if before.get(step.name.as_str()).is_some_and(|needs| needs.contains(step.name.as_str())) {
                self.error(
                    format!("spec.steps[{at}].needs"),
                    format!("`{}` needs a step that needs it in turn; neither could begin", step.name),
                );
            }
        }
        before
    }

    fn step(&mut self, field: &str, step: &Step, params: &[&str], before: &BTreeSet<&str>) {
        let scope = scopes::step(params.iter().copied(), before.iter().copied());
        let response = scopes::step_response(params.iter().copied(), before.iter().copied());
        self.one_of(
            field,
            &[
                ("http", step.http.is_some()),
                ("exec", step.exec.is_some()),
                ("wait", step.wait.is_some()),
                ("catalog", step.catalog.is_some()),
            ],
        );
        if let Some(condition) = &step.condition {
            self.condition(&format!("{field}.if"), condition, &scope);
        }
        if let Some(retry) = &step.retry {
            if !(1..=20).contains(&retry.attempts) {
                self.error(
                    format!("{field}.retry.attempts"),
                    format!("`{}` is not between 1 and 20", retry.attempts),
                );
            }
            if !(1.0..=10.0).contains(&retry.factor) {
                self.error(
                    format!("{field}.retry.factor"),
                    format!("`{}` is not between 1 and 10", retry.factor),
                );
            }
            self.span(&format!("{field}.retry.delay"), retry.delay, Span::seconds(1), Span::hours(24));
        }
        if let Some(http) = &step.http {
            self.step_request(&format!("{field}.http"), http, &scope, &response);
        }
        if let Some(exec) = &step.exec {
            self.exec(&format!("{field}.exec"), exec, &scope);
        }
        if let Some(wait) = &step.wait {
            self.wait(&format!("{field}.wait"), wait, &scope);
        }
        if let Some(catalog) = &step.catalog {
            self.catalog(&format!("{field}.catalog"), catalog, &scope);
        }
    }

    fn exec(&mut self, field: &str, exec: &ExecStep, scope: &expr::Scope) {
        if exec.script.trim().is_empty() {
            self.error(format!("{field}.script"), "is empty");
        }
        if exec.script.contains("${{") {
            self.error(
                format!("{field}.script"),
                "holds `${{`, and a script takes no values as text; set one under `env` and write \"$NAME\"",
            );
        }
        self.not_empty(&format!("{field}.interpreter"), &exec.interpreter, "name a program, as [bash]");
        for (at, word) in exec.interpreter.iter().enumerate() {
            self.literal(&format!("{field}.interpreter[{at}]"), word);
        }
        for (name, value) in &exec.env {
            let place = format!("{field}.env.{name}");
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if !name.chars().all(fits) || name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
                self.error(
                    place.clone(),
                    format!("`{name}` is no name of a variable: letters, digits and `_`"),
                );
            }
            if matches!(name.as_str(), "LD_PRELOAD" | "LD_LIBRARY_PATH" | "BASH_ENV" | "ENV") {
                self.warning(place.clone(), "changes what the interpreter itself runs");
            }
            if let Value::Text(text) = value {
                self.text(&place, text, scope);
            }
        }
    }

    fn wait(&mut self, field: &str, wait: &WaitStep, scope: &expr::Scope) {
        self.one_of(field, &[("for", wait.duration.is_some()), ("until", wait.until.is_some())]);
        if let Some(span) = wait.duration {
            self.span(&format!("{field}.for"), span, Span::seconds(1), Span::hours(24 * 31));
        }
        if let Some(until) = &wait.until {
            self.condition(&format!("{field}.until"), until, scope);
        }
        self.span(&format!("{field}.every"), wait.every, Span::seconds(1), Span::hours(24));
    }

    fn catalog(&mut self, field: &str, step: &CatalogStep, scope: &expr::Scope) {
        self.one_of(
            field,
            &[
                ("resources", step.resources.is_some()),
                ("changes", step.changes.is_some()),
                ("record", step.record.is_some()),
            ],
        );
        if let Some(selector) = &step.resources {
            self.query(&format!("{field}.resources"), selector, &selector::RESOURCES, scope);
        }
        if let Some(changes) = &step.changes {
            self.span(
                &format!("{field}.changes.since"),
                changes.since,
                Span::seconds(1),
                Span::hours(24 * 366),
            );
            if changes.depth > 10 {
                self.error(format!("{field}.changes.depth"), format!("`{}` is more than 10", changes.depth));
            }
            if let Some(selector) = &changes.selector {
                self.query(&format!("{field}.changes.selector"), selector, &selector::CHANGES, scope);
            }
        }
        if let Some(record) = &step.record {
            if record.kind.trim().is_empty() {
                self.error(format!("{field}.record.kind"), "is empty; write one word, as Diagnosis");
            }
            self.template(&format!("{field}.record.summary"), &record.summary, scope);
        }
    }

    /// A selector that may hold values: without any it is read here.
    fn query(
        &mut self,
        field: &str,
        text: &crate::Template,
        schema: &selector::Schema<'_>,
        scope: &expr::Scope,
    ) {
        self.template(field, text, scope);
        if !text.as_str().contains("${{") {
            self.selector(field, &crate::Selector(text.as_str().to_owned()), schema);
        }
    }
}
