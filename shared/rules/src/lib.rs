//! Health rules: a document and its context in, a verdict out.
//!
//! [`Rules`] holds people's rules and the built-in ones, compiled. Built-in rules are manifests like people's own, in
//! `builtin/*.yaml`, with priority -100; one analysis that CEL says too clumsily, that of the conditions of any
//! Kubernetes object, is a plain function behind the rule `builtin/kubernetes-conditions`, which is tried last.
//!
//! Nothing here reads a clock: the instant to judge at is given, and a verdict says when it ends.

mod builtin;
mod compiled;
mod conditions;
mod document;
mod engine;
mod selection;
mod status;
#[cfg(test)]
mod tests;

pub use builtin::fingerprint;
pub use document::resource_of;
pub use engine::{Fault, NamedRule, Rules};
pub use selection::{Alone, Context, describes};
