//! The inbox of the sample estate: a webhook that keeps the last messages in memory, so that a person sees what was
//! told without having a receiver of their own.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use ports::Clock;
use serde_json::Value;

/// Where it is, below the server's address; `events/story/manifests.yaml` names it.
const PATH: &str = "/sample/inbox";
/// How many messages are kept.
const KEPT: usize = 50;
/// How large a message may be, in bytes.
const LARGEST: usize = 64 * 1024;

/// A message as it came.
struct Message {
    at: String,
    id: String,
    body: String,
}

#[derive(Clone)]
struct Inbox {
    messages: Arc<Mutex<VecDeque<Message>>>,
    clock: Arc<dyn Clock>,
}

/// The inbox's routes.
pub(super) fn router(clock: Arc<dyn Clock>) -> Router {
    let inbox = Inbox { messages: Arc::default(), clock };
    Router::new().route(PATH, get(list).post(take)).layer(DefaultBodyLimit::max(LARGEST)).with_state(inbox)
}

/// Keeps a message; one that comes again, by its id, is kept once.
async fn take(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or("without an id").to_owned();
    let at = inbox.clock.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let body = match serde_json::from_slice::<Value>(&body) {
        Ok(body) => format!("{body:#}"),
        Err(_) => String::from_utf8_lossy(&body).into_owned(),
    };
    let mut messages = inbox.messages.lock().unwrap_or_else(PoisonError::into_inner);
    if !messages.iter().any(|message| message.id == id) {
        messages.push_front(Message { at, id, body });
        messages.truncate(KEPT);
    }
    StatusCode::NO_CONTENT
}

async fn list(State(inbox): State<Inbox>) -> impl IntoResponse {
    let messages = inbox.messages.lock().unwrap_or_else(PoisonError::into_inner);
    let mut text = match messages.len() {
        0 => "Nothing was told to the sample's webhook since this server was started.\n".to_owned(),
        count => format!("What the sample's webhook was told since this server was started: {count}\n"),
    };
    for Message { at, id, body } in messages.iter() {
        text.push_str(&format!("\n{at}  {id}\n{body}\n"));
    }
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text)
}
