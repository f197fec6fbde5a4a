//! What is wrong with an expression, and what went wrong with it.

use thiserror::Error as ThisError;

/// What is wrong with an expression, before it is ever evaluated.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("{message} (line {line}, column {column})")]
pub struct Fault {
    /// The line in the text, from 1.
    pub line: usize,
    /// The column in the line, from 1, in characters.
    pub column: usize,
    /// What is wrong, and what would be right where that is known.
    pub message: String,
}

impl Fault {
    /// A fault at a character of the text.
    pub(crate) fn at_char(source: &str, at: usize, message: impl Into<String>) -> Self {
        let offset = source.char_indices().nth(at).map_or(source.len(), |(offset, _)| offset);
        Self::at(source, offset, message)
    }

    /// A fault at a byte of the text.
    pub(crate) fn at(source: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = source.get(..offset.min(source.len())).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            message: message.into(),
        }
    }
}

/// What went wrong while an expression was evaluated.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The expression has no value for these bindings: a missing key, a division by zero, a wrong type.
    #[error("`{expression}`: {reason}")]
    NoValue {
        /// The expression, shortened.
        expression: String,
        /// Why.
        reason: String,
    },
    /// The expression did more work, or made something bigger, than an expression may.
    #[error("`{expression}` was stopped: {reason}")]
    Bound {
        /// The expression, shortened.
        expression: String,
        /// Which bound.
        reason: String,
    },
    /// The value is of another type than the place wants.
    #[error("`{expression}` gives {got}, and must give {want}")]
    Type {
        /// The expression, shortened.
        expression: String,
        /// What it gave.
        got: String,
        /// What was wanted.
        want: &'static str,
    },
}

/// An expression as it stands in a sentence: on one line, and not too long.
pub(crate) fn shortened(source: &str) -> String {
    let mut line = source.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = line.char_indices().nth(100) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

/// The index of the quote that ends the string literal that begins at `start`; the last index when nothing ends it.
/// Triple quotes and backslashes are known; a raw literal (`r"\"`) is one whose quote has an `r` before it.
pub(crate) fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let quote = bytes.get(start).copied().unwrap_or(b'"');
    let triple = bytes.get(start + 1) == Some(&quote) && bytes.get(start + 2) == Some(&quote);
    let raw = is_raw(bytes, start);
    let mut at = start + if triple { 3 } else { 1 };
    while let Some(byte) = bytes.get(at) {
        if *byte == b'\\' && !raw {
            at += 2;
            continue;
        }
        if *byte == quote && !triple {
            return at;
        }
        if *byte == quote && bytes.get(at + 1) == Some(&quote) && bytes.get(at + 2) == Some(&quote) {
            return at + 2;
        }
        at += 1;
    }
    bytes.len().saturating_sub(1)
}

/// Whether the literal whose quote stands at `start` has the prefix `r` (perhaps with a `b`), which is no part of a name.
fn is_raw(bytes: &[u8], start: usize) -> bool {
    let prefix = bytes.get(..start).unwrap_or_default();
    let length = prefix.iter().rev().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    let word = prefix.get(prefix.len() - length..).unwrap_or_default();
    word.len() <= 2 && word.iter().all(|b| b"rRbB".contains(b)) && word.iter().any(|b| b"rR".contains(b))
}
