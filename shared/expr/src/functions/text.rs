//! The standard functions of text.

use super::{Function, Outcome, member, no_overload};
use crate::{budget::Budget, value::Val};

pub(super) const FUNCTIONS: &[Function] = &[
    member("contains", 2, 2, contains),
    member("startsWith", 2, 2, starts_with),
    member("endsWith", 2, 2, ends_with),
];

fn contains<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Text(text), Val::Text(part)] => {
            budget.steps(1 + text.len() / 16)?;
            Ok(Val::Bool(text.contains(&**part)))
        }
        _ => Err(no_overload("contains", args)),
    }
}

fn starts_with<'a>(_: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Text(text), Val::Text(part)] => Ok(Val::Bool(text.starts_with(&**part))),
        _ => Err(no_overload("startsWith", args)),
    }
}

fn ends_with<'a>(_: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Text(text), Val::Text(part)] => Ok(Val::Bool(text.ends_with(&**part))),
        _ => Err(no_overload("endsWith", args)),
    }
}
