//! Selectors over all of the language, as text, out of a vocabulary that is small enough to hit.

use fastrand::Rng;
use serde_json::{Value, json};

use super::world::{ACCOUNTS, ACTIONS, ACTORS, NAMES, REGIONS, TAGS, TYPES};

/// Texts that look like something, or like SQL.
pub(super) const TEXTS: [&str; 26] = [
    "",
    "3",
    "3.0",
    "-1",
    "007",
    "true",
    "10GiB",
    "500MB",
    "4k",
    "5m",
    "1h30m",
    "90m",
    "2026-03-01T00:05:00Z",
    "2026-03-02T01:05:00.123456789+01:00",
    "2026-02-30T00:00:00Z",
    "web",
    "Web-1",
    "a%b",
    "a_b",
    "a\\b",
    "o'hara",
    "ünï",
    "x\ny",
    "'); drop table perigee.resources; --",
    "1e3",
    "a(b)|c",
];

pub(super) const KEYS: [&str; 7] = ["a", "b", "size", "at", "list", "a.b", "on"];

const PATTERNS: [&str; 22] = [
    "web",
    "^web",
    "[0-9]$",
    "(?i)WEB",
    "^$",
    "a.b",
    r"\d+",
    r"[^a-z]",
    "o'h|Web",
    "(a|w)+",
    r"\w{2,3}-",
    "(?i)^x",
    "",
    r"\s",
    "ü",
    r"[_%\\]",
    "x.y",
    "^[A-Z]",
    "i-?[0-9]{1,2}$",
    "(?i)^a[b-d]",
    r"\.",
    "^(web|shop)",
];

pub(super) fn pick<'a, T>(rng: &mut Rng, of: &'a [T]) -> &'a T {
    &of[rng.usize(..of.len())]
}

/// A JSON value of any kind, so many levels deep.
pub(super) fn value(rng: &mut Rng, depth: u8) -> Value {
    match rng.u8(..if depth == 0 { 6 } else { 10 }) {
        0 => json!(null),
        1 => json!(rng.bool()),
        2 => pick(rng, &[json!(3), json!(-1), json!(0), json!(7)]).clone(),
        3 => pick(rng, &[json!(3.0), json!(0.1), json!(1e300), json!(2.5e-5), json!(u64::MAX), json!(1e308)])
            .clone(),
        4 | 5 => json!(*pick(rng, &TEXTS)),
        6 | 7 => Value::Array((0..rng.usize(..4)).map(|_| value(rng, depth - 1)).collect()),
        _ => {
            let members =
                (0..rng.usize(..4)).map(|_| ((*pick(rng, &KEYS)).to_owned(), value(rng, depth - 1)));
            Value::Object(members.collect())
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// One selector.
pub(super) fn selector(rng: &mut Rng) -> String {
    alternatives(rng, 2, &resource_term)
}

fn alternatives(rng: &mut Rng, depth: u8, term: &dyn Fn(&mut Rng, u8) -> String) -> String {
    let several = (0..1 + usize::from(rng.u8(..4) == 0)).map(|_| side_by_side(rng, depth, term));
    several.collect::<Vec<_>>().join(" | ")
}

fn side_by_side(rng: &mut Rng, depth: u8, term: &dyn Fn(&mut Rng, u8) -> String) -> String {
    let nodes = (0..1 + usize::from(rng.u8(..3) == 0)).map(|_| {
        let sign = *pick(rng, &["", "", "", "-", "!"]);
        if depth > 0 && rng.u8(..6) == 0 {
            format!("{sign}({})", alternatives(rng, depth - 1, term))
        } else {
            format!("{sign}{}", term(rng, depth))
        }
    });
    nodes.collect::<Vec<_>>().join(" ")
}

fn resource_term(rng: &mut Rng, depth: u8) -> String {
    match rng.u8(..100) {
        0..20 => {
            let (field, values): (&str, Vec<String>) = match rng.u8(..8) {
                0 => ("type", owned(&TYPES)),
                1 => ("account", owned(&ACCOUNTS)),
                2 => ("region", owned(&REGIONS)),
                3 => ("name", owned(&NAMES)),
                4 => ("native_id", (0..15).map(|n| format!("id-{n}")).collect()),
                5 => ("provider", owned(&["aws", "kubernetes"])),
                6 => ("status", owned(&["Running", "Slow", "", "slow"])),
                _ => ("id", vec![super::world::key(rng.usize(..15)).id().to_string()]),
            };
            text_term(rng, field, &values)
        }
        20..26 => word_term(rng, "evidence", &["reference", "event", "document"]),
        26..32 => word_term(rng, "health", &["healthy", "warning", "unhealthy", "unknown"]),
        32..36 => truth_term(rng, "ready"),
        36..46 => {
            let field = *pick(rng, &["since", "deleted_at", "changed"]);
            time_term(rng, field)
        }
        46..58 => {
            let field =
                format!("tags.{}", pick(rng, &[TAGS[0], TAGS[1], TAGS[2], TAGS[3], "\"a.b\"", "gone"]));
            document_term(rng, &field)
        }
        58..64 => {
            let field = format!("labels.{}", pick(rng, &["app", "a.b", "tier", "gone"]));
            document_term(rng, &field)
        }
        64..84 => {
            let root = if rng.u8(..5) == 0 { "properties" } else { "config" };
            let field = path(rng, root);
            document_term(rng, &field)
        }
        84..93 => free_word(rng),
        93..95 if depth > 0 => {
            let direction = *pick(rng, &["", ", in", ", out", ", both", ", out, 2", ", both, 3", ", in, 10"]);
            format!("related({}{direction})", alternatives(rng, depth - 1, &resource_term))
        }
        95..98 => format!("changed({})", alternatives(rng, 1, &change_term)),
        _ => format!("finding({})", alternatives(rng, 1, &finding_term)),
    }
}

fn change_term(rng: &mut Rng, _: u8) -> String {
    match rng.u8(..8) {
        0 => text_term(rng, "kind", &owned(&ACTIONS)),
        1 => text_term(rng, "actor", &["dana", "deployer", "deployer/dana", "Root/Root"].map(str::to_owned)),
        2 => word_term(rng, "severity", &["info", "high"]),
        3 => truth_term(rng, "read_only"),
        4 => time_term(rng, "occurred_at"),
        5 => text_term(rng, "error_code", &["AccessDenied".to_owned()]),
        6 => {
            let field = path(rng, "details");
            document_term(rng, &field)
        }
        _ => (*pick(rng, &["dana", "DELETE", "did", "\"root did\"", "object"])).to_owned(),
    }
}

fn finding_term(rng: &mut Rng, _: u8) -> String {
    match rng.u8(..7) {
        0 => text_term(rng, "kind", &["Recon:StopInstances".to_owned(), "Recon:GetObject".to_owned()]),
        1 => text_term(rng, "title", &["web-1 was probed".to_owned(), "100% was probed".to_owned()]),
        2 => word_term(rng, "severity", &["low", "high"]),
        3 => word_term(rng, "status", &["open", "resolved", "suppressed"]),
        4 => time_term(rng, "updated_at"),
        5 => {
            let field = path(rng, "details");
            document_term(rng, &field)
        }
        _ => (*pick(rng, &["probed", "RECON", "100%", "web"])).to_owned(),
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn equality(rng: &mut Rng) -> &'static str {
    if rng.u8(..3) == 0 { "!=" } else { "=" }
}

/// A value as it is, with its beginning or end or middle left out, or any.
fn pattern(rng: &mut Rng, value: &str) -> String {
    let letters: Vec<char> = value.chars().collect();
    let cut = rng.usize(..=letters.len());
    let (head, tail): (String, String) = (letters[..cut].iter().collect(), letters[cut..].iter().collect());
    match rng.u8(..10) {
        0 => "*".to_owned(),
        1 if !head.is_empty() => format!("{}*", quoted(&head)),
        2 if !tail.is_empty() => format!("*{}", quoted(&tail)),
        3 if !tail.is_empty() && !head.is_empty() => format!("{}*{}", quoted(&head), quoted(&tail)),
        4 if tail.chars().count() > 1 => {
            format!(
                "*{}*",
                quoted(&tail.chars().take(usize::from(tail.chars().nth(1).is_some())).collect::<String>())
            )
        }
        _ => quoted(value),
    }
}

fn text_term(rng: &mut Rng, field: &str, values: &[String]) -> String {
    if rng.u8(..8) == 0 {
        return regex_term(rng, field);
    }
    let listed = (0..1 + rng.usize(..2)).map(|_| {
        let value = pick(rng, values).clone();
        pattern(rng, &value)
    });
    let listed: Vec<String> = listed.collect();
    format!("{field}{}{}", equality(rng), listed.join(","))
}

fn regex_term(rng: &mut Rng, field: &str) -> String {
    let sign = if rng.u8(..3) == 0 { "!~" } else { "~" };
    let mut regex = (*pick(rng, &PATTERNS)).to_owned();
    if rng.u8(..8) == 0 {
        regex = random_regex(rng, 2);
        if selector::Regex::new(&regex).is_err() {
            "a".clone_into(&mut regex);
        }
    }
    format!("{field}{sign}{}", quoted(&regex))
}

fn random_regex(rng: &mut Rng, depth: u8) -> String {
    let parts = (0..1 + rng.usize(..3)).map(|_| match rng.u8(..if depth == 0 { 5 } else { 8 }) {
        0 => (*pick(rng, &["a", "b", "e", "w", "-", "W", "i", "0", "1", "ü", "%"])).to_owned(),
        1 => ".".to_owned(),
        2 => (*pick(rng, &["[a-f]", "[^a]", r"\d", r"\w", r"\s", "[-_]", "[0-9a-z]", r"\D"])).to_owned(),
        3 => (*pick(rng, &["^", "$"])).to_owned(),
        4 => format!(
            "{}{}",
            pick(rng, &["a", "[a-z]", ".", r"\d"]),
            pick(rng, &["*", "+", "?", "{2}", "{1,3}"])
        ),
        5 => format!("({}|{})", random_regex(rng, depth - 1), random_regex(rng, depth - 1)),
        6 => format!("({})+", random_regex(rng, depth - 1)),
        _ => random_regex(rng, depth - 1),
    });
    parts.collect()
}

fn word_term(rng: &mut Rng, field: &str, words: &[&str]) -> String {
    match rng.u8(..4) {
        0 => regex_term(rng, field),
        1 => format!("{field}{}{}", equality(rng), pick(rng, &["*", "un*", "*t*", "healthy*"])),
        _ => {
            let listed: Vec<&str> = (0..1 + rng.usize(..2)).map(|_| *pick(rng, words)).collect();
            format!("{field}{}{}", equality(rng), listed.join(","))
        }
    }
}

fn truth_term(rng: &mut Rng, field: &str) -> String {
    format!("{field}{}{}", equality(rng), pick(rng, &["true", "false", "*", "true,false"]))
}

fn time_term(rng: &mut Rng, field: &str) -> String {
    if rng.u8(..6) == 0 {
        return format!("{field}{}*", equality(rng));
    }
    let op = *pick(rng, &["=", "!=", ">", ">=", "<", "<="]);
    let at = match rng.u8(..4) {
        0 => format!("2026-03-01T00:{:02}:00Z", rng.u8(..12)),
        1 => format!("2026-03-01T01:{:02}:00.000000+01:00", rng.u8(..12)),
        2 => (*pick(rng, &["2026-03-01", "2026-03-02", "2026-03-04"])).to_owned(),
        _ => (*pick(rng, &["now", "now-1d", "now-60h", "now+7d", "now-2d11h55m"])).to_owned(),
    };
    format!("{field}{op}{at}")
}

fn path(rng: &mut Rng, root: &str) -> String {
    let mut path = root.to_owned();
    for step in 0..1 + rng.usize(..3) {
        match rng.u8(..8) {
            0 | 1 if step > 0 || rng.u8(..8) == 0 => path.push_str("[*]"),
            2 => path.push_str(&format!("[{}]", rng.u8(..3))),
            3 => path.push_str(".\"a.b\""),
            4 => path.push_str(".0"),
            _ => path.push_str(&format!(".{}", pick(rng, &KEYS[..5]))),
        }
    }
    path
}

fn document_term(rng: &mut Rng, field: &str) -> String {
    match rng.u8(..8) {
        0 => regex_term(rng, field),
        1..4 => {
            let op = *pick(rng, &[">", ">=", "<", "<="]);
            let wanted = *pick(
                rng,
                &[
                    "3",
                    "2.5",
                    "-1",
                    "0.1",
                    "0",
                    "10GiB",
                    "1MB",
                    "4k",
                    "5m",
                    "90m",
                    "1h",
                    "2026-03-01T00:05:00Z",
                    "2026-03-02T00:05:00.123456Z",
                    "now-1d",
                    "100000000000000000",
                ],
            );
            format!("{field}{op}{wanted}")
        }
        4 => format!("{field}{}*", equality(rng)),
        _ => {
            let listed = (0..1 + rng.usize(..2)).map(|_| {
                let value = *pick(rng, &TEXTS);
                if rng.bool() {
                    pattern(rng, value)
                } else {
                    (*pick(rng, &["3", "0.1", "false", "7", "18446744073709551615"])).to_owned()
                }
            });
            let listed: Vec<String> = listed.collect();
            format!("{field}{}{}", equality(rng), listed.join(","))
        }
    }
}

fn free_word(rng: &mut Rng) -> String {
    let word = match rng.u8(..10) {
        0 => format!("arn:aws:x:::thing/{}", rng.u8(..14)),
        1 => "arn:aws:x".to_owned(),
        2 => format!("host-{}", rng.u8(..14)),
        3 => (*pick(rng, &["FRONT door", "50%", "id-1", "_", "%", "ÜNÏ", "\\"])).to_owned(),
        4 | 5 => pick(rng, &NAMES).to_uppercase(),
        6 => (*pick(rng, &ACTORS)).to_owned(),
        _ => pick(rng, &TEXTS).replace('\n', ""),
    };
    quoted(if word.is_empty() { "web" } else { &word })
}
