//! The kinds of documents that people write: `apiVersion: perigee.dev/v1`, `kind`, `metadata`, `spec`.
//!
//! [`Spec`] is one of the kinds, each in a file of [`kinds`]. A condition is a CEL expression, a text may hold
//! `${{ CEL }}`, a set of resources is a selector, a secret is a reference.

mod admit;
mod check;
mod document;
mod every;
mod fault;
pub mod kinds;
mod parse;
mod schema;
pub mod scopes;
#[cfg(test)]
mod tests;
mod text;

pub use check::{Reference, check, named, references};
pub use document::{Kind, Manifest, Metadata, Spec};
pub use every::EveryError;
pub use fault::{Fault, Level};
pub use kinds::{
    check::Check, connection::Connection, health_rule::HealthRule, notification::Notification,
    playbook::Playbook, retention::Retention, scraper::Scraper, silence::Silence,
};
pub use parse::{from_json, lint, parse};
pub use schema::schema;
pub use text::{Condition, Every, Selector, Span, Template, Value};

/// What every manifest's `apiVersion` is.
pub const API_VERSION: &str = "perigee.dev/v1";
