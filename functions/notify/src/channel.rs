//! A message as the request that a channel takes: pure.

use std::time::Duration;

use catalog::deliveries::ClaimedDelivery;
use connections::Resolved;
use model::Timestamp;
use ports::Request;
use serde_json::{Value, json};

use crate::{
    message::Message,
    sign::{self, BadKey},
};

/// How long a channel may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How much of its answer is looked at.
const ANSWER: usize = 4096;
/// The bounds of Slack: of a header, of a section, of a message's text.
const SLACK_HEADER: usize = 150;
const SLACK_SECTION: usize = 3000;

/// Headers that are ours to set, whatever the connection says.
const OURS: [&str; 5] =
    ["content-type", "idempotency-key", "webhook-id", "webhook-timestamp", "webhook-signature"];

/// The request of a webhook, as standard-webhooks says.
pub(crate) fn webhook(
    one: &ClaimedDelivery,
    message: &Message,
    to: &Resolved,
    now: Timestamp,
) -> Result<Request, BadKey> {
    let body = webhook_body(one, message).to_string().into_bytes();
    let (id, seconds) = (one.id.to_string(), now.timestamp());
    let mut request = post(to, body);
    let mut header = |name: &str, value: String| request.headers.push((name.to_owned(), value));
    header("webhook-id", id.clone());
    header("webhook-timestamp", seconds.to_string());
    header("idempotency-key", id.clone());
    if let Some(key) = &to.signing_key {
        let signature = sign::sign(key, &id, seconds, &request.body)?;
        request.headers.push(("webhook-signature".to_owned(), signature));
    }
    Ok(request)
}

fn post(to: &Resolved, body: Vec<u8>) -> Request {
    let mut request = Request::new("POST", &to.base_url);
    let theirs = to.headers.iter().filter(|(name, _)| !OURS.contains(&name.to_ascii_lowercase().as_str()));
    request.headers = theirs.cloned().collect();
    request.headers.push(("content-type".to_owned(), "application/json".to_owned()));
    request.body = body;
    request.timeout = TIMEOUT;
    request.max_body = ANSWER;
    request
}

/// What is told: the kind and the instant of the signal, and under `data` what it is about.
fn webhook_body(one: &ClaimedDelivery, message: &Message) -> Value {
    let part = |name: &str| one.snapshot.get(name).filter(|value| !value.is_null()).cloned();
    let resource = part("resource").map(|resource| {
        let field = |name: &str| (name.to_owned(), resource.get(name).cloned().unwrap_or_default());
        let shown = ["id", "type", "name", "native_id", "account", "region", "tags"];
        Value::Object(shown.iter().map(|name| field(name)).collect())
    });
    let health = if one.signal.kind == model::SignalKind::HealthChanged {
        let field = |name: &str| (name.to_owned(), one.signal.payload.get(name).cloned().unwrap_or_default());
        let shown = ["health", "previous", "status", "reason", "ready", "since", "rule"];
        Some(Value::Object(shown.iter().map(|name| field(name)).collect()))
    } else {
        part("resource").and_then(|resource| resource.get("health").cloned())
    };
    let mut data = json!({
        "delivery": one.id, "notification": one.notification, "signal": one.signal.id, "title": message.title,
        "text": message.text, "payload": one.signal.payload,
    });
    let more = [
        ("link", message.link.clone().map(Value::from)),
        ("resource", resource),
        ("health", health.filter(|health| !health.is_null())),
        ("change", part("change")),
        ("run", part("run")),
        ("check", part("check")),
    ];
    for (name, value) in more {
        if let Some(value) = value {
            data[name] = value;
        }
    }
    json!({"type": one.signal.kind, "timestamp": one.signal.occurred_at, "data": data})
}

/// The request of a Slack incoming webhook. A `plain` one has text only.
pub(crate) fn slack(message: &Message, to: &Resolved, plain: bool) -> Request {
    let link = message.link.as_deref().map(escaped);
    let mut text = format!("*{}*\n{}", escaped(&message.title), escaped(&message.text));
    if let (true, Some(link)) = (plain, &link) {
        text = format!("{text}\n{link}");
    }
    let mut body = json!({"text": cut(&text, SLACK_SECTION)});
    if !plain {
        let title = cut(&message.title, SLACK_HEADER);
        let mut blocks = vec![json!({"type": "header", "text": {"type": "plain_text", "text": title}})];
        if !message.text.is_empty() {
            let text = cut(&escaped(&message.text), SLACK_SECTION);
            blocks.push(json!({"type": "section", "text": {"type": "mrkdwn", "text": text}}));
        }
        if let Some(link) = &link {
            let text = format!("<{link}|Open in Perigee>");
            blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}));
        }
        body["blocks"] = Value::Array(blocks);
    }
    post(to, body.to_string().into_bytes())
}

/// Text in which Slack sees no link, mention or command.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// At most so many characters, and no half of an escaped one at the end.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    let whole = match kept.rsplit_once('&') {
        Some((before, tail)) if tail.chars().count() < 4 && !tail.contains(';') => before,
        _ => kept.as_str(),
    };
    format!("{whole}…")
}
