//! Whether one thing is of a set that a selector describes. `catalog` answers the same of its rows in SQL.

mod field;
#[cfg(test)]
mod tests;
mod value;

use model::Timestamp;
use selector::{Call, Node, Op, Pattern, Selector, Term};
use serde_json::Value;

pub(crate) use value::wild;

/// What a selector may ask beyond what a thing says of itself. Where a place has no answer to functions, [`selector::check`]
/// against its schema refuses them; here they are then not so.
pub trait Context {
    /// The texts that free words are looked for in, in lower case, a line each.
    fn words(&self, thing: &Value) -> String {
        field::words(thing)
    }

    /// Whether a function holds.
    fn holds(&self, call: &Call, thing: &Value, now: Timestamp) -> bool;
}

/// Nothing is known beyond the thing itself.
#[derive(Debug, Clone, Copy)]
pub struct Alone;

impl Context for Alone {
    fn holds(&self, _: &Call, _: &Value, _: Timestamp) -> bool {
        false
    }
}

/// Whether a thing (the `resource` variable of a rule, say) is described by a selector. What it does not have is equal to
/// nothing, so `tags.env!=prod` describes what has no such tag.
#[must_use]
pub fn describes(selector: &Selector, thing: &Value, context: &impl Context, now: Timestamp) -> bool {
    selector.nodes.iter().all(|node| holds(node, thing, context, now))
}

fn holds(node: &Node, thing: &Value, context: &impl Context, now: Timestamp) -> bool {
    match node {
        Node::Term(term) => is_so(term, thing, context, now),
        Node::Not(node) => !holds(node, thing, context, now),
        Node::All(nodes) => nodes.iter().all(|node| holds(node, thing, context, now)),
        Node::Any(nodes) => nodes.iter().any(|node| holds(node, thing, context, now)),
    }
}

fn is_so(term: &Term, thing: &Value, context: &impl Context, now: Timestamp) -> bool {
    match term {
        Term::Word(word) => has_word(word, thing, context),
        Term::Matches { field, negated, regex, column: _ } => {
            let found = |value: &&Value| value.as_str().is_some_and(|text| regex.is_found_in(text));
            field::values(thing, field).iter().any(found) != *negated
        }
        Term::Call { call, column: _ } => context.holds(call, thing, now),
        Term::Compare { field, op, values, column: _ } => {
            let found = field::values(thing, field);
            let equal = |found: &&Value| {
                values.iter().any(|wanted| is_equal(found, wanted, field::is_time(field), now))
            };
            match op {
                Op::Equal => found.iter().any(equal),
                Op::NotEqual => !found.iter().any(equal),
                Op::Greater | Op::GreaterOrEqual | Op::Less | Op::LessOrEqual => {
                    let Some(Pattern::Exact(wanted)) = values.first() else { return false };
                    found.iter().any(|found| value::is_ordered(found, *op, wanted, now))
                }
            }
        }
    }
}

fn is_equal(found: &Value, wanted: &Pattern, is_time: bool, now: Timestamp) -> bool {
    match wanted {
        Pattern::Exact(wanted) if is_time => value::is_same_instant(found, wanted, now),
        wanted => value::is_equal(found, wanted),
    }
}

/// A word lies within a text; an ARN is a name as a whole, too.
fn has_word(word: &str, thing: &Value, context: &impl Context) -> bool {
    let is_alias = word.starts_with("arn:")
        && thing
            .get("aliases")
            .and_then(Value::as_array)
            .is_some_and(|all| all.iter().any(|alias| alias == word));
    is_alias || context.words(thing).contains(&word.to_lowercase())
}
