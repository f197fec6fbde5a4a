//! CEL: conditions and values over declared variables, compiled once and bounded; values inside text.
//!
//! A [`Scope`] declares what an expression may name. A [`Program`] is compiled against it, and evaluated with
//! [`Bindings`]. A [`Template`] is text with `${{ CEL }}` in it.

mod bindings;
mod budget;
mod eval;
mod fault;
mod functions;
mod lower;
mod node;
mod parse;
mod program;
mod scope;
mod suggest;
mod template;
#[cfg(test)]
mod tests;
mod value;

pub use bindings::Bindings;
pub use fault::{Error, Fault};
pub use program::Program;
pub use scope::{Scope, Shape};
pub use suggest::{did_you_mean, nearest};
pub use template::Template;

/// Compiles a regular expression within the bounds that those of expressions have: it is short, small when compiled,
/// and matched in linear time.
///
/// # Errors
/// Says why it is none, or which bound it passes.
pub fn pattern(text: &str) -> Result<regex::Regex, String> {
    functions::regex::compile(text)
}
