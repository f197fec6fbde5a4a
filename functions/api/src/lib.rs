//! REST, OpenAPI and the pages: what API Gateway or a function URL wakes on AWS, and `perigee up` serves locally.
//!
//! It reads the catalog and hands events to [`intake`]; it holds no state but its request counters. Every request
//! passes [`observe`], which admits, limits, secures, logs and counts it. It never shows a cause from inside: what
//! went wrong goes to the log, what to do goes to the caller.

mod admit;
mod form;
mod history;
mod input;
mod meter;
mod observe;
mod pages;
mod problem;
mod rest;
#[cfg(test)]
mod tests;

pub use admit::local_only;

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use catalog::Catalog;
use intake::Intake;
use ports::Clock;
use serde_json::Value;

/// What the API needs from outside.
#[derive(Clone)]
pub struct Context {
    /// What is read.
    pub catalog: Catalog,
    /// Where events go.
    pub intake: Intake,
    /// What times are relative to.
    pub clock: Arc<dyn Clock>,
    /// How to serve.
    pub config: Config,
    /// The events of the sample estate, for `POST /api/v1/reset` with `sample`; `None` where there is none.
    pub sample: Option<Arc<dyn Fn() -> Vec<Value> + Send + Sync>>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("catalog", &self.catalog)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// How to serve.
#[derive(Clone, Default)]
pub struct Config {
    /// When set, every request but `/healthz` must bring it, as a Bearer token or as a Basic password.
    pub token: Option<String>,
    /// True for a server on loopback: only loopback Hosts, only same-origin writes; `POST /api/v1/reset` works.
    pub local: bool,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "***");
        f.debug_struct("Config").field("token", &token).field("local", &self.local).finish()
    }
}

/// The version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the handlers share.
#[derive(Debug)]
struct App {
    context: Context,
    meter: meter::Meter,
    /// The OpenAPI document, set once the router that it describes is built.
    openapi: OnceLock<String>,
}

/// The API and the pages.
pub fn router(context: Context) -> axum::Router {
    let app = Arc::new(App { context, meter: meter::Meter::default(), openapi: OnceLock::new() });
    let (api, document) = rest::router();
    // Only this call sets it, on an App that nobody else has seen.
    let openapi = app.openapi.get_or_init(|| document.to_string());
    tracing::debug!(bytes = openapi.len(), "Built the router");
    api.merge(pages::router())
        .fallback(pages::no_such_route)
        .method_not_allowed_fallback(pages::no_such_method)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&app), observe::observe))
        .with_state(app)
}
