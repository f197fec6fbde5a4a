//! Whether a value is what was asked for.

use std::cmp::Ordering;

use model::Timestamp;
use selector::{
    Op, Pattern,
    literal::{self, Literal},
};
use serde_json::Value;

/// Texts are equal as they are, numbers and truth values by what they are.
pub(super) fn is_equal(found: &Value, wanted: &Pattern) -> bool {
    if wanted.is_any() {
        return !found.is_null();
    }
    match (found, wanted) {
        (Value::String(text), Pattern::Exact(wanted)) => text == wanted,
        (Value::String(text), Pattern::Wild(pieces)) => {
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            wild(&pieces, text)
        }
        (Value::Bool(found), Pattern::Exact(wanted)) => wanted == if *found { "true" } else { "false" },
        (Value::Number(_), Pattern::Exact(wanted)) => {
            same(json_number(found), literal::number(wanted)) == Some(Ordering::Equal)
        }
        (Value::Bool(_) | Value::Number(_), Pattern::Wild(_)) => false,
        (Value::Null | Value::Array(_) | Value::Object(_), _) => false,
    }
}

/// Values have an order among those of their kind only.
pub(super) fn is_ordered(found: &Value, op: Op, wanted: &str, now: Timestamp) -> bool {
    let text = found.as_str();
    let order = match literal::literal(wanted) {
        Some(Literal::Number(wanted)) => {
            same(json_number(found).or_else(|| literal::number(text?)), Some(wanted))
        }
        Some(Literal::Size(wanted)) => same(text.and_then(literal::size), Some(wanted)),
        Some(Literal::Seconds(wanted)) => text.and_then(literal::seconds).map(|found| found.cmp(&wanted)),
        Some(Literal::Moment(wanted)) => {
            text.and_then(literal::instant).map(|found| found.cmp(&micros(wanted.at(now))))
        }
        None => None,
    };
    let Some(order) = order else { return false };
    match op {
        Op::Equal => order.is_eq(),
        Op::NotEqual => order.is_ne(),
        Op::Greater => order.is_gt(),
        Op::GreaterOrEqual => order.is_ge(),
        Op::Less => order.is_lt(),
        Op::LessOrEqual => order.is_le(),
    }
}

/// Whether an instant is the one that was asked for, however it is written.
pub(super) fn is_same_instant(found: &Value, wanted: &str, now: Timestamp) -> bool {
    let wanted = literal::moment(wanted).map(|moment| micros(moment.at(now)));
    wanted.is_some() && found.as_str().and_then(literal::instant) == wanted
}

/// To the microsecond, as Postgres keeps instants.
fn micros(at: Timestamp) -> Timestamp {
    Timestamp::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}

/// A JSON number that a double holds well.
fn json_number(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| *number == 0.0 || (1e-300..=1e300).contains(&number.abs()))
}

fn same(left: Option<f64>, right: Option<f64>) -> Option<Ordering> {
    left?.partial_cmp(&right?)
}

/// Whether literal pieces, with any text between each two, make up the whole text.
pub(crate) fn wild(pieces: &[&str], text: &str) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return text.is_empty() };
    let Some((last, middle)) = rest.split_last() else { return *first == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    for piece in middle {
        let Some((_, after)) = text.split_once(piece) else { return false };
        text = after;
    }
    text.ends_with(last)
}
