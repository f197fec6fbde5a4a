//! Lists as sets.

use super::{Function, Outcome, global, items, no_overload};
use crate::{
    budget::{Budget, Trouble},
    value::{Val, equal},
};

pub(super) const FUNCTIONS: &[Function] = &[
    global("sets.contains", 2, 2, |budget, args| match args {
        [a, b] => within("sets.contains", b, a, budget).map(Val::Bool),
        _ => Err(no_overload("sets.contains", args)),
    }),
    global("sets.equivalent", 2, 2, |budget, args| match args {
        [a, b] => Ok(Val::Bool(
            within("sets.equivalent", a, b, budget)? && within("sets.equivalent", b, a, budget)?,
        )),
        _ => Err(no_overload("sets.equivalent", args)),
    }),
    global("sets.intersects", 2, 2, intersects),
];

/// Whether a list has a value.
pub(super) fn has(list: &[Val<'_>], value: &Val<'_>, budget: &Budget) -> Result<bool, Trouble> {
    for item in list {
        if equal(item, value, budget)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn within(name: &str, a: &Val<'_>, b: &Val<'_>, budget: &Budget) -> Result<bool, Trouble> {
    let (a, b) = (items(name, a, budget)?, items(name, b, budget)?);
    for value in &a {
        if !has(&b, value, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn intersects<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [a, b] = args else { return Err(no_overload("sets.intersects", args)) };
    let (a, b) = (items("sets.intersects", a, budget)?, items("sets.intersects", b, budget)?);
    for value in &a {
        if has(&b, value, budget)? {
            return Ok(Val::Bool(true));
        }
    }
    Ok(Val::Bool(false))
}
