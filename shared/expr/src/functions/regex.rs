//! Regular expressions, bounded before they are compiled. They are matched in linear time.

use ::regex::{Regex, RegexBuilder};

use super::{Function, Outcome, both, global, made, member, no_overload};
use crate::{
    budget::{Budget, Trouble},
    value::{Text, Val},
};

/// How long a pattern may be, how large what is compiled from it, and how deep its groups.
const MAX_PATTERN: usize = 1_024;
const MAX_COMPILED: usize = 1 << 20;
const MAX_NESTED: u32 = 40;
/// What compiling a pattern costs while an expression is evaluated.
const COMPILE_STEPS: usize = 2_000;

pub(super) const FUNCTIONS: &[Function] = &[
    both("matches", 2, 2, matches),
    member("find", 2, 2, find),
    member("findAll", 2, 3, find_all),
    global("regexp.Find", 2, 2, |budget, args| match args {
        [pattern, text] => find(budget, &[text.clone(), pattern.clone()]),
        _ => Err(no_overload("regexp.Find", args)),
    }),
    global("regexp.Replace", 3, 3, |budget, args| match args {
        [pattern, with, text] => replace(budget, &[text.clone(), pattern.clone(), with.clone()]),
        _ => Err(no_overload("regexp.Replace", args)),
    }),
    global("regex.replace", 3, 4, replace),
    global("regex.extract", 2, 2, extract),
    global("regex.extractAll", 2, 2, extract_all),
];

/// Compiles a pattern within the bounds.
///
/// # Errors
/// Says why it is none, or which bound it passes.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > MAX_PATTERN {
        return Err(format!(
            "the regular expression has {} bytes; at most {MAX_PATTERN} are allowed",
            pattern.len()
        ));
    }
    RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .nest_limit(MAX_NESTED)
        .build()
        .map_err(|error| match error {
            ::regex::Error::CompiledTooBig(_) => "the regular expression is too large".to_owned(),
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default();
                format!("not a regular expression: {}", last.trim_start_matches("error: "))
            }
        })
}

fn compiled(pattern: &str, budget: &Budget) -> Result<Regex, Trouble> {
    budget.steps(COMPILE_STEPS)?;
    compile(pattern).map_err(Trouble::NoValue)
}

fn searched(text: &str, budget: &Budget) -> Result<(), Trouble> {
    budget.steps(1 + text.len() / 8)
}

fn matches<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Text(text), Val::Text(pattern)] => {
            searched(text, budget)?;
            Ok(Val::Bool(compiled(pattern, budget)?.is_match(text)))
        }
        _ => Err(no_overload("matches", args)),
    }
}

fn find<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Text(text), Val::Text(pattern)] => {
            searched(text, budget)?;
            let regex = compiled(pattern, budget)?;
            Ok(regex.find(text).map_or(Val::Text(Text::Borrowed("")), |found| Val::text(found.as_str())))
        }
        _ => Err(no_overload("find", args)),
    }
}

fn find_all<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let limit = match args.get(2) {
        None => usize::MAX,
        Some(Val::Int(limit)) => usize::try_from(*limit).unwrap_or(usize::MAX),
        Some(_) => return Err(no_overload("findAll", args)),
    };
    match args {
        [Val::Text(text), Val::Text(pattern), ..] => {
            searched(text, budget)?;
            let regex = compiled(pattern, budget)?;
            let found: Vec<Val<'a>> =
                regex.find_iter(text).take(limit).map(|found| Val::text(found.as_str())).collect();
            budget.made(text.len() + found.len() * 32)?;
            Ok(Val::list(found))
        }
        _ => Err(no_overload("findAll", args)),
    }
}

fn replace<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let limit = match args.get(3) {
        None => 0,
        Some(Val::Int(limit)) if *limit == 0 => {
            return args.first().cloned().ok_or_else(|| no_overload("replace", args));
        }
        Some(Val::Int(limit)) => usize::try_from(*limit).unwrap_or(0),
        Some(_) => return Err(no_overload("regex.replace", args)),
    };
    match args {
        [Val::Text(text), Val::Text(pattern), Val::Text(with), ..] => {
            searched(text, budget)?;
            let regex = compiled(pattern, budget)?;
            // What comes out is paid for before it is made: every match brings the replacement, and each group that it
            // names brings, over all matches, at most the text.
            let most = if limit == 0 { usize::MAX } else { limit };
            let count = regex.find_iter(text).take(most).count();
            let brought = count.saturating_mul(with.len());
            budget.made(brought.saturating_add(text.len().saturating_mul(1 + with.matches('\\').count())))?;
            let with = groups(with);
            made(regex.replacen(text, limit, with.as_str()).into_owned(), budget)
        }
        _ => Err(no_overload("regex.replace", args)),
    }
}

/// `\1` as the crate writes it: `${1}`; `\\` is a backslash.
fn groups(with: &str) -> String {
    let mut out = String::with_capacity(with.len());
    let mut chars = with.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(digit) if digit.is_ascii_digit() => {
                    out.push_str("${");
                    out.push(digit);
                    out.push('}');
                }
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            '$' => out.push_str("$$"),
            other => out.push(other),
        }
    }
    out
}

fn extract<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [Val::Text(text), Val::Text(pattern)] = args else { return Err(no_overload("regex.extract", args)) };
    searched(text, budget)?;
    let regex = one_group(pattern, budget)?;
    let found = regex.captures(text).and_then(|found| found.get(found.len() - 1));
    Ok(found.map_or(Val::Optional(None), |found| Val::some(Val::text(found.as_str()))))
}

fn extract_all<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [Val::Text(text), Val::Text(pattern)] = args else {
        return Err(no_overload("regex.extractAll", args));
    };
    searched(text, budget)?;
    let regex = one_group(pattern, budget)?;
    let found: Vec<Val<'a>> = regex
        .captures_iter(text)
        .filter_map(|found| found.get(found.len() - 1).map(|group| Val::text(group.as_str())))
        .collect();
    budget.made(text.len() + found.len() * 32)?;
    Ok(Val::list(found))
}

fn one_group(pattern: &str, budget: &Budget) -> Result<Regex, Trouble> {
    let regex = compiled(pattern, budget)?;
    if regex.captures_len() > 2 {
        return Err(Trouble::no_value("a pattern to extract with has at most one group"));
    }
    Ok(regex)
}
