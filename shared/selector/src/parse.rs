//! The parser: one pass over the characters, no backtracking beyond a term's head.

use std::iter::Peekable;
use std::str::Chars;

use crate::{Op, Pattern, Selector, Term};

/// The longest selector that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// How many terms and values a selector may have together.
pub const MAX_TERMS: usize = 1000;

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
pub fn parse(text: &str) -> Result<Selector, ParseError> {
    if text.len() > MAX_BYTES {
        return Err(error(1, format!("the selector has {} bytes, at most {MAX_BYTES} are read", text.len())));
    }
    let mut parser = Parser { rest: text.chars().peekable(), column: 1, budget: MAX_TERMS };
    let mut terms = Vec::new();
    while parser.skip_space() {
        terms.push(parser.term()?);
    }
    Ok(Selector { terms })
}

fn error(column: usize, message: impl Into<String>) -> ParseError {
    ParseError { column, message: message.into() }
}

/// What may stand before an operator, or alone as a word.
struct Head {
    segments: Vec<Segment>,
    column: usize,
}

struct Segment {
    text: String,
    quoted: bool,
    column: usize,
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    /// The column of the next character, from 1.
    column: usize,
    /// How many terms and values may still follow.
    budget: usize,
}

impl Parser<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.column += usize::from(next.is_some());
        next
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    /// Skips white space; false at the end of the text.
    fn skip_space(&mut self) -> bool {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
        self.peek().is_some()
    }

    /// Takes one from the budget.
    fn spend(&mut self, column: usize) -> Result<(), ParseError> {
        self.budget = self.budget.checked_sub(1).ok_or_else(|| {
            error(column, format!("more than {MAX_TERMS} terms and values; ask in several queries"))
        })?;
        Ok(())
    }

    fn term(&mut self) -> Result<Term, ParseError> {
        self.spend(self.column)?;
        let head = self.head()?;
        match self.op()? {
            Some(op) => self.compare(head, op),
            None => word(head),
        }
    }

    fn head(&mut self) -> Result<Head, ParseError> {
        let column = self.column;
        self.refuse_opening()?;
        let mut segments = vec![self.segment()?];
        while self.eat('.') {
            segments.push(self.segment()?);
        }
        if let Some(next @ ('"' | ',' | '*' | '(' | ')' | '|')) = self.peek() {
            return Err(error(self.column, misplaced(next)));
        }
        Ok(Head { segments, column })
    }

    /// Says what is wrong with a term that begins with a character that cannot begin one.
    fn refuse_opening(&mut self) -> Result<(), ParseError> {
        let message = match self.peek() {
            Some('-' | '!') => {
                "negation is not available yet; write `field!=value`, or quote the word if it begins so"
                    .to_owned()
            }
            Some(next @ ('=' | '<' | '>' | '~')) => {
                format!("`{next}` needs a field right before it, without a space: `field{next}value`")
            }
            Some(next @ (',' | '*' | '(' | ')' | '|')) => misplaced(next),
            _ => return Ok(()),
        };
        Err(error(self.column, message))
    }

    fn segment(&mut self) -> Result<Segment, ParseError> {
        let column = self.column;
        if self.eat('"') {
            return Ok(Segment { text: self.quoted(column)?, quoted: true, column });
        }
        let mut text = String::new();
        while let Some(next) = self.peek().filter(|&c| c != '.' && !ends_head(c)) {
            text.push(self.plain(next)?);
        }
        Ok(Segment { text, quoted: false, column })
    }

    /// Takes `next`, which stands outside quotes.
    fn plain(&mut self, next: char) -> Result<char, ParseError> {
        if next.is_control() {
            return Err(error(self.column, "a control character; remove it"));
        }
        self.next();
        Ok(next)
    }

    /// The text up to the closing quote. The opening one, at `opening`, was taken.
    fn quoted(&mut self, opening: usize) -> Result<String, ParseError> {
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
    fn op(&mut self) -> Result<Option<Op>, ParseError> {
        let column = self.column;
        let op = match self.peek() {
            Some('=') => Op::Equal,
            Some('!') => Op::NotEqual,
            Some('>') => Op::Greater,
            Some('<') => Op::Less,
            Some('~') => return Err(error(column, NO_REGEX)),
            _ => return Ok(None),
        };
        self.next();
        let op = match (op, self.peek()) {
            (Op::NotEqual, Some('=')) => self.longer(Op::NotEqual),
            (Op::NotEqual, Some('~')) | (Op::Equal, Some('~')) => return Err(error(column, NO_REGEX)),
            (Op::NotEqual, _) => return Err(error(column, "`!` alone compares nothing; write `!=`")),
            (Op::Greater, Some('=')) => self.longer(Op::GreaterOrEqual),
            (Op::Less, Some('=')) => self.longer(Op::LessOrEqual),
            (Op::Less, Some('>')) => return Err(error(column, "there is no `<>`; write `!=`")),
            (Op::Equal, Some('=')) => return Err(error(column, "there is no `==`; write `=`")),
            (Op::Equal, Some(next @ ('<' | '>'))) => {
                return Err(error(column, format!("there is no `={next}`; write `{next}=`")));
            }
            (op, _) => op,
        };
        Ok(Some(op))
    }

    fn longer(&mut self, op: Op) -> Op {
        self.next();
        op
    }

    fn compare(&mut self, head: Head, op: Op) -> Result<Term, ParseError> {
        let Head { segments, column } = head;
        if let Some(empty) = segments.iter().find(|segment| segment.text.is_empty()) {
            return Err(error(
                empty.column,
                "the field has an empty part; write it like `tags.env` or `tags.\"a b\"`",
            ));
        }
        let first = self.column;
        let mut values = vec![self.value(op)?];
        while self.eat(',') {
            self.spend(self.column)?;
            values.push(self.value(op)?);
        }
        if let Some(next) = self.peek().filter(|c| !c.is_whitespace()) {
            return Err(error(self.column, misplaced(next)));
        }
        if values.len() > 1 && !is_equality(op) {
            return Err(error(first, format!("`{op}` compares with one value; lists go with `=` and `!=`")));
        }
        let field = segments.into_iter().map(|segment| segment.text).collect();
        Ok(Term::Compare { field, op, values, column })
    }

    /// One value: bare and quoted pieces side by side, with `*` between them.
    fn value(&mut self, op: Op) -> Result<Pattern, ParseError> {
        let column = self.column;
        match self.peek() {
            None | Some(',') => return Err(error(column, MISSING_VALUE)),
            Some(next) if next.is_whitespace() => return Err(error(column, MISSING_VALUE)),
            Some(next @ ('=' | '!' | '<' | '>' | '~')) => {
                return Err(error(
                    column,
                    format!("a value cannot begin with `{next}`; quote it: `\"{next}...\"`"),
                ));
            }
            Some(_) => {}
        }
        let mut pieces = vec![String::new()];
        while let Some(next) = self.peek().filter(|&c| !ends_value(c)) {
            match next {
                '*' if !is_equality(op) => {
                    return Err(error(
                        self.column,
                        format!("`{op}` takes no `*`; wildcards go with `=` and `!=`"),
                    ));
                }
                '*' => {
                    while self.eat('*') {}
                    pieces.push(String::new());
                }
                '"' => {
                    let opening = self.column;
                    self.next();
                    let text = self.quoted(opening)?;
                    push_last(&mut pieces, &text);
                }
                _ => {
                    let plain = self.plain(next)?;
                    push_last(&mut pieces, plain.encode_utf8(&mut [0; 4]));
                }
            }
        }
        if self.column == column {
            let next = self.peek().unwrap_or(' ');
            return Err(error(column, misplaced(next)));
        }
        Ok(match <[String; 1]>::try_from(pieces) {
            Ok([text]) => Pattern::Exact(text),
            Err(pieces) => Pattern::Wild(pieces),
        })
    }
}

const NO_REGEX: &str = "regular expressions are not available yet; write `=` with `*`: `name=web-*`";
const MISSING_VALUE: &str =
    "a value is missing; write it without a space before it, and empty text as `\"\"`";

fn push_last(pieces: &mut [String], text: &str) {
    if let Some(last) = pieces.last_mut() {
        last.push_str(text);
    }
}

fn is_equality(op: Op) -> bool {
    matches!(op, Op::Equal | Op::NotEqual)
}

fn ends_head(c: char) -> bool {
    c.is_whitespace() || matches!(c, '=' | '!' | '<' | '>' | '~' | '"' | ',' | '*' | '(' | ')' | '|')
}

fn ends_value(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | '(' | ')' | '|')
}

/// What to say of a character that cannot stand where it stands.
fn misplaced(c: char) -> String {
    match c {
        '|' => "`|` is not available yet; list the values: `field=a,b`, or ask in several queries".to_owned(),
        '(' | ')' => "groups and functions are not available yet; terms side by side must all hold. \
                      Quote the text if the parenthesis belongs to it"
            .to_owned(),
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

/// A head that no operator follows.
fn word(head: Head) -> Result<Term, ParseError> {
    let Head { segments, column } = head;
    if segments.iter().all(|segment| !segment.quoted) {
        let text: Vec<_> = segments.into_iter().map(|segment| segment.text).collect();
        return bare_word(text.join("."), column);
    }
    match <[Segment; 1]>::try_from(segments) {
        Ok([Segment { text, .. }]) if text.is_empty() => {
            Err(error(column, "an empty word matches everything; remove it"))
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
        "OR" => Err(error(
            column,
            "`OR` is not available yet; list the values: `field=a,b`, or quote it to search for it",
        )),
        "NOT" => Err(error(
            column,
            "`NOT` is not available yet; write `field!=value`, or quote it to search for it",
        )),
        _ => Ok(Term::Word(text)),
    }
}
