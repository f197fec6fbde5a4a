//! What a manifest means, checked: every expression against what its place may name, every reference within it.

mod connection;
mod playbook;
mod references;
mod request;
mod retention;
mod watch;

pub use references::{Reference, named, references};

use chrono::{DateTime, TimeDelta};
use expr::{Program, Scope};
use selector::{Schema, Term};

use crate::{Condition, Every, Fault, Manifest, Selector, Span, Spec, Template};

/// How close together what happens again and again may happen.
const LEAST_EVERY: TimeDelta = TimeDelta::seconds(10);
/// How long a name may be.
const MAX_NAME: usize = 63;

/// What is wrong with a manifest. Nothing but warnings means that it may be applied.
#[must_use]
pub fn check(manifest: &Manifest) -> Vec<Fault> {
    let mut checker = Checker::default();
    checker.metadata(manifest);
    match &manifest.spec {
        Spec::Scraper(scraper) => checker.scraper(scraper),
        Spec::HealthRule(rule) => checker.health_rule(rule),
        Spec::Check(check) => checker.check(check),
        Spec::Playbook(playbook) => checker.playbook(playbook),
        Spec::Notification(notification) => checker.notification(notification),
        Spec::Silence(silence) => checker.silence(silence),
        Spec::Connection(connection) => checker.connection(connection),
        Spec::Retention(retention) => checker.retention(manifest, retention),
    }
    let called = format!("{}/{}", manifest.kind(), manifest.name());
    for fault in &mut checker.faults {
        fault.manifest.clone_from(&called);
    }
    checker.faults
}

/// What was found so far.
#[derive(Debug, Default)]
struct Checker {
    faults: Vec<Fault>,
}

impl Checker {
    fn error(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault::error(field, message));
    }

    fn warning(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault::warning(field, message));
    }

    fn metadata(&mut self, manifest: &Manifest) {
        self.name("metadata.name", manifest.name());
        for (key, value) in &manifest.metadata.labels {
            if key.is_empty() || key.len() > 256 || value.len() > 256 {
                self.error("metadata.labels", "a label has a key and a value of at most 256 bytes");
            }
        }
    }

    /// A name as RFC 1123 has them: it stands in addresses and in file names.
    fn name(&mut self, field: &str, name: &str) {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if name.is_empty() {
            self.error(field, "is empty");
        } else if name.len() > MAX_NAME {
            self.error(field, format!("has {} characters; at most {MAX_NAME} are allowed", name.len()));
        } else if !name.chars().all(fits) || !name.starts_with(ends) || !name.ends_with(ends) {
            let better: String = name.to_lowercase().chars().map(|c| if fits(c) { c } else { '-' }).collect();
            let better = better.trim_matches(|c| !ends(c));
            let hint = if better.is_empty() { String::new() } else { format!("; write `{better}`") };
            self.error(
                field,
                format!("`{name}` is no name: lower-case letters, digits, `-` and `.`, and neither sign at an end{hint}"),
            );
        }
    }

    /// A name within a manifest, which expressions use: `steps.NAME`.
    fn identifier(&mut self, field: &str, name: &str) {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let good = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(fits);
        if !good || name.len() > MAX_NAME {
            let better: String = name.chars().map(|c| if fits(c) { c } else { '_' }).collect();
            let hint = if good || better.is_empty() || better.starts_with(|c: char| c.is_ascii_digit()) {
                String::new()
            } else {
                format!("; write `{better}`")
            };
            self.error(
                field,
                format!(
                    "`{name}` cannot be named in an expression: letters, digits and `_`, a letter first{hint}"
                ),
            );
        }
    }

    /// What YAML makes of `\b` and the like in double quotes is never meant where an expression or a pattern stands.
    fn escapes(&mut self, field: &str, text: &str) {
        let controls = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
        if let Some(control) = controls {
            let written = match control {
                '\u{7}' => "\\a",
                '\u{8}' => "\\b",
                '\u{b}' => "\\v",
                '\u{c}' => "\\f",
                '\u{1b}' => "\\e",
                _ => "an escape",
            };
            self.warning(
                field,
                format!(
                    "holds the control character U+{:04X}, which YAML makes of `{written}` in double quotes; write the \
                     text in single quotes",
                    u32::from(control)
                ),
            );
        }
    }

    fn expression(&mut self, field: &str, source: &str, scope: &Scope) {
        self.escapes(field, source);
        if source.trim_start().starts_with("${{") {
            self.error(field, "is an expression already; write it without `${{` and `}}`");
        } else if let Err(fault) = Program::compile(source, scope) {
            self.fault(field, &fault);
        }
    }

    fn condition(&mut self, field: &str, condition: &Condition, scope: &Scope) {
        self.expression(field, condition.as_str(), scope);
    }

    fn template(&mut self, field: &str, template: &Template, scope: &Scope) {
        self.text(field, template.as_str(), scope);
    }

    fn text(&mut self, field: &str, text: &str, scope: &Scope) {
        self.escapes(field, text);
        if let Err(fault) = expr::Template::compile(text, scope) {
            self.fault(field, &fault);
        }
    }

    fn fault(&mut self, field: &str, fault: &expr::Fault) {
        let mut found = Fault::error(field, format!("{} (column {})", fault.message, fault.column));
        found.line = Some(fault.line);
        self.faults.push(found);
    }

    /// A text in which no value can stand.
    fn literal(&mut self, field: &str, text: &str) {
        if text.contains("${{") {
            self.error(field, "takes no `${{ }}`: it must be known before anything runs");
        }
    }

    fn selector(&mut self, field: &str, selector: &Selector, schema: &Schema<'_>) {
        let parsed = match selector::parse(selector.as_str()) {
            Ok(parsed) => parsed,
            Err(error) => return self.error(field, format!("{} (column {})", error.message, error.column)),
        };
        let mut all_known = true;
        for term in parsed.terms() {
            let (Term::Compare { field: path, column, .. } | Term::Matches { field: path, column, .. }) =
                term
            else {
                continue;
            };
            let name = path.name();
            if schema.kind(name).is_none() {
                all_known = false;
                let hint = expr::did_you_mean(name, schema.fields.iter().map(|(known, _)| *known));
                self.error(field, format!("there is no field `{name}` to select by{hint} (column {column})"));
            }
        }
        if all_known && let Err(error) = selector::check(&parsed, schema) {
            self.error(field, format!("{} (column {})", error.message, error.column));
        }
    }

    fn resources(&mut self, field: &str, selector: &Selector) {
        self.selector(field, selector, &selector::RESOURCES);
    }

    fn every(&mut self, field: &str, every: &Every) {
        let Some(begin) = DateTime::from_timestamp(1_772_323_200, 0) else { return };
        let twice = every.next_after(begin).and_then(|first| Ok((first, every.next_after(first)?)));
        match twice {
            Err(error) => self.error(field, error.to_string()),
            Ok((first, second)) if second - first < LEAST_EVERY => {
                self.error(field, format!("`{}` is too often; at least 10s lie between", every.0));
            }
            Ok(_) => {}
        }
    }

    /// A length of time within sensible bounds.
    fn span(&mut self, field: &str, span: Span, least: Span, most: Span) {
        if span < least || span > most {
            self.error(field, format!("`{span}` is not between {least} and {most}"));
        }
    }

    /// Exactly one of the blocks is there.
    fn one_of(&mut self, field: &str, blocks: &[(&str, bool)]) {
        let there: Vec<&str> = blocks.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect();
        let names: Vec<&str> = blocks.iter().map(|(name, _)| *name).collect();
        match there.as_slice() {
            [_] => {}
            [] => self.error(field, format!("says not what it is; set one of {}", names.join(", "))),
            several => {
                self.error(field, format!("sets {} at once; set one of them", several.join(" and ")));
            }
        }
    }

    fn not_empty<T>(&mut self, field: &str, list: &[T], what: &str) {
        if list.is_empty() {
            self.error(field, format!("is empty; {what}"));
        }
    }
}
