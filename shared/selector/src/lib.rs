//! The search language: text in, a syntax tree out.
//!
//! Today a selector is a conjunction: comparisons of fields and free words, side by side. The tree is the only
//! meaning; `catalog` compiles it to SQL. Parsing never fails silently: an error names the column.

mod display;
mod parse;
#[cfg(test)]
mod tests;

pub use parse::{MAX_BYTES, MAX_TERMS, ParseError, parse};

/// A set of things, described: all terms must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// The terms, in the order of the text.
    pub terms: Vec<Term>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// `field op value,value`: true when any value (for `!=`: no value) matches.
    Compare {
        /// The field as a path: `["type"]`, `["tags", "env"]`.
        field: Vec<String>,
        /// The comparison.
        op: Op,
        /// At least one value.
        values: Vec<Pattern>,
        /// The column of the field in the text, from 1.
        column: usize,
    },
    /// A free word: matches names and native ids that contain it, whatever the case.
    Word(String),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

/// A value, perhaps with wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Exactly this text.
    Exact(String),
    /// Literal pieces between `*`s: `web-*` is `["web-", ""]`.
    Wild(Vec<String>),
}
