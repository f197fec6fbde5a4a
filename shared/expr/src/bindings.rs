//! The values that the variables have.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::value::{Val, from_typed};

/// The value of one variable.
#[derive(Debug, Clone)]
pub(crate) enum Bound {
    /// A document.
    Json(Arc<Value>),
    /// Anything else.
    Value(Val<'static>),
}

/// The values that the variables of a [`crate::Scope`] have. A document is kept as it is, never converted as a whole,
/// and shared by the programs that are evaluated with it.
#[derive(Debug, Clone, Default)]
pub struct Bindings {
    pub(crate) values: BTreeMap<String, Bound>,
}

impl Bindings {
    /// No values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a variable a value.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.set(name, value);
        self
    }

    /// Gives a variable a value that others hold as well.
    #[must_use]
    pub fn with_shared(mut self, name: &str, value: Arc<Value>) -> Self {
        self.values.insert(name.to_owned(), Bound::Json(value));
        self
    }

    /// Gives a variable an instant.
    #[must_use]
    pub fn with_time(mut self, name: &str, at: DateTime<Utc>) -> Self {
        self.values.insert(name.to_owned(), Bound::Value(Val::Time(at)));
        self
    }

    /// Gives a variable a value, in place.
    pub fn set(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), Bound::Json(Arc::new(value)));
    }

    /// Gives a variable a value in the tagged form: `{"t": type, "v": value}`.
    ///
    /// # Errors
    /// Says what is no such value.
    pub fn set_typed(&mut self, name: &str, value: &Value) -> Result<(), String> {
        self.values.insert(name.to_owned(), Bound::Value(from_typed(value)?));
        Ok(())
    }
}
