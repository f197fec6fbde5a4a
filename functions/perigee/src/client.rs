//! A running server, over HTTP.

use std::{
    io::{self, ErrorKind},
    time::Duration,
};

use clap::Args;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use ureq::{Agent, Body, http::Response};

use crate::{exit::Usage, output};

/// Where the server is, and what it wants to see.
#[derive(Debug, Clone, Args)]
pub struct Connection {
    /// Where the server is
    #[arg(long, env = "PERIGEE_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub url: String,
    /// The token that the server was started with
    #[arg(long, env = "PERIGEE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
}

/// A server, and how to speak to it.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    agent: Agent,
    base: String,
    token: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no Perigee answers at {url}; start one with `perigee up`, or say where it is with --url")]
    Unreachable {
        url: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("Perigee at {url} went away before it answered; is its process still there?")]
    Cut {
        url: String,
        #[source]
        source: io::Error,
    },
    #[error("Perigee at {url} cannot answer now: {detail}")]
    Busy { url: String, detail: String, retry_after: Option<Duration> },
    #[error("{detail}")]
    Refused { status: u16, detail: String },
    #[error("what answers at {url} is not Perigee ({what}); say where Perigee is with --url")]
    NotPerigee { url: String, what: String },
    #[error("`{url}` is no address of a server; it should read like http://127.0.0.1:8080")]
    BadUrl { url: String },
}

/// For the exit status: what the server calls a bad request was typed wrongly.
pub(crate) fn explain(error: Error) -> anyhow::Error {
    match error {
        Error::Refused { status: 400, detail } => Usage(detail).into(),
        Error::BadUrl { .. } => Usage(error.to_string()).into(),
        other => other.into(),
    }
}

/// As [`explain`], for a command that was given the name of a resource. Where none is called so, the API's way out is
/// another address, and a shell's is another command.
pub(crate) fn explain_missing(error: Error, reference: Option<&str>) -> anyhow::Error {
    match (error, reference) {
        (Error::Refused { status: 404, .. }, Some(reference)) => anyhow::anyhow!(
            "no resource is called `{}`; give its id, its ARN, another of its names, or type/name; \
             `perigee query 'WORD'` lists those with that word in their name",
            output::cut(reference, 200)
        ),
        (error, _) => explain(error),
    }
}

/// As [`explain`], for a command that named something else by its name: `missing` says so where there is no such
/// thing, in the shell's words.
pub(crate) fn explain_none(error: Error, missing: impl FnOnce() -> String) -> anyhow::Error {
    match error {
        Error::Refused { status: 404, .. } => anyhow::anyhow!(missing()),
        other => explain(other),
    }
}

/// The part of RFC 9457 that people read.
#[derive(Deserialize)]
struct Problem {
    title: String,
    #[serde(default)]
    detail: String,
}

impl Client {
    /// A client of the server at `connection`.
    pub(crate) fn new(connection: &Connection) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(Duration::from_secs(120)))
            .user_agent(concat!("perigee/", env!("CARGO_PKG_VERSION")))
            .build();
        let base = connection.url.trim_end_matches('/').to_owned();
        Self { agent: config.into(), base, token: connection.token.clone() }
    }

    /// The server's address, for messages.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Reads `path`, below `/api/v1`.
    pub(crate) fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, Error> {
        let mut request = self.agent.get(self.address(path)).header("accept", "application/json");
        for (name, value) in query {
            request = request.query(name, value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.read(request.call())
    }

    /// Sends a body to `path`, below `/api/v1`.
    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
        content_type: &str,
        body: &[u8],
    ) -> Result<T, Error> {
        let mut request = self.agent.post(self.address(path)).header("content-type", content_type);
        for (name, value) in query {
            request = request.query(name, value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.read(request.send(body))
    }

    /// Sends a JSON body to `path`, below `/api/v1`, with a key by which the same request is known when it comes again.
    pub(crate) fn post_once<T: DeserializeOwned>(
        &self,
        path: &str,
        key: &str,
        body: &[u8],
    ) -> Result<T, Error> {
        let request = self.agent.post(self.address(path)).header("content-type", "application/json");
        let mut request = request.header("idempotency-key", key);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.read(request.send(body))
    }

    /// Reads `path`, below `/api/v1`, as it comes, however long that takes.
    pub(crate) fn stream(&self, path: &str) -> Result<io::BufReader<impl io::Read + use<>>, Error> {
        let mut request = self.agent.get(self.address(path));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.reader(request.config().timeout_global(None).build().call())
    }

    /// Sends what is read to `path`, below `/api/v1`, and reads the answer as it comes, however long that takes.
    pub(crate) fn stream_post(
        &self,
        path: &str,
        mut body: impl io::Read,
    ) -> Result<io::BufReader<impl io::Read + use<>>, Error> {
        let mut request = self.agent.post(self.address(path)).header("content-type", "application/x-ndjson");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.config().timeout_global(None).build();
        self.reader(request.send(ureq::SendBody::from_reader(&mut body)))
    }

    fn reader(
        &self,
        answer: Result<Response<Body>, ureq::Error>,
    ) -> Result<io::BufReader<impl io::Read + use<>>, Error> {
        let response = answer.map_err(|source| self.unanswered(source))?;
        if !response.status().is_success() {
            let refused = self.read::<Value>(Ok(response));
            return Err(refused
                .err()
                .unwrap_or_else(|| self.not_perigee("its answer is not what was asked for")));
        }
        Ok(io::BufReader::new(response.into_body().into_with_config().limit(u64::MAX).reader()))
    }

    /// Deletes what `path`, below `/api/v1`, names.
    pub(crate) fn delete(&self, path: &str) -> Result<(), Error> {
        let mut request = self.agent.delete(self.address(path));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.read::<Value>(request.call()).map(|_| ())
    }

    /// Reads a list from its start, page after page, until it ends or `most` items are there. The answer is shaped
    /// like one page.
    pub(crate) fn list(&self, path: &str, query: &[(&str, String)], most: usize) -> Result<Value, Error> {
        let mut items = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let wanted = (most - items.len()).clamp(1, 1000);
            let mut query = query.to_vec();
            query.push(("limit", wanted.to_string()));
            query.extend(next.take().map(|cursor| ("cursor", cursor)));
            let mut page = self.get(path, &query)?;
            match page.get_mut("items").map(Value::take) {
                Some(Value::Array(found)) => items.extend(found),
                Some(_) | None => return Err(self.not_perigee("its list has no items")),
            }
            next = page.get("next").and_then(Value::as_str).map(str::to_owned);
            if next.is_none() || items.len() >= most {
                break;
            }
        }
        Ok(match next {
            Some(next) => serde_json::json!({"items": items, "next": next}),
            None => serde_json::json!({"items": items}),
        })
    }

    fn address(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.base)
    }

    fn read<T: DeserializeOwned>(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<T, Error> {
        let mut response = answer.map_err(|source| self.unanswered(source))?;
        let status = response.status();
        let retry_after = seconds(&response);
        let limit = 256 * 1024 * 1024;
        let text = response.body_mut().with_config().limit(limit).read_to_string();
        let text = text.map_err(|source| self.unanswered(source))?;
        if status.is_success() {
            return serde_json::from_str(&text)
                .map_err(|_| self.not_perigee("its answer is not what was asked for"));
        }
        let Ok(problem) = serde_json::from_str::<Problem>(&text) else {
            return Err(match status.as_u16() {
                502..=504 => {
                    Error::Busy { url: self.base.clone(), detail: format!("HTTP {status}"), retry_after }
                }
                _ => self.not_perigee(&format!("HTTP {status}")),
            });
        };
        let detail = if problem.detail.is_empty() { problem.title } else { problem.detail };
        match status.as_u16() {
            429 | 502..=504 => Err(Error::Busy { url: self.base.clone(), detail, retry_after }),
            status => Err(Error::Refused { status, detail }),
        }
    }

    fn unanswered(&self, source: ureq::Error) -> Error {
        match source {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => Error::BadUrl { url: self.base.clone() },
            ureq::Error::Protocol(_) => self.not_perigee("it does not speak HTTP"),
            ureq::Error::Io(source) if is_cut(&source) => Error::Cut { url: self.base.clone(), source },
            ureq::Error::Io(source) => Error::Unreachable { url: self.base.clone(), source: source.into() },
            source => Error::Unreachable { url: self.base.clone(), source: source.into() },
        }
    }

    fn not_perigee(&self, what: &str) -> Error {
        Error::NotPerigee { url: self.base.clone(), what: what.to_owned() }
    }
}

/// Whether somebody listened and then hung up.
fn is_cut(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
    )
}

fn seconds(response: &Response<Body>) -> Option<Duration> {
    let text = response.headers().get("retry-after")?.to_str().ok()?;
    text.parse().ok().map(Duration::from_secs)
}

/// A name as one part of a path.
pub(crate) fn segment(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

/// The path of what is known about one resource. `reference` may hold slashes and colons.
pub(crate) fn resource_path(reference: &str, below: &str) -> String {
    format!("/resources/{}{below}", utf8_percent_encode(reference, NON_ALPHANUMERIC))
}

#[cfg(test)]
mod tests;
