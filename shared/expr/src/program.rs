//! An expression, compiled.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{Bindings, Error, Fault, Scope, bindings::Bound};

/// An expression, compiled once against a scope.
#[derive(Debug)]
pub struct Program {
    source: String,
    program: cel::Program,
}

impl Program {
    /// Compiles an expression.
    ///
    /// # Errors
    /// When it is no CEL, or names what the scope does not declare.
    pub fn compile(source: &str, scope: &Scope) -> Result<Self, Fault> {
        let program =
            cel::Program::compile(source).map_err(|error| Fault::at(source, 0, error.to_string()))?;
        for name in program.references().variables() {
            if !scope.variables.contains_key(name) {
                return Err(Fault::at(source, 0, format!("unknown variable `{name}`")));
            }
        }
        Ok(Self { source: source.to_owned(), program })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The value; an instant is text as in RFC 3339.
    ///
    /// # Errors
    /// When the expression has no value for these bindings, or passes a bound.
    pub fn evaluate(&self, bindings: &Bindings) -> Result<Value, Error> {
        self.run(bindings)?.json().map_err(|error| self.no_value(&error))
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// As [`Program::evaluate`], and when the value is not `true` or `false`.
    pub fn holds(&self, bindings: &Bindings) -> Result<bool, Error> {
        match self.run(bindings)? {
            cel::Value::Bool(holds) => Ok(holds),
            other => Err(self.wrong(&other, "true or false")),
        }
    }

    /// The instant that it gives; nothing for null.
    ///
    /// # Errors
    /// As [`Program::evaluate`], and when the value is neither an instant nor null.
    pub fn instant(&self, bindings: &Bindings) -> Result<Option<DateTime<Utc>>, Error> {
        match self.run(bindings)? {
            cel::Value::Timestamp(at) => Ok(Some(at.to_utc())),
            cel::Value::Null => Ok(None),
            other => Err(self.wrong(&other, "a timestamp or null")),
        }
    }

    fn run(&self, bindings: &Bindings) -> Result<cel::Value, Error> {
        let mut context = cel::Context::default();
        for (name, value) in &bindings.values {
            let value = match value {
                Bound::Json(json) => cel::to_value(json.as_ref()).map_err(|error| self.no_value(&error))?,
                Bound::Time(at) => cel::Value::Timestamp(at.fixed_offset()),
            };
            context.add_variable_from_value(name.clone(), value);
        }
        self.program.execute(&context).map_err(|error| self.no_value(&error))
    }

    fn no_value(&self, reason: &dyn std::fmt::Display) -> Error {
        Error::NoValue { expression: crate::fault::shortened(&self.source), reason: reason.to_string() }
    }

    fn wrong(&self, got: &cel::Value, want: &'static str) -> Error {
        Error::Type {
            expression: crate::fault::shortened(&self.source),
            got: got.type_of().to_string(),
            want,
        }
    }
}
