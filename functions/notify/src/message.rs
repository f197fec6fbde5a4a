//! What a delivery says: the notification's own texts, or short ones made from the signal. Pure.

use catalog::deliveries::ClaimedDelivery;
use chrono::DateTime;
use model::{Signal, SignalKind, Timestamp};
use serde_json::Value;

use crate::shelf::Rule;

#[cfg(test)]
mod tests;

/// The longest title and text that are kept and sent.
const LONGEST_TITLE: usize = 500;
const LONGEST_TEXT: usize = 20_000;

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// One line.
    pub(crate) title: String,
    /// The text; may be empty.
    pub(crate) text: String,
    /// The page of what it is about.
    pub(crate) link: Option<String>,
}

/// Writes the message of a delivery.
///
/// # Errors
/// When a text of the notification has no value for this event.
pub(crate) fn compose(
    rule: &Rule,
    one: &ClaimedDelivery,
    link_base: Option<&str>,
    now: Timestamp,
) -> Result<Message, expr::Error> {
    let bindings = || triggers::recall(&one.signal, &one.snapshot, now);
    let title = match &rule.title {
        Some(title) => title.render(&bindings())?,
        None => title(&one.signal, &one.snapshot, now),
    };
    let text = match &rule.body {
        Some(body) => body.render(&bindings())?,
        None => text(&one.signal, &one.snapshot),
    };
    let link = link_base
        .zip(one.resource)
        .map(|(base, id)| format!("{}/resources/{id}", base.trim_end_matches('/')));
    // A title is one line. NUL is what Postgres cannot keep.
    let line: Vec<&str> = title.split_whitespace().collect();
    let title = line.join(" ").replace('\0', "\u{fffd}").chars().take(LONGEST_TITLE).collect();
    let text = text.replace('\0', "\u{fffd}").chars().take(LONGEST_TEXT).collect();
    Ok(Message { title, text, link })
}

fn word<'a>(of: &'a Value, name: &str) -> &'a str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// `checkout (ECS service, 111122223333 eu-west-1) is unhealthy since 05:57 UTC: 0 of 2 tasks running`
fn title(signal: &Signal, snapshot: &Value, now: Timestamp) -> String {
    let payload = &signal.payload;
    let what = || what(payload, snapshot.get("resource").unwrap_or(&Value::Null));
    let because = |reason: &str| if reason.is_empty() { String::new() } else { format!(": {reason}") };
    match signal.kind {
        SignalKind::HealthChanged => {
            let since = DateTime::parse_from_rfc3339(word(payload, "since"))
                .map_or(signal.occurred_at, |since| since.to_utc());
            let reason = [word(payload, "reason"), word(payload, "status")];
            let reason = reason.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
            let health = word(payload, "health");
            format!("{} is {health} since {}{}", what(), clock(since, now), because(reason))
        }
        SignalKind::ResourceCreated => format!("{} appeared", what()),
        SignalKind::ResourceChanged => format!("{} changed", what()),
        SignalKind::ResourceDeleted => format!("{} is gone", what()),
        SignalKind::ChangeRecorded => {
            let change = snapshot.get("change").unwrap_or(&Value::Null);
            let told = [word(change, "summary"), word(change, "kind"), word(payload, "kind")];
            let told = told.into_iter().find(|text| !text.is_empty()).unwrap_or("A change was recorded");
            format!("{told}{}", place(word(payload, "account"), word(payload, "region")))
        }
        SignalKind::FindingOpened | SignalKind::FindingClosed => {
            let state = if signal.kind == SignalKind::FindingOpened { "opened" } else { "closed" };
            let (severity, kind) = (word(payload, "severity"), word(payload, "kind"));
            format!("{} finding of {} {state}: {kind}", capital(severity), word(payload, "product"))
        }
        SignalKind::CheckFailed => {
            format!("The check {} fails{}", word(payload, "name"), because(word(payload, "reason")))
        }
        SignalKind::CheckRecovered => format!("The check {} passes again", word(payload, "name")),
        SignalKind::RunRequested => format!("A run of {} is asked for", word(payload, "playbook")),
        SignalKind::RunCompleted => format!("The run of {} is completed", word(payload, "playbook")),
        SignalKind::RunFailed => {
            let end = if word(payload, "state") == "unknown" { "has an unknown outcome" } else { "failed" };
            format!("The run of {} {end}{}", word(payload, "playbook"), because(word(payload, "reason")))
        }
        SignalKind::ScrapeRequested => format!("A listing by {} is asked for", word(payload, "scraper")),
        SignalKind::ManifestChanged => {
            format!("The {} {} was changed", word(payload, "kind"), word(payload, "name"))
        }
    }
}

/// What stands below the title: before, and what was concerned.
fn text(signal: &Signal, snapshot: &Value) -> String {
    let payload = &signal.payload;
    let mut lines = Vec::new();
    if signal.kind == SignalKind::HealthChanged {
        let (previous, status) = (word(payload, "previous"), word(payload, "status"));
        if !previous.is_empty() {
            lines.push(format!("It was {previous} before."));
        }
        if !status.is_empty() {
            lines.push(format!("Status: {status}"));
        }
    }
    let resource = snapshot.get("resource").unwrap_or(&Value::Null);
    if signal.kind != SignalKind::HealthChanged && !word(resource, "name").is_empty() {
        lines.push(format!("Resource: {}", what(payload, resource)));
    }
    if let Some(change) = snapshot.get("change") {
        let actor =
            change.get("actor").map_or("", |actor| actor.as_str().unwrap_or_else(|| word(actor, "name")));
        if !actor.is_empty() {
            lines.push(format!("By: {actor}"));
        }
        if !word(change, "error_code").is_empty() {
            lines.push(format!("It was refused: {}", word(change, "error_code")));
        }
    }
    lines.join("\n")
}

/// `checkout (ECS service, 111122223333 eu-west-1)`
fn what(payload: &Value, resource: &Value) -> String {
    let either =
        |name: &str| if word(payload, name).is_empty() { word(resource, name) } else { word(payload, name) };
    let name = [word(payload, "name"), word(resource, "name"), word(resource, "native_id")];
    let name = name.into_iter().find(|text| !text.is_empty()).unwrap_or("A resource");
    let at = [either("account"), either("region")];
    let at: Vec<&str> = at.into_iter().filter(|text| !text.is_empty()).collect();
    let about = [kind_in_words(either("type")), at.join(" ")];
    let about: Vec<String> = about.into_iter().filter(|text| !text.is_empty()).collect();
    if about.is_empty() { name.to_owned() } else { format!("{name} ({})", about.join(", ")) }
}

fn place(account: &str, region: &str) -> String {
    let at: Vec<&str> = [account, region].into_iter().filter(|text| !text.is_empty()).collect();
    if at.is_empty() { String::new() } else { format!(" ({})", at.join(" ")) }
}

/// `AWS::ECS::Service` as `ECS service`, `Kubernetes::apps::Deployment` as `Deployment`.
fn kind_in_words(kind: &str) -> String {
    let parts: Vec<&str> = kind.split("::").collect();
    match parts.as_slice() {
        ["AWS", service, name] => format!("{service} {}", spaced(name)),
        ["Kubernetes", _, name] => (*name).to_owned(),
        _ => kind.to_owned(),
    }
}

/// `DBInstance` as `DB instance`, `SecurityGroup` as `security group`.
fn spaced(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = Vec::new();
    for (index, letter) in letters.iter().enumerate() {
        let before_lower = letters.get(index + 1).is_some_and(|next| next.is_lowercase());
        let after_lower = index > 0 && letters.get(index - 1).is_some_and(|before| !before.is_uppercase());
        if letter.is_uppercase() && (after_lower || before_lower) || words.is_empty() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(*letter);
        }
    }
    let lower = |word: String| {
        let abbreviation = word.len() > 1 && word.chars().all(|c| c.is_uppercase() || c.is_ascii_digit());
        if abbreviation { word } else { word.to_lowercase() }
    };
    words.into_iter().map(lower).collect::<Vec<_>>().join(" ")
}

/// The time of day; with the day, where that is another.
fn clock(at: Timestamp, now: Timestamp) -> String {
    let format = if at.date_naive() == now.date_naive() { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" };
    at.format(format).to_string()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(|| "A".to_owned(), |first| first.to_uppercase().chain(letters).collect())
}
