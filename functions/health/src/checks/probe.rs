//! One check: its manifest, compiled, and how it is asked and judged.

use std::{collections::BTreeMap, time::Duration};

use connections::Redactor;
use expr::{Bindings, Program, Template};
use manifest::{Check, Connection, Value, kinds::check::HttpCheck, scopes};
use model::{CheckState, Timestamp};
use ports::{Http, HttpError, Request, Response, Secrets};
use serde_json::json;

/// How much of an answer's body an expectation sees.
const BODY: usize = 256 * 1024;
/// How long a reason may be, in characters.
const REASON: usize = 500;
/// How much longer than its timeout a request is waited for, where what sends it does not keep to it.
const GRACE: Duration = Duration::from_secs(1);

/// A check, compiled. One that does not compile is a check that cannot be run, and says so.
#[derive(Debug)]
pub(crate) struct Probe {
    /// What its manifest says.
    pub(crate) spec: Check,
    /// The manifest's generation.
    pub(crate) generation: i64,
    http: Result<Compiled, String>,
}

#[derive(Debug)]
struct Compiled {
    spec: HttpCheck,
    url: Option<Template>,
    body: Option<Template>,
    headers: Vec<(String, Header)>,
    expect: Option<Program>,
    connection: Option<Connection>,
}

#[derive(Debug)]
enum Header {
    Text(Template),
    Secret(Value),
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) state: CheckState,
    pub(crate) status: Option<u16>,
    pub(crate) latency: Option<Duration>,
    pub(crate) reason: String,
}

impl Answer {
    fn without(state: CheckState, reason: &str) -> Self {
        Self { state, status: None, latency: None, reason: reason.to_owned() }
    }
}

impl Probe {
    pub(crate) fn new(spec: Check, generation: i64, connections: &BTreeMap<String, Connection>) -> Self {
        let http = match &spec.http {
            Some(http) => compile(http, connections),
            None => Err("the check has no `http` block; add one that says what to ask".to_owned()),
        };
        Self { spec, generation, http }
    }

    /// What it asks, as its manifest says it.
    pub(crate) fn target(&self) -> String {
        let Some(http) = &self.spec.http else { return String::new() };
        let url = http.url.as_ref().map_or("", |url| url.as_str());
        match &http.connection {
            Some(connection) => {
                format!("{} {connection}: {url}", http.method).trim_end_matches(": ").to_owned()
            }
            None => format!("{} {url}", http.method),
        }
    }

    /// How long it may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.spec.http.as_ref().map_or(Duration::ZERO, |http| http.timeout.0)
    }

    /// Asks, and judges the answer. What is said of it is without secrets.
    pub(crate) async fn ask(&self, http: &dyn Http, secrets: &dyn Secrets, now: Timestamp) -> Answer {
        let mut redactor = Redactor::new();
        let mut answer = self.answer(http, secrets, &mut redactor, now).await;
        // Redacted before it is cut, so that no half of a secret stays.
        answer.reason = clean(&redactor.redact(&answer.reason));
        answer
    }

    async fn answer(
        &self,
        http: &dyn Http,
        secrets: &dyn Secrets,
        redactor: &mut Redactor,
        now: Timestamp,
    ) -> Answer {
        let compiled = match &self.http {
            Ok(compiled) => compiled,
            Err(reason) => return Answer::without(CheckState::Unknown, reason),
        };
        let request = match compiled.request(secrets, redactor, now).await {
            Ok(request) => request,
            Err(reason) => return Answer::without(CheckState::Unknown, &reason),
        };
        let timeout = request.timeout;
        match tokio::time::timeout(timeout + GRACE, http.send(request)).await {
            Err(_) => {
                Answer::without(CheckState::Failing, &format!("there was no answer within {timeout:?}"))
            }
            Ok(Err(error)) => unanswered(&error),
            Ok(Ok(response)) => compiled.judge(&response, now),
        }
    }
}

fn compile(http: &HttpCheck, connections: &BTreeMap<String, Connection>) -> Result<Compiled, String> {
    let scope = scopes::check_request();
    let template = |field: &str, text: &str| {
        Template::compile(text, &scope).map_err(|fault| format!("`{field}` is wrong: {fault}"))
    };
    let header = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::Text(text) => Header::Text(template(&format!("headers.{name}"), text)?),
            Value::Secret(_) => Header::Secret(value.clone()),
        };
        Ok::<_, String>((name.clone(), value))
    };
    let connection = match &http.connection {
        None => None,
        Some(name) => {
            let found = connections.get(name);
            Some(found.cloned().ok_or_else(|| format!("there is no connection `{name}`; apply one"))?)
        }
    };
    if connection.is_none() && http.url.is_none() {
        return Err("the check has neither `url` nor `connection`".to_owned());
    }
    let expect = http.expect.as_ref().map(|expect| {
        Program::compile(expect.as_str(), &scopes::check())
            .map_err(|fault| format!("`expect` is wrong: {fault}"))
    });
    Ok(Compiled {
        url: http.url.as_ref().map(|url| template("url", url.as_str())).transpose()?,
        body: http.body.as_ref().map(|body| template("body", body.as_str())).transpose()?,
        headers: http.headers.iter().map(header).collect::<Result<_, _>>()?,
        expect: expect.transpose()?,
        connection,
        spec: http.clone(),
    })
}

impl Compiled {
    async fn request(
        &self,
        secrets: &dyn Secrets,
        redactor: &mut Redactor,
        now: Timestamp,
    ) -> Result<Request, String> {
        let bindings = Bindings::new().with_time("now", now);
        let render = |field: &str, template: &Template| {
            template.render(&bindings).map_err(|error| format!("`{field}` cannot be rendered: {error}"))
        };
        let url = self.url.as_ref().map(|url| render("url", url)).transpose()?.unwrap_or_default();
        let mut request = match &self.connection {
            None => Request::new(&self.spec.method, &url),
            Some(connection) => {
                let resolved =
                    connections::resolve(connection, secrets).await.map_err(|error| chain(&error))?;
                redactor.extend(&resolved.redactor);
                resolved.request(&self.spec.method, &url).map_err(|error| chain(&error))?
            }
        };
        for (name, header) in &self.headers {
            let value = match header {
                Header::Text(template) => render(&format!("headers.{name}"), template)?,
                Header::Secret(value) => redactor
                    .read(value, secrets)
                    .await
                    .map_err(|error| format!("the header `{name}` cannot be read: {}", chain(&error)))?,
            };
            request.headers.push((name.clone(), value));
        }
        if let Some(body) = &self.body {
            request.body = render("body", body)?.into_bytes();
        }
        request.timeout = self.spec.timeout.0;
        request.max_body = BODY;
        request.redirects = self.spec.redirects;
        Ok(request)
    }

    fn judge(&self, response: &Response, now: Timestamp) -> Answer {
        let status = response.status;
        let answer = |state, reason: String| Answer {
            state,
            status: Some(status),
            latency: Some(response.elapsed),
            reason,
        };
        let Some(expect) = &self.expect else {
            return if status < 400 {
                answer(CheckState::Passing, String::new())
            } else {
                answer(CheckState::Failing, format!("the status is {status}"))
            };
        };
        let headers: BTreeMap<&str, &str> =
            response.headers.iter().rev().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let body = String::from_utf8_lossy(&response.body);
        let document: Option<serde_json::Value> = serde_json::from_slice(&response.body).ok();
        let seen = json!({
            "status": status, "headers": headers, "body": body, "json": document,
            "elapsed": format!("{:.6}s", response.elapsed.as_secs_f64()),
        });
        let bindings = Bindings::new().with("response", seen).with_time("now", now);
        match expect.holds(&bindings) {
            Ok(true) => answer(CheckState::Passing, String::new()),
            Ok(false) => answer(
                CheckState::Failing,
                format!("the status is {status}, and `{}` does not hold", expect.source()),
            ),
            // The answer lacks what was expected of it.
            Err(error @ expr::Error::NoValue { .. }) => {
                answer(CheckState::Failing, format!("the status is {status}, and {error}"))
            }
            Err(error) => answer(CheckState::Unknown, format!("`expect` cannot be evaluated: {error}")),
        }
    }
}

/// What is said where there is no answer: the target's fault, or ours.
fn unanswered(error: &HttpError) -> Answer {
    let state = match error {
        HttpError::Invalid(_) | HttpError::Refused { .. } => CheckState::Unknown,
        // A target that redirects to where we do not follow has answered, and not with what it is asked for.
        HttpError::Redirect { .. }
        | HttpError::Connect { .. }
        | HttpError::Timeout { .. }
        | HttpError::Broken { .. } => CheckState::Failing,
    };
    Answer::without(state, &chain(error))
}

/// An error and what brought it about, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// What can be kept of a reason, up to a length.
fn clean(reason: &str) -> String {
    reason.chars().map(|letter| if letter == '\0' { '\u{fffd}' } else { letter }).take(REASON).collect()
}

#[cfg(test)]
mod tests;
