//! What changed between two JSON documents, as a list that a person can read and a program can apply.
//!
//! Arrays of objects are matched by a key that all their elements have (`Key`, `id`, `name`, `subnetId` ...), because
//! the services list them in any order; other arrays are aligned by their longest common subsequence.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// Beyond this many differences a subtree is told as one.
const MAX_DIFFERENCES: usize = 1000;
/// Beyond this depth a subtree is compared as a whole.
const MAX_DEPTH: usize = 100;
/// Beyond this many comparisons two arrays are aligned by index.
const MAX_CELLS: usize = 250_000;

/// Beyond this many steps of comparing, what is left is told whole: a fraction of a second.
const MAX_STEPS: usize = 10_000_000;
/// Beyond this many bytes of a path, what lies below it is told whole.
const MAX_PATH: usize = 4096;

/// One place where two documents differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// Where: fields joined by dots, `["..."]` around a field with other signs, `[name=web]` for the element of that
    /// key, `[2]` for an element by place, and `[order by name]` for the keys of an array in
    /// their order. A place that ends the
    /// path of a removal counts in the old array, any other in the new one. Empty for the whole document.
    pub path: String,
    /// The old value; absent when there was none.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The new value; absent when there is none.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// Keeps `null`, which is a value, apart from a field that is absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// The differences between two documents, in a fixed order. Empty exactly when they are equal.
#[must_use]
pub fn diff(before: &Value, after: &Value) -> Vec<Difference> {
    let mut out = Told { differences: Vec::new(), steps: Steps(MAX_STEPS) };
    compare("", before, after, 0, &mut out);
    out.differences
}

/// What was found so far, and how much may still be done to find more.
#[derive(Debug)]
struct Told {
    differences: Vec<Difference>,
    steps: Steps,
}

impl Told {
    fn push(&mut self, path: &str, before: Option<&Value>, after: Option<&Value>) {
        let (before, after) = (before.cloned(), after.cloned());
        self.differences.push(Difference { path: path.to_owned(), before, after });
    }
}

/// How many steps of comparing are left.
#[derive(Debug)]
struct Steps(usize);

impl Steps {
    /// Takes the steps of looking at so many bytes.
    fn take(&mut self, bytes: usize) {
        self.0 = self.0.saturating_sub(1 + bytes / 64);
    }

    /// Whether two values are equal; `None` when the steps ran out before that was seen.
    fn equal(&mut self, a: &Value, b: &Value) -> Option<bool> {
        self.take(0);
        if self.0 == 0 {
            return None;
        }
        match (a, b) {
            (Value::String(a), Value::String(b)) => {
                self.take(if a.len() == b.len() { a.len() } else { 0 });
                Some(a == b)
            }
            (Value::Array(a), Value::Array(b)) => {
                if a.len() != b.len() {
                    return Some(false);
                }
                self.all_equal(a.iter().zip(b))
            }
            (Value::Object(a), Value::Object(b)) => {
                if a.len() != b.len() || !a.keys().eq(b.keys()) {
                    self.take(64 * a.len());
                    return Some(false);
                }
                self.all_equal(a.values().zip(b.values()))
            }
            _ => Some(a == b),
        }
    }

    fn all_equal<'a>(&mut self, pairs: impl Iterator<Item = (&'a Value, &'a Value)>) -> Option<bool> {
        for (a, b) in pairs {
            if !self.equal(a, b)? {
                return Some(false);
            }
        }
        Some(true)
    }
}

fn compare(path: &str, before: &Value, after: &Value, depth: usize, out: &mut Told) {
    out.steps.take(path.len());
    match out.steps.equal(before, after) {
        Some(true) => return,
        Some(false) => {}
        // Whatever is told whole is looked at once more, so that what is equal is never told.
        None if before == after => return,
        None => return out.push(path, Some(before), Some(after)),
    }
    let start = out.differences.len();
    let below = depth < MAX_DEPTH && path.len() < MAX_PATH;
    match (before, after) {
        (Value::Object(old), Value::Object(new)) if below => objects(path, old, new, depth, out),
        (Value::Array(old), Value::Array(new)) if below => match key_of(old, new) {
            Some(key) => keyed(path, key, old, new, depth, out),
            None => aligned(path, old, new, depth, out),
        },
        _ => out.push(path, Some(before), Some(after)),
    }
    if out.differences.len() - start > MAX_DIFFERENCES {
        out.differences.truncate(start);
        out.push(path, Some(before), Some(after));
    }
}

fn objects(path: &str, old: &Map<String, Value>, new: &Map<String, Value>, depth: usize, out: &mut Told) {
    let fields: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for field in fields {
        let step = format!("{path}{}", field_step(field, path.is_empty()));
        match (old.get(field), new.get(field)) {
            (Some(before), Some(after)) => compare(&step, before, after, depth + 1, out),
            (before, after) => out.push(&step, before, after),
        }
    }
}

/// The field whose values tell the elements of both arrays apart, if there is one.
fn key_of<'a>(old: &'a [Value], new: &'a [Value]) -> Option<&'a str> {
    let first = old.first().or(new.first())?.as_object()?;
    let usual = ["key", "Key", "id", "Id", "ID", "name", "Name", "arn", "Arn", "ARN", "type", "Type"];
    let telling = |field: &&str| ["Id", "Arn", "ARN", "Name"].iter().any(|end| field.ends_with(end));
    let others: BTreeSet<&str> = first.keys().map(String::as_str).filter(telling).collect();
    let mut candidates =
        usual.into_iter().filter_map(|field| first.get_key_value(field)).map(|(field, _)| field.as_str());
    candidates
        .by_ref()
        .find(|field| tells_apart(field, old) && tells_apart(field, new))
        .or_else(|| others.into_iter().find(|field| tells_apart(field, old) && tells_apart(field, new)))
}

/// Whether every element is an object with a value of its own in `field`.
fn tells_apart(field: &str, elements: &[Value]) -> bool {
    let mut seen = BTreeSet::new();
    is_plain(field)
        && elements.iter().all(|element| key_step(field, element).is_some_and(|step| seen.insert(step)))
}

/// `[name=web]`, when the element has a text or a number there.
fn key_step(field: &str, element: &Value) -> Option<String> {
    match element.get(field)? {
        Value::String(text)
            if is_plain(&text.replace('.', ""))
                && !text.starts_with(|c: char| c.is_ascii_digit() || c == '-') =>
        {
            Some(format!("[{field}={text}]"))
        }
        value @ (Value::String(_) | Value::Number(_)) => Some(format!("[{field}={value}]")),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn keyed(path: &str, field: &str, old: &[Value], new: &[Value], depth: usize, out: &mut Told) {
    let steps = |elements: &[Value]| -> Vec<String> {
        elements.iter().filter_map(|element| key_step(field, element)).collect()
    };
    let (old_steps, new_steps) = (steps(old), steps(new));
    let in_old: BTreeMap<&String, &Value> = old_steps.iter().zip(old).collect();
    let in_new: BTreeMap<&String, &Value> = new_steps.iter().zip(new).collect();
    let came = || new_steps.iter().filter(|step| !in_old.contains_key(step));
    for step in old_steps.iter().chain(came()) {
        let place = format!("{path}{step}");
        match (in_old.get(step), in_new.get(step)) {
            (Some(before), Some(after)) => compare(&place, before, after, depth + 1, out),
            (before, after) => out.push(&place, before.copied(), after.copied()),
        }
    }
    // What stays keeps its order and what comes goes to the end: only another order is worth a line.
    let stayed = old_steps.iter().filter(|step| in_new.contains_key(step));
    if !new_steps.iter().eq(stayed.chain(came())) {
        let keys = |elements: &[Value]| {
            Some(elements.iter().filter_map(|element| element.get(field)).cloned().collect())
        };
        out.differences.push(Difference {
            path: format!("{path}[order by {field}]"),
            before: keys(old),
            after: keys(new),
        });
    }
}

fn aligned(path: &str, old: &[Value], new: &[Value], depth: usize, out: &mut Told) {
    let (mut i, mut j) = (0, 0);
    for (same_i, same_j) in common(old, new, &mut out.steps).into_iter().chain([(old.len(), new.len())]) {
        while i < same_i || j < same_j {
            let (before, after) = (old.get(i).filter(|_| i < same_i), new.get(j).filter(|_| j < same_j));
            match (before, after) {
                (Some(before), Some(after)) => {
                    compare(&format!("{path}[{j}]"), before, after, depth + 1, out);
                }
                (None, after) => out.push(&format!("{path}[{j}]"), None, after),
                (before, None) => out.push(&format!("{path}[{i}]"), before, None),
            }
            i += usize::from(before.is_some());
            j += usize::from(after.is_some());
        }
        (i, j) = (same_i + 1, same_j + 1);
    }
}

/// The places of a longest common subsequence, ascending in both arrays; only what they begin with in common, where
/// the steps run out.
fn common(old: &[Value], new: &[Value], steps: &mut Steps) -> Vec<(usize, usize)> {
    let mut equal = |(a, b): &(&Value, &Value)| steps.equal(a, b) == Some(true);
    let prefix = old.iter().zip(new).take_while(&mut equal).count();
    let (old_rest, new_rest) = (&old[prefix..], &new[prefix..]);
    let suffix = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(&mut equal).count();
    let (rows, columns) = (old_rest.len() - suffix, new_rest.len() - suffix);
    let mut places: Vec<_> = (0..prefix).map(|at| (at, at)).collect();
    if rows.saturating_mul(columns) <= MAX_CELLS {
        let middle = longest_common(&old_rest[..rows], &new_rest[..columns], steps);
        places.extend(middle.unwrap_or_default().into_iter().map(|(i, j)| (i + prefix, j + prefix)));
    }
    places.extend((0..suffix).map(|at| (prefix + rows + at, prefix + columns + at)));
    places
}

/// The textbook table: `length[i][j]` is the length of the longest common subsequence of the tails from `i` and `j`.
fn longest_common(old: &[Value], new: &[Value], steps: &mut Steps) -> Option<Vec<(usize, usize)>> {
    let width = new.len() + 1;
    let mut length = vec![0_u32; (old.len() + 1) * width];
    for (i, before) in old.iter().enumerate().rev() {
        for (j, after) in new.iter().enumerate().rev() {
            length[i * width + j] = if steps.equal(before, after)? {
                length[(i + 1) * width + j + 1] + 1
            } else {
                length[(i + 1) * width + j].max(length[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut places) = (0, 0, Vec::new());
    while i < old.len() && j < new.len() {
        if steps.equal(&old[i], &new[j])? {
            places.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if length[(i + 1) * width + j] >= length[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    Some(places)
}

fn field_step(field: &str, first: bool) -> String {
    match (is_plain(field), first) {
        (true, true) => field.to_owned(),
        (true, false) => format!(".{field}"),
        (false, _) => format!("[{}]", Value::from(field)),
    }
}

/// Whether text can stand in a path without quotes.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '/' | '@' | '+' | '$'))
}

#[cfg(test)]
mod tests;
