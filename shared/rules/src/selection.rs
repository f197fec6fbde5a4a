//! Whether one resource is of a set that a selector describes.

use std::cmp::Ordering;

use selector::{Op, Pattern, Selector, Term};
use serde_json::Value;

/// Whether the `resource` variable of a rule is described by a selector. A field that the resource has not is the empty
/// text, so `tags.env!=prod` describes what has no such tag.
pub(crate) fn describes(selector: &Selector, resource: &Value) -> bool {
    selector.terms.iter().all(|term| match term {
        Term::Word(word) => {
            let word = word.to_lowercase();
            ["name", "native_id"].iter().any(|field| text(resource, &[field]).to_lowercase().contains(&word))
        }
        Term::Compare { field, op, values, .. } => {
            let path: Vec<&str> = field.iter().map(String::as_str).collect();
            compare(&text(resource, &path), *op, values)
        }
    })
}

/// The text at a path. Keys of tags and labels may have dots in them; `health` and
/// `status` are those of the verdict before.
fn text(resource: &Value, path: &[&str]) -> String {
    let found = match path {
        [map @ ("tags" | "labels"), key @ ..] => resource.get(map).and_then(|map| map.get(key.join("."))),
        ["health"] => resource.pointer("/health/health"),
        ["status"] => resource.pointer("/health/status"),
        _ => path.iter().try_fold(resource, |value, key| value.get(key)),
    };
    match found {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

fn compare(text: &str, op: Op, values: &[Pattern]) -> bool {
    let ordered = |wanted: &[Ordering]| {
        values.iter().any(|value| match value {
            Pattern::Exact(value) => wanted.contains(&order(text, value)),
            Pattern::Wild(_) => false,
        })
    };
    match op {
        Op::Equal => values.iter().any(|value| matches(value, text)),
        Op::NotEqual => !values.iter().any(|value| matches(value, text)),
        Op::Greater => ordered(&[Ordering::Greater]),
        Op::GreaterOrEqual => ordered(&[Ordering::Greater, Ordering::Equal]),
        Op::Less => ordered(&[Ordering::Less]),
        Op::LessOrEqual => ordered(&[Ordering::Less, Ordering::Equal]),
    }
}

/// Numbers by size, anything else as text.
fn order(left: &str, right: &str) -> Ordering {
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(left), Ok(right)) => left.total_cmp(&right),
        _ => left.cmp(right),
    }
}

fn matches(pattern: &Pattern, text: &str) -> bool {
    match pattern {
        Pattern::Exact(exact) => exact == text,
        Pattern::Wild(pieces) => {
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            wild(&pieces, text)
        }
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_selector_describes_what_it_says() {
        let resource = json!({
            "type": "AWS::EC2::Instance", "name": "web-1", "native_id": "i-1", "region": "eu-west-1",
            "tags": {"env": "prod", "a.b": "c"}, "health": {"health": "warning"},
        });
        for (text, holds) in [
            ("", true),
            ("type=AWS::EC2::*", true),
            ("type=AWS::RDS::*", false),
            ("tags.env=prod,test", true),
            ("tags.env!=prod", false),
            ("tags.team!=shop", true),
            ("tags.a.b=c", true),
            ("name=web-*", true),
            ("health=warning", true),
            ("WEB", true),
            ("other", false),
        ] {
            let selector = selector::parse(text).unwrap();
            assert_eq!(describes(&selector, &resource), holds, "{text}");
        }
    }

    #[test]
    fn wildcards_take_any_text_between_the_pieces() {
        assert!(wild(&["a", "b", "c"], "a-b-c"));
        assert!(wild(&["", ""], ""));
        assert!(!wild(&["ab", "ba"], "aba"));
        assert!(!wild(&["a", "b", "b"], "ab"));
    }
}
