//! Numbers.

use std::cmp::Ordering;

use super::{Function, Outcome, global, items, no_overload};
use crate::{
    budget::{Budget, Trouble},
    eval::add,
    value::{Val, compare},
};

pub(super) const FUNCTIONS: &[Function] = &[
    global("math.greatest", 1, 32, |budget, args| extreme("math.greatest", budget, args, Ordering::is_gt)),
    global("math.least", 1, 32, |budget, args| extreme("math.least", budget, args, Ordering::is_lt)),
    global("math.ceil", 1, 1, |_, args| rounded("math.ceil", args, f64::ceil)),
    global("math.floor", 1, 1, |_, args| rounded("math.floor", args, f64::floor)),
    global("math.round", 1, 1, |_, args| rounded("math.round", args, f64::round)),
    global("math.trunc", 1, 1, |_, args| rounded("math.trunc", args, f64::trunc)),
    global("math.abs", 1, 1, abs),
    global("math.sign", 1, 1, sign),
    global("math.sqrt", 1, 1, |_, args| match args {
        [value @ (Val::Int(_) | Val::Uint(_) | Val::Double(_))] => Ok(Val::Double(double(value).sqrt())),
        _ => Err(no_overload("math.sqrt", args)),
    }),
    global("math.isNaN", 1, 1, |_, args| is("math.isNaN", args, f64::is_nan)),
    global("math.isInf", 1, 1, |_, args| is("math.isInf", args, f64::is_infinite)),
    global("math.isFinite", 1, 1, |_, args| is("math.isFinite", args, f64::is_finite)),
    global("math.bitAnd", 2, 2, |_, args| bits("math.bitAnd", args, |a, b| a & b)),
    global("math.bitOr", 2, 2, |_, args| bits("math.bitOr", args, |a, b| a | b)),
    global("math.bitXor", 2, 2, |_, args| bits("math.bitXor", args, |a, b| a ^ b)),
    global("math.bitNot", 1, 1, |_, args| match args {
        [Val::Int(number)] => Ok(Val::Int(!number)),
        [Val::Uint(number)] => Ok(Val::Uint(!number)),
        _ => Err(no_overload("math.bitNot", args)),
    }),
    global("math.bitShiftLeft", 2, 2, |_, args| shifted("math.bitShiftLeft", args, u64::checked_shl)),
    global("math.bitShiftRight", 2, 2, |_, args| shifted("math.bitShiftRight", args, u64::checked_shr)),
    global("math.Add", 1, 1, |budget, args| {
        folded("math.Add", budget, args, |a, b, budget| add(a, b, budget))
    }),
    global("math.Mul", 1, 1, |budget, args| folded("math.Mul", budget, args, |a, b, _| product(&a, b))),
    global("math.Rem", 2, 2, |_, args| match args {
        [Val::Int(a), Val::Int(b)] => {
            a.checked_rem(*b).map(Val::Int).ok_or_else(|| Trouble::no_value("a division by zero"))
        }
        _ => Err(no_overload("math.Rem", args)),
    }),
    global("math.Pow", 2, 2, power),
    global("math.Seq", 1, 1, sequence),
    global("math.Abs", 1, 1, abs),
    global("math.Ceil", 1, 1, |_, args| whole("math.Ceil", args, f64::ceil)),
    global("math.Floor", 1, 1, |_, args| whole("math.Floor", args, f64::floor)),
];

/// A number as a double.
#[expect(clippy::cast_precision_loss, reason = "the nearest double is wanted")]
fn double(value: &Val<'_>) -> f64 {
    match value {
        Val::Int(number) => *number as f64,
        Val::Uint(number) => *number as f64,
        Val::Double(number) => *number,
        _ => f64::NAN,
    }
}

pub(super) fn as_double<'a>(value: &Val<'a>) -> Val<'a> {
    Val::Double(double(value))
}

fn is_number(value: &Val<'_>) -> bool {
    matches!(value, Val::Int(_) | Val::Uint(_) | Val::Double(_))
}

/// The greatest or the least of the arguments, or of the elements of the one list.
pub(super) fn extreme<'a>(
    name: &str,
    budget: &Budget,
    args: &[Val<'a>],
    better: fn(Ordering) -> bool,
) -> Outcome<'a> {
    let math = name.starts_with("math.");
    let values = match args {
        [list @ (Val::List(_) | Val::Items(_))] => items(name, list, budget)?,
        _ if math => args.to_vec(),
        _ => return Err(no_overload(name, args)),
    };
    let mut values = values.into_iter();
    let mut best = values.next().ok_or_else(|| Trouble::no_value(format!("{name}() of nothing")))?;
    if math && !is_number(&best) {
        return Err(no_overload(name, &[best]));
    }
    for value in values {
        if math && !is_number(&value) {
            return Err(no_overload(name, &[value]));
        }
        if compare(&value, &best)?.is_some_and(better) {
            best = value;
        }
    }
    Ok(best)
}

fn rounded<'a>(name: &str, args: &[Val<'a>], how: fn(f64) -> f64) -> Outcome<'a> {
    match args {
        [Val::Double(number)] => Ok(Val::Double(how(*number))),
        _ => Err(no_overload(name, args)),
    }
}

/// A number without its fraction, as an `int`.
fn whole<'a>(name: &str, args: &[Val<'a>], how: fn(f64) -> f64) -> Outcome<'a> {
    match args {
        [value @ Val::Int(_)] => Ok(value.clone()),
        #[expect(clippy::cast_possible_truncation, reason = "a cast of floats saturates")]
        [Val::Double(number)] if number.is_finite() => Ok(Val::Int(how(*number) as i64)),
        _ => Err(no_overload(name, args)),
    }
}

fn is<'a>(name: &str, args: &[Val<'a>], how: fn(f64) -> bool) -> Outcome<'a> {
    match args {
        [Val::Double(number)] => Ok(Val::Bool(how(*number))),
        _ => Err(no_overload(name, args)),
    }
}

fn abs<'a>(_: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Int(number)] => number
            .checked_abs()
            .map(Val::Int)
            .ok_or_else(|| Trouble::no_value("the number is too large for its type")),
        [Val::Uint(number)] => Ok(Val::Uint(*number)),
        [Val::Double(number)] => Ok(Val::Double(number.abs())),
        _ => Err(no_overload("math.abs", args)),
    }
}

fn sign<'a>(_: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Int(number)] => Ok(Val::Int(number.signum())),
        [Val::Uint(number)] => Ok(Val::Uint(u64::from(*number > 0))),
        [Val::Double(number)] if *number == 0.0 || number.is_nan() => Ok(Val::Double(*number)),
        [Val::Double(number)] => Ok(Val::Double(number.signum())),
        _ => Err(no_overload("math.sign", args)),
    }
}

fn bits<'a>(name: &str, args: &[Val<'a>], how: fn(u64, u64) -> u64) -> Outcome<'a> {
    match args {
        [Val::Int(a), Val::Int(b)] => Ok(Val::Int(how(a.cast_unsigned(), b.cast_unsigned()).cast_signed())),
        [Val::Uint(a), Val::Uint(b)] => Ok(Val::Uint(how(*a, *b))),
        _ => Err(no_overload(name, args)),
    }
}

fn shifted<'a>(name: &str, args: &[Val<'a>], how: fn(u64, u32) -> Option<u64>) -> Outcome<'a> {
    let [value, Val::Int(by)] = args else { return Err(no_overload(name, args)) };
    let by = u64::try_from(*by).map_err(|_| Trouble::no_value(format!("{name}() by a negative number")))?;
    let shift = |number| u32::try_from(by).ok().and_then(|by| how(number, by)).unwrap_or(0);
    match value {
        Val::Int(number) => Ok(Val::Int(shift(number.cast_unsigned()).cast_signed())),
        Val::Uint(number) => Ok(Val::Uint(shift(*number))),
        _ => Err(no_overload(name, args)),
    }
}

fn folded<'a>(
    name: &str,
    budget: &Budget,
    args: &[Val<'a>],
    how: fn(Val<'a>, &Val<'a>, &Budget) -> Outcome<'a>,
) -> Outcome<'a> {
    let [list] = args else { return Err(no_overload(name, args)) };
    let mut list = items(name, list, budget)?.into_iter();
    let first = list.next().filter(is_number).ok_or_else(|| no_overload(name, args))?;
    list.try_fold(first, |total, item| how(total, &item, budget))
}

fn product<'a>(a: &Val<'a>, b: &Val<'a>) -> Outcome<'a> {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => a
            .checked_mul(*b)
            .map(Val::Int)
            .ok_or_else(|| Trouble::no_value("the number is too large for its type")),
        (a, b) if is_number(a) && is_number(b) => Ok(Val::Double(double(a) * double(b))),
        _ => Err(no_overload("math.Mul", &[a.clone(), b.clone()])),
    }
}

fn power<'a>(_: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Int(base), Val::Int(exponent)] if *exponent >= 0 => u32::try_from(*exponent)
            .ok()
            .and_then(|exponent| base.checked_pow(exponent))
            .map(Val::Int)
            .ok_or_else(|| Trouble::no_value("the number is too large for its type")),
        [a, b] if is_number(a) && is_number(b) => Ok(Val::Double(double(a).powf(double(b)))),
        _ => Err(no_overload("math.Pow", args)),
    }
}

/// `[from, to]` or `[from, to, step]` as the numbers between, both ends with them.
fn sequence<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [list] = args else { return Err(no_overload("math.Seq", args)) };
    let bounds = items("math.Seq", list, budget)?;
    let (from, to, step) = match bounds.as_slice() {
        [Val::Int(from), Val::Int(to)] => (*from, *to, 1),
        [Val::Int(from), Val::Int(to), Val::Int(step)] if *step > 0 => (*from, *to, *step),
        _ => return Err(no_overload("math.Seq", args)),
    };
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    let count = usize::try_from(i128::from(to) - i128::from(from) + 1).unwrap_or(0) / step;
    budget.made(count.saturating_mul(32))?;
    budget.steps(count)?;
    Ok(Val::list((from..=to).step_by(step).map(Val::Int).collect()))
}
