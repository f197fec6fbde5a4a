//! Who may ask: the Host, the Origin and the token of a request, judged before anything else reads it.

use axum::{
    extract::Request,
    http::{HeaderMap, Method, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::{
    Config,
    problem::{Kind, Problem},
};

/// The most that all headers together may weigh, in bytes.
const MAX_HEADERS: usize = 32 * 1024;

/// Refuses what must not be answered.
pub(crate) fn admit(config: &Config, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let weight: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if weight > MAX_HEADERS {
        let detail = format!("The headers have {weight} bytes, at most {MAX_HEADERS} are read.");
        return Err(Problem::new(Kind::HeadersTooLarge, detail));
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(|authority| authority.as_str()));
    if config.local {
        only_loopback(host)?;
    }
    // Where neither holds, the caller is known by a signature that no other site can make.
    if config.local || config.token.is_some() {
        only_same_origin(method, host, headers)?;
    }
    match &config.token {
        Some(token) if !is_open(uri.path()) => only_with_token(token, headers),
        Some(_) | None => Ok(()),
    }
}

/// As a local server admits requests, for another router on loopback: only loopback Hosts, only same-origin writes.
pub async fn local_only(request: Request, next: Next) -> Response {
    let local = Config { token: None, local: true };
    match admit(&local, request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// What may be asked without a token: whether the server is alive.
fn is_open(path: &str) -> bool {
    matches!(path, "/healthz" | "/api/v1/healthz")
}

/// A page of another site may point a name of its own at 127.0.0.1 (DNS rebinding); the Host then gives it away.
fn only_loopback(host: Option<&str>) -> Result<(), Problem> {
    let name = host.map(without_port).unwrap_or_default();
    if name.eq_ignore_ascii_case("localhost") || matches!(name, "127.0.0.1" | "[::1]") {
        return Ok(());
    }
    let detail = "Ask for http://127.0.0.1 or http://localhost with the server's port; to serve other names, start \
                  it with `--listen` and a token.";
    Err(Problem::new(Kind::ForeignHost, detail))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    }
}

/// A browser says where a write comes from; programs that are no browsers say nothing.
fn only_same_origin(method: &Method, host: Option<&str>, headers: &HeaderMap) -> Result<(), Problem> {
    if method.is_safe() {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let site_fits = text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let origin_fits = text("origin").is_none_or(|origin| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_some() && authority == host
    });
    if site_fits && origin_fits {
        return Ok(());
    }
    Err(Problem::new(Kind::ForeignOrigin, "Send writes from this server's own pages, or from a program."))
}

/// `Authorization: Bearer TOKEN`, or Basic with the token as password, which a browser can ask a person for.
fn only_with_token(token: &str, headers: &HeaderMap) -> Result<(), Problem> {
    let given =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(given_token);
    if given.is_some_and(|given| same(given.as_bytes(), token.as_bytes())) {
        return Ok(());
    }
    let detail = "Send `Authorization: Bearer TOKEN`; in a browser, give the token as the password. It is the one \
                  the server was started with.";
    Err(Problem::new(Kind::Unauthorized, detail))
}

fn given_token(authorization: &str) -> Option<String> {
    let (scheme, rest) = authorization.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    let pair = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (_, password) = pair.split_once(':').filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    Some(password.to_owned())
}

/// Compares in a time that tells nothing of where, or whether in length, they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    let (a, b) = (Sha256::digest(a), Sha256::digest(b));
    a.iter().zip(b).fold(0, |differs, (x, y)| differs | (x ^ y)) == 0
}

#[cfg(test)]
mod tests;
