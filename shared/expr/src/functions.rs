//! The functions that an expression may call.

mod convert;
mod encode;
mod format;
mod lists;
mod maps;
mod math;
pub(crate) mod net;
mod optional;
pub(crate) mod regex;
mod sets;
mod strings;
mod text;
pub(crate) mod time;
mod units;

use crate::{
    budget::{Budget, Trouble},
    value::Val,
};

/// What a function gives.
pub(crate) type Outcome<'a> = Result<Val<'a>, Trouble>;

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `size(x)`
    Global,
    /// `x.size()`
    Member,
}

/// A function.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    styles: &'static [Style],
    /// How many arguments, with the value before the dot.
    pub(crate) least: u8,
    pub(crate) most: u8,
    pub(crate) call: for<'a> fn(&Budget, &[Val<'a>]) -> Outcome<'a>,
}

type Call = for<'a> fn(&Budget, &[Val<'a>]) -> Outcome<'a>;

const fn global(name: &'static str, least: u8, most: u8, call: Call) -> Function {
    Function { name, styles: &[Style::Global], least, most, call }
}

const fn member(name: &'static str, least: u8, most: u8, call: Call) -> Function {
    Function { name, styles: &[Style::Member], least, most, call }
}

const fn both(name: &'static str, least: u8, most: u8, call: Call) -> Function {
    Function { name, styles: &[Style::Global, Style::Member], least, most, call }
}

const TABLES: &[&[Function]] = &[
    convert::FUNCTIONS,
    text::FUNCTIONS,
    strings::FUNCTIONS,
    lists::FUNCTIONS,
    maps::FUNCTIONS,
    sets::FUNCTIONS,
    math::FUNCTIONS,
    time::FUNCTIONS,
    regex::FUNCTIONS,
    optional::FUNCTIONS,
    encode::FUNCTIONS,
    net::FUNCTIONS,
    units::FUNCTIONS,
];

/// The function of a name.
pub(crate) fn find(name: &str, style: Style) -> Option<&'static Function> {
    TABLES.iter().flat_map(|table| table.iter()).find(|f| f.name == name && f.styles.contains(&style))
}

/// The names of the functions.
pub(crate) fn names(style: Style) -> impl Iterator<Item = &'static str> {
    TABLES
        .iter()
        .flat_map(|table| table.iter())
        .filter(move |function| function.styles.contains(&style))
        .map(|function| function.name)
}

/// Whether functions have names that begin with this one and a dot.
pub(crate) fn is_namespace(name: &str) -> bool {
    names(Style::Global).any(|function| function.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// No overload of a function takes these.
fn no_overload(name: &str, args: &[Val<'_>]) -> Trouble {
    let given: Vec<&str> = args.iter().map(Val::described).collect();
    Trouble::no_value(format!("{name}() is not for {}", given.join(", ")))
}

/// A count as an `int`.
fn int<'a>(count: usize) -> Val<'a> {
    Val::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// The elements of a list, paid for.
fn items<'a>(name: &str, list: &Val<'a>, budget: &Budget) -> Result<Vec<Val<'a>>, Trouble> {
    budget.steps(list.len().unwrap_or(0))?;
    list.items().ok_or_else(|| no_overload(name, std::slice::from_ref(list)))
}

/// A text that was made, paid for.
fn made<'a>(text: String, budget: &Budget) -> Outcome<'a> {
    budget.made(text.len())?;
    Ok(Val::text(text))
}
