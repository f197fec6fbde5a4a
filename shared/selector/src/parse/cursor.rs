//! The characters that are still to be read, and what may stand where.

use std::{iter::Peekable, str::Chars};

use super::{Operator, ParseError, error};
use crate::Op;

/// Where the parser is.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    rest: Peekable<Chars<'a>>,
    /// The column of the next character, from 1.
    pub(super) column: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text.chars().peekable(), column: 1 }
    }

    pub(super) fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.column += usize::from(next.is_some());
        next
    }

    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    /// Skips white space; false at the end of the text.
    pub(super) fn skip_space(&mut self) -> bool {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
        self.peek().is_some()
    }

    /// Whether the comma that stands here is followed by a space, and so separates arguments rather than values.
    pub(super) fn comma_separates(&self) -> bool {
        self.rest.clone().nth(1).is_none_or(char::is_whitespace)
    }

    /// Takes `next`, which stands outside quotes.
    pub(super) fn plain(&mut self, next: char) -> Result<char, ParseError> {
        if next.is_control() {
            return Err(error(self.column, "a control character; remove it"));
        }
        self.next();
        Ok(next)
    }

    /// The text up to the closing quote. The opening one, at `opening`, was taken.
    pub(super) fn quoted(&mut self, opening: usize) -> Result<String, ParseError> {
        let mut text = String::new();
        loop {
            let column = self.column;
            match self.next() {
                None => return Err(error(opening, "this quote is never closed; add `\"`")),
                Some('"') => return Ok(text),
                Some('\\') => match self.next() {
                    Some(escaped @ ('"' | '\\')) => text.push(escaped),
                    _ => {
                        return Err(error(
                            column,
                            "inside quotes write `\\\\` for a backslash and `\\\"` for a quote",
                        ));
                    }
                },
                Some(next) if next.is_control() && !next.is_whitespace() => {
                    return Err(error(column, "a control character; remove it"));
                }
                Some(next) => text.push(next),
            }
        }
    }

    /// The operator, if one stands here.
    pub(super) fn operator(&mut self) -> Result<Option<Operator>, ParseError> {
        let column = self.column;
        let op = match self.peek() {
            Some('=') => Op::Equal,
            Some('!') => Op::NotEqual,
            Some('>') => Op::Greater,
            Some('<') => Op::Less,
            Some('~') => return Ok(Some(self.matching(false))),
            _ => return Ok(None),
        };
        self.next();
        let op = match (op, self.peek()) {
            (Op::NotEqual, Some('=')) => self.longer(Op::NotEqual),
            (Op::NotEqual, Some('~')) => return Ok(Some(self.matching(true))),
            (Op::NotEqual, _) => {
                return Err(error(column, "`!` alone compares nothing; write `!=`"));
            }
            (Op::Greater, Some('=')) => self.longer(Op::GreaterOrEqual),
            (Op::Less, Some('=')) => self.longer(Op::LessOrEqual),
            (Op::Less, Some('>')) => return Err(error(column, "there is no `<>`; write `!=`")),
            (Op::Equal, Some('=')) => return Err(error(column, "there is no `==`; write `=`")),
            (Op::Equal, Some('~')) => return Err(error(column, "there is no `=~`; write `~`")),
            (Op::Equal, Some(next @ ('<' | '>'))) => {
                return Err(error(column, format!("there is no `={next}`; write `{next}=`")));
            }
            (op, _) => op,
        };
        Ok(Some(Operator::Compare(op)))
    }

    fn matching(&mut self, negated: bool) -> Operator {
        self.next();
        Operator::Matches { negated }
    }

    fn longer(&mut self, op: Op) -> Op {
        self.next();
        op
    }
}

pub(super) fn ends_head(c: char) -> bool {
    c.is_whitespace() || matches!(c, '=' | '!' | '<' | '>' | '~' | '"' | ',' | '*' | '(' | ')' | '|')
}

pub(super) fn ends_value(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | '(' | ')' | '|')
}

/// What to say of a character that cannot stand where it stands.
pub(super) fn misplaced(c: char) -> String {
    match c {
        '|' => "`|` needs a term on both sides: `a | b`".to_owned(),
        ')' => "this parenthesis closes nothing; remove it, or quote the text if it belongs to it".to_owned(),
        '(' => "a group needs a space before it; quote the text if the parenthesis belongs to it".to_owned(),
        ',' => "a comma only separates values after `=` or `!=`; quote the text if the comma belongs to it"
            .to_owned(),
        '*' => {
            "`*` works in values, as in `name=web-*`; a free word matches anywhere in a name and needs none"
                .to_owned()
        }
        '"' => "a quote must begin a word or a part of a field; put a space before it".to_owned(),
        other => format!("`{other}` is not expected here; quote the text if it belongs to it"),
    }
}
