//! A selector as text. Reading the text again gives the same tree.

use std::fmt::{Display, Formatter, Result, Write as _};

use crate::{Call, Node, Op, Path, Pattern, Regex, Selector, Step, Term};

impl Display for Selector {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.nodes.as_slice() {
            // Nothing stands beside it, so it needs no parentheses.
            [Node::Any(nodes)] => alternatives(nodes, f),
            nodes => side_by_side(nodes, f),
        }
    }
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Term(term) => term.fmt(f),
            Self::Not(node) => match &**node {
                Self::Term(term) => write!(f, "-{term}"),
                group @ (Self::All(_) | Self::Any(_)) => write!(f, "-{group}"),
                negated @ Self::Not(_) => write!(f, "-({negated})"),
            },
            Self::All(nodes) => {
                f.write_char('(')?;
                side_by_side(nodes, f)?;
                f.write_char(')')
            }
            Self::Any(nodes) => {
                f.write_char('(')?;
                alternatives(nodes, f)?;
                f.write_char(')')
            }
        }
    }
}

fn side_by_side(nodes: &[Node], f: &mut Formatter<'_>) -> Result {
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            f.write_char(' ')?;
        }
        node.fmt(f)?;
    }
    Ok(())
}

fn alternatives(nodes: &[Node], f: &mut Formatter<'_>) -> Result {
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            f.write_str(" | ")?;
        }
        match node {
            Node::All(nodes) => side_by_side(nodes, f)?,
            other => other.fmt(f)?,
        }
    }
    Ok(())
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Word(text) if is_bare(text) && !matches!(text.as_str(), "AND" | "OR" | "NOT") => {
                f.write_str(text)
            }
            Self::Word(text) => quote(text, f),
            Self::Compare { field, op, values, column: _ } => {
                write!(f, "{field}{op}")?;
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        f.write_char(',')?;
                    }
                    value.fmt(f)?;
                }
                Ok(())
            }
            Self::Matches { field, negated, regex, column: _ } => {
                write!(f, "{field}{}{regex}", if *negated { "!~" } else { "~" })
            }
            Self::Call { call, column: _ } => call.fmt(f),
        }
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Related { selector, direction, depth } => {
                write!(f, "related({selector}, {}, {depth})", direction.word())
            }
            Self::Changed(selector) => write!(f, "changed({selector})"),
            Self::Finding(selector) => write!(f, "finding({selector})"),
        }
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (index, step) in self.steps.iter().enumerate() {
            match step {
                Step::Key(key) => {
                    if index > 0 {
                        f.write_char('.')?;
                    }
                    if is_bare(key) && !key.contains('.') { f.write_str(key)? } else { quote(key, f)? }
                }
                Step::Index(at) => write!(f, "[{at}]")?,
                Step::Every => f.write_str("[*]")?,
            }
        }
        Ok(())
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
            // Bare, these could be meant for the direction of `related`.
            Self::Exact(text) if is_bare(text) && !matches!(text.as_str(), "in" | "out" | "both") => {
                f.write_str(text)
            }
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

impl Display for Regex {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if is_bare(self.as_str()) { f.write_str(self.as_str()) } else { quote(self.as_str(), f) }
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
