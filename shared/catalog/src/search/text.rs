//! Conditions on texts, truth values and maps of texts, written so that indexes can serve them.

use selector::{Path, Pattern};
use serde_json::json;
use sqlx::{Postgres, QueryBuilder};

/// Any of the texts matches any of the patterns.
pub(super) fn push_any(sql: &mut QueryBuilder<Postgres>, texts: &[&'static str], values: &[Pattern]) {
    for (index, text) in texts.iter().enumerate() {
        sql.push(if index == 0 { "(" } else { " or " });
        push_match(sql, text, values);
    }
    sql.push(")");
}

/// `text` matches any of the patterns: in the order of an index on the text, where there is one value.
fn push_match(sql: &mut QueryBuilder<Postgres>, text: &'static str, values: &[Pattern]) {
    if values.iter().any(Pattern::is_any) {
        sql.push(text).push(" is not null");
        return;
    }
    let mut listed = exact(values);
    sql.push("(").push(text);
    match (listed.len(), listed.pop()) {
        (1, Some(only)) => sql.push(" = ").push_bind(only),
        (_, last) => {
            listed.extend(last);
            sql.push(" = any(").push_bind(listed).push(")")
        }
    };
    for pattern in wild(values) {
        sql.push(" or ").push(text).push(" like ").push_bind(pattern);
    }
    sql.push(")");
}

pub(super) fn push_truth(sql: &mut QueryBuilder<Postgres>, column: &'static str, values: &[Pattern]) {
    if values.iter().any(Pattern::is_any) {
        sql.push(column).push(" is not null");
        return;
    }
    let wanted: Vec<bool> = exact(values).iter().map(|word| word == "true").collect();
    sql.push(column).push(" = any(").push_bind(wanted).push(")");
}

/// The text at a key of a map matches any of the patterns.
pub(super) fn push_key(sql: &mut QueryBuilder<Postgres>, map: &'static str, path: &Path, values: &[Pattern]) {
    let key = path.key().unwrap_or_default();
    if values.iter().any(Pattern::is_any) {
        sql.push("(").push(map).push(" ->> ").push_bind(key).push(") is not null");
        return;
    }
    sql.push("(false");
    for value in exact(values) {
        // Containment is what the index on the map answers.
        sql.push(" or ").push(map).push(" @> ").push_bind(json!({ key.as_str(): value }));
    }
    for pattern in wild(values) {
        sql.push(" or (").push(map).push(" ->> ").push_bind(key.clone()).push(") like ").push_bind(pattern);
    }
    sql.push(")");
}

/// The exact ones of some values.
pub(super) fn exact(values: &[Pattern]) -> Vec<String> {
    let exact = values.iter().filter_map(|value| match value {
        Pattern::Exact(exact) => Some(exact.clone()),
        Pattern::Wild(_) => None,
    });
    exact.collect()
}

/// Those with wildcards, as `like` takes them.
pub(super) fn wild(values: &[Pattern]) -> Vec<String> {
    let wild = values.iter().filter_map(|value| match value {
        Pattern::Exact(_) => None,
        Pattern::Wild(pieces) => {
            let pieces: Vec<String> = pieces.iter().map(|piece| escaped(piece)).collect();
            Some(pieces.join("%"))
        }
    });
    wild.collect()
}

/// What `like` takes for any text that holds this one.
pub(super) fn containing(text: &str) -> String {
    format!("%{}%", escaped(text))
}

/// How long the part of a word is that is looked up: one of letters and digits alone, else any.
const TELLING: [usize; 2] = [5, 10];

/// The text holds the word. Of a long word an index looks up a part only: each trigram costs the reading of all that has
/// it, and a few rare ones say as much as all.
pub(super) fn push_holds(sql: &mut QueryBuilder<Postgres>, text: &'static str, word: &str) {
    let part = telling(word);
    sql.push(text).push(" like ").push_bind(containing(part));
    if part.len() < word.len() {
        sql.push(" and strpos(").push(text).push(", ").push_bind(word.to_owned()).push(") > 0");
    }
}

/// The part of a word that is likely to be the rarest: a few letters with the most digits, at least two, which names give
/// to one alone; where there is none, a longer part. Of equals the last.
fn telling(word: &str) -> &str {
    let starts: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
    let digits = |part: &str| part.bytes().filter(u8::is_ascii_digit).count();
    let best = |length: usize, wanted: &dyn Fn(&str) -> bool| {
        let parts = starts.iter().zip(starts.iter().skip(length));
        let parts = parts.filter_map(|(from, to)| word.get(*from..*to));
        parts.filter(|part| wanted(part)).max_by_key(|part| digits(part))
    };
    let [short, long] = TELLING;
    let own = |part: &str| digits(part) > 1 && part.chars().all(char::is_alphanumeric);
    best(short, &own).or_else(|| best(long, &|_| true)).unwrap_or(word)
}

/// A text in which `like` sees no wildcard.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::telling;

    #[test]
    fn of_a_long_word_the_rarest_part_is_looked_up() {
        let cases = [
            ("", ""),
            ("api", "api"),
            ("i-0ab", "i-0ab"),
            ("checkout", "checkout"),
            ("notification-worker", "ion-worker"),
            ("checkout-queue-61d5b", "61d5b"),
            ("61d5b-checkout", "61d5b"),
            ("i-0123456789abcdef0", "56789"),
            ("10.0.1.2", "10.0.1.2"),
            ("backup-2026-11-29", "2026-11-29"),
            ("größenänderung", "enänderung"),
        ];
        for (word, part) in cases {
            assert_eq!(telling(word), part, "{word}");
            assert!(word.contains(telling(word)));
        }
    }
}
