//! The far end: it answers after a while, and counts by `Idempotency-Key`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};

/// How long an answer takes at most.
const SLOWEST: u64 = 60;

type Asked = Arc<Mutex<BTreeMap<String, usize>>>;

/// A server on a port of its own.
pub(crate) struct FarEnd {
    port: u16,
    asked: Asked,
    _runtime: tokio::runtime::Runtime,
}

impl FarEnd {
    pub(crate) fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let asked = Asked::default();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().route("/{*what}", post(answer)).with_state(Arc::clone(&asked));
        runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, asked, _runtime: runtime }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How often each key was asked for.
    pub(crate) fn asked(&self) -> BTreeMap<String, usize> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(State(asked): State<Asked>, headers: HeaderMap, body: String) -> StatusCode {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let Some(key) = key.filter(|_| !body.is_empty()) else { return StatusCode::BAD_REQUEST };
    *asked.lock().unwrap().entry(key.to_owned()).or_default() += 1;
    // The effect is done; the answer may find nobody.
    let pause = Duration::from_millis(fastrand::u64(0..SLOWEST));
    #[expect(clippy::disallowed_methods, reason = "a far end that is slow for real")]
    tokio::time::sleep(pause).await;
    StatusCode::OK
}
