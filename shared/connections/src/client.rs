//! Requests, sent only to where they may go.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::StreamExt;
use ports::{Http, HttpError, Request, Response};
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue, LOCATION},
};

mod arrival;
mod names;
#[cfg(test)]
mod tests;

use crate::Guard;
use arrival::Arrival;
use names::{Names, Resolver, SystemNames};

/// How long connecting to a host may take.
const CONNECT: Duration = Duration::from_secs(10);

/// The headers that follow a request to another host. Any other may be a credential.
const HARMLESS: [&str; 4] = ["accept", "accept-language", "content-type", "user-agent"];

/// Sends requests, and refuses those that a [`Guard`] does not let pass: before the name is resolved where the host is
/// an address, after it where it is a name, and anew on every redirect. It uses no proxy and keeps no cookies. Each
/// request has a connection of its own, so what is connected to is what was checked, a connection that a frozen
/// function kept is never used, and it is known whether a request was on its way.
#[derive(Clone)]
pub struct Client {
    guard: Guard,
    names: Arc<dyn Names>,
    // Made at the first use: reading the machine's certificates is no part of a start.
    inner: Arc<OnceLock<Result<reqwest::Client, String>>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl Client {
    /// A client behind a guard.
    #[must_use]
    pub fn new(guard: Guard) -> Self {
        Self::with_names(guard, Arc::new(SystemNames))
    }

    fn with_names(guard: Guard, names: Arc<dyn Names>) -> Self {
        Self { guard, names, inner: Arc::new(OnceLock::new()) }
    }

    fn inner(&self) -> Result<&reqwest::Client, HttpError> {
        let made = self.inner.get_or_init(|| build(self.guard, &self.names));
        made.as_ref()
            .map_err(|error| HttpError::Invalid(format!("no request can be sent from here: {error}")))
    }

    async fn follow(&self, request: &Request, arrival: &Arrival) -> Result<Response, HttpError> {
        let started = Instant::now();
        let inner = self.inner()?;
        let mut hop = Hop::first(request)?;
        for redirects in 0_u8.. {
            check(&hop.url, self.guard).map_err(|error| hop.after_redirect(error))?;
            let answer = arrival.watch(inner.execute(hop.to_send()?)).await;
            let answer = answer.map_err(|error| hop.after_redirect(failed(&hop.url, error, arrival)))?;
            match hop.next(&answer, request.redirects, redirects)? {
                Some(next) => hop = next,
                None => return read(&hop.url, answer, request.max_body, started).await,
            }
        }
        Err(HttpError::Invalid("too many redirects".to_owned()))
    }
}

#[async_trait]
impl Http for Client {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let arrival = Arrival::default();
        let answer = Box::pin(self.follow(&request, &arrival));
        tokio::time::timeout(request.timeout, answer).await.unwrap_or_else(|_| {
            let host = Url::parse(&request.url).map_or_else(|_| "the host".to_owned(), |url| host_of(&url));
            Err(HttpError::Timeout { host, timeout: request.timeout, sent: arrival.connected() })
        })
    }
}

fn build(guard: Guard, names: &Arc<dyn Names>) -> Result<reqwest::Client, String> {
    // An error says that the program has chosen a provider already, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let builder = || {
        reqwest::Client::builder()
            .dns_resolver(Arc::new(Resolver { guard, names: Arc::clone(names) }))
            .connector_layer(arrival::Watch)
            .connect_timeout(CONNECT)
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .user_agent(concat!("perigee/", env!("CARGO_PKG_VERSION")))
    };
    builder().build().or_else(|error| {
        // Without the machine's certificates `http` still works, and `https` says that it trusts nobody.
        tracing::warn!("No certificate authorities on this machine, so https requests will fail: {error:?}");
        builder().tls_certs_only([]).build().map_err(|error| format!("{error:?}"))
    })
}

/// One request of a chain of redirects.
#[derive(Debug)]
struct Hop {
    method: reqwest::Method,
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
    /// The host that redirected here.
    from: Option<String>,
}

impl Hop {
    fn first(request: &Request) -> Result<Self, HttpError> {
        let method = request
            .method
            .parse()
            .map_err(|_| HttpError::Invalid(format!("`{}` is no method", request.method.escape_debug())))?;
        // The parser's words are fixed sentences: they show nothing of the address.
        let url = Url::parse(&request.url)
            .map_err(|error| HttpError::Invalid(format!("its address cannot be read: {error}")))?;
        let mut headers = HeaderMap::with_capacity(request.headers.len());
        for (name, value) in &request.headers {
            let wrong = || HttpError::Invalid(format!("the header `{}` cannot be sent", name.escape_debug()));
            let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            headers.append(parsed, value);
        }
        Ok(Self { method, url, headers, body: request.body.clone(), from: None })
    }

    fn to_send(&self) -> Result<reqwest::Request, HttpError> {
        let mut request = reqwest::Request::new(self.method.clone(), self.url.clone());
        request.headers_mut().clone_from(&self.headers);
        if !self.body.is_empty() {
            *request.body_mut() = Some(self.body.clone().into());
        }
        Ok(request)
    }

    /// Where the answer leads; `None` when it is the answer itself.
    fn next(&self, answer: &reqwest::Response, allowed: u8, followed: u8) -> Result<Option<Self>, HttpError> {
        let status = answer.status().as_u16();
        let location = answer.headers().get(LOCATION);
        let (true, Some(location)) = (matches!(status, 301 | 302 | 303 | 307 | 308), location) else {
            return Ok(None);
        };
        if allowed == 0 {
            return Ok(None);
        }
        let refuse =
            |reason: &str| HttpError::Redirect { host: host_of(&self.url), reason: reason.to_owned() };
        if followed >= allowed {
            return Err(refuse(&format!("more than {allowed} redirects")));
        }
        let location = location.to_str().ok().and_then(|text| self.url.join(text).ok());
        let url = location.ok_or_else(|| refuse("its address cannot be read"))?;
        if self.url.scheme() == "https" && url.scheme() == "http" {
            return Err(refuse("it leads from https to http"));
        }
        let to_get =
            status == 303 && self.method != "HEAD" || matches!(status, 301 | 302) && self.method == "POST";
        let mut next = Self {
            method: if to_get { reqwest::Method::GET } else { self.method.clone() },
            headers: self.headers.clone(),
            body: if to_get { Vec::new() } else { self.body.clone() },
            from: Some(host_of(&self.url)),
            url,
        };
        if to_get {
            next.headers.remove("content-type");
        }
        if !same_place(&self.url, &next.url) {
            if !next.body.is_empty() {
                return Err(refuse("it leads to another host, which is not given the body"));
            }
            let foreign: Vec<HeaderName> =
                next.headers.keys().filter(|name| !HARMLESS.contains(&name.as_str())).cloned().collect();
            for name in foreign {
                next.headers.remove(name);
            }
        }
        Ok(Some(next))
    }

    /// An error of a hop after the first: the hosts before it have had the request.
    fn after_redirect(&self, error: HttpError) -> HttpError {
        let Some(from) = &self.from else { return error };
        match error {
            HttpError::Refused { host, reason } => {
                HttpError::Redirect { host: from.clone(), reason: format!("{host} is refused: {reason}") }
            }
            HttpError::Invalid(reason) => HttpError::Redirect { host: from.clone(), reason },
            HttpError::Connect { host, source } => HttpError::Redirect {
                host: from.clone(),
                reason: format!("cannot connect to {host}: {source}"),
            },
            HttpError::Redirect { .. } | HttpError::Timeout { .. } | HttpError::Broken { .. } => error,
        }
    }
}

/// The same host by the same way, or by a better one.
fn same_place(one: &Url, other: &Url) -> bool {
    let upgraded = one.scheme() == "http" && one.port().is_none() && other.port().is_none();
    one.origin() == other.origin()
        || one.host_str() == other.host_str() && upgraded && other.scheme() == "https"
}

/// The host of an address, and its port where it is not the usual one.
fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or("the host");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn check(url: &Url, guard: Guard) -> Result<(), HttpError> {
    let refuse = |reason: &str| HttpError::Refused { host: host_of(url), reason: reason.to_owned() };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(HttpError::Invalid("its address begins with neither http:// nor https://".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(HttpError::Invalid("its address holds a user name or a password".to_owned()));
    }
    // The parser has written every spelling of an IPv4 address (octal, hexadecimal, one number) in the usual one.
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(address) => guard.refuses(address).map_or(Ok(()), |reason| Err(refuse(reason))),
        Err(_) => Ok(()),
    }
}

fn failed(url: &Url, error: reqwest::Error, arrival: &Arrival) -> HttpError {
    let host = host_of(url);
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<names::Refused>() {
            return HttpError::Refused { host, reason: refused.to_string() };
        }
        cause = error.source();
    }
    let source = Box::new(error.without_url());
    if arrival.connected() { HttpError::Broken { host, source } } else { HttpError::Connect { host, source } }
}

async fn read(
    url: &Url,
    answer: reqwest::Response,
    max_body: usize,
    started: Instant,
) -> Result<Response, HttpError> {
    let status = answer.status().as_u16();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers =
        answer.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let (mut body, mut truncated) = (Vec::new(), false);
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| HttpError::Broken {
            host: host_of(url),
            source: Box::new(error.without_url()),
        })?;
        let room = max_body - body.len();
        body.extend(chunk.iter().take(room));
        if chunk.len() > room {
            truncated = true;
            break;
        }
    }
    Ok(Response { status, headers, body, truncated, elapsed: started.elapsed() })
}

/// An address without a port: the connector puts the port of the request's address.
fn portless(address: IpAddr) -> SocketAddr {
    SocketAddr::new(address, 0)
}
