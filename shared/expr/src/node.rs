//! An expression as it is evaluated: names resolved, functions found, constants made.

use crate::{functions::Function, value::Val};

/// One operation.
#[derive(Debug)]
pub(crate) enum Node {
    Constant(Val<'static>),
    /// A name that there is not, in an expression that is not checked.
    Unknown(String),
    /// A variable of the scope.
    Variable(String),
    /// A variable of a loop or of `cel.bind`, by its place.
    Local(usize),
    Select {
        of: Box<Self>,
        field: String,
        /// Whether a text here is an instant or a length of time.
        time: bool,
    },
    OptionalSelect {
        of: Box<Self>,
        field: String,
    },
    Has {
        of: Box<Self>,
        field: String,
    },
    Index {
        of: Box<Self>,
        index: Box<Self>,
        optional: bool,
    },
    Not(Box<Self>),
    Negate(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
    /// A first operand, and what is done to it one after the other.
    Chain(Box<Self>, Vec<(Operator, Self)>),
    Condition(Box<[Self; 3]>),
    List(Vec<Element>),
    Map(Vec<Entry>),
    Call(&'static Function, Vec<Self>),
    /// A regular expression that is known beforehand.
    Matches(Box<Self>, regex::Regex),
    Loop(Box<Loop>),
    /// Values that the last node may name.
    Bind(Vec<Self>, Box<Self>),
    /// What is done to the value of an optional, if it has one.
    OptionalMap {
        of: Box<Self>,
        body: Box<Self>,
        /// Whether the body gives an optional itself.
        flat: bool,
    },
}

/// An element of a list.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) value: Node,
    pub(crate) optional: bool,
}

/// An entry of a map.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: Node,
    pub(crate) value: Node,
    pub(crate) optional: bool,
}

/// An operator with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

/// A macro that goes through a list or a map.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) kind: LoopKind,
    pub(crate) over: Node,
    /// Whether it names two variables: index and element, or key and value.
    pub(crate) pairs: bool,
    pub(crate) filter: Option<Node>,
    pub(crate) body: Node,
}

/// What a loop makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoopKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    List,
    Map,
    MapEntry,
    SortBy,
}
