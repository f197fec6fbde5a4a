//! Macros that go through a list or a map.

use super::{Outcome, Run};
use crate::{
    budget::Trouble,
    node::{Loop, LoopKind},
    value::{Dict, Key, Val, compare},
};

/// What a loop has gathered so far.
enum Gathered<'a> {
    /// `all`, `exists`: what is wrong, where no element has decided.
    Decision(Option<Trouble>),
    Count(usize),
    List(Vec<Val<'a>>),
    Map(Dict<'a>),
    Sorted(Vec<(Val<'a>, Val<'a>)>),
}

impl<'a> Run<'a> {
    pub(super) fn repeat(&mut self, each: &'a Loop) -> Outcome<'a> {
        let over = self.value(&each.over)?;
        let Some(length) = over.len() else {
            return Err(Trouble::no_value(format!(
                "a macro goes through a list or a map, not through {}",
                over.described()
            )));
        };
        let entries = over.entries();
        let before = self.locals.len();
        let mut gathered = match each.kind {
            LoopKind::All | LoopKind::Exists => Gathered::Decision(None),
            LoopKind::ExistsOne => Gathered::Count(0),
            LoopKind::Filter | LoopKind::List => Gathered::List(Vec::new()),
            LoopKind::Map | LoopKind::MapEntry => Gathered::Map(Dict::new()),
            LoopKind::SortBy => Gathered::Sorted(Vec::new()),
        };
        let mut decided = None;
        for at in 0..length {
            let (first, second) = match &entries {
                Some(entries) => entries.get(at).cloned().unwrap_or((Val::Null, Val::Null)),
                None => (Val::Int(i64::try_from(at).unwrap_or(i64::MAX)), over.item(at).unwrap_or(Val::Null)),
            };
            // With one name, a list gives its elements and a map its keys.
            let element = if entries.is_some() && !each.pairs { first.clone() } else { second };
            if each.pairs {
                self.locals.push(first.clone());
            }
            self.locals.push(element.clone());
            let turn = self.turn(each, first, element, &mut gathered);
            self.locals.truncate(before);
            if let Some(value) = turn? {
                decided = Some(value);
                break;
            }
        }
        match decided {
            Some(value) => Ok(value),
            None => finish(each.kind, gathered),
        }
    }

    /// One element. A value that comes out of it ends the loop.
    fn turn(
        &mut self,
        each: &'a Loop,
        key: Val<'a>,
        element: Val<'a>,
        gathered: &mut Gathered<'a>,
    ) -> Result<Option<Val<'a>>, Trouble> {
        if let Some(filter) = &each.filter
            && !truth(&self.value(filter)?)?
        {
            return Ok(None);
        }
        let value = self.value(&each.body);
        match gathered {
            Gathered::Decision(wrong) => {
                let decisive = each.kind == LoopKind::Exists;
                match value.and_then(|value| truth(&value)) {
                    Ok(value) if value == decisive => return Ok(Some(Val::Bool(decisive))),
                    Ok(_) => {}
                    Err(bound @ Trouble::Bound(_)) => return Err(bound),
                    Err(trouble) => {
                        wrong.get_or_insert(trouble);
                    }
                }
            }
            Gathered::Count(count) => *count += usize::from(truth(&value?)?),
            Gathered::List(items) => {
                let value = value?;
                let item = match each.kind {
                    LoopKind::Filter if truth(&value)? => element,
                    LoopKind::Filter => return Ok(None),
                    _ => value,
                };
                self.budget.made(32)?;
                items.push(item);
            }
            Gathered::Map(map) => {
                self.budget.made(64)?;
                let value = value?;
                let new = if each.kind == LoopKind::MapEntry {
                    value.entries().ok_or_else(|| Trouble::no_value("transformMapEntry() wants a map"))?
                } else {
                    vec![(key, value)]
                };
                for (key, value) in new {
                    let key = Key::of(&key).ok_or_else(|| Trouble::no_value("no key of a map"))?;
                    if map.insert(key, value).is_some() {
                        return Err(Trouble::no_value("a map has one key twice"));
                    }
                }
            }
            Gathered::Sorted(items) => {
                self.budget.made(64)?;
                items.push((value?, element));
            }
        }
        Ok(None)
    }
}

fn truth(value: &Val<'_>) -> Result<bool, Trouble> {
    match value {
        Val::Bool(value) => Ok(*value),
        other => Err(Trouble::no_value(format!("a macro wants true or false, not {}", other.described()))),
    }
}

fn finish<'a>(kind: LoopKind, gathered: Gathered<'a>) -> Outcome<'a> {
    match gathered {
        Gathered::Decision(Some(trouble)) => Err(trouble),
        Gathered::Decision(None) => Ok(Val::Bool(kind == LoopKind::All)),
        Gathered::Count(count) => Ok(Val::Bool(count == 1)),
        Gathered::List(items) => Ok(Val::list(items)),
        Gathered::Map(map) => Ok(Val::map(map)),
        Gathered::Sorted(mut items) => {
            if let Some((first, _)) = items.first() {
                for (key, _) in &items {
                    compare(first, key)?;
                }
            }
            items.sort_by(|(a, _), (b, _)| compare(a, b).ok().flatten().unwrap_or(std::cmp::Ordering::Equal));
            Ok(Val::list(items.into_iter().map(|(_, item)| item).collect()))
        }
    }
}
