//! Times, numbers and addresses as text.

use chrono::SecondsFormat;
use model::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What may stand in a query or a path segment as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// An address with its parameters; those without a value are left out.
pub(super) fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let escape = |text| utf8_percent_encode(text, ESCAPED);
    let given = parameters.iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<_> = given.map(|(name, value)| format!("{name}={}", escape(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// `2026-03-03T02:13:07.000001Z`
pub(super) fn machine(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// `2026-03-03 02:13:07`
pub(super) fn second(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2026-03-03 02:13`
pub(super) fn minute(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M").to_string()
}

/// How long before `now` (or after it), in the largest unit that leaves at least one.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.signed_duration_since(at).num_seconds();
    let units = [(365 * 86_400, "y"), (30 * 86_400, "mo"), (86_400, "d"), (3600, "h"), (60, "min")];
    let Some((length, unit)) = units.into_iter().find(|(length, _)| seconds.abs() >= *length) else {
        return if seconds < 0 { "in moments".to_owned() } else { "just now".to_owned() };
    };
    let count = seconds.abs() / length;
    if seconds < 0 { format!("in {count} {unit}") } else { format!("{count} {unit} ago") }
}

/// `1,234,567`
pub(super) fn number(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// `1 change`, `2 changes`
pub(super) fn counted(number: i64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", self::number(number))
}

/// At most `length` characters, with an ellipsis where some were cut.
pub(super) fn cut(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.split_at(end).0),
    }
}

/// A reason as a sentence begins: with a capital, unless its first word is code.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if first.is_lowercase() => first.to_uppercase().chain(letters).collect(),
        Some(_) | None => text.to_owned(),
    }
}

/// A size in bytes for a person.
pub(super) fn bytes(size: i64) -> String {
    match size {
        ..1000 => format!("{size} B"),
        1000..1_000_000 => format!("{} kB", size / 1000),
        _ => format!("{} MB", size / 1_000_000),
    }
}

/// A length of time in words, from milliseconds: `85 ms`, `3.2 s`, `4 min 5 s`, `2 h 10 min`.
pub(super) fn length(milliseconds: i64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..60 => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..172_800 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// What a letter weighs as markup, in bytes.
fn weight(letter: char) -> usize {
    match letter {
        '<' | '>' => 4,
        '&' => 5,
        '"' => 6,
        other => other.len_utf8(),
    }
}

/// The end of a text whose markup weighs at most `left` bytes, which are then fewer; and whether something stood
/// before it.
pub(super) fn tail<'a>(text: &'a str, left: &mut usize) -> (&'a str, bool) {
    for (place, letter) in text.char_indices().rev() {
        let Some(rest) = left.checked_sub(weight(letter)) else {
            return (text.get(place + letter.len_utf8()..).unwrap_or_default(), true);
        };
        *left = rest;
    }
    (text, false)
}

/// A path segment.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn times_are_told_in_the_largest_unit() {
        let now: Timestamp = "2026-03-03T12:00:00Z".parse().unwrap();
        let told: Vec<_> = [0, 59, 60, 3599, 3600, 86_399, 86_400, 2_592_000, 31_536_000, -10, -120]
            .map(|seconds| ago(now - chrono::TimeDelta::seconds(seconds), now))
            .into();
        expect!["just now, just now, 1 min ago, 59 min ago, 1 h ago, 23 h ago, 1 d ago, 1 mo ago, 1 y ago, in moments, in 2 min"].assert_eq(&told.join(", "));
    }

    #[test]
    fn numbers_are_grouped() {
        expect!["0 7 999 1,000 123,456 1,234,567 -1,000"]
            .assert_eq(&[0, 7, 999, 1000, 123_456, 1_234_567, -1000].map(number).join(" "));
        expect!["1 change 2 changes"].assert_eq(&[1, 2].map(|n| counted(n, "change")).join(" "));
        expect!["5 B 4 kB 5 MB"].assert_eq(&[5, 4300, 5_000_000].map(bytes).join(" "));
    }

    #[test]
    fn an_address_escapes_its_parameters() {
        expect!["/?q=name%3D%22a%20b%22%20%C3%A9&limit=5"]
            .assert_eq(&address("/", &[("q", "name=\"a b\" é"), ("none", ""), ("limit", "5")]));
        assert_eq!(address("/", &[]), "/");
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("naïve", 3), "naï…");
        assert_eq!(cut("naïve", 5), "naïve");
    }

    #[test]
    fn a_sentence_begins_with_a_capital() {
        assert_eq!(
            ["it answered 500", "`a` is", "Éa", "ßa", ""].map(sentence),
            ["It answered 500", "`a` is", "Éa", "SSa", ""]
        );
    }

    #[test]
    fn lengths_are_told_in_two_units() {
        let told = [85, 3_250, 245_000, 7_800_000, 300_000_000].map(length);
        expect!["85 ms, 3.2 s, 4 min 5 s, 2 h 10 min, 3 d 11 h"].assert_eq(&told.join(", "));
    }

    #[test]
    fn the_end_of_a_text_is_weighed_as_markup() {
        let end = |text: &'static str, mut bytes: usize| tail(text, &mut bytes);
        assert_eq!(end("naïve", 100), ("naïve", false));
        assert_eq!(end("naïve", 3), ("ve", true));
        assert_eq!(end("a<b<c", 6), ("b<c", true));
        assert_eq!(end("abc", 0), ("", true));
    }
}
