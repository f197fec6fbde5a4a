//! The extension functions of text.

use super::{Function, Outcome, format, global, int, items, made, member, no_overload};
use crate::{
    budget::{Budget, Trouble},
    value::{Val, text_of},
};

pub(super) const FUNCTIONS: &[Function] = &[
    member("charAt", 2, 2, char_at),
    member("indexOf", 2, 3, index_of),
    member("lastIndexOf", 2, 3, last_index_of),
    member("join", 1, 2, join),
    member("lowerAscii", 1, 1, |budget, args| changed("lowerAscii", budget, args, str::to_ascii_lowercase)),
    member("upperAscii", 1, 1, |budget, args| changed("upperAscii", budget, args, str::to_ascii_uppercase)),
    member("trim", 1, 1, |budget, args| changed("trim", budget, args, |text| text.trim().to_owned())),
    member("replace", 3, 4, replace),
    member("replaceAll", 3, 3, replace),
    member("split", 2, 3, split),
    member("substring", 2, 3, substring),
    member("format", 2, 2, |budget, args| match args {
        [Val::Text(template), list @ (Val::List(_) | Val::Items(_))] => {
            made(format::format(template, &items("format", list, budget)?, budget)?, budget)
        }
        _ => Err(no_overload("format", args)),
    }),
    global("strings.quote", 1, 1, |budget, args| changed("strings.quote", budget, args, quoted)),
    member("quote", 1, 1, |budget, args| changed("quote", budget, args, quoted)),
    member("squote", 1, 1, |budget, args| changed("squote", budget, args, |text| format!("'{text}'"))),
    member("shellQuote", 1, 1, |budget, args| {
        changed("shellQuote", budget, args, |text| format!("'{}'", text.replace('\'', "'\\''")))
    }),
    member("slug", 1, 1, |budget, args| changed("slug", budget, args, slug)),
    member("title", 1, 1, |budget, args| changed("title", budget, args, title)),
    member("trimPrefix", 2, 2, |budget, args| {
        trimmed("trimPrefix", budget, args, |text, part| text.strip_prefix(part))
    }),
    member("trimSuffix", 2, 2, |budget, args| {
        trimmed("trimSuffix", budget, args, |text, part| text.strip_suffix(part))
    }),
    member("repeat", 2, 2, repeat),
    member("indent", 2, 2, indent),
    member("abbrev", 2, 3, abbrev),
    member("wordWrap", 2, 2, word_wrap),
];

/// The characters of a text, paid for.
pub(super) fn characters(text: &str, budget: &Budget) -> Result<Vec<char>, Trouble> {
    budget.steps(1 + text.len() / 8)?;
    Ok(text.chars().collect())
}

fn changed<'a>(name: &str, budget: &Budget, args: &[Val<'a>], how: fn(&str) -> String) -> Outcome<'a> {
    match args {
        [Val::Text(text)] => {
            budget.made(text.len())?;
            made(how(text), budget)
        }
        _ => Err(no_overload(name, args)),
    }
}

fn trimmed<'a>(
    name: &str,
    budget: &Budget,
    args: &[Val<'a>],
    how: for<'t> fn(&'t str, &str) -> Option<&'t str>,
) -> Outcome<'a> {
    match args {
        [Val::Text(text), Val::Text(part)] => made(how(text, part).unwrap_or(text).to_owned(), budget),
        _ => Err(no_overload(name, args)),
    }
}

fn outside(index: i64) -> Trouble {
    Trouble::no_value(format!("index {index} is outside of the text"))
}

/// An index between 0 and the length.
fn position(index: i64, length: usize) -> Result<usize, Trouble> {
    usize::try_from(index).ok().filter(|at| *at <= length).ok_or_else(|| outside(index))
}

fn char_at<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Text(text), Val::Int(index)] => {
            let characters = characters(text, budget)?;
            let at = position(*index, characters.len())?;
            Ok(Val::text(characters.get(at).map(ToString::to_string).unwrap_or_default()))
        }
        _ => Err(no_overload("charAt", args)),
    }
}

fn index_of<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let (text, part, from) = match args {
        [Val::Text(text), Val::Text(part)] => (text, part, None),
        [Val::Text(text), Val::Text(part), Val::Int(from)] => (text, part, Some(*from)),
        _ => return Err(no_overload("indexOf", args)),
    };
    let length = characters(text, budget)?.len();
    let from = position(from.unwrap_or(0), length)?;
    let start = text.char_indices().nth(from).map_or(text.len(), |(at, _)| at);
    let rest = text.get(start..).unwrap_or_default();
    Ok(rest
        .find(&**part)
        .and_then(|at| rest.get(..at))
        .map_or(Val::Int(-1), |before| int(from + before.chars().count())))
}

fn last_index_of<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let (text, part, to) = match args {
        [Val::Text(text), Val::Text(part)] => (text, part, None),
        [Val::Text(text), Val::Text(part), Val::Int(to)] => (text, part, Some(*to)),
        _ => return Err(no_overload("lastIndexOf", args)),
    };
    let (text, part) = (characters(text, budget)?, characters(part, budget)?);
    if to.is_none() && text.is_empty() {
        return Ok(Val::Int(if part.is_empty() { 0 } else { -1 }));
    }
    let last = match to {
        Some(to) => position(to, text.len())?,
        None => text.len(),
    };
    budget.steps(text.len().saturating_mul(part.len()) / 8)?;
    let found = (0..=last.min(text.len().saturating_sub(part.len())))
        .rev()
        .find(|at| part.len() <= text.len() && text.get(*at..*at + part.len()) == Some(part.as_slice()));
    Ok(found.map_or(Val::Int(-1), int))
}

fn join<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let (list, between) = match args {
        [list] => (list, ""),
        [list, Val::Text(between)] => (list, &**between),
        _ => return Err(no_overload("join", args)),
    };
    let mut out = String::new();
    for (at, item) in items("join", list, budget)?.iter().enumerate() {
        let Val::Text(text) = item else {
            return Err(Trouble::no_value(format!(
                "join() wants a list of strings, and found {}",
                item.described()
            )));
        };
        budget.made(text.len() + between.len())?;
        if at > 0 {
            out.push_str(between);
        }
        out.push_str(text);
    }
    Ok(Val::text(out))
}

fn replace<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let (text, from, to, limit) = match args {
        [Val::Text(text), Val::Text(from), Val::Text(to)] => (text, from, to, -1),
        [Val::Text(text), Val::Text(from), Val::Text(to), Val::Int(limit)] => (text, from, to, *limit),
        _ => return Err(no_overload("replace", args)),
    };
    budget.steps(1 + text.len() / 8)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let count = text.matches(&**from).take(limit).count();
    budget.made(text.len().saturating_add(count.saturating_mul(to.len())))?;
    Ok(Val::text(text.replacen(&**from, to, limit)))
}

fn split<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let (text, at, limit) = match args {
        [Val::Text(text), Val::Text(at)] => (text, at, -1),
        [Val::Text(text), Val::Text(at), Val::Int(limit)] => (text, at, *limit),
        _ => return Err(no_overload("split", args)),
    };
    budget.steps(1 + text.len() / 8)?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    if most == 0 {
        return Ok(Val::list(Vec::new()));
    }
    let parts = if at.is_empty() { text.chars().count() } else { text.matches(&**at).count() + 1 };
    budget.made(text.len() + parts.min(most) * 48)?;
    let pieces: Vec<Val<'a>> = if at.is_empty() {
        let mut pieces: Vec<Val<'a>> = Vec::new();
        let mut rest = text.chars();
        while pieces.len() + 1 < most
            && let Some(next) = rest.next()
        {
            pieces.push(Val::text(next.to_string()));
        }
        if !rest.as_str().is_empty() {
            pieces.push(Val::text(rest.as_str()));
        }
        pieces
    } else {
        text.splitn(most, &**at).map(Val::text).collect()
    };
    Ok(Val::list(pieces))
}

fn substring<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let (text, from, to) = match args {
        [Val::Text(text), Val::Int(from)] => (text, *from, None),
        [Val::Text(text), Val::Int(from), Val::Int(to)] => (text, *from, Some(*to)),
        _ => return Err(no_overload("substring", args)),
    };
    let characters = characters(text, budget)?;
    let start = position(from, characters.len())?;
    let end = to.map_or(Ok(characters.len()), |to| position(to, characters.len()))?;
    let part = characters.get(start..end).ok_or_else(|| {
        Trouble::no_value(format!("substring() from {start} to {end}: the end lies before the start"))
    })?;
    made(part.iter().collect(), budget)
}

/// A text as it is written in an expression.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

fn slug(text: &str) -> String {
    let lower = text.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-")
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut start = true;
    for c in text.chars() {
        if start {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        start = c.is_whitespace();
    }
    out
}

fn repeat<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Text(text), Val::Int(count)] => {
            let count = usize::try_from(*count).map_err(|_| outside(*count))?;
            budget.made(text.len().saturating_mul(count))?;
            budget.steps(count)?;
            Ok(Val::text(text.repeat(count)))
        }
        _ => Err(no_overload("repeat", args)),
    }
}

fn indent<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    match args {
        [Val::Text(text), Val::Text(with)] => {
            let lines = text.lines().count();
            budget.made(text.len().saturating_add(lines.saturating_mul(with.len())))?;
            let lines: Vec<String> = text.split('\n').map(|line| format!("{}{line}", &**with)).collect();
            Ok(Val::text(lines.join("\n")))
        }
        _ => Err(no_overload("indent", args)),
    }
}

/// Cuts a text to a width, with dots for what is left out; a start of more than three leaves out the beginning too.
fn abbrev<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let (text, start, width) = match args {
        [Val::Text(text), Val::Int(width)] => (text, 0, *width),
        [Val::Text(text), Val::Int(start), Val::Int(width)] => (text, *start, *width),
        _ => return Err(no_overload("abbrev", args)),
    };
    let characters = characters(text, budget)?;
    let width = usize::try_from(width).ok().filter(|width| *width >= 4).ok_or_else(|| outside(width))?;
    let start = position(start, characters.len())?;
    if characters.len() <= width {
        return Ok(Val::Text(text.clone()));
    }
    let cut =
        |from: usize, to: usize| characters.get(from..to).unwrap_or_default().iter().collect::<String>();
    let length = characters.len();
    let short = if start <= 4 {
        format!("{}...", cut(0, width - 3))
    } else if start + width - 3 < length {
        format!("...{}...", cut(start, start + width.saturating_sub(6)))
    } else {
        format!("...{}", cut(length - (width - 3), length))
    };
    made(short, budget)
}

fn word_wrap<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [Val::Text(text), Val::Int(width)] = args else { return Err(no_overload("wordWrap", args)) };
    let width = usize::try_from(*width).map_err(|_| outside(*width))?;
    let mut out = String::with_capacity(text.len());
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    made(out, budget)
}

/// What a value is in running text: what `string()` makes of it, and lists and maps in brackets.
pub(super) fn spoken(value: &Val<'_>, budget: &Budget) -> Result<String, Trouble> {
    budget.step()?;
    let text = match value {
        Val::Null => "null".to_owned(),
        Val::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Val::List(_) | Val::Items(_) => {
            let items: Vec<String> = value
                .items()
                .unwrap_or_default()
                .iter()
                .map(|item| spoken(item, budget))
                .collect::<Result<_, _>>()?;
            format!("[{}]", items.join(", "))
        }
        Val::Map(_) | Val::Object(_) => {
            let mut entries: Vec<String> = Vec::new();
            for (key, value) in value.entries().unwrap_or_default() {
                entries.push(format!("{}: {}", spoken(&key, budget)?, spoken(&value, budget)?));
            }
            entries.sort();
            format!("{{{}}}", entries.join(", "))
        }
        other => text_of(other)
            .ok_or_else(|| Trouble::no_value(format!("{} cannot be written as text", other.described())))?,
    };
    budget.made(text.len())?;
    Ok(text)
}
