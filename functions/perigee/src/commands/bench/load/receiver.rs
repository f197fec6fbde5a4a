//! The webhook that is told.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context;
use axum::{Router, http::StatusCode, routing::post};
use serde_json::{Value, json};

use super::stream;

/// When each alarm arrived, by its name.
pub(super) type Arrivals = BTreeMap<String, Vec<Instant>>;

/// A webhook on a port of its own.
pub(super) struct Receiver {
    port: u16,
    arrived: Arc<(Mutex<Arrivals>, Condvar)>,
    _runtime: tokio::runtime::Runtime,
}

impl Receiver {
    pub(super) fn start() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        let arrived = Arc::new((Mutex::new(Arrivals::new()), Condvar::new()));
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0)))
            .context("cannot listen for webhooks")?;
        let port = listener.local_addr().context("cannot listen for webhooks")?.port();
        let shared = Arc::clone(&arrived);
        let take = move |body: String| {
            let shared = Arc::clone(&shared);
            async move {
                let at = Instant::now();
                if let Some(name) = stream::name_in(&body) {
                    let mut arrived = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
                    arrived.entry(name).or_default().push(at);
                    shared.1.notify_all();
                }
                StatusCode::NO_CONTENT
            }
        };
        runtime.spawn(async move { axum::serve(listener, Router::new().route("/", post(take))).await });
        Ok(Self { port, arrived, _runtime: runtime })
    }

    /// What the server is to be told, so that it tells this webhook of the alarms.
    pub(super) fn manifests(&self) -> Value {
        let manifest = |kind: &str, spec: Value| json!({"apiVersion": manifest::API_VERSION, "kind": kind, "metadata": {"name": "load"}, "spec": spec});
        json!([
            manifest("Connection", json!({"webhook": {"url": format!("http://127.0.0.1:{}/", self.port)}})),
            manifest(
                "Notification",
                json!({
                    "on": ["health.changed"],
                    "if": "signal.payload.health == 'unhealthy'",
                    "to": ["load"],
                    "title": "${{ resource.name }}",
                })
            ),
        ])
    }

    /// Waits until so many alarms have arrived, but no longer than `patience`.
    pub(super) fn wait_for(&self, alarms: usize, patience: Duration) -> Arrivals {
        let arrived = self.arrived.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (arrived, _) = self
            .arrived
            .1
            .wait_timeout_while(arrived, patience, |arrived| arrived.len() < alarms)
            .unwrap_or_else(PoisonError::into_inner);
        arrived.clone()
    }
}
