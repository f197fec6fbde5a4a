//! Values: what stands behind an operator.

use super::{
    ParseError,
    cursor::{Cursor, ends_value, misplaced},
    error,
};
use crate::{Op, Pattern};

const MISSING_VALUE: &str =
    "a value is missing; write it without a space before it, and empty text as `\"\"`";

/// A value as it was written.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) pattern: Pattern,
    quoted: bool,
}

impl Value {
    /// Whether it could be meant for the direction of `related`.
    pub(super) fn is_direction(&self) -> bool {
        !self.quoted
            && matches!(&self.pattern, Pattern::Exact(text) if matches!(text.as_str(), "in" | "out" | "both"))
    }
}

impl Cursor<'_> {
    /// One value: bare and quoted pieces side by side, with `*` between them.
    pub(super) fn value(&mut self, op: Op) -> Result<Value, ParseError> {
        let column = self.column;
        self.refuse_beginning()?;
        let mut pieces = vec![String::new()];
        let mut quoted = false;
        while let Some(next) = self.peek().filter(|&c| !ends_value(c)) {
            match next {
                '*' if !op.is_equality() => {
                    return Err(error(
                        self.column,
                        format!("`{op}` takes no `*`; wildcards go with `=` and `!=`"),
                    ));
                }
                '*' => {
                    while self.eat('*') {}
                    pieces.push(String::new());
                }
                _ => quoted |= self.piece(next, &mut pieces)?,
            }
        }
        self.refuse_nothing(column)?;
        let pattern = match <[String; 1]>::try_from(pieces) {
            Ok([text]) => Pattern::Exact(text),
            Err(pieces) => Pattern::Wild(pieces),
        };
        Ok(Value { pattern, quoted })
    }

    /// A regular expression: as a value, but a `*` is part of it.
    pub(super) fn pattern(&mut self) -> Result<String, ParseError> {
        let column = self.column;
        self.refuse_beginning()?;
        let mut pieces = vec![String::new()];
        while let Some(next) = self.peek().filter(|&c| !ends_value(c)) {
            self.piece(next, &mut pieces)?;
        }
        self.refuse_nothing(column)?;
        Ok(pieces.concat())
    }

    /// A quoted piece or one bare character, added to the last piece; whether it was quoted.
    fn piece(&mut self, next: char, pieces: &mut [String]) -> Result<bool, ParseError> {
        let Some(last) = pieces.last_mut() else { return Ok(false) };
        if next == '"' {
            let opening = self.column;
            self.next();
            last.push_str(&self.quoted(opening)?);
            return Ok(true);
        }
        last.push(self.plain(next)?);
        Ok(false)
    }

    fn refuse_beginning(&mut self) -> Result<(), ParseError> {
        match self.peek() {
            None | Some(',') => Err(error(self.column, MISSING_VALUE)),
            Some(next) if next.is_whitespace() => Err(error(self.column, MISSING_VALUE)),
            Some(next @ ('=' | '!' | '<' | '>' | '~')) => Err(error(
                self.column,
                format!("a value cannot begin with `{next}`; quote it: `\"{next}...\"`"),
            )),
            Some(_) => Ok(()),
        }
    }

    fn refuse_nothing(&mut self, begin: usize) -> Result<(), ParseError> {
        if self.column > begin {
            return Ok(());
        }
        let message = match self.peek() {
            Some('(') => "quote a value that has parentheses or `|` in it: `name=\"a (b)\"`".to_owned(),
            Some('|' | ')') | None => MISSING_VALUE.to_owned(),
            Some(next) => misplaced(next),
        };
        Err(error(begin, message))
    }
}
