//! A text cut into JSON documents, each read or refused on its own.
//!
//! A document begins at `{` or `[` and ends where its brackets balance. Where that fails, the text up to the next
//! line that begins with a bracket is refused as one piece, so that a broken line costs only itself.

use serde_json::Value;

use super::repair::repair;
use crate::{Reason, Rejection, mask};

/// How deep a document may nest. `serde_json` refuses the next level.
const MAX_DEPTH: usize = 127;

/// How many characters of something that is not JSON are quoted, and how many bytes of it the mask sees before.
const MAX_QUOTED: usize = 12;
const MAX_MASKED: usize = 4 << 10;

/// A document as it stood in the text.
#[derive(Debug)]
pub(super) struct Document<'t> {
    /// The line it begins on, from 1.
    pub(super) line: usize,
    /// The column it begins at, in bytes from 1.
    pub(super) column: usize,
    /// Its text.
    pub(super) text: &'t str,
    /// What it says.
    pub(super) value: Result<Value, Rejection>,
}

/// The documents of a text, in order.
pub(super) fn documents(text: &str) -> Vec<Document<'_>> {
    documents_after(text, 0)
}

/// The documents of a text after its first `start` bytes, which count for lines and columns.
pub(super) fn documents_after(text: &str, start: usize) -> Vec<Document<'_>> {
    let effort = text.len().saturating_mul(16);
    let mut cutter = Cutter { text, at: 0, line: 1, line_start: 0, effort };
    cutter.advance(start);
    cutter.collect()
}

/// Where a scan for the end of a document ended.
enum Scan {
    /// At the balancing bracket, which `end` is behind; the document nests `depth` levels.
    Closed { end: usize, depth: usize },
    /// Without one.
    Open,
}

struct Cutter<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    line_start: usize,
    /// How many bytes may still be scanned beyond a document's first line: many broken lines must not cost their
    /// number times the length of the text.
    effort: usize,
}

impl<'t> Iterator for Cutter<'t> {
    type Item = Document<'t>;

    fn next(&mut self) -> Option<Document<'t>> {
        let bytes = self.text.as_bytes();
        let between = |b: &u8| b.is_ascii_whitespace() || *b == b',';
        let skipped = bytes.get(self.at..)?.iter().take_while(|b| between(b)).count();
        self.advance(self.at + skipped);
        let first = *bytes.get(self.at)?;
        let (line, column, start) = (self.line, self.at - self.line_start + 1, self.at);
        let (end, value) =
            if matches!(first, b'{' | b'[') { self.bracketed(start) } else { self.bare(start) };
        self.advance(end);
        let text = self.text.get(start..end).unwrap_or_default().trim_end();
        Some(Document { line, column, text, value })
    }
}

impl Cutter<'_> {
    fn advance(&mut self, to: usize) {
        let passed = self.text.as_bytes().get(self.at..to).unwrap_or_default();
        for (offset, _) in passed.iter().enumerate().filter(|(_, b)| **b == b'\n') {
            self.line += 1;
            self.line_start = self.at + offset + 1;
        }
        self.at = to;
    }

    /// A document in brackets: its end, and its value.
    fn bracketed(&mut self, start: usize) -> (usize, Result<Value, Rejection>) {
        match self.scan(start) {
            Scan::Closed { end, depth } if depth > MAX_DEPTH => (end, Err(too_deep(depth))),
            Scan::Closed { end, .. } => match self.parse(start, end) {
                Ok(value) => (end, Ok(value)),
                Err(rejection) => (self.resume(start, end), Err(rejection)),
            },
            Scan::Open => (self.resume(start, self.text.len()), Err(self.unfinished(start))),
        }
    }

    /// Something that does not begin with a bracket: the rest of its line.
    fn bare(&self, start: usize) -> (usize, Result<Value, Rejection>) {
        let end = self.line_end(start);
        (end, self.value(start, end).map_err(|_| self.no_document(start)))
    }

    fn parse(&self, start: usize, end: usize) -> Result<Value, Rejection> {
        self.value(start, end).map_err(|error| self.malformed(start, &error))
    }

    fn value(&self, start: usize, end: usize) -> serde_json::Result<Value> {
        let text = self.text.get(start..end).unwrap_or_default();
        serde_json::from_str(&repair(text))
    }

    fn scan(&mut self, start: usize) -> Scan {
        let first_line = self.line_end(start);
        let limit = if self.effort == 0 { first_line } else { self.text.len() };
        let bytes = self.text.as_bytes().get(start..limit).unwrap_or_default();
        let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
        let mut scanned = bytes.len();
        let mut found = Scan::Open;
        for (offset, byte) in bytes.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                // A string cannot hold a line break: it was cut.
                b'\n' if in_string => {
                    scanned = offset;
                    break;
                }
                b'{' | b'[' if !in_string => {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                b'}' | b']' if !in_string => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                scanned = offset + 1;
                found = Scan::Closed { end: start + scanned, depth: deepest };
                break;
            }
        }
        if matches!(found, Scan::Open) {
            self.effort = self.effort.saturating_sub((start + scanned).saturating_sub(first_line));
        }
        found
    }

    /// Where to go on after a document that could not be read: the next line that begins with a bracket.
    fn resume(&self, start: usize, end: usize) -> usize {
        let within = self.text.get(start..end).unwrap_or_default();
        let next = within.match_indices('\n').map(|(at, _)| at + 1);
        let mut begins = next.filter(|at| within.get(*at..).is_some_and(|rest| rest.starts_with(['{', '['])));
        begins.next().map_or(end, |at| start + at)
    }

    fn line_end(&self, start: usize) -> usize {
        let rest = self.text.get(start..).unwrap_or_default();
        rest.find('\n').map_or(self.text.len(), |at| start + at)
    }

    fn malformed(&self, start: usize, error: &serde_json::Error) -> Rejection {
        if error.is_eof() {
            return self.unfinished(start);
        }
        let line = self.line + error.line().saturating_sub(1);
        let first = error.line() <= 1;
        let column = error.column() + if first { start - self.line_start } else { 0 };
        let message = format!("This is not JSON: {} (line {line}, column {column})", plainly(error));
        Rejection::new(Reason::MalformedJson, message)
    }

    fn no_document(&self, start: usize) -> Rejection {
        let (line, column) = (self.line, start - self.line_start + 1);
        let begins =
            self.beginning(start).map_or_else(String::new, |found| format!("it begins with `{found}`; "));
        let message = format!(
            "This is not JSON: {begins}expected an object such as an EventBridge event or a CloudTrail record \
             (line {line}, column {column})"
        );
        Rejection::new(Reason::MalformedJson, message)
    }

    /// What the text begins with, masked before it is cut. What stands further down is not quoted: whether it is a
    /// secret, as a line of a private key, only the text before it tells.
    fn beginning(&self, start: usize) -> Option<String> {
        let (before, text) = self.text.split_at_checked(start)?;
        let visible =
            text.get(..text.floor_char_boundary(MAX_MASKED)).filter(|_| before.trim().is_empty())?;
        let masked = mask::text(visible);
        let line = masked.lines().next().unwrap_or_default();
        let quoted: String = line.chars().filter(|c| !c.is_control()).take(MAX_QUOTED).collect();
        Some(quoted.trim().to_owned()).filter(|quoted| !quoted.is_empty())
    }

    fn unfinished(&self, start: usize) -> Rejection {
        let (line, column) = (self.line, start - self.line_start + 1);
        let message =
            format!("The document that begins at line {line}, column {column} is cut: it does not end");
        Rejection::new(Reason::MalformedJson, message)
    }
}

/// What the parser says, for people who do not know its words.
fn plainly(error: &serde_json::Error) -> String {
    let said = error.to_string();
    match said.split(" at line ").next().unwrap_or_default() {
        "expected ident" => {
            "a word is none of `true`, `false` and `null`; texts stand in double quotes".to_owned()
        }
        "expected value" => "a value is missing, or is none that JSON has".to_owned(),
        "key must be a string" => "a field's name must stand in double quotes".to_owned(),
        "trailing comma" => "a comma stands before the closing bracket".to_owned(),
        other => other.to_owned(),
    }
}

fn too_deep(depth: usize) -> Rejection {
    let message = format!("The document nests {depth} levels deep, more than the {MAX_DEPTH} that are read");
    Rejection::new(Reason::TooDeep, message)
}
