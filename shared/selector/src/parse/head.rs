//! What may stand before an operator, or alone as a word.

use super::{
    ParseError, Within,
    cursor::{Cursor, ends_head, misplaced},
    error,
};
use crate::{Step, Term};

pub(super) const BAD_ELEMENT: &str =
    "write `[0]` for an element and `[*]` for any; quote the part if the bracket belongs to it";

#[derive(Debug)]
pub(super) struct Head {
    pub(super) segments: Vec<Segment>,
    pub(super) column: usize,
}

/// What stands between two dots.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) text: String,
    /// The text as it stands, with the elements that follow.
    raw: String,
    /// What stands in brackets behind it, or the column where that is no element.
    pub(super) elements: Result<Vec<Step>, usize>,
    quoted: bool,
    pub(super) column: usize,
}

impl Head {
    /// The name, where it can be that of a function.
    pub(super) fn name(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [Segment { raw, quoted: false, .. }] => Some(raw),
            _ => None,
        }
    }
}

impl Cursor<'_> {
    pub(super) fn head(&mut self, within: Within) -> Result<Head, ParseError> {
        let column = self.column;
        self.refuse_opening()?;
        let mut segments = vec![self.segment()?];
        while self.eat('.') {
            segments.push(self.segment()?);
        }
        match self.peek() {
            Some(next @ ('"' | '*')) => Err(error(self.column, misplaced(next))),
            Some(',') if within != Within::Call => Err(error(self.column, misplaced(','))),
            _ => Ok(Head { segments, column }),
        }
    }

    /// Says what is wrong with a term that begins with a character that cannot begin one.
    fn refuse_opening(&mut self) -> Result<(), ParseError> {
        let message = match self.peek() {
            Some(next @ ('=' | '<' | '>' | '~')) => {
                format!("`{next}` needs a field right before it, without a space: `field{next}value`")
            }
            Some(next @ (',' | '*' | ')' | '|')) => misplaced(next),
            _ => return Ok(()),
        };
        Err(error(self.column, message))
    }

    fn segment(&mut self) -> Result<Segment, ParseError> {
        let column = self.column;
        if self.eat('"') {
            let text = self.quoted(column)?;
            let brackets = self.column;
            let raw = if self.peek() == Some('[') { self.bare()? } else { String::new() };
            return Ok(Segment { text, elements: elements(&raw, brackets), raw, quoted: true, column });
        }
        let raw = self.bare()?;
        let (text, brackets) = raw.split_at(raw.find('[').unwrap_or(raw.len()));
        let elements = elements(brackets, column + text.chars().count());
        Ok(Segment { text: text.to_owned(), elements, raw, quoted: false, column })
    }

    /// Text without quotes up to the next dot or the head's end. The star of `[*]` belongs to it.
    fn bare(&mut self) -> Result<String, ParseError> {
        let mut text = String::new();
        while let Some(next) = self.peek() {
            if (next == '.' || ends_head(next)) && !(next == '*' && text.ends_with('[')) {
                break;
            }
            text.push(self.plain(next)?);
        }
        Ok(text)
    }
}

/// `[0][*]` as steps; else the column of what is none.
fn elements(text: &str, column: usize) -> Result<Vec<Step>, usize> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let at = column + text.chars().count() - rest.chars().count();
        let (element, after) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or(at)?;
        steps.push(match element {
            "*" => Step::Every,
            digits if (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) => {
                Step::Index(digits.parse().map_err(|_| at)?)
            }
            _ => return Err(at),
        });
        if steps.len() > super::MAX_STEPS {
            return Err(at);
        }
        rest = after;
    }
    Ok(steps)
}

/// A head that no operator follows.
pub(super) fn word(head: Head) -> Result<Term, ParseError> {
    let Head { segments, column } = head;
    if segments.iter().all(|segment| !segment.quoted) {
        let text: Vec<_> = segments.into_iter().map(|segment| segment.raw).collect();
        return bare_word(text.join("."), column);
    }
    match <[Segment; 1]>::try_from(segments) {
        Ok([Segment { raw, column, .. }]) if !raw.is_empty() => Err(error(column, misplaced('['))),
        Ok([Segment { text, .. }]) if text.is_empty() => {
            Err(error(column, "an empty word matches everything; remove it"))
        }
        Ok([Segment { text, .. }]) if text.contains(['\n', '\r']) => {
            Err(error(column, "a word lies within one line; search for each line by itself"))
        }
        Ok([Segment { text, .. }]) => Ok(Term::Word(text)),
        Err(_) => Err(error(column, "a comparison is missing after this field: `field=value`")),
    }
}

fn bare_word(text: String, column: usize) -> Result<Term, ParseError> {
    match text.as_str() {
        "AND" => Err(error(
            column,
            "terms side by side must all hold: leave `AND` out, or quote it to search for it",
        )),
        "OR" => Err(error(column, "write `|` between alternatives: `a | b`; or quote `OR` to search for it")),
        "NOT" => Err(error(
            column,
            "write `-` right before what must not hold: `-field=value`; or quote `NOT` to search for it",
        )),
        _ => Ok(Term::Word(text)),
    }
}
