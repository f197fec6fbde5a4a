//! CEL: conditions and values over declared variables, compiled once and bounded; values inside text.
//!
//! A [`Scope`] declares what an expression may name. A [`Program`] is compiled against it, and evaluated with
//! [`Bindings`]. A [`Template`] is text with `${{ CEL }}` in it.

mod bindings;
mod fault;
mod program;
mod scope;
mod template;

pub use bindings::Bindings;
pub use fault::{Error, Fault};
pub use program::Program;
pub use scope::{Scope, Shape};
pub use template::Template;
