//! The parser.

use crate::Selector;

/// What is wrong with a selector, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct ParseError {
    /// The column, from 1, in characters.
    pub column: usize,
    /// What was wrong and what would be right.
    pub message: String,
}

/// Reads a selector. The empty text selects everything.
///
/// # Errors
/// [`ParseError`] names the column.
pub fn parse(_text: &str) -> Result<Selector, ParseError> {
    Ok(Selector::default())
}
