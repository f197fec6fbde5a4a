//! Selectors as SQL. The only place that builds SQL at run time; every value is bound.

use chrono::{DateTime, Utc};
use selector::{Op, Pattern, Selector, Term};
use sqlx::{Postgres, QueryBuilder};

use crate::Error;

/// How a field of a selector is held by its table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    /// A text, compared exactly or by wildcards.
    Text(&'static str),
    /// Several texts, of which any may match, compared as one is.
    Any(&'static [&'static str]),
    /// One of a few words: a text for which any other exact value is a mistake.
    Word(&'static str, &'static [&'static str]),
    /// A truth value.
    Bool(&'static str),
    /// An instant, compared with RFC 3339 texts.
    Time(&'static str),
    /// A jsonb object of texts; the rest of the field's path is the key.
    Map(&'static str),
}

/// What a kind of list can be asked for.
#[derive(Debug)]
pub(crate) struct Fields {
    /// The fields by name.
    pub(crate) columns: &'static [(&'static str, Column)],
    /// The texts that a free word is looked for in.
    pub(crate) words: &'static [&'static str],
}

/// Adds `and` conditions for every term.
pub(crate) fn push_conditions(
    query: &mut QueryBuilder<Postgres>,
    selector: &Selector,
    fields: &Fields,
) -> Result<(), Error> {
    for term in &selector.terms {
        query.push(" and ");
        match term {
            Term::Word(word) => push_word(query, fields, word),
            Term::Compare { field, op, values, column } => {
                let at = |message: String| Error::BadSelector { column: *column, message };
                match (find(fields, field).map_err(at)?, field.get(1)) {
                    (Column::Map(map), Some(key)) => push_key(query, map, key, *op, values).map_err(at)?,
                    (Column::Text(text), None) => push_text(query, &[text], *op, values).map_err(at)?,
                    (Column::Any(texts), None) => push_text(query, texts, *op, values).map_err(at)?,
                    (Column::Word(text, words), None) => {
                        only_words(&field[0], words, values).map_err(at)?;
                        push_text(query, &[text], *op, values).map_err(at)?;
                    }
                    (Column::Bool(truth), None) => push_bool(query, truth, *op, values).map_err(at)?,
                    (Column::Time(time), None) => push_time(query, time, *op, values).map_err(at)?,
                    (Column::Map(_), None) => {
                        return Err(at(format!("`{0}` needs a key, as in `{0}.env=prod`", field.join("."))));
                    }
                    (_, Some(_)) => return Err(at(format!("`{}` has no parts", field[0]))),
                }
            }
        }
    }
    Ok(())
}

fn find(fields: &Fields, path: &[String]) -> Result<Column, String> {
    let name = path.first().map(String::as_str).unwrap_or_default();
    let found = fields.columns.iter().find(|(known, _)| *known == name).map(|(_, column)| *column);
    found.filter(|_| path.len() <= 2).ok_or_else(|| {
        let known: Vec<&str> = fields.columns.iter().map(|(known, _)| *known).collect();
        format!("there is no field `{}`; the fields are {}", path.join("."), known.join(", "))
    })
}

fn push_word(query: &mut QueryBuilder<Postgres>, fields: &Fields, word: &str) {
    query.push("(false");
    for text in fields.words {
        query.push(" or ").push(text).push(" ilike ").push_bind(format!("%{}%", escaped(word)));
    }
    query.push(")");
}

/// Refuses what no row can hold, so that a misspelt word is not taken for a search without results.
fn only_words(field: &str, words: &[&str], values: &[Pattern]) -> Result<(), String> {
    let unknown = values.iter().find_map(|value| match value {
        Pattern::Exact(exact) if !words.contains(&exact.as_str()) => Some(exact),
        Pattern::Exact(_) | Pattern::Wild(_) => None,
    });
    unknown.map_or(Ok(()), |word| {
        Err(format!("`{word}` is no value of `{field}`; its values are {}", words.join(", ")))
    })
}

fn push_text(
    query: &mut QueryBuilder<Postgres>,
    texts: &[&'static str],
    op: Op,
    values: &[Pattern],
) -> Result<(), String> {
    match op {
        Op::Equal => {
            push_any(query, texts, values);
            Ok(())
        }
        // What has no value is not equal to any.
        Op::NotEqual => {
            query.push("not coalesce(");
            push_any(query, texts, values);
            query.push(", false)");
            Ok(())
        }
        Op::Greater | Op::GreaterOrEqual | Op::Less | Op::LessOrEqual => {
            Err("a text can be compared with `=` and `!=` only".to_owned())
        }
    }
}

/// Any of the texts matches any of the patterns.
fn push_any(query: &mut QueryBuilder<Postgres>, texts: &[&'static str], values: &[Pattern]) {
    for (index, text) in texts.iter().enumerate() {
        query.push(if index == 0 { "(" } else { " or " });
        push_match(query, text, values);
    }
    query.push(")");
}

/// `text` matches any of the patterns. Written so that an index on the text can serve it, in order for one value.
fn push_match(query: &mut QueryBuilder<Postgres>, text: &'static str, values: &[Pattern]) {
    let exact = |value: &Pattern| match value {
        Pattern::Exact(exact) => Some(exact.clone()),
        Pattern::Wild(_) => None,
    };
    let mut listed: Vec<String> = values.iter().filter_map(exact).collect();
    query.push("(").push(text);
    match (listed.len(), listed.pop()) {
        (1, Some(only)) => query.push(" = ").push_bind(only),
        (_, last) => {
            listed.extend(last);
            query.push(" = any(").push_bind(listed).push(")")
        }
    };
    for value in values {
        if let Pattern::Wild(pieces) = value {
            let pieces: Vec<String> = pieces.iter().map(|piece| escaped(piece)).collect();
            query.push(" or ").push(text).push(" like ").push_bind(pieces.join("%"));
        }
    }
    query.push(")");
}

fn push_key(
    query: &mut QueryBuilder<Postgres>,
    map: &'static str,
    key: &str,
    op: Op,
    values: &[Pattern],
) -> Result<(), String> {
    if !matches!(op, Op::Equal | Op::NotEqual) {
        return Err("a tag can be compared with `=` and `!=` only".to_owned());
    }
    query.push(if op == Op::NotEqual { "not (false" } else { "(false" });
    for value in values {
        match value {
            // Containment is what the index on the map answers.
            Pattern::Exact(exact) => {
                query.push(" or ").push(map).push(" @> ").push_bind(serde_json::json!({ key: exact }));
            }
            Pattern::Wild(pieces) => {
                let pieces: Vec<String> = pieces.iter().map(|piece| escaped(piece)).collect();
                query.push(" or coalesce(").push(map).push(" ->> ").push_bind(key.to_owned());
                query.push(" like ").push_bind(pieces.join("%")).push(", false)");
            }
        }
    }
    query.push(")");
    Ok(())
}

fn push_bool(
    query: &mut QueryBuilder<Postgres>,
    truth: &'static str,
    op: Op,
    values: &[Pattern],
) -> Result<(), String> {
    let wanted = match values {
        [Pattern::Exact(word)] if word == "true" => true,
        [Pattern::Exact(word)] if word == "false" => false,
        _ => return Err("this field is `true` or `false`".to_owned()),
    };
    match op {
        Op::Equal | Op::NotEqual => {
            query.push(truth).push(" = ").push_bind(wanted == (op == Op::Equal));
            Ok(())
        }
        Op::Greater | Op::GreaterOrEqual | Op::Less | Op::LessOrEqual => {
            Err("this field can be compared with `=` and `!=` only".to_owned())
        }
    }
}

fn push_time(
    query: &mut QueryBuilder<Postgres>,
    time: &'static str,
    op: Op,
    values: &[Pattern],
) -> Result<(), String> {
    let parsed = match values {
        [Pattern::Exact(text)] => DateTime::parse_from_rfc3339(text).ok(),
        _ => None,
    };
    let at = parsed
        .map(|at| at.with_timezone(&Utc))
        .ok_or_else(|| "this field takes one instant, such as 2026-03-03T02:13:00Z".to_owned())?;
    let sign = match op {
        Op::Equal => " = ",
        Op::NotEqual => " is distinct from ",
        Op::Greater => " > ",
        Op::GreaterOrEqual => " >= ",
        Op::Less => " < ",
        Op::LessOrEqual => " <= ",
    };
    query.push(time).push(sign).push_bind(at);
    Ok(())
}

/// A text in which `like` sees no wildcard.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}
