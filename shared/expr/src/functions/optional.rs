//! Optional values.

use super::{Function, Outcome, global, member, no_overload};
use crate::{
    budget::{Budget, Trouble},
    value::Val,
};

pub(super) const FUNCTIONS: &[Function] = &[
    global("optional.none", 0, 0, |_, _| Ok(Val::Optional(None))),
    global("optional.of", 1, 1, |_, args| match args {
        [value] => Ok(Val::some(value.clone())),
        _ => Err(no_overload("optional.of", args)),
    }),
    global("optional.ofNonZeroValue", 1, 1, |_, args| match args {
        [value] if is_zero(value) => Ok(Val::Optional(None)),
        [value] => Ok(Val::some(value.clone())),
        _ => Err(no_overload("optional.ofNonZeroValue", args)),
    }),
    global("optional.unwrap", 1, 1, unwrap),
    member("unwrapOpt", 1, 1, unwrap),
    member("hasValue", 1, 1, |_, args| match args {
        [Val::Optional(inner)] => Ok(Val::Bool(inner.is_some())),
        _ => Err(no_overload("hasValue", args)),
    }),
    member("value", 1, 1, |_, args| match args {
        [Val::Optional(Some(inner))] => Ok((**inner).clone()),
        [Val::Optional(None)] => Err(Trouble::no_value("the optional has no value")),
        _ => Err(no_overload("value", args)),
    }),
    member("or", 2, 2, |_, args| match args {
        [value @ Val::Optional(Some(_)), Val::Optional(_)]
        | [Val::Optional(None), value @ Val::Optional(_)] => Ok(value.clone()),
        _ => Err(no_overload("or", args)),
    }),
    member("orValue", 2, 2, |_, args| match args {
        [Val::Optional(Some(inner)), _] => Ok((**inner).clone()),
        [Val::Optional(None), other] => Ok(other.clone()),
        _ => Err(no_overload("orValue", args)),
    }),
    global("coalesce", 1, 16, coalesce),
];

fn is_zero(value: &Val<'_>) -> bool {
    match value {
        Val::Null | Val::Optional(None) => true,
        Val::Bool(value) => !value,
        Val::Int(number) => *number == 0,
        Val::Uint(number) => *number == 0,
        Val::Double(number) => *number == 0.0,
        Val::Duration(nanos) => *nanos == 0,
        Val::Text(text) => text.is_empty(),
        Val::Bytes(bytes) => bytes.is_empty(),
        Val::Time(at) => at.timestamp() == 0,
        _ => value.len() == Some(0),
    }
}

fn unwrap<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [list] = args else { return Err(no_overload("optional.unwrap", args)) };
    let mut values = Vec::new();
    for item in super::items("optional.unwrap", list, budget)? {
        match item {
            Val::Optional(inner) => values.extend(inner.map(|inner| (*inner).clone())),
            other => return Err(no_overload("optional.unwrap", &[other])),
        }
    }
    Ok(Val::list(values))
}

/// The first value that is neither null nor empty text; null where there is none.
fn coalesce<'a>(_: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let found = args.iter().find_map(|value| {
        let value = match value {
            Val::Optional(inner) => inner.as_deref()?,
            value => value,
        };
        let empty = matches!(value, Val::Null) || matches!(value, Val::Text(text) if text.is_empty());
        (!empty).then(|| value.clone())
    });
    Ok(found.unwrap_or(Val::Null))
}
