//! The parser: one pass over the characters, which looks one character ahead. It descends at most [`MAX_DEPTH`]
//! parentheses, so no text exhausts the stack.

mod call;
mod cursor;
mod head;
mod value;

use crate::{Node, Op, Path, Regex, Selector, Step, Term};
use cursor::{Cursor, ends_value, misplaced};
use head::Head;

/// The longest selector that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// How many terms and values a selector may have together.
pub const MAX_TERMS: usize = 1000;
/// How deep parentheses may lie within one another.
pub const MAX_DEPTH: usize = 50;
/// How deep functions may lie within one another.
pub const MAX_CALLS: usize = 3;
/// How many steps a path may have.
pub const MAX_STEPS: usize = 32;
/// How many relations a walk may be told to follow.
pub const MAX_NESTING: u8 = 10;

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
    let mut parser = Parser { cursor: Cursor::new(text), budget: MAX_TERMS, depth: 0, calls: 0 };
    if !parser.cursor.skip_space() {
        return Ok(Selector::default());
    }
    let nodes = parser.alternatives(Within::Text)?;
    match parser.cursor.peek() {
        None => Ok(Selector { nodes }),
        Some(next) => Err(error(parser.cursor.column, misplaced(next))),
    }
}

fn error(column: usize, message: impl Into<String>) -> ParseError {
    ParseError { column, message: message.into() }
}

/// What a part of the text lies in, which decides what may follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// In nothing: the text itself.
    Text,
    /// In parentheses that group.
    Group,
    /// In the parentheses of a function, whose arguments commas separate.
    Call,
}

#[derive(Debug)]
struct Parser<'a> {
    cursor: Cursor<'a>,
    /// How many terms and values may still follow.
    budget: usize,
    /// How many parentheses are open.
    depth: usize,
    /// How many of them are those of functions.
    calls: usize,
}

impl Parser<'_> {
    /// Takes one from the budget.
    fn spend(&mut self, column: usize) -> Result<(), ParseError> {
        self.budget = self.budget.checked_sub(1).ok_or_else(|| {
            error(column, format!("more than {MAX_TERMS} terms and values; ask in several queries"))
        })?;
        Ok(())
    }

    /// Alternatives, as nodes that must all hold.
    fn alternatives(&mut self, within: Within) -> Result<Vec<Node>, ParseError> {
        let mut found: Vec<Node> = Vec::new();
        loop {
            let nodes = self.side_by_side(within)?;
            if !self.cursor.eat('|') {
                if found.is_empty() {
                    return Ok(nodes);
                }
                add_alternative(&mut found, nodes);
                return Ok(vec![Node::Any(found)]);
            }
            add_alternative(&mut found, nodes);
        }
    }

    /// Terms side by side: at least one.
    fn side_by_side(&mut self, within: Within) -> Result<Vec<Node>, ParseError> {
        let mut nodes = Vec::new();
        loop {
            let more = self.cursor.skip_space();
            let ended = match self.cursor.peek() {
                None | Some('|' | ')') => true,
                Some(',') => within == Within::Call,
                Some(_) => false,
            };
            if !more || ended {
                break;
            }
            match self.unary(within)? {
                Node::All(inner) => nodes.extend(inner),
                node @ (Node::Term(_) | Node::Not(_) | Node::Any(_)) => nodes.push(node),
            }
        }
        if nodes.is_empty() {
            return Err(error(self.cursor.column, self.missing(within)));
        }
        Ok(nodes)
    }

    /// What to say where a term must stand and none does.
    fn missing(&mut self, within: Within) -> String {
        match (self.cursor.peek(), within) {
            (Some(')'), Within::Text) => misplaced(')'),
            (Some(')' | ','), Within::Call) => {
                "the function needs a selector: `related(type=AWS::EC2::VPC)`".to_owned()
            }
            (Some(')'), Within::Group) => {
                "the parentheses hold nothing; put a term in, or remove them".to_owned()
            }
            (None, Within::Group | Within::Call) => "a parenthesis is never closed; add `)`".to_owned(),
            _ => "`|` needs a term on both sides: `a | b`".to_owned(),
        }
    }

    fn unary(&mut self, within: Within) -> Result<Node, ParseError> {
        let column = self.cursor.column;
        match self.cursor.peek() {
            Some(sign @ ('-' | '!')) => {
                self.cursor.next();
                match self.cursor.peek() {
                    None => Err(error(column, negates_nothing(sign))),
                    Some(next) if next.is_whitespace() || matches!(next, ')' | '|' | ',') => {
                        Err(error(column, negates_nothing(sign)))
                    }
                    Some('=') => Err(error(column, "there is no field before `!=`; write `field!=value`")),
                    Some(next @ ('-' | '!')) => Err(error(
                        self.cursor.column,
                        format!("`{sign}{next}` negates twice; leave both out, or write `{sign}({next}...)`"),
                    )),
                    Some(_) => Ok(Node::Not(Box::new(self.atom(within)?))),
                }
            }
            _ => self.atom(within),
        }
    }

    fn atom(&mut self, within: Within) -> Result<Node, ParseError> {
        let column = self.cursor.column;
        if self.cursor.peek() == Some('(') {
            let mut nodes = self.parenthesis(column, |parser| parser.alternatives(Within::Group))?;
            return Ok(match (nodes.len(), nodes.pop()) {
                (1, Some(only)) => only,
                (_, last) => {
                    nodes.extend(last);
                    Node::All(nodes)
                }
            });
        }
        self.term(within).map(Node::Term)
    }

    /// What stands between the parenthesis that opens here and its end.
    fn parenthesis<T>(
        &mut self,
        column: usize,
        read: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        self.cursor.next();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(error(column, format!("more than {MAX_DEPTH} parentheses within one another")));
        }
        let found = read(self)?;
        match self.cursor.peek() {
            Some(')') => self.cursor.next(),
            None => return Err(error(column, "this parenthesis is never closed; add `)`")),
            Some(next) => return Err(error(self.cursor.column, misplaced(next))),
        };
        self.depth -= 1;
        Ok(found)
    }

    fn term(&mut self, within: Within) -> Result<Term, ParseError> {
        self.spend(self.cursor.column)?;
        let head = self.cursor.head(within)?;
        if self.cursor.peek() == Some('(') {
            return self.call(&head);
        }
        match self.cursor.operator()? {
            Some(Operator::Compare(op)) => self.compare(head, op, within),
            Some(Operator::Matches { negated }) => self.matches(head, negated, within),
            None => head::word(head),
        }
    }

    fn compare(&mut self, head: Head, op: Op, within: Within) -> Result<Term, ParseError> {
        let column = head.column;
        let field = path(head)?;
        let first = self.cursor.column;
        let mut values = vec![self.cursor.value(op)?.pattern];
        while self.cursor.peek() == Some(',') && !(within == Within::Call && self.cursor.comma_separates()) {
            self.cursor.next();
            self.spend(self.cursor.column)?;
            let column = self.cursor.column;
            let value = self.cursor.value(op)?;
            if within == Within::Call && value.is_direction() {
                return Err(error(
                    column,
                    "write a space after the comma before the direction: `related(SELECTOR, out)`; quote it if it is \
                     a value",
                ));
            }
            values.push(value.pattern);
        }
        self.ends_here()?;
        if values.len() > 1 && !op.is_equality() {
            return Err(error(first, format!("`{op}` compares with one value; lists go with `=` and `!=`")));
        }
        Ok(Term::Compare { field, op, values, column })
    }

    fn matches(&mut self, head: Head, negated: bool, within: Within) -> Result<Term, ParseError> {
        let column = head.column;
        let field = path(head)?;
        let first = self.cursor.column;
        let source = self.cursor.pattern()?;
        if self.cursor.peek() == Some(',') && !(within == Within::Call && self.cursor.comma_separates()) {
            return Err(error(
                self.cursor.column,
                "`~` takes one pattern; quote it if the comma belongs to it, and write `a|b` in quotes for several",
            ));
        }
        if let Some('|' | '(') = self.cursor.peek() {
            return Err(error(
                self.cursor.column,
                "quote a pattern that has `|` or parentheses in it: `name~\"a|b\"`; or put a space before it",
            ));
        }
        self.ends_here()?;
        let regex = Regex::new(&source).map_err(|message| error(first, message))?;
        Ok(Term::Matches { field, negated, regex, column })
    }

    /// Refuses what may not follow a value.
    fn ends_here(&mut self) -> Result<(), ParseError> {
        match self.cursor.peek() {
            Some('(') => Err(error(
                self.cursor.column,
                "a group needs a space before it; quote the text if the parenthesis belongs to it",
            )),
            Some(next) if !next.is_whitespace() && !ends_value(next) => {
                Err(error(self.cursor.column, misplaced(next)))
            }
            _ => Ok(()),
        }
    }
}

/// What stands between a field and its value.
#[derive(Debug, Clone, Copy)]
enum Operator {
    Compare(Op),
    Matches { negated: bool },
}

/// Alternatives of which one is again alternatives are one list of them.
fn add_alternative(found: &mut Vec<Node>, mut nodes: Vec<Node>) {
    match (nodes.len(), nodes.pop()) {
        (1, Some(Node::Any(inner))) => found.extend(inner),
        (1, Some(only)) => found.push(only),
        (_, last) => {
            nodes.extend(last);
            found.push(Node::All(nodes));
        }
    }
}

fn negates_nothing(sign: char) -> String {
    format!(
        "`{sign}` negates the term right after it: `{sign}field=value` or `{sign}(a b)`; quote it to search for it"
    )
}

/// The field that a head names.
fn path(head: Head) -> Result<Path, ParseError> {
    let column = head.column;
    let mut steps = Vec::new();
    for segment in head.segments {
        if segment.text.is_empty() {
            return Err(error(
                segment.column,
                "the field has an empty part; write it like `tags.env` or `tags.\"a b\"`",
            ));
        }
        steps.push(Step::Key(segment.text));
        steps.extend(segment.elements.map_err(|at| error(at, head::BAD_ELEMENT))?);
    }
    if steps.len() > MAX_STEPS {
        return Err(error(column, format!("the field has more than {MAX_STEPS} parts")));
    }
    Ok(Path { steps })
}
