//! Operators with two operands.

use std::{cmp::Ordering, sync::Arc};

use chrono::TimeDelta;

use super::{Outcome, Run};
use crate::{
    budget::{Budget, Trouble},
    functions::time,
    node::{Node, Operator},
    value::{Key, Val, compare, equal},
};

impl<'a> Run<'a> {
    /// Operators from left to right.
    pub(super) fn chain(&mut self, first: &'a Node, rest: &'a [(Operator, Node)]) -> Outcome<'a> {
        let mut value = self.value(first)?;
        for (operator, node) in rest {
            let right = self.value(node)?;
            value = apply(*operator, value, &right, &self.budget)?;
        }
        Ok(value)
    }
}

fn apply<'a>(operator: Operator, left: Val<'a>, right: &Val<'a>, budget: &Budget) -> Outcome<'a> {
    match operator {
        Operator::Add => add(left, right, budget),
        Operator::Subtract => subtract(&left, right),
        Operator::Multiply => multiply(&left, right),
        Operator::Divide => divide(&left, right),
        Operator::Remainder => remainder(&left, right),
        Operator::Equal => equal(&left, right, budget).map(Val::Bool),
        Operator::NotEqual => equal(&left, right, budget).map(|same| Val::Bool(!same)),
        Operator::Less => ordered(&left, right, Ordering::is_lt),
        Operator::LessOrEqual => ordered(&left, right, Ordering::is_le),
        Operator::Greater => ordered(&left, right, Ordering::is_gt),
        Operator::GreaterOrEqual => ordered(&left, right, Ordering::is_ge),
        Operator::In => contains(right, &left, budget).map(Val::Bool),
    }
}

fn ordered<'a>(left: &Val<'a>, right: &Val<'a>, holds: fn(Ordering) -> bool) -> Outcome<'a> {
    Ok(Val::Bool(compare(left, right)?.is_some_and(holds)))
}

/// `value in list`, `key in map`.
fn contains(container: &Val<'_>, value: &Val<'_>, budget: &Budget) -> Result<bool, Trouble> {
    match container {
        Val::Map(_) | Val::Object(_) => Ok(Key::of(value).is_some_and(|key| container.entry(&key).is_some())),
        Val::List(_) | Val::Items(_) => {
            for at in 0..container.len().unwrap_or(0) {
                if let Some(item) = container.item(at)
                    && equal(&item, value, budget)?
                {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        other => Err(Trouble::no_value(format!("`in` wants a list or a map, not {}", other.described()))),
    }
}

pub(super) fn overflow() -> Trouble {
    Trouble::no_value("the number is too large for its type")
}

fn no_operator(name: &str, left: &Val<'_>, right: &Val<'_>) -> Trouble {
    Trouble::no_value(format!("`{name}` is not for {} and {}", left.described(), right.described()))
}

/// `left + right`.
pub(crate) fn add<'a>(left: Val<'a>, right: &Val<'a>, budget: &Budget) -> Outcome<'a> {
    match (left, right) {
        (Val::Int(a), Val::Int(b)) => a.checked_add(*b).map(Val::Int).ok_or_else(overflow),
        (Val::Uint(a), Val::Uint(b)) => a.checked_add(*b).map(Val::Uint).ok_or_else(overflow),
        (Val::Double(a), Val::Double(b)) => Ok(Val::Double(a + b)),
        (Val::Text(a), Val::Text(b)) => {
            budget.made(a.len() + b.len())?;
            Ok(Val::text([&*a, &**b].concat()))
        }
        (Val::Bytes(a), Val::Bytes(b)) => {
            budget.made(a.len() + b.len())?;
            Ok(Val::Bytes([&*a, &**b].concat().into()))
        }
        (a @ (Val::List(_) | Val::Items(_)), b @ (Val::List(_) | Val::Items(_))) => {
            let length = a.len().unwrap_or(0) + b.len().unwrap_or(0);
            budget.made(length * 32)?;
            let mut items = a.items().unwrap_or_default();
            items.extend(b.items().unwrap_or_default());
            Ok(Val::List(Arc::new(items)))
        }
        (Val::Duration(a), Val::Duration(b)) => a.checked_add(*b).map(Val::Duration).ok_or_else(overflow),
        (Val::Time(at), Val::Duration(by)) => time::moved(at, *by).ok_or_else(overflow),
        (Val::Duration(by), Val::Time(at)) => time::moved(*at, by).ok_or_else(overflow),
        (left, right) => Err(no_operator("+", &left, right)),
    }
}

fn subtract<'a>(left: &Val<'a>, right: &Val<'a>) -> Outcome<'a> {
    match (left, right) {
        (Val::Int(a), Val::Int(b)) => a.checked_sub(*b).map(Val::Int).ok_or_else(overflow),
        (Val::Uint(a), Val::Uint(b)) => a.checked_sub(*b).map(Val::Uint).ok_or_else(overflow),
        (Val::Double(a), Val::Double(b)) => Ok(Val::Double(a - b)),
        (Val::Duration(a), Val::Duration(b)) => a.checked_sub(*b).map(Val::Duration).ok_or_else(overflow),
        (Val::Time(at), Val::Duration(by)) => {
            by.checked_neg().and_then(|by| time::moved(*at, by)).ok_or_else(overflow)
        }
        (Val::Time(a), Val::Time(b)) => {
            let between: TimeDelta = a.signed_duration_since(b);
            between.num_nanoseconds().map(Val::Duration).ok_or_else(overflow)
        }
        _ => Err(no_operator("-", left, right)),
    }
}

fn multiply<'a>(left: &Val<'a>, right: &Val<'a>) -> Outcome<'a> {
    match (left, right) {
        (Val::Int(a), Val::Int(b)) => a.checked_mul(*b).map(Val::Int).ok_or_else(overflow),
        (Val::Uint(a), Val::Uint(b)) => a.checked_mul(*b).map(Val::Uint).ok_or_else(overflow),
        (Val::Double(a), Val::Double(b)) => Ok(Val::Double(a * b)),
        _ => Err(no_operator("*", left, right)),
    }
}

fn divide<'a>(left: &Val<'a>, right: &Val<'a>) -> Outcome<'a> {
    match (left, right) {
        (Val::Int(_), Val::Int(0)) | (Val::Uint(_), Val::Uint(0)) => {
            Err(Trouble::no_value("a division by zero"))
        }
        (Val::Int(a), Val::Int(b)) => a.checked_div(*b).map(Val::Int).ok_or_else(overflow),
        (Val::Uint(a), Val::Uint(b)) => a.checked_div(*b).map(Val::Uint).ok_or_else(overflow),
        (Val::Double(a), Val::Double(b)) => Ok(Val::Double(a / b)),
        _ => Err(no_operator("/", left, right)),
    }
}

fn remainder<'a>(left: &Val<'a>, right: &Val<'a>) -> Outcome<'a> {
    match (left, right) {
        (Val::Int(_), Val::Int(0)) | (Val::Uint(_), Val::Uint(0)) => {
            Err(Trouble::no_value("a division by zero"))
        }
        (Val::Int(a), Val::Int(b)) => a.checked_rem(*b).map(Val::Int).ok_or_else(overflow),
        (Val::Uint(a), Val::Uint(b)) => a.checked_rem(*b).map(Val::Uint).ok_or_else(overflow),
        _ => Err(no_operator("%", left, right)),
    }
}
