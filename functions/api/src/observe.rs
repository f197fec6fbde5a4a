//! Around every request: admission, a time limit, a guard against panics, the security headers, one line in the
//! log and one count in the metrics.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;

use crate::{
    App,
    admit::admit,
    meter::{Asked, method_name},
    pages,
    problem::{Cause, Kind, Problem},
};

/// The longest that an answer may take.
const TIMEOUT: Duration = Duration::from_secs(25);

/// Pages hold no script and load nothing from elsewhere; no page of another site may frame them.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

pub(crate) async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = tokio::time::Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let mut response = answer(&app, request, next).await;
    secure(&mut response);
    let seconds = started.elapsed().as_secs_f64();
    log(&method, &path, &response, seconds);
    let asked = Asked { method: method_name(&method), route, status: response.status().as_u16() };
    app.meter.count(asked, seconds);
    response
}

async fn answer(app: &App, request: Request, next: Next) -> Response {
    let page = pages::is_page(request.uri().path());
    if let Err(problem) = admit(&app.context.config, request.method(), request.uri(), request.headers()) {
        return refuse(problem, page);
    }
    bounded(next.run(request), TIMEOUT).await.unwrap_or_else(|problem| refuse(problem, page))
}

/// An answer within `limit`. A panic of one request must not take the connection, or a Lambda's process, with it.
async fn bounded(answer: impl Future<Output = Response>, limit: Duration) -> Result<Response, Problem> {
    match tokio::time::timeout(limit, AssertUnwindSafe(answer).catch_unwind()).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(_panic)) => Err(Problem::internal(anyhow::anyhow!("a handler panicked"))),
        Err(_elapsed) => {
            let detail = format!("No answer within {} seconds. Ask for less, or try again.", limit.as_secs());
            Err(Problem::new(Kind::TooSlow, detail))
        }
    }
}

fn refuse(problem: Problem, page: bool) -> Response {
    if page { pages::problem(&problem) } else { problem.into_response() }
}

fn secure(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

fn log(method: &Method, path: &str, response: &Response, seconds: f64) {
    let status = response.status().as_u16();
    match response.extensions().get::<Cause>() {
        Some(Cause { text: cause, passes: true }) => {
            tracing::warn!(http.method = %method, http.path = path, http.status = status, "Could not answer {method} {path} now: {cause}");
        }
        Some(Cause { text: cause, passes: false }) => {
            tracing::error!(http.method = %method, http.path = path, http.status = status, "Failed {method} {path}: {cause}");
        }
        None => {
            tracing::debug!(http.method = %method, http.path = path, http.status = status, seconds, "Answered {method} {path}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_or_panicking_handler_becomes_a_problem() {
        let slow = bounded(std::future::pending(), Duration::ZERO).await.unwrap_err();
        assert_eq!(slow.kind, Kind::TooSlow);
        let broken = bounded(async { panic!("as a test wants it") }, TIMEOUT).await.unwrap_err();
        assert_eq!(broken.kind, Kind::Internal);
        assert!(!broken.detail.contains("test"), "{}", broken.detail);
        assert!(bounded(async { ().into_response() }, TIMEOUT).await.is_ok());
    }
}
