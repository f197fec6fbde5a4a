//! An expression, compiled.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    Bindings, Error, Fault, Scope,
    budget::{Budget, Trouble},
    eval::Run,
    fault::shortened,
    lower,
    node::Node,
    parse,
    value::{Val, to_json, to_typed},
};

/// An expression, compiled once against a scope.
#[derive(Debug)]
pub struct Program {
    source: String,
    node: Node,
}

impl Program {
    /// Compiles an expression.
    ///
    /// # Errors
    /// When it is no CEL, is larger than an expression may be, or names what there is not.
    pub fn compile(source: &str, scope: &Scope) -> Result<Self, Fault> {
        let node = parse::with_tree(source, scope, |tree| lower::lower(source, scope, &tree))?;
        Ok(Self { source: source.to_owned(), node })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The value: an instant is text as in RFC 3339, a length of time text as `90s`, bytes are base64.
    ///
    /// # Errors
    /// When the expression has no value for these bindings, or passes a bound.
    pub fn evaluate(&self, bindings: &Bindings) -> Result<Value, Error> {
        self.run(bindings, |value, budget| to_json(&value, budget))
    }

    /// The value in the tagged form: `{"t": type, "v": value}`.
    ///
    /// # Errors
    /// As [`Program::evaluate`].
    pub fn evaluate_typed(&self, bindings: &Bindings) -> Result<Value, Error> {
        self.run(bindings, |value, budget| to_typed(&value, budget))
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// As [`Program::evaluate`], and when the value is not `true` or `false`.
    pub fn holds(&self, bindings: &Bindings) -> Result<bool, Error> {
        self.run(bindings, |value, _| {
            Ok(match value {
                Val::Bool(holds) => Ok(holds),
                other => Err(self.wrong(&other, "true or false")),
            })
        })?
    }

    /// The instant that it gives; nothing for null.
    ///
    /// # Errors
    /// As [`Program::evaluate`], and when the value is neither an instant nor null.
    pub fn instant(&self, bindings: &Bindings) -> Result<Option<DateTime<Utc>>, Error> {
        self.run(bindings, |value, _| {
            Ok(match value {
                Val::Time(at) => Ok(Some(at)),
                Val::Null | Val::Optional(None) => Ok(None),
                other => Err(self.wrong(&other, "a timestamp or null")),
            })
        })?
    }

    fn run<'a, T>(
        &'a self,
        bindings: &'a Bindings,
        then: impl FnOnce(Val<'a>, &Budget) -> Result<T, Trouble>,
    ) -> Result<T, Error> {
        let mut run = Run::new(bindings);
        run.value(&self.node).and_then(|value| then(value, &run.budget)).map_err(|trouble| match trouble {
            Trouble::NoValue(reason) => Error::NoValue { expression: shortened(&self.source), reason },
            Trouble::Bound(reason) => {
                Error::Bound { expression: shortened(&self.source), reason: reason.to_owned() }
            }
        })
    }

    fn wrong(&self, got: &Val<'_>, want: &'static str) -> Error {
        Error::Type { expression: shortened(&self.source), got: got.described().to_owned(), want }
    }
}
