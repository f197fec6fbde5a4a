//! The pages: server-rendered, without a script, readable on a phone, by keyboard and by a screen reader.
//!
//! Each page is a handler that gathers plain data, and a view that renders it and touches nothing else.

mod catalog;
mod changes;
mod checks;
mod deliveries;
mod feed;
mod health;
mod histogram;
mod home;
mod layout;
mod manifests;
mod playbooks;
mod rejected;
mod resource;
mod runs;
mod sources;
mod text;
mod tone;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use maud::{Markup, html};

use crate::{
    App,
    problem::{Kind, Problem},
};

/// The style sheet and the icon, which are all that a page loads.
const STYLE: &str = include_str!("pages/app.css");
const ICON: &str = include_str!("pages/icon.svg");

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(home::page))
        .route("/resources", get(catalog::page))
        .route("/resources/{reference}", get(resource::page))
        .route("/changes", get(changes::page))
        .route("/health", get(health::page))
        .route("/checks", get(checks::page))
        .route("/checks/{name}", get(checks::one))
        .route("/runs", get(runs::page))
        .route("/runs/{name}", get(runs::one))
        .route("/runs/{name}/cancel", post(runs::cancel))
        .route(
            "/playbooks/{name}/runs",
            get(playbooks::page).post(playbooks::run).layer(DefaultBodyLimit::max(crate::form::MAX_FORM)),
        )
        .route("/deliveries", get(deliveries::page))
        .route("/deliveries/{name}", get(deliveries::one))
        .route("/manifests", get(manifests::page))
        .route("/manifests/{kind}/{name}", get(manifests::one))
        .route("/sources", get(sources::page))
        .route("/rejected", get(rejected::page))
        .route(
            "/assets/app.css",
            get(async |headers: HeaderMap| asset("text/css; charset=utf-8", STYLE, &headers)),
        )
        .route("/assets/icon.svg", get(async |headers: HeaderMap| asset("image/svg+xml", ICON, &headers)))
}

/// Whether a path is for people rather than programs.
pub(crate) fn is_page(path: &str) -> bool {
    !path.starts_with("/api/") && !path.starts_with("/assets/") && !matches!(path, "/healthz" | "/metrics")
}

/// A problem as a page.
pub(crate) fn problem(problem: &Problem) -> Response {
    let body = html! {
        div class="empty" {
            p class="eyebrow" { (problem.kind.status().as_u16()) }
            h1 { (problem.kind.title()) }
            p { (layout::coded(&problem.detail)) }
            p { a class="button" href="/" { "Home" } }
        }
    };
    problem.dress(layout::page(None, problem.kind.title(), &body).into_response())
}

/// A problem met while a page was made.
#[derive(Debug)]
struct PageProblem(Problem);

impl<E: Into<Problem>> From<E> for PageProblem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for PageProblem {
    fn into_response(self) -> Response {
        problem(&self.0)
    }
}

/// What a page's handler answers.
type Answer = Result<Response, PageProblem>;

/// What was read; or nothing and the problem, where it is the asker's own and is shown under what was asked.
fn or_shown<T>(read: Result<T, Problem>) -> Result<(Option<T>, Option<Problem>), Problem> {
    match read {
        Ok(read) => Ok((Some(read), None)),
        Err(problem) if problem.column.is_some() => Ok((None, Some(problem))),
        Err(problem) => Err(problem),
    }
}

/// A page, with the status of the problem that it shows, if it shows one.
fn with_status(page: Markup, shown: Option<&Problem>) -> Response {
    let status = shown.map_or(StatusCode::OK, |problem| problem.kind.status());
    (status, page).into_response()
}

pub(crate) async fn no_such_route(uri: Uri) -> Response {
    let detail = format!(
        "Nothing is served at {}. The routes are listed in /api/v1/openapi.json.",
        text::cut(uri.path(), 200)
    );
    refuse(&uri, Problem::new(Kind::NotFound, detail))
}

pub(crate) async fn no_such_method(method: Method, uri: Uri) -> Response {
    let detail = format!(
        "{} does not take {method}; /api/v1/openapi.json says what it takes.",
        text::cut(uri.path(), 200)
    );
    refuse(&uri, Problem::new(Kind::MethodNotAllowed, detail))
}

fn refuse(uri: &Uri, refused: Problem) -> Response {
    if is_page(uri.path()) { problem(&refused) } else { refused.into_response() }
}

/// A file that is compiled in. The address holds its hash, so a browser may keep it for good.
fn asset(content_type: &'static str, body: &'static str, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", layout::fingerprint(body));
    let held = headers.get(header::IF_NONE_MATCH).is_some_and(|held| held.as_bytes() == tag.as_bytes());
    let kept = (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    let tag = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""));
    if held {
        return (StatusCode::NOT_MODIFIED, [kept, (header::ETAG, tag)]).into_response();
    }
    let content_type = (header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    ([kept, (header::ETAG, tag), content_type], body).into_response()
}

#[cfg(test)]
mod tests;
