//! The search language: text in, a syntax tree out.
//!
//! Terms side by side must all hold, `|` separates alternatives, parentheses group, `-` or `!` right before a term
//! negates it. The tree is the only meaning: `catalog` compiles it to SQL, `rules` matches single resources with it, and
//! tests hold the two equal. [`check`] says what a tree may name in a place; what a value is (a number, an instant, a
//! size) is read here, for both. Parsing never fails silently: an error names the column.

mod display;
mod fields;
pub mod literal;
mod parse;
mod regex;
#[cfg(test)]
mod tests;

pub use fields::{CHANGES, FINDINGS, Kind, RESOURCES, RULES, Schema, check};
pub use parse::{MAX_BYTES, MAX_CALLS, MAX_DEPTH, MAX_NESTING, MAX_STEPS, MAX_TERMS, ParseError, parse};
pub use regex::{MAX_PATTERN, Regex};

/// A set of things, described: all nodes must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// The top-level conjunction, in the order of the text.
    pub nodes: Vec<Node>,
}

/// A part of a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// One condition.
    Term(Term),
    /// What is not so, or not known to be so.
    Not(Box<Self>),
    /// All must hold; at least two, none of which is an `All`.
    All(Vec<Self>),
    /// Any must hold; at least two, none of which is an `Any`.
    Any(Vec<Self>),
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// `field op value,value`: true when any value (for `!=`: no value) matches.
    Compare {
        /// What is looked at.
        field: Path,
        /// The comparison.
        op: Op,
        /// At least one value.
        values: Vec<Pattern>,
        /// The column of the field in the text, from 1.
        column: usize,
    },
    /// `field~pattern`: true when the pattern is found anywhere in a text of the field; `field!~pattern` when it is not.
    Matches {
        /// What is looked at.
        field: Path,
        /// Whether it must not be found.
        negated: bool,
        /// What is looked for.
        regex: Regex,
        /// The column of the field in the text, from 1.
        column: usize,
    },
    /// A free word: matches texts that contain it, whatever the case.
    Word(String),
    /// A function.
    Call {
        /// What is asked.
        call: Call,
        /// The column of the function in the text, from 1.
        column: usize,
    },
}

/// A question that reaches beyond the thing itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// `related(SELECTOR, direction, depth)`: within so many relations of a resource that the selector describes.
    Related {
        /// The resources to start from.
        selector: Selector,
        /// Which way, as those see it.
        direction: Direction,
        /// How many relations at most, from 1.
        depth: u8,
    },
    /// `changed(SELECTOR)`: a change that the selector describes touched it.
    Changed(Selector),
    /// `finding(SELECTOR)`: a finding that the selector describes is about it.
    Finding(Selector),
}

/// Which way relations are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To what points at them.
    In,
    /// To what they point at.
    Out,
    /// Both ways.
    Both,
}

impl Direction {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::Both => "both",
        }
    }
}

/// What a condition looks at: a field, and a place within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// From the field inwards; the first is its name.
    pub steps: Vec<Step>,
}

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The member of an object.
    Key(String),
    /// The element of an array, from 0.
    Index(u32),
    /// Every element of an array.
    Every,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

impl Op {
    /// Whether it asks for equality or its opposite, rather than for an order.
    #[must_use]
    pub fn is_equality(self) -> bool {
        match self {
            Self::Equal | Self::NotEqual => true,
            Self::Greater | Self::GreaterOrEqual | Self::Less | Self::LessOrEqual => false,
        }
    }
}

/// A value, perhaps with wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Exactly this text.
    Exact(String),
    /// Literal pieces between `*`s: `web-*` is `["web-", ""]`. `*` alone matches any value there is.
    Wild(Vec<String>),
}

impl Pattern {
    /// Whether it asks only that there is a value.
    #[must_use]
    pub fn is_any(&self) -> bool {
        matches!(self, Self::Wild(pieces) if pieces.iter().all(String::is_empty))
    }
}

impl Selector {
    /// The nodes that must all hold.
    #[must_use]
    pub fn conjuncts(&self) -> &[Node] {
        &self.nodes
    }

    /// A selector of terms that must all hold.
    #[must_use]
    pub fn of_terms(terms: impl IntoIterator<Item = Term>) -> Self {
        Self { nodes: terms.into_iter().map(Node::Term).collect() }
    }

    /// Every term, however deep, in the order of the text; not those within functions.
    #[must_use]
    pub fn terms(&self) -> Vec<&Term> {
        let mut found = Vec::new();
        self.nodes.iter().for_each(|node| node.collect(&mut found));
        found
    }
}

impl Node {
    /// The condition, where it is one by itself.
    #[must_use]
    pub fn as_term(&self) -> Option<&Term> {
        match self {
            Self::Term(term) => Some(term),
            Self::Not(_) | Self::All(_) | Self::Any(_) => None,
        }
    }

    fn collect<'a>(&'a self, found: &mut Vec<&'a Term>) {
        match self {
            Self::Term(term) => found.push(term),
            Self::Not(node) => node.collect(found),
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().for_each(|node| node.collect(found)),
        }
    }
}

impl Term {
    /// `field=value`, for a field without parts.
    #[must_use]
    pub fn equals(field: &str, value: &str) -> Self {
        let values = vec![Pattern::Exact(value.to_owned())];
        Self::Compare { field: Path::of(field), op: Op::Equal, values, column: 1 }
    }

    /// What it looks at; nothing for words and functions.
    #[must_use]
    pub fn field(&self) -> Option<&Path> {
        match self {
            Self::Compare { field, .. } | Self::Matches { field, .. } => Some(field),
            Self::Word(_) | Self::Call { .. } => None,
        }
    }
}

impl Path {
    /// A field without parts.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self { steps: vec![Step::Key(name.to_owned())] }
    }

    /// The field's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.steps.first() {
            Some(Step::Key(name)) => name,
            Some(Step::Index(_) | Step::Every) | None => "",
        }
    }

    /// The steps within the field.
    #[must_use]
    pub fn within(&self) -> &[Step] {
        self.steps.get(1..).unwrap_or_default()
    }

    /// Whether it is this field, as a whole.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.steps.len() == 1 && self.name() == name
    }

    /// The key that the steps name in a map of texts, whose keys may have dots in them. Nothing where a step is no key.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        let keys: Option<Vec<&str>> = self
            .within()
            .iter()
            .map(|step| match step {
                Step::Key(key) => Some(key.as_str()),
                Step::Index(_) | Step::Every => None,
            })
            .collect();
        keys.filter(|keys| !keys.is_empty()).map(|keys| keys.join("."))
    }
}
