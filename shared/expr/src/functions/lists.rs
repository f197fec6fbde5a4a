//! Lists.

use std::cmp::Ordering;

use super::{Function, Outcome, both, global, items, math, member, no_overload, sets, strings};
use crate::{
    budget::{Budget, Trouble},
    eval::add,
    value::{Val, compare},
};

pub(super) const FUNCTIONS: &[Function] = &[
    member("distinct", 1, 1, distinct),
    member("uniq", 1, 1, distinct),
    member("flatten", 1, 2, flatten),
    both("sort", 1, 1, sort),
    global("Sort", 1, 1, sort),
    member("sum", 1, 1, sum),
    member("min", 1, 1, |budget, args| math::extreme("min", budget, args, Ordering::is_lt)),
    member("max", 1, 1, |budget, args| math::extreme("max", budget, args, Ordering::is_gt)),
    member("slice", 3, 3, slice),
    member("reverse", 1, 1, reverse),
    global("lists.range", 1, 1, range),
    both("first", 1, 1, |budget, args| end("first", budget, args, |items| items.into_iter().next())),
    both("last", 1, 1, |budget, args| end("last", budget, args, |mut items| items.pop())),
    global("Has", 2, 2, |budget, args| match args {
        [list, value] => Ok(Val::Bool(sets::has(&items("Has", list, budget)?, value, budget)?)),
        _ => Err(no_overload("Has", args)),
    }),
    member("isSorted", 1, 1, is_sorted),
];

fn distinct<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [list] = args else { return Err(no_overload("distinct", args)) };
    let mut seen: Vec<Val<'a>> = Vec::new();
    for item in items("distinct", list, budget)? {
        if !sets::has(&seen, &item, budget)? {
            budget.made(32)?;
            seen.push(item);
        }
    }
    Ok(Val::list(seen))
}

/// Lists within the list are put in its place, one level of them without a number.
fn flatten<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let (list, depth) = match args {
        [list] => (list, 1),
        [list, Val::Int(depth)] if (0..=100).contains(depth) => (list, *depth),
        _ => return Err(no_overload("flatten", args)),
    };
    let mut flat = items("flatten", list, budget)?;
    for _ in 0..depth {
        if !flat.iter().any(|item| matches!(item, Val::List(_) | Val::Items(_))) {
            break;
        }
        let mut next = Vec::new();
        for item in flat {
            match item {
                Val::List(_) | Val::Items(_) => next.extend(items("flatten", &item, budget)?),
                other => next.push(other),
            }
        }
        budget.made(next.len() * 32)?;
        flat = next;
    }
    Ok(Val::list(flat))
}

/// The elements in order; all are of one type. Of a text its characters.
fn sort<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    if let [Val::Text(text)] = args {
        let mut characters = strings::characters(text, budget)?;
        characters.sort_unstable();
        return super::made(characters.into_iter().collect(), budget);
    }
    let [list] = args else { return Err(no_overload("sort", args)) };
    let mut sorted = items("sort", list, budget)?;
    budget.made(sorted.len() * 32)?;
    budget.steps(sorted.len().saturating_mul(4))?;
    comparable(&sorted)?;
    sorted.sort_by(|a, b| compare(a, b).ok().flatten().unwrap_or(Ordering::Equal));
    Ok(Val::list(sorted))
}

fn comparable(values: &[Val<'_>]) -> Result<(), Trouble> {
    let Some(first) = values.first() else { return Ok(()) };
    values.iter().try_for_each(|value| compare(first, value).map(|_| ()))
}

fn is_sorted<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [list] = args else { return Err(no_overload("isSorted", args)) };
    let list = items("isSorted", list, budget)?;
    comparable(&list)?;
    Ok(Val::Bool(list.is_sorted_by(|a, b| compare(a, b).ok().flatten().is_some_and(Ordering::is_le))))
}

fn sum<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [list] = args else { return Err(no_overload("sum", args)) };
    let mut list = items("sum", list, budget)?.into_iter();
    let Some(first) = list.next() else { return Ok(Val::Int(0)) };
    if !matches!(first, Val::Int(_) | Val::Uint(_) | Val::Double(_) | Val::Duration(_)) {
        return Err(no_overload("sum", &[first]));
    }
    let mut total = first;
    for item in list {
        total = match (&total, &item) {
            (Val::Double(_), Val::Int(_)) | (Val::Int(_), Val::Double(_)) => {
                add(math::as_double(&total), &math::as_double(&item), budget)?
            }
            _ => add(total, &item, budget)?,
        };
    }
    Ok(total)
}

fn slice<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [list, Val::Int(from), Val::Int(to)] = args else { return Err(no_overload("slice", args)) };
    let list = items("slice", list, budget)?;
    let range = usize::try_from(*from).ok().zip(usize::try_from(*to).ok());
    let part = range.and_then(|(from, to)| list.get(from..to)).ok_or_else(|| {
        Trouble::no_value(format!("slice({from}, {to}) of a list of {} elements", list.len()))
    })?;
    Ok(Val::list(part.to_vec()))
}

fn reverse<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Text(text)] => {
            super::made(strings::characters(text, budget)?.into_iter().rev().collect(), budget)
        }
        [list] => {
            let mut list = items("reverse", list, budget)?;
            list.reverse();
            Ok(Val::list(list))
        }
        _ => Err(no_overload("reverse", args)),
    }
}

fn range<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [Val::Int(end)] = args else { return Err(no_overload("lists.range", args)) };
    let length = usize::try_from(*end).unwrap_or(0);
    budget.steps(length)?;
    budget.made(length.saturating_mul(32))?;
    Ok(Val::list((0..*end).map(Val::Int).collect()))
}

/// An end of a list, or of the values of a map by key; null of an empty one.
fn end<'a>(
    name: &str,
    budget: &Budget,
    args: &[Val<'a>],
    of: fn(Vec<Val<'a>>) -> Option<Val<'a>>,
) -> Outcome<'a> {
    let [container] = args else { return Err(no_overload(name, args)) };
    let values = match container.entries() {
        Some(entries) => entries.into_iter().map(|(_, value)| value).collect(),
        None => items(name, container, budget)?,
    };
    budget.steps(values.len())?;
    Ok(of(values).unwrap_or(Val::Null))
}
