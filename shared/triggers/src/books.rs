//! The playbooks that there are.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use catalog::{Catalog, manifests::Stored};
use chrono::TimeDelta;
use expr::Program;
use manifest::{Playbook, kinds::playbook::SignalTrigger};
use model::SignalKind;
use selector::Selector;
use serde::Deserialize;
use serde_json::Value;

use crate::Error;

/// The kind of manifest.
const KIND: &str = "Playbook";

/// The playbooks that there are. One that was deleted is not among them.
#[derive(Debug, Clone, Default)]
pub struct Books {
    books: BTreeMap<String, Arc<Book>>,
    unreadable: Vec<(String, String)>,
}

/// The playbooks, read anew only once somebody has applied or deleted one. It keeps them as they were last read and
/// nothing before. Shared by the copies of a function in one process.
#[derive(Debug, Default)]
pub struct Library(Mutex<Option<(i64, Arc<Books>)>>);

impl Library {
    /// The playbooks as they are now.
    ///
    /// # Errors
    /// What the catalog says.
    pub async fn books(&self, catalog: &Catalog) -> Result<Arc<Books>, Error> {
        // The mark is read first: what is applied meanwhile is read under an older mark, and so once more.
        let mark = catalog.manifest_mark(KIND).await?;
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((of, books)) = held
            && of == mark
        {
            return Ok(books);
        }
        let books = Arc::new(Books::load(catalog).await?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((mark, Arc::clone(&books)));
        Ok(books)
    }
}

/// A playbook, ready to be triggered.
#[derive(Debug)]
pub struct Book {
    /// Its name.
    pub name: String,
    /// How often it was applied.
    pub generation: i64,
    /// As it was applied: a run keeps to this.
    pub spec: Value,
    /// The same, read.
    pub playbook: Playbook,
    /// The resources that it may be run on.
    pub(crate) target: Option<Selector>,
    /// The conditions of its signal triggers, in order.
    pub(crate) conditions: Vec<Option<Program>>,
}

impl Books {
    /// What changes whenever somebody applies or deletes a playbook.
    ///
    /// # Errors
    /// What the catalog says.
    pub async fn mark(catalog: &Catalog) -> Result<String, Error> {
        Ok(catalog.manifest_mark(KIND).await?.to_string())
    }

    /// The playbooks as they are now.
    ///
    /// # Errors
    /// What the catalog says.
    pub async fn load(catalog: &Catalog) -> Result<Self, Error> {
        let mut found = Self::default();
        for stored in catalog.manifests(KIND).await? {
            match Book::read(&stored) {
                Ok(book) => {
                    found.books.insert(stored.name, Arc::new(book));
                }
                Err(reason) => found.unreadable.push((stored.name, reason)),
            }
        }
        Ok(found)
    }

    /// The playbook of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Book>> {
        self.books.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Book>> {
        self.books.values()
    }

    /// Those that this build cannot read, and why: another build applied them.
    #[must_use]
    pub fn unreadable(&self) -> &[(String, String)] {
        &self.unreadable
    }

    /// Whether a signal of this kind may start anything.
    #[must_use]
    pub fn listen_to(&self, kind: SignalKind) -> bool {
        let mut triggers = self.books.values().flat_map(|book| &book.playbook.on.signals);
        triggers.any(|trigger| trigger.kinds.contains(&kind))
    }
}

impl Book {
    /// What starts it among signals, each with its condition.
    pub fn signal_triggers(&self) -> impl Iterator<Item = (&SignalTrigger, Option<&Program>)> {
        self.playbook.on.signals.iter().zip(self.conditions.iter().map(Option::as_ref))
    }

    /// The resources that it may be run on.
    #[must_use]
    pub fn target(&self) -> Option<&Selector> {
        self.target.as_ref()
    }

    /// How old a trigger of it may be.
    #[must_use]
    pub fn max_age(&self) -> TimeDelta {
        TimeDelta::from_std(self.playbook.max_age.0).unwrap_or(TimeDelta::MAX)
    }

    fn read(stored: &Stored) -> Result<Self, String> {
        let spec = stored.body.get("spec").cloned().unwrap_or_default();
        let playbook = Playbook::deserialize(&spec).map_err(|error| error.to_string())?;
        let target = match &playbook.target {
            Some(text) => Some(selector::parse(text.as_str()).map_err(|error| error.to_string())?),
            None => None,
        };
        let scope = manifest::scopes::trigger();
        let compile = |condition: &manifest::Condition| Program::compile(condition.as_str(), &scope);
        let conditions =
            playbook.on.signals.iter().map(|trigger| trigger.condition.as_ref().map(compile).transpose());
        let conditions = conditions.collect::<Result<_, _>>().map_err(|fault| fault.to_string())?;
        let Stored { name, generation, .. } = stored;
        Ok(Self { name: name.clone(), generation: *generation, spec, playbook, target, conditions })
    }
}
