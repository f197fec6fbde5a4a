//! What an expression may name.

use std::collections::BTreeMap;

/// What is known of a value before it is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Shape {
    /// Nothing is known.
    #[default]
    Dyn,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Double,
    /// Text.
    String,
    /// An instant. A text in its place is read as RFC 3339.
    Timestamp,
    /// A length of time. A text in its place is read as one: `1.5s`.
    Duration,
    /// A list of values of one shape.
    List(Box<Self>),
    /// A map from text to values of one shape.
    Map(Box<Self>),
    /// Known fields.
    Record {
        /// The fields.
        fields: BTreeMap<String, Self>,
        /// Whether there may be others, of which nothing is known.
        open: bool,
    },
}

impl Shape {
    /// A record that has these fields and no other.
    pub fn record<'a>(fields: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        Self::Record { fields: named(fields), open: false }
    }

    /// A record that has these fields, and perhaps others.
    pub fn open<'a>(fields: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        Self::Record { fields: named(fields), open: true }
    }

    /// A list.
    #[must_use]
    pub fn list(of: Self) -> Self {
        Self::List(Box::new(of))
    }

    /// A map.
    #[must_use]
    pub fn map(of: Self) -> Self {
        Self::Map(Box::new(of))
    }
}

fn named<'a>(fields: impl IntoIterator<Item = (&'a str, Shape)>) -> BTreeMap<String, Shape> {
    fields.into_iter().map(|(name, shape)| (name.to_owned(), shape)).collect()
}

/// The variables that an expression may name, each with its shape.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    pub(crate) variables: BTreeMap<String, Shape>,
    pub(crate) container: String,
    pub(crate) unchecked: bool,
}

impl Scope {
    /// Nothing declared.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares a variable.
    #[must_use]
    pub fn with(mut self, name: &str, shape: Shape) -> Self {
        self.variables.insert(name.to_owned(), shape);
        self
    }

    /// The prefix that names are first looked for under.
    #[must_use]
    pub fn within(mut self, container: &str) -> Self {
        container.clone_into(&mut self.container);
        self
    }

    /// Lets an expression name what there is not: it has no value then, which `||` and `&&` may pass over.
    #[must_use]
    pub fn unchecked(mut self) -> Self {
        self.unchecked = true;
        self
    }

    /// The names of the variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }
}
