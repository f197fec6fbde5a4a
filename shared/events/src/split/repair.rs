//! What Postgres or a JSON reader cannot hold, replaced before reading: NUL, and halves of surrogate pairs.

use std::borrow::Cow;

/// JSON text in which every `\u0000`, raw NUL and unpaired surrogate escape is U+FFFD.
pub(super) fn repair(json: &str) -> Cow<'_, str> {
    if !json.contains("\\u") && !json.contains('\0') {
        return Cow::Borrowed(json);
    }
    let mut repaired = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find(['\\', '\0']) {
        let (before, found) = rest.split_at(at);
        repaired.push_str(before);
        let (kept, length) = sequence(found);
        repaired.push_str(kept);
        rest = found.get(length..).unwrap_or_default();
    }
    repaired.push_str(rest);
    Cow::Owned(repaired)
}

/// What the escape or NUL at the beginning of `text` becomes, and how many bytes it took.
fn sequence(text: &str) -> (&str, usize) {
    const REPLACEMENT: &str = "\\ufffd";
    if text.starts_with('\0') {
        return ("\u{fffd}", 1);
    }
    let Some(unit) = unit(text) else {
        // Any other escape, or a lone backslash at the end: two characters, as they are.
        let length = 1 + text.chars().nth(1).map_or(0, char::len_utf8);
        return (text.get(..length).unwrap_or(text), length);
    };
    let kept = |length: usize| (text.get(..length).unwrap_or(text), length);
    match unit {
        0 => (REPLACEMENT, 6),
        0xd800..=0xdbff => match text.get(6..).and_then(self::unit) {
            Some(0xdc00..=0xdfff) => kept(12),
            _ => (REPLACEMENT, 6),
        },
        0xdc00..=0xdfff => (REPLACEMENT, 6),
        _ => kept(6),
    }
}

/// The code unit of a `\uXXXX` at the beginning of `text`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}
