//! Where secrets are sent to: a server that gives them all back.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

/// How much of an answer a step keeps.
const KEPT: usize = 64 * 1024;

type Arrived = Arc<Mutex<String>>;

/// A server on a port of its own.
pub(super) struct FarEnd {
    port: u16,
    arrived: Arrived,
    _runtime: tokio::runtime::Runtime,
}

impl FarEnd {
    pub(super) fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let arrived = Arrived::default();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&arrived));
        runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, arrived, _runtime: runtime }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// All that it was ever sent.
    pub(super) fn arrived(&self) -> String {
        self.arrived.lock().unwrap().clone()
    }
}

async fn answer(State(arrived): State<Arrived>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
    let shown: Map<String, Value> =
        headers.keys().map(|name| (name.to_string(), text(name.as_str()).into())).collect();
    let request = json!({"address": uri.to_string(), "headers": shown, "body": body});
    arrived.lock().unwrap().push_str(&format!("{request}\n"));
    let authorization = text("authorization").to_owned();
    match uri.path() {
        "/echo" => ([("x-echo", authorization)], Json(request)).into_response(),
        "/long" => {
            let token = authorization.trim_start_matches("Bearer ");
            // More than half of the token, and not all of it.
            let before = "x".repeat(KEPT - token.len() * 2 / 3);
            format!("{before}{token}{}", "y".repeat(KEPT)).into_response()
        }
        _ => (StatusCode::INTERNAL_SERVER_ERROR, format!("cannot take {request}")).into_response(),
    }
}
