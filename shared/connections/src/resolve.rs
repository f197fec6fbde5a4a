//! A manifest's connection and its secrets, as an address and headers.

use std::{collections::BTreeMap, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use manifest::{Connection, Value, kinds::connection};
use ports::{Request, SecretError, Secrets};
use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};

use crate::Redactor;

#[cfg(test)]
mod tests;

/// Why a connection cannot be used. No text holds a value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A secret cannot be read.
    #[error("cannot read the connection's {field}")]
    Secret {
        /// The field that refers to it.
        field: String,
        /// What went wrong.
        #[source]
        source: SecretError,
    },
    /// The address cannot be used.
    #[error("the connection's address {0}")]
    Address(&'static str),
    /// A header cannot be sent.
    #[error("the header `{0}` cannot be sent: its name or value holds characters that no header may hold")]
    Header(String),
    /// What is put behind the address leads elsewhere.
    #[error("what is put behind the connection's address {0}")]
    Path(&'static str),
    /// It is a connection of another kind.
    #[error("the connection has no `http`, `webhook` or `slack` block, so no request can be sent to it")]
    NotHttp,
}

/// A connection, ready for requests. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Resolved {
    /// The address, which may be a secret.
    pub base_url: String,
    /// The headers of every request, which may hold secrets.
    pub headers: Vec<(String, String)>,
    /// The key of a webhook's signature, as it is kept.
    pub signing_key: Option<ports::Secret>,
    /// Takes the secrets that were read out of a text.
    pub redactor: Redactor,
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolved").finish_non_exhaustive()
    }
}

impl Resolved {
    /// A request to the address with `rest` put behind it, with the connection's headers and the defaults.
    ///
    /// # Errors
    /// When `rest` would lead elsewhere.
    pub fn request(&self, method: &str, rest: &str) -> Result<Request, Error> {
        let mut request = Request::new(method, &join(&self.base_url, rest)?);
        request.headers.clone_from(&self.headers);
        Ok(request)
    }
}

/// Reads the secrets of a connection of kind `http`, `webhook` or `slack`.
///
/// # Errors
/// See [`Error`].
pub async fn resolve(connection: &Connection, secrets: &dyn Secrets) -> Result<Resolved, Error> {
    let mut reader = Reader { secrets, redactor: Redactor::new() };
    let mut signing_key = None;
    let (base_url, headers) = if let Some(http) = &connection.http {
        let base_url = reader.value("url", &http.url).await?;
        (base_url, reader.http_headers(http).await?)
    } else if let Some(webhook) = &connection.webhook {
        if let Some(reference) = &webhook.secret {
            signing_key = Some(ports::Secret::new(reader.secret("secret", reference).await?));
        }
        let base_url = reader.value("url", &webhook.url).await?;
        (base_url, reader.headers(&webhook.headers).await?)
    } else if let Some(slack) = &connection.slack {
        (reader.secret("url", &slack.url).await?, Vec::new())
    } else {
        return Err(Error::NotHttp);
    };
    let base_url = address(&base_url)?.into();
    for (name, value) in &headers {
        check_header(name, value)?;
    }
    Ok(Resolved { base_url, headers, signing_key, redactor: reader.redactor })
}

struct Reader<'a> {
    secrets: &'a dyn Secrets,
    redactor: Redactor,
}

impl Reader<'_> {
    async fn value(&mut self, field: &str, value: &Value) -> Result<String, Error> {
        let read = self.redactor.read(value, self.secrets).await;
        read.map_err(|source| Error::Secret { field: field.to_owned(), source })
    }

    async fn secret(&mut self, field: &str, reference: &model::SecretRef) -> Result<String, Error> {
        self.value(field, &Value::Secret(reference.clone())).await
    }

    async fn headers(&mut self, of: &BTreeMap<String, Value>) -> Result<Vec<(String, String)>, Error> {
        let mut headers = Vec::with_capacity(of.len());
        for (name, value) in of {
            headers.push((name.clone(), self.value(&format!("header `{name}`"), value).await?));
        }
        Ok(headers)
    }

    async fn http_headers(
        &mut self,
        http: &connection::HttpConnection,
    ) -> Result<Vec<(String, String)>, Error> {
        let mut headers = self.headers(&http.headers).await?;
        if let Some(reference) = &http.bearer {
            let token = self.secret("bearer", reference).await?;
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        if let Some(basic) = &http.basic {
            let username = self.value("username", &basic.username).await?;
            let password = self.secret("password", &basic.password).await?;
            let both = STANDARD.encode(format!("{username}:{password}"));
            self.redactor.add_text(&both);
            headers.push(("authorization".to_owned(), format!("Basic {both}")));
        }
        Ok(headers)
    }
}

fn check_header(name: &str, value: &str) -> Result<(), Error> {
    let sound = HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(value).is_ok();
    if sound { Ok(()) } else { Err(Error::Header(name.escape_debug().to_string())) }
}

fn address(text: &str) -> Result<Url, Error> {
    let mut url = Url::parse(text.trim())
        .map_err(|_| Error::Address("cannot be read; it looks like https://api.example.com/v1"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Error::Address("begins with neither http:// nor https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::Address("holds a user name or a password; `basic` is for those"));
    }
    url.set_fragment(None);
    Ok(url)
}

/// The address `base` with `rest` put behind its path; the queries of both are kept. Whatever `rest` is, the result
/// lies on the same host and under the same path.
///
/// # Errors
/// When it would not.
pub fn join(base: &str, rest: &str) -> Result<String, Error> {
    let base = address(base)?;
    if rest.is_empty() {
        return Ok(base.into());
    }
    if rest.chars().any(|letter| letter.is_control() || letter == '\\') {
        return Err(Error::Path("holds a control character or a backslash"));
    }
    if rest.starts_with("//") || rest.contains("://") && !rest.contains('?') {
        return Err(Error::Path("is a whole address; only a path and a query can be put there"));
    }
    let without_fragment = rest.split_once('#').map_or(rest, |(before, _)| before);
    let (path, query) = without_fragment
        .split_once('?')
        .map_or((without_fragment, None), |(path, query)| (path, Some(query)));
    let climbs = |segment: &str| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == ".." || plain == "."
    };
    if path.split('/').any(climbs) {
        return Err(Error::Path("climbs with `.` or `..`"));
    }
    let mut joined = base.clone();
    if !path.is_empty() {
        let under = format!("{}/{}", base.path().trim_end_matches('/'), path.trim_start_matches('/'));
        joined.set_path(&under);
    }
    let queries: Vec<&str> =
        base.query().into_iter().chain(query).filter(|query| !query.is_empty()).collect();
    joined.set_query((!queries.is_empty()).then(|| queries.join("&")).as_deref());
    let kept =
        joined.origin() == base.origin() && joined.path().starts_with(base.path().trim_end_matches('/'));
    if kept { Ok(joined.into()) } else { Err(Error::Path("leads elsewhere")) }
}
