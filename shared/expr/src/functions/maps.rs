//! Maps.

use super::{Function, Outcome, global, items, member, no_overload, sets};
use crate::{
    budget::{Budget, Trouble},
    value::{Dict, Key, Text, Val},
};

pub(super) const FUNCTIONS: &[Function] = &[
    member("keys", 1, 1, |budget, args| {
        Ok(Val::list(entries("keys", args.first(), budget)?.into_iter().map(|(key, _)| key).collect()))
    }),
    member("values", 1, 1, |budget, args| {
        Ok(Val::list(entries("values", args.first(), budget)?.into_iter().map(|(_, value)| value).collect()))
    }),
    member("merge", 2, 2, merge),
    member("omit", 2, 2, |budget, args| chosen("omit", budget, args, false)),
    member("pick", 2, 2, |budget, args| chosen("pick", budget, args, true)),
    global("keyValToMap", 1, 1, from_pairs),
    global("matchLabel", 3, 3, match_label),
    global("aws.fromAWSMap", 1, 1, from_tags),
    global("aws.arnToMap", 1, 1, from_arn),
];

fn entries<'a>(
    name: &str,
    map: Option<&Val<'a>>,
    budget: &Budget,
) -> Result<Vec<(Val<'a>, Val<'a>)>, Trouble> {
    let entries = map.and_then(Val::entries).ok_or_else(|| match map {
        Some(map) => no_overload(name, std::slice::from_ref(map)),
        None => no_overload(name, &[]),
    })?;
    budget.steps(entries.len())?;
    budget.made(entries.len() * 32)?;
    Ok(entries)
}

fn dict<'a>(entries: impl IntoIterator<Item = (Val<'a>, Val<'a>)>) -> Dict<'a> {
    entries.into_iter().filter_map(|(key, value)| Some((Key::of(&key)?, value))).collect()
}

/// The entries of both; the second decides where both have a key.
fn merge<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let mut merged = dict(entries("merge", args.first(), budget)?);
    merged.extend(dict(entries("merge", args.get(1), budget)?));
    Ok(Val::map(merged))
}

fn chosen<'a>(name: &str, budget: &Budget, args: &[Val<'a>], kept: bool) -> Outcome<'a> {
    let [map, keys] = args else { return Err(no_overload(name, args)) };
    let keys = items(name, keys, budget)?;
    let mut chosen = Dict::new();
    for (key, value) in entries(name, Some(map), budget)? {
        if sets::has(&keys, &key, budget)? == kept
            && let Some(key) = Key::of(&key)
        {
            chosen.insert(key, value);
        }
    }
    Ok(Val::map(chosen))
}

/// `a=b,c=d` as a map.
fn from_pairs<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [Val::Text(text)] = args else { return Err(no_overload("keyValToMap", args)) };
    budget.made(text.len() * 8)?;
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    Ok(Val::map(dict(pairs.map(|(key, value)| (Val::text(key.trim()), Val::text(value.trim()))))))
}

/// Whether a label is like one of the patterns, which commas part: `us-*`, `!eu-*`. A label that is not there is like
/// what is refused only.
fn match_label<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [labels, Val::Text(name), Val::Text(patterns)] = args else {
        return Err(no_overload("matchLabel", args));
    };
    budget.steps(1 + patterns.len() / 8)?;
    let value = match labels.field(name) {
        Some(Val::Text(value)) => Some(value),
        _ => None,
    };
    let (mut wanted, mut liked) = (false, false);
    for pattern in patterns.split(',').map(str::trim) {
        let like = |pattern: &str| value.as_ref().is_some_and(|value| like(value, pattern));
        match pattern.strip_prefix('!') {
            Some(refused) if like(refused) => return Ok(Val::Bool(false)),
            Some(_) => {}
            None => {
                wanted = true;
                liked |= like(pattern);
            }
        }
    }
    Ok(Val::Bool(liked || !wanted))
}

/// Whether a text is like a pattern with a `*` at its ends.
fn like(text: &str, pattern: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        _ if pattern == "*" => true,
        (Some(_), Some(_)) => text.contains(pattern.trim_matches('*')),
        (Some(end), None) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (None, None) => text == pattern,
    }
}

/// `[{"Name": k, "Value": v}]`, or with `Key`, as a map.
fn from_tags<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [list] = args else { return Err(no_overload("aws.fromAWSMap", args)) };
    let list = items("aws.fromAWSMap", list, budget)?;
    budget.made(list.len() * 64)?;
    let pair = |item: &Val<'a>| {
        let name = ["Name", "Key", "name", "key"].iter().find_map(|name| item.field(name))?;
        let value = ["Value", "value"].iter().find_map(|name| item.field(name))?;
        Some((name, value))
    };
    Ok(Val::map(dict(list.iter().filter_map(pair))))
}

/// The parts of an ARN.
fn from_arn<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [Val::Text(arn)] = args else { return Err(no_overload("aws.arnToMap", args)) };
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, resource] = parts.as_slice() else {
        return Err(Trouble::no_value(format!("`{}` is no ARN", crate::fault::shortened(arn))));
    };
    budget.made(arn.len() + 384)?;
    let named = [
        ("partition", *partition),
        ("service", *service),
        ("region", *region),
        ("account", *account),
        ("resource", *resource),
    ];
    let parts = named.iter().map(|(name, part)| (Key::Text(Text::Borrowed(name)), Val::text(*part)));
    Ok(Val::map(parts.collect()))
}
