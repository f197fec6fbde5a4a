//! Equality and order.

use std::cmp::Ordering;

use super::{Key, Val, from_json};
use crate::budget::{Budget, Trouble};

/// Whether two values are equal. Values of different types are not; numbers are compared as numbers.
pub(crate) fn equal(a: &Val<'_>, b: &Val<'_>, budget: &Budget) -> Result<bool, Trouble> {
    budget.step()?;
    Ok(match (a, b) {
        (Val::Null, Val::Null) => true,
        (Val::Bool(a), Val::Bool(b)) => a == b,
        (Val::Text(a), Val::Text(b)) => {
            budget.read(a.len().min(b.len()))?;
            **a == **b
        }
        (Val::Bytes(a), Val::Bytes(b)) => a == b,
        (Val::Duration(a), Val::Duration(b)) => a == b,
        (Val::Time(a), Val::Time(b)) => a == b,
        (Val::Type(a), Val::Type(b)) => **a == **b,
        (Val::Net(a), Val::Net(b)) => a == b,
        (Val::Optional(a), Val::Optional(b)) => match (a, b) {
            (None, None) => true,
            (Some(a), Some(b)) => return equal(a, b, budget),
            (Some(_), None) | (None, Some(_)) => false,
        },
        (Val::List(_) | Val::Items(_), Val::List(_) | Val::Items(_)) => return equal_lists(a, b, budget),
        (Val::Map(_) | Val::Object(_), Val::Map(_) | Val::Object(_)) => return equal_maps(a, b, budget),
        _ => numbers(a, b) == Some(Ordering::Equal),
    })
}

fn equal_lists(a: &Val<'_>, b: &Val<'_>, budget: &Budget) -> Result<bool, Trouble> {
    let (Some(length), Some(other)) = (a.len(), b.len()) else { return Ok(false) };
    if length != other {
        return Ok(false);
    }
    for at in 0..length {
        let (Some(a), Some(b)) = (a.item(at), b.item(at)) else { return Ok(false) };
        if !equal(&a, &b, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal_maps(a: &Val<'_>, b: &Val<'_>, budget: &Budget) -> Result<bool, Trouble> {
    if a.len() != b.len() {
        return Ok(false);
    }
    if let (Val::Object(a), Val::Object(b)) = (a, b) {
        for (key, value) in *a {
            let Some(other) = b.get(key) else { return Ok(false) };
            if !equal(&from_json(value), &from_json(other), budget)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    for (key, value) in a.entries().unwrap_or_default() {
        let other = Key::of(&key).and_then(|key| b.entry(&key));
        let Some(other) = other else { return Ok(false) };
        if !equal(&value, &other, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Which of two values comes first; nothing where they have no order (a NaN, or values of different types).
///
/// # Errors
/// When the types have no order between them.
pub(crate) fn compare(a: &Val<'_>, b: &Val<'_>) -> Result<Option<Ordering>, Trouble> {
    Ok(match (a, b) {
        (Val::Bool(a), Val::Bool(b)) => Some(a.cmp(b)),
        (Val::Text(a), Val::Text(b)) => Some((**a).cmp(b)),
        (Val::Bytes(a), Val::Bytes(b)) => Some(a.cmp(b)),
        (Val::Duration(a), Val::Duration(b)) => Some(a.cmp(b)),
        (Val::Time(a), Val::Time(b)) => Some(a.cmp(b)),
        (Val::Int(_) | Val::Uint(_) | Val::Double(_), Val::Int(_) | Val::Uint(_) | Val::Double(_)) => {
            numbers(a, b)
        }
        _ => {
            return Err(Trouble::no_value(format!(
                "{} and {} cannot be compared",
                a.described(),
                b.described()
            )));
        }
    })
}

#[expect(clippy::cast_precision_loss, reason = "a double and a whole number are compared as doubles")]
fn numbers(a: &Val<'_>, b: &Val<'_>) -> Option<Ordering> {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => Some(a.cmp(b)),
        (Val::Uint(a), Val::Uint(b)) => Some(a.cmp(b)),
        (Val::Int(a), Val::Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Val::Uint(a), Val::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Val::Double(a), Val::Double(b)) => a.partial_cmp(b),
        (Val::Double(a), Val::Int(b)) => a.partial_cmp(&(*b as f64)),
        (Val::Double(a), Val::Uint(b)) => a.partial_cmp(&(*b as f64)),
        (Val::Int(a), Val::Double(b)) => (*a as f64).partial_cmp(b),
        (Val::Uint(a), Val::Double(b)) => (*a as f64).partial_cmp(b),
        _ => None,
    }
}
