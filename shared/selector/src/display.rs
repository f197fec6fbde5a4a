//! A selector as text. Reading the text again gives the same terms.

use std::fmt::{Display, Formatter, Result, Write as _};

use crate::{Op, Pattern, Selector, Term};

impl Display for Selector {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (index, term) in self.terms.iter().enumerate() {
            if index > 0 {
                f.write_char(' ')?;
            }
            term.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Word(text) if is_bare(text) && !matches!(text.as_str(), "AND" | "OR" | "NOT") => {
                f.write_str(text)
            }
            Self::Word(text) => quote(text, f),
            Self::Compare { field, op, values, column: _ } => {
                for (index, part) in field.iter().enumerate() {
                    if index > 0 {
                        f.write_char('.')?;
                    }
                    if is_bare(part) && !part.contains('.') { f.write_str(part)? } else { quote(part, f)? }
                }
                op.fmt(f)?;
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        f.write_char(',')?;
                    }
                    value.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

impl Display for Op {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        })
    }
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Exact(text) if is_bare(text) => f.write_str(text),
            Self::Exact(text) => quote(text, f),
            Self::Wild(pieces) => {
                for (index, piece) in pieces.iter().enumerate() {
                    if index > 0 {
                        f.write_char('*')?;
                    }
                    if piece.is_empty() || is_bare(piece) { f.write_str(piece)? } else { quote(piece, f)? }
                }
                Ok(())
            }
        }
    }
}

/// Whether text means itself without quotes wherever it stands.
fn is_bare(text: &str) -> bool {
    let plain =
        |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '@' | '+' | '%' | '#');
    !text.is_empty() && !text.starts_with('-') && text.chars().all(plain)
}

fn quote(text: &str, f: &mut Formatter<'_>) -> Result {
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}
