//! A request over HTTP. It carries the step's `Idempotency-Key`, the same on every attempt.

use manifest::{Connection, kinds::playbook::HttpStep};
use ports::{HttpError, Request, Response};
use serde_json::{Map, Value, json};

use super::{Attempt, Outcome, is_harmless};
use crate::clean;

/// How much of an answer's body is kept.
const KEPT: usize = 64 * 1024;

/// Headers of answers that are credentials.
const CREDENTIALS: [&str; 4] = ["set-cookie", "authorization", "proxy-authenticate", "www-authenticate"];

/// Sends the request and looks at the answer.
pub(super) async fn perform(attempt: &mut Attempt<'_>, step: &HttpStep) -> Outcome {
    let request = match request(attempt, step).await {
        Ok(request) => request,
        Err(Fault { reason, again }) => {
            let reason = clean::text(&attempt.context.redactor, &reason);
            return Outcome::Failed { reason, result: None, again };
        }
    };
    match attempt.playbooks.http.send(request).await {
        Ok(response) => judge(attempt, step, &response),
        Err(error) => unanswered(attempt, &error),
    }
}

/// Why there is no request, and whether there may be one later.
struct Fault {
    reason: String,
    again: bool,
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Self { reason, again: false }
    }
}

async fn request(attempt: &mut Attempt<'_>, step: &HttpStep) -> Result<Request, Fault> {
    let method = step.method.to_ascii_uppercase();
    let url = match &step.url {
        Some(url) => attempt.context.render_secret(url.as_str()).await?,
        None => String::new(),
    };
    let mut request = match &step.connection {
        Some(name) => {
            let connection = connection(attempt, name).await?;
            let resolved = connections::resolve(&connection, attempt.context.secrets()).await;
            let resolved = resolved.map_err(|error| {
                let reason = format!("connection `{name}`: {}", clean::chain(&error));
                Fault { reason, again: matches!(error, connections::Error::Secret { .. }) }
            })?;
            attempt.context.redactor.extend(&resolved.redactor);
            resolved
                .request(&method, &url)
                .map_err(|error| format!("connection `{name}`: {}", clean::chain(&error)))?
        }
        None => Request::new(&method, &url),
    };
    for (name, value) in &step.headers {
        let value = attempt.context.value(&format!("header `{name}`"), value).await?;
        set(&mut request, name, value);
    }
    if let Some(body) = &step.body {
        request.body = attempt.context.render_secret(body.as_str()).await?.into_bytes();
        if !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&request.body).is_ok();
            let content_type = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
            set(&mut request, "content-type", content_type.to_owned());
        }
    }
    // The last word: a key of the author's own making would not be the same on every attempt.
    let key = attempt.lease.run.step_key(&attempt.step.name);
    set(&mut request, "idempotency-key", key.to_string());
    request.timeout = attempt.limit;
    Ok(request)
}

fn set(request: &mut Request, name: &str, value: String) {
    request.headers.retain(|(held, _)| !held.eq_ignore_ascii_case(name));
    request.headers.push((name.to_owned(), value));
}

async fn connection(attempt: &Attempt<'_>, name: &str) -> Result<Connection, Fault> {
    let stored = attempt.playbooks.catalog.manifest("Connection", name).await;
    let stored = stored.map_err(|error| Fault { reason: clean::chain(&error), again: true })?;
    let stored =
        stored.ok_or_else(|| format!("there is no connection `{name}`; apply one, or name another"))?;
    Ok(stored.spec().map_err(|error| clean::chain(&error))?)
}

/// Without an answer, only what cannot have arrived is known to have failed.
fn unanswered(attempt: &Attempt<'_>, error: &HttpError) -> Outcome {
    let reason = clean::text(&attempt.context.redactor, &clean::chain(error));
    if error.may_have_arrived() && !is_harmless(attempt.step) {
        let key = attempt.lease.run.step_key(&attempt.step.name);
        let reason = format!(
            "{reason}; the request may have arrived: look there for the Idempotency-Key {key} before doing it again"
        );
        return Outcome::Unknown { reason };
    }
    let again = !matches!(error, HttpError::Invalid(_) | HttpError::Refused { .. });
    Outcome::Failed { reason, result: None, again }
}

fn judge(attempt: &Attempt<'_>, step: &HttpStep, response: &Response) -> Outcome {
    let redactor = &attempt.context.redactor;
    let body = String::from_utf8_lossy(&response.body);
    let parsed: Option<Value> =
        if response.truncated { None } else { serde_json::from_slice(&response.body).ok() };
    let verdict = match &step.expect {
        None if response.status < 400 => Ok(true),
        None => Err(format!("the answer is {}", response.status)),
        Some(condition) => {
            let seen = json!({
                "status": response.status,
                "headers": headers(response),
                "body": body,
                "json": parsed,
                "elapsed": format!("{}s", response.elapsed.as_secs_f64()),
            });
            attempt.context.expects(condition.as_str(), seen)
        }
    };
    // An answer that was cut short may end within a secret; and secrets go before the rest is cut, lest a part stays.
    let known = if response.truncated { redactor.settled(&body) } else { body.len() };
    let shown_body = clean::text(redactor, body.get(..known).unwrap_or_default());
    let (kept, whole) = clean::head(&shown_body, KEPT);
    let result = clean::value(
        redactor,
        json!({
            "status": response.status,
            "headers": shown(response),
            "body": kept,
            "json": parsed.filter(|_| whole),
            "truncated": response.truncated || !whole,
            "elapsed_ms": u64::try_from(response.elapsed.as_millis()).unwrap_or(u64::MAX),
        }),
    );
    match verdict {
        Ok(true) => Outcome::Completed(result),
        Ok(false) => Outcome::Failed {
            reason: format!("the answer, {}, is not what is expected", response.status),
            result: Some(result),
            again: true,
        },
        Err(reason) => Outcome::Failed { reason, result: Some(result), again: true },
    }
}

fn headers(response: &Response) -> Map<String, Value> {
    response.headers.iter().map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect()
}

fn shown(response: &Response) -> Map<String, Value> {
    let mut headers = headers(response);
    for (name, value) in &mut headers {
        if CREDENTIALS.contains(&name.as_str()) {
            *value = Value::from("***");
        }
    }
    headers
}
