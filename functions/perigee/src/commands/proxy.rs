//! `perigee proxy`: the deployed API for a browser, which cannot sign requests.
//!
//! It listens on loopback, signs what comes with the ambient AWS credentials, and hands it on. Like a local server it
//! takes only loopback Hosts and same-origin writes: otherwise any page in the browser could act as the person.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use clap::Args;
use ureq::Agent;

use crate::{
    commands::up::address,
    exit::{Done, Usage},
    print,
    world::{self, Sign},
};

/// What API Gateway takes at most, in bytes.
const LARGEST: usize = 10 * 1024 * 1024;
/// What is handed on of a request. Cookies and credentials of the browser are not.
const REQUEST_HEADERS: &[HeaderName] =
    &[header::ACCEPT, header::CONTENT_TYPE, header::CONTENT_ENCODING, header::IF_NONE_MATCH];
/// What is handed back of an answer.
const ANSWER_HEADERS: &[HeaderName] = &[
    header::CACHE_CONTROL,
    header::CONTENT_SECURITY_POLICY,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LOCATION,
    header::REFERRER_POLICY,
    header::RETRY_AFTER,
    header::X_CONTENT_TYPE_OPTIONS,
];

/// Which API, and where to listen.
#[derive(Debug, Args)]
pub struct Options {
    /// The deployed API: output Url of the stack
    #[arg(long, value_name = "URL", env = "PERIGEE_API")]
    pub api: String,
    /// The address and port to listen on; only loopback
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8081", value_parser = address)]
    pub listen: SocketAddr,
}

struct Proxy {
    api: String,
    agent: Agent,
    signer: Arc<dyn Sign>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Done> {
    runtime::telemetry::init(runtime::telemetry::Format::Compact);
    let api = options.api.trim_end_matches('/');
    if !api.starts_with("https://") && !api.starts_with("http://127.0.0.1") {
        return Err(Usage(format!("`{api}` is no address of a deployed API; it reads like https://ID.execute-api.REGION.amazonaws.com")).into());
    }
    if !options.listen.ip().is_loopback() {
        return Err(
            Usage("whoever reaches the proxy acts as you; it listens on loopback only".to_owned()).into()
        );
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(serve(api, options.listen))
}

async fn serve(api: &str, listen: SocketAddr) -> anyhow::Result<Done> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(35)))
        .build();
    let proxy = Proxy { api: api.to_owned(), agent: config.into(), signer: world::signer().await? };
    // Credentials that cannot be had are said now, not at the first page.
    proxy.signer.headers("GET", api, b"").await?;
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}; choose another port with --listen"))?;
    let address = listener.local_addr().context("cannot read the address that is listened on")?;
    print::line(&format!("http://{address} is {api}, signed as you"))?;
    print::line("Stop with Ctrl-C")?;
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, router(proxy)).with_graceful_shutdown(stop).await.context("the proxy ended")?;
    Ok(Done::All)
}

fn router(proxy: Proxy) -> Router {
    Router::new()
        .fallback(hand_on)
        .layer(axum::middleware::from_fn(api::local_only))
        .with_state(Arc::new(proxy))
}

async fn hand_on(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    match asked(proxy, request).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::warn!("{error:#}");
            (StatusCode::BAD_GATEWAY, format!("{error:#}\n")).into_response()
        }
    }
}

async fn asked(proxy: Arc<Proxy>, request: Request) -> anyhow::Result<Response> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{}{path}", proxy.api);
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let Ok(body) = to_bytes(request.into_body(), LARGEST).await else {
        bail!("a request has at most {} MB", LARGEST / 1_048_576);
    };
    let signed = proxy.signer.headers(method.as_str(), &url, &body).await?;
    let mut outward = ureq::http::Request::builder().method(method.clone()).uri(&url);
    for name in REQUEST_HEADERS {
        for value in headers.get_all(name) {
            outward = outward.header(name, value);
        }
    }
    for (name, value) in signed {
        outward = outward.header(name, value);
    }
    let outward = outward.body(body.to_vec()).context("the request cannot be handed on")?;
    let sent = tokio::task::spawn_blocking(move || send(&proxy.agent, outward))
        .await
        .context("the request broke")?;
    let (status, kept, bytes) =
        sent.with_context(|| format!("cannot hand {method} {path} on", path = first(&url)))?;
    let mut answer = Response::new(Body::from(Bytes::from(bytes)));
    *answer.status_mut() = status;
    for (name, value) in kept {
        answer.headers_mut().append(name, value);
    }
    Ok(answer)
}

/// An address without its query, which may hold what a person searched for.
fn first(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

type Answer = (StatusCode, Vec<(HeaderName, HeaderValue)>, Vec<u8>);

fn send(agent: &Agent, request: ureq::http::Request<Vec<u8>>) -> anyhow::Result<Answer> {
    let mut answer = if matches!(*request.method(), Method::GET | Method::HEAD) {
        agent.run(request.map(|_| ()))?
    } else {
        agent.run(request)?
    };
    let kept = ANSWER_HEADERS.iter().flat_map(|name| {
        answer.headers().get_all(name).iter().map(|value| (name.clone(), value.clone())).collect::<Vec<_>>()
    });
    let kept: Vec<_> = kept.collect();
    let status = answer.status();
    let bytes = answer.body_mut().with_config().limit(LARGEST as u64).read_to_vec()?;
    Ok((status, kept, bytes))
}

#[cfg(test)]
mod tests;
