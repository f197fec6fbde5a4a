//! Outbound HTTP, for checks, steps and deliveries.

use std::{fmt, time::Duration};

use async_trait::async_trait;

/// Sends one request. Implementations refuse link-local and metadata addresses after name resolution and on every
/// redirect; loopback is allowed only where the program says so.
#[async_trait]
pub trait Http: Send + Sync + fmt::Debug {
    /// The answer, whatever its status.
    ///
    /// # Errors
    /// See [`HttpError`]; [`HttpError::may_have_arrived`] says whether the far end may have acted.
    async fn send(&self, request: Request) -> Result<Response, HttpError>;
}

/// A request. Its `Debug` shows neither header values nor the body, which may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The address: `http://` or `https://`.
    pub url: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How long all of it may take.
    pub timeout: Duration,
    /// How many bytes of the answer's body are kept; the rest is dropped, and the answer says so.
    pub max_body: usize,
    /// How many redirects are followed.
    pub redirects: u8,
}

impl Request {
    /// A request with the defaults: 30 seconds, 1 MiB of the answer, no redirects.
    #[must_use]
    pub fn new(method: &str, url: &str) -> Self {
        Self {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: Duration::from_secs(30),
            max_body: 1 << 20,
            redirects: 0,
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("headers", &names)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it was kept.
    pub body: Vec<u8>,
    /// True when the body was longer than what was kept.
    pub truncated: bool,
    /// How long it took.
    pub elapsed: Duration,
}

impl Response {
    /// The first header of this name (in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer. No variant shows the address's path or query, which may hold secrets.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The request is none: no such method, header or address.
    #[error("the request is not valid: {0}")]
    Invalid(String),
    /// The address is one that we do not call.
    #[error("{host} is refused: {reason}")]
    Refused {
        /// The host, as it was written.
        host: String,
        /// Why, for a person.
        reason: String,
    },
    /// The far end answered with a redirect that we do not follow. The request had arrived.
    #[error("{host} redirected to where we do not follow: {reason}")]
    Redirect {
        /// The host that redirected.
        host: String,
        /// Why, for a person.
        reason: String,
    },
    /// Nothing answers there: the name is unknown, the connection is refused, TLS fails.
    #[error("cannot connect to {host}")]
    Connect {
        /// The host.
        host: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It took too long.
    #[error("{host} did not answer within {timeout:?}")]
    Timeout {
        /// The host.
        host: String,
        /// The limit.
        timeout: Duration,
        /// True when the request was on its way.
        sent: bool,
    },
    /// The connection broke after the request was on its way.
    #[error("the connection to {host} broke")]
    Broken {
        /// The host.
        host: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl HttpError {
    /// True when the far end may have received the request and acted on it.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::Invalid(_) | Self::Refused { .. } | Self::Connect { .. } => false,
            Self::Timeout { sent, .. } => *sent,
            Self::Redirect { .. } | Self::Broken { .. } => true,
        }
    }
}
