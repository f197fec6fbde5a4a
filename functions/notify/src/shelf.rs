//! The manifests that telling needs, compiled once for as long as nobody changes them.

use std::{collections::BTreeMap, sync::Arc};

use catalog::{Catalog, manifests::Stored};
use expr::{Program, Template};
use manifest::{Connection, Notification, Silence};
use model::{SignalKind, Timestamp};
use selector::Selector;
use serde::de::DeserializeOwned;

use crate::answer::with_causes;

/// Notifications, silences and connections as they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf {
    /// Of each kind; none before the first reading.
    marks: [Option<i64>; 3],
    rules: BTreeMap<String, Arc<Rule>>,
    pub(crate) silences: Vec<Arc<Quiet>>,
    connections: BTreeMap<String, Result<Arc<Connection>, String>>,
}

/// A notification, compiled.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) generation: i64,
    pub(crate) spec: Notification,
    pub(crate) condition: Option<Program>,
    pub(crate) title: Option<Template>,
    pub(crate) body: Option<Template>,
}

/// A silence, its selector read; or why that cannot be read.
#[derive(Debug)]
pub(crate) struct Quiet {
    pub(crate) name: String,
    pub(crate) silence: Silence,
    pub(crate) selector: Option<Result<Selector, String>>,
}

impl Quiet {
    /// Whether it is its time.
    pub(crate) fn holds(&self, now: Timestamp) -> bool {
        self.silence.from.is_none_or(|from| from <= now) && now < self.silence.until
    }
}

impl Rule {
    fn new(name: String, generation: i64, spec: Notification) -> Result<Self, String> {
        let scope = manifest::scopes::trigger();
        let place = |field: &'static str| move |fault: expr::Fault| format!("{field}: {fault}");
        let template = |text: &Option<manifest::Template>, field: &'static str| {
            text.as_ref()
                .map(|text| Template::compile(text.as_str(), &scope))
                .transpose()
                .map_err(place(field))
        };
        let condition =
            spec.condition.as_ref().map(|condition| Program::compile(condition.as_str(), &scope)).transpose();
        let condition = condition.map_err(place("if"))?;
        let (title, body) = (template(&spec.title, "title")?, template(&spec.body, "body")?);
        Ok(Self { name, generation, spec, condition, title, body })
    }

    /// How long it waits before it looks again.
    pub(crate) fn wait(&self) -> chrono::TimeDelta {
        self.spec.wait_for.map_or(chrono::TimeDelta::zero(), delta)
    }

    /// Whether its texts may use the resource's document, which is large and kept only for them.
    pub(crate) fn wants_config(&self) -> bool {
        [&self.title, &self.body].into_iter().flatten().any(|text| text.source().contains("config"))
    }
}

/// A span as a difference of instants. Spans are bounded, so it fits.
pub(crate) fn delta(span: manifest::Span) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(span.0).unwrap_or(chrono::TimeDelta::MAX)
}

impl Shelf {
    /// The manifests as they are now; `None` where nobody changed any.
    pub(crate) async fn refreshed(&self, catalog: &Catalog) -> Result<Option<Self>, catalog::Error> {
        let mut marks = [None; 3];
        for (mark, kind) in marks.iter_mut().zip(["Notification", "Silence", "Connection"]) {
            *mark = Some(catalog.manifest_mark(kind).await?);
        }
        if marks == self.marks {
            return Ok(None);
        }
        let mut shelf = Self { marks, ..Self::default() };
        for stored in catalog.manifests("Notification").await? {
            let rule = read(&stored).and_then(|spec| Rule::new(stored.name.clone(), stored.generation, spec));
            match rule {
                Ok(rule) => drop(shelf.rules.insert(stored.name, Arc::new(rule))),
                Err(fault) => tracing::warn!("The notification {} tells nothing: {fault}", stored.name),
            }
        }
        for stored in catalog.manifests("Silence").await? {
            match read::<Silence>(&stored) {
                Ok(silence) => {
                    let parse = |text: &manifest::Selector| {
                        selector::parse(text.as_str()).map_err(|error| error.to_string())
                    };
                    let selector = silence.selector.as_ref().map(parse);
                    shelf.silences.push(Arc::new(Quiet { name: stored.name, silence, selector }));
                }
                Err(fault) => tracing::warn!("The silence {} silences nothing: {fault}", stored.name),
            }
        }
        for stored in catalog.manifests("Connection").await? {
            let connection = read(&stored).map(Arc::new);
            shelf.connections.insert(stored.name, connection);
        }
        Ok(Some(shelf))
    }

    /// The notification of this name.
    pub(crate) fn rule(&self, name: &str) -> Option<&Rule> {
        self.rules.get(name).map(Arc::as_ref)
    }

    /// The notifications of a kind of signal.
    pub(crate) fn rules_of(&self, kind: SignalKind) -> impl Iterator<Item = &Rule> {
        self.rules.values().map(Arc::as_ref).filter(move |rule| rule.spec.on.contains(&kind))
    }

    /// Whether any notification is about this kind of signal.
    pub(crate) fn listens_to(&self, kind: SignalKind) -> bool {
        self.rules_of(kind).next().is_some()
    }

    /// The connection of this name, or why it cannot be read.
    pub(crate) fn connection(&self, name: &str) -> Option<Result<&Connection, &str>> {
        self.connections.get(name).map(|one| one.as_ref().map(Arc::as_ref).map_err(String::as_str))
    }
}

fn read<T: DeserializeOwned>(stored: &Stored) -> Result<T, String> {
    stored.spec().map_err(|error| with_causes(&error))
}
