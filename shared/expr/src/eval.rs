//! Evaluation: standard semantics, every step paid for.

mod loops;
mod operators;

use crate::{
    Bindings,
    bindings::Bound,
    budget::{Budget, Trouble},
    functions,
    node::{Element, Entry, Node},
    value::{Dict, Key, Val, from_json},
};

pub(crate) use operators::add;

type Outcome<'a> = Result<Val<'a>, Trouble>;

/// One evaluation.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    bindings: &'a Bindings,
    pub(crate) budget: Budget,
    locals: Vec<Val<'a>>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(bindings: &'a Bindings) -> Self {
        Self { bindings, budget: Budget::new(), locals: Vec::new() }
    }

    /// The value of a node. The work of each kind is elsewhere, so that this frame stays small.
    pub(crate) fn value(&mut self, node: &'a Node) -> Outcome<'a> {
        self.budget.step()?;
        match node {
            Node::Constant(value) => Ok(value.clone()),
            Node::Unknown(why) => Err(Trouble::no_value(why.as_str())),
            Node::Variable(name) => self.variable(name),
            Node::Local(at) => self.local(*at),
            Node::Select { of, field, time } => self.select(of, field, *time),
            Node::OptionalSelect { of, field } => self.optional_select(of, field),
            Node::Has { of, field } => self.has(of, field),
            Node::Index { of, index, optional } => self.index(of, index, *optional),
            Node::Not(of) => self.not(of),
            Node::Negate(of) => self.negate(of),
            Node::And(operands) => self.every(operands),
            Node::Or(operands) => self.any(operands),
            Node::Chain(first, rest) => self.chain(first, rest),
            Node::Condition(parts) => self.condition(parts),
            Node::List(elements) => self.list(elements),
            Node::Map(entries) => self.map(entries),
            Node::Call(function, args) => self.call(function, args),
            Node::Matches(of, regex) => self.matches(of, regex),
            Node::Loop(each) => self.repeat(each),
            Node::Bind(values, body) => self.bind(values, body),
            Node::OptionalMap { of, body, flat } => self.optional_map(of, body, *flat),
        }
    }

    fn variable(&self, name: &str) -> Outcome<'a> {
        match self.bindings.values.get(name) {
            Some(Bound::Json(json)) => Ok(from_json(json)),
            Some(Bound::Value(value)) => Ok(value.clone()),
            None => Err(Trouble::no_value(format!("`{name}` has no value here"))),
        }
    }

    fn local(&self, at: usize) -> Outcome<'a> {
        self.locals.get(at).cloned().ok_or_else(|| Trouble::no_value("a name of a macro has no value here"))
    }

    fn select(&mut self, of: &'a Node, field: &str, time: bool) -> Outcome<'a> {
        let value = select(&self.value(of)?, field)?;
        match &value {
            // No text is both an instant and a length of time.
            Val::Text(text) if time => functions::time::parse_time(text)
                .map(Val::Time)
                .or_else(|| functions::time::parse_duration(text).map(Val::Duration))
                .ok_or_else(|| {
                    let wanted = "no instant as RFC 3339 writes it, and no length of time such as 90s";
                    Trouble::no_value(format!("`{field}` is {wanted}"))
                }),
            _ => Ok(value),
        }
    }

    fn optional_select(&mut self, of: &'a Node, field: &str) -> Outcome<'a> {
        match self.value(of)? {
            Val::Optional(None) => Ok(Val::Optional(None)),
            Val::Optional(Some(inner)) => optional_field(&inner, field),
            value => optional_field(&value, field),
        }
    }

    fn has(&mut self, of: &'a Node, field: &str) -> Outcome<'a> {
        let holds = match self.value(of)? {
            value if value.is_map() => value.field(field).is_some(),
            Val::Optional(None) => false,
            Val::Optional(Some(inner)) if inner.is_map() => inner.field(field).is_some(),
            other => {
                return Err(Trouble::no_value(format!(
                    "{} has no fields, so has() cannot look for `{field}`",
                    other.described()
                )));
            }
        };
        Ok(Val::Bool(holds))
    }

    fn index(&mut self, of: &'a Node, index: &'a Node, optional: bool) -> Outcome<'a> {
        let of = self.value(of)?;
        let index = self.value(index)?;
        let (value, optional) = match of {
            Val::Optional(None) => return Ok(Val::Optional(None)),
            Val::Optional(Some(inner)) => ((*inner).clone(), true),
            value => (value, optional),
        };
        let found = element(&value, &index);
        if optional {
            return match found {
                Ok(value) => Ok(Val::some(value)),
                Err(Trouble::NoValue(_)) if value.len().is_some() => Ok(Val::Optional(None)),
                Err(trouble) => Err(trouble),
            };
        }
        found
    }

    fn not(&mut self, of: &'a Node) -> Outcome<'a> {
        match self.value(of)? {
            Val::Bool(value) => Ok(Val::Bool(!value)),
            other => Err(Trouble::no_value(format!("`!` wants true or false, not {}", other.described()))),
        }
    }

    fn negate(&mut self, of: &'a Node) -> Outcome<'a> {
        match self.value(of)? {
            Val::Int(number) => number.checked_neg().map(Val::Int).ok_or_else(operators::overflow),
            Val::Double(number) => Ok(Val::Double(-number)),
            Val::Duration(nanos) => nanos.checked_neg().map(Val::Duration).ok_or_else(operators::overflow),
            other => Err(Trouble::no_value(format!("{} has no negative", other.described()))),
        }
    }

    /// `&&`: one operand that is false decides, whatever is wrong with the others.
    fn every(&mut self, operands: &'a [Node]) -> Outcome<'a> {
        self.decided_by(operands, false)
    }

    /// `||`: one operand that is true decides, whatever is wrong with the others.
    fn any(&mut self, operands: &'a [Node]) -> Outcome<'a> {
        self.decided_by(operands, true)
    }

    fn decided_by(&mut self, operands: &'a [Node], decisive: bool) -> Outcome<'a> {
        let mut wrong = None;
        for operand in operands {
            match self.value(operand) {
                Ok(Val::Bool(value)) if value == decisive => return Ok(Val::Bool(decisive)),
                Ok(Val::Bool(_)) => {}
                Ok(other) => {
                    let name = if decisive { "||" } else { "&&" };
                    wrong.get_or_insert_with(|| {
                        Trouble::no_value(format!("`{name}` wants true or false, not {}", other.described()))
                    });
                }
                Err(Trouble::NoValue(reason)) => {
                    wrong.get_or_insert(Trouble::NoValue(reason));
                }
                Err(bound @ Trouble::Bound(_)) => return Err(bound),
            }
        }
        wrong.map_or(Ok(Val::Bool(!decisive)), Err)
    }

    fn condition(&mut self, [condition, then, otherwise]: &'a [Node; 3]) -> Outcome<'a> {
        match self.value(condition)? {
            Val::Bool(true) => self.value(then),
            Val::Bool(false) => self.value(otherwise),
            other => Err(Trouble::no_value(format!("`? :` wants true or false, not {}", other.described()))),
        }
    }

    fn list(&mut self, elements: &'a [Element]) -> Outcome<'a> {
        self.budget.made(elements.len() * 32)?;
        let mut items = Vec::with_capacity(elements.len());
        for element in elements {
            let value = self.value(&element.value)?;
            match (element.optional, value) {
                (true, Val::Optional(inner)) => items.extend(inner.map(|inner| (*inner).clone())),
                (true, other) => return Err(not_optional(&other)),
                (false, value) => items.push(value),
            }
        }
        Ok(Val::list(items))
    }

    fn map(&mut self, entries: &'a [Entry]) -> Outcome<'a> {
        self.budget.made(entries.len() * 64)?;
        let mut map = Dict::new();
        for entry in entries {
            let key = self.value(&entry.key)?;
            let key = Key::of(&key)
                .filter(|_| !matches!(key, Val::Double(_)))
                .ok_or_else(|| Trouble::no_value(format!("{} cannot be a key of a map", key.described())))?;
            let value = match (entry.optional, self.value(&entry.value)?) {
                (true, Val::Optional(None)) => continue,
                (true, Val::Optional(Some(inner))) => (*inner).clone(),
                (true, other) => return Err(not_optional(&other)),
                (false, value) => value,
            };
            if map.insert(key, value).is_some() {
                return Err(Trouble::no_value("a map has one key twice"));
            }
        }
        Ok(Val::map(map))
    }

    fn call(&mut self, function: &functions::Function, args: &'a [Node]) -> Outcome<'a> {
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            values.push(self.value(arg)?);
        }
        (function.call)(&self.budget, &values)
    }

    fn matches(&mut self, of: &'a Node, regex: &regex::Regex) -> Outcome<'a> {
        match self.value(of)? {
            Val::Text(text) => {
                self.budget.steps(1 + text.len() / 8)?;
                Ok(Val::Bool(regex.is_match(&text)))
            }
            other => Err(Trouble::no_value(format!("matches() wants a string, not {}", other.described()))),
        }
    }

    fn bind(&mut self, values: &'a [Node], body: &'a Node) -> Outcome<'a> {
        let before = self.locals.len();
        let result = values
            .iter()
            .try_for_each(|node| {
                let value = self.value(node)?;
                self.locals.push(value);
                Ok(())
            })
            .and_then(|()| self.value(body));
        self.locals.truncate(before);
        result
    }

    fn optional_map(&mut self, of: &'a Node, body: &'a Node, flat: bool) -> Outcome<'a> {
        let inner = match self.value(of)? {
            Val::Optional(None) => return Ok(Val::Optional(None)),
            Val::Optional(Some(inner)) => (*inner).clone(),
            other => return Err(not_optional(&other)),
        };
        self.locals.push(inner);
        let result = self.value(body);
        self.locals.pop();
        match (flat, result?) {
            (false, value) => Ok(Val::some(value)),
            (true, value @ Val::Optional(_)) => Ok(value),
            (true, other) => Err(not_optional(&other)),
        }
    }
}

fn not_optional(value: &Val<'_>) -> Trouble {
    Trouble::no_value(format!("an optional value is wanted, not {}", value.described()))
}

/// `value.field`.
fn select<'a>(value: &Val<'a>, field: &str) -> Outcome<'a> {
    match value {
        Val::Optional(None) => Ok(Val::Optional(None)),
        Val::Optional(Some(inner)) => optional_field(inner, field),
        _ => match value.field(field) {
            Some(found) => Ok(found),
            None if value.is_map() => Err(Trouble::no_value(format!("no such key: `{field}`"))),
            None => Err(Trouble::no_value(format!("{} has no field `{field}`", value.described()))),
        },
    }
}

fn optional_field<'a>(value: &Val<'a>, field: &str) -> Outcome<'a> {
    match value.field(field) {
        Some(found) => Ok(Val::some(found)),
        None if value.is_map() => Ok(Val::Optional(None)),
        None => Err(Trouble::no_value(format!("{} has no field `{field}`", value.described()))),
    }
}

/// `value[index]`.
fn element<'a>(value: &Val<'a>, index: &Val<'a>) -> Outcome<'a> {
    let Some(length) = value.len() else {
        return Err(Trouble::no_value(format!("{} has no elements", value.described())));
    };
    let key = Key::of(index).ok_or_else(|| {
        Trouble::no_value(format!("{} cannot be an index of {}", index.described(), value.described()))
    })?;
    if value.is_map() {
        return value.entry(&key).ok_or_else(|| Trouble::no_value(format!("no such key: {}", spoken(&key))));
    }
    match key {
        Key::Number(at, _) => usize::try_from(at)
            .ok()
            .and_then(|at| value.item(at))
            .ok_or_else(|| Trouble::no_value(format!("index {at} of a list of {length} elements"))),
        Key::Bool(_) | Key::Text(_) => {
            Err(Trouble::no_value(format!("{} cannot be an index of a list", index.described())))
        }
    }
}

fn spoken(key: &Key<'_>) -> String {
    match key {
        Key::Bool(value) => value.to_string(),
        Key::Number(number, _) => number.to_string(),
        Key::Text(text) => format!("`{}`", crate::fault::shortened(text)),
    }
}
