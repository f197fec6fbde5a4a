use std::{
    collections::BTreeMap,
    error::Error as _,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use futures_util::stream;
use ports::{Http, HttpError, Request};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{Client, Names};
use crate::Guard;

#[derive(Debug, Default)]
struct FakeNames(BTreeMap<&'static str, Vec<IpAddr>>);

#[async_trait]
impl Names for FakeNames {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.0.get(name).cloned().ok_or_else(|| io::Error::other("no such name"))
    }
}

fn client(names: &[(&'static str, &[&str])]) -> Client {
    let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    let names = names.iter().map(|(name, addresses)| (*name, parse(addresses))).collect();
    Client::with_names(Guard { loopback: true }, Arc::new(FakeNames(names)))
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn redirect(to: &str) -> Response {
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to.to_owned())]).into_response()
}

fn following(method: &str, url: &str) -> Request {
    Request { redirects: 3, timeout: Duration::from_secs(5), ..Request::new(method, url) }
}

fn whole(error: &HttpError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text} {error} {error:?}");
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn every_spelling_of_a_metadata_address_is_refused() {
    let client = client(&[]);
    for host in [
        "169.254.169.254",
        "169.254.169.254.",
        "2852039166",
        "0xA9FEA9FE",
        "0251.0376.0251.0376",
        "169.254.43518",
        "0xa9.254.0251.254",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[fd00:ec2::254]",
        "[64:ff9b::169.254.169.254]",
        "%31%36%39.254.169.254",
        "0",
        "0.0.0.0",
        "[::]",
        "255.255.255.255",
        "１６９.254.169.254",
    ] {
        let error = client.send(Request::new("GET", &format!("http://{host}/latest"))).await.unwrap_err();
        assert!(matches!(error, HttpError::Refused { .. }), "{host}: {error:?}");
        assert!(!error.may_have_arrived());
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_refused_address_is_refused() {
    let names: &[(&str, &[&str])] =
        &[("meta.test", &["169.254.169.254"]), ("six.test", &["::ffff:a9fe:a9fe", "fe80::1"])];
    for name in ["meta.test", "six.test"] {
        let error = client(names).send(Request::new("GET", &format!("http://{name}/"))).await.unwrap_err();
        assert!(matches!(&error, HttpError::Refused { host, .. } if host == name), "{error:?}");
    }
    let public = Client::with_names(Guard::default(), client(&[("home.test", &["127.0.0.1", "::1"])]).names);
    for host in ["home.test", "127.0.0.1", "2130706433", "[::1]"] {
        let error = public.send(Request::new("GET", &format!("http://{host}/"))).await.unwrap_err();
        assert!(matches!(error, HttpError::Refused { .. }), "{host}: {error:?}");
    }
}

#[tokio::test]
async fn only_the_addresses_of_a_name_that_were_checked_are_connected_to() {
    let address = serve(Router::new().route("/", get(|| async { "here" }))).await;
    let client = client(&[("mixed.test", &["169.254.169.254", "127.0.0.1"])]);
    let answer = client.send(Request::new("GET", &format!("http://mixed.test:{}/", address.port()))).await;
    assert_eq!(answer.unwrap().body, b"here");
}

#[tokio::test]
async fn a_name_is_resolved_and_checked_anew_for_each_request() {
    #[derive(Debug, Default)]
    struct Rebinding(AtomicUsize);
    #[async_trait]
    impl Names for Rebinding {
        async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            let first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
            Ok(vec![if first { "127.0.0.1" } else { "169.254.169.254" }.parse().unwrap()])
        }
    }
    let address = serve(Router::new().route("/", get(|| async { "here" }))).await;
    let client = Client::with_names(Guard { loopback: true }, Arc::new(Rebinding::default()));
    let url = format!("http://rebind.test:{}/", address.port());
    assert_eq!(client.send(Request::new("GET", &url)).await.unwrap().status, 200);
    let second = client.send(Request::new("GET", &url)).await.unwrap_err();
    assert!(matches!(second, HttpError::Refused { .. }), "{second:?}");
}

#[tokio::test]
async fn what_is_no_plain_http_address_is_not_sent() {
    let client = client(&[]);
    for url in ["ftp://example.com/", "file:///etc/passwd", "http://user:hunter2@127.0.0.1/", "/path", ""] {
        let error = client.send(Request::new("GET", url)).await.unwrap_err();
        assert!(matches!(error, HttpError::Invalid(_)), "{url}: {error:?}");
        assert!(!whole(&error).contains("hunter2"), "{error:?}");
    }
    let mut split = Request::new("GET", "http://127.0.0.1/");
    split.headers.push(("x-key".to_owned(), "hunter2\r\nx-evil: 1".to_owned()));
    let error = client.send(split).await.unwrap_err();
    assert!(matches!(error, HttpError::Invalid(_)) && !whole(&error).contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn a_redirect_to_a_metadata_address_is_refused_after_the_first_host_had_the_request() {
    let router = Router::new()
        .route("/meta", any(|| async { redirect("http://169.254.169.254/latest/meta-data/") }))
        .route("/name", any(|| async { redirect("http://meta.test/") }))
        .route("/ftp", any(|| async { redirect("ftp://example.com/") }))
        .route("/loop", any(|| async { redirect("/loop") }));
    let address = serve(router).await;
    let client = client(&[("meta.test", &["169.254.169.254"])]);
    for path in ["meta", "name", "ftp", "loop"] {
        let error = client.send(following("GET", &format!("http://{address}/{path}"))).await.unwrap_err();
        assert!(matches!(error, HttpError::Redirect { .. }), "{path}: {error:?}");
        assert!(error.may_have_arrived());
    }
    let unfollowed = client.send(Request::new("GET", &format!("http://{address}/meta"))).await.unwrap();
    assert_eq!(unfollowed.status, 307);
}

#[tokio::test]
async fn credentials_and_bodies_stay_with_the_host_that_they_are_for() {
    let seen: Arc<Mutex<Vec<HeaderMap>>> = Arc::default();
    let keep = Arc::clone(&seen);
    let end = any(move |headers: HeaderMap| async move {
        keep.lock().unwrap().push(headers);
        "end"
    });
    let there = serve(Router::new().route("/end", end.clone())).await;
    let leave = any(move || async move { redirect(&format!("http://other.test:{}/end", there.port())) });
    let stay = any(|| async { redirect("/end") });
    let here = serve(Router::new().route("/leave", leave).route("/stay", stay).route("/end", end)).await;
    let client = client(&[("other.test", &["127.0.0.1"])]);
    let send = async |method: &str, path: &str, body: &[u8]| {
        let mut request = following(method, &format!("http://{here}/{path}"));
        for name in ["authorization", "idempotency-key", "x-api-key", "cookie", "accept"] {
            request.headers.push((name.to_owned(), "hunter2".to_owned()));
        }
        request.body = body.to_vec();
        client.send(request).await
    };
    assert_eq!(send("GET", "leave", b"").await.unwrap().body, b"end");
    assert_eq!(send("POST", "stay", b"all").await.unwrap().body, b"end");
    let refused = send("POST", "leave", b"all").await.unwrap_err();
    assert!(matches!(refused, HttpError::Redirect { .. }), "{refused:?}");
    let seen = seen.lock().unwrap();
    let names = |headers: &HeaderMap| {
        headers
            .iter()
            .filter(|(_, value)| *value == "hunter2")
            .map(|(name, _)| name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&seen[0]), ["accept"]);
    assert_eq!(names(&seen[1]).len(), 5);
    assert_eq!(seen.len(), 2);
}

#[tokio::test]
async fn an_answer_without_end_is_cut_and_a_compressed_one_is_not_unpacked() {
    let endless =
        || async { Body::from_stream(stream::repeat_with(|| Ok::<_, io::Error>(vec![b'x'; 1000]))) };
    let packed = || async { ([(header::CONTENT_ENCODING, "gzip")], "not really").into_response() };
    let address = serve(Router::new().route("/", get(endless)).route("/gz", get(packed))).await;
    let send = async |path: &str| {
        let request = Request { max_body: 2500, ..Request::new("GET", &format!("http://{address}{path}")) };
        client(&[]).send(request).await.unwrap()
    };
    let answer = send("/").await;
    assert_eq!((answer.body.len(), answer.truncated), (2500, true));
    let answer = send("/gz").await;
    assert_eq!((answer.body.as_slice(), answer.truncated), (b"not really".as_slice(), false));
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
}

/// Accepts a connection, writes `answer`, and then holds the connection or drops it.
async fn raw(answer: &'static str, hold: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut begun = [0; 4096];
            if stream.read(&mut begun).await.is_err() {
                continue;
            }
            drop(stream.write_all(answer.as_bytes()).await);
            if hold {
                held.push(stream);
            }
        }
    });
    address
}

#[tokio::test]
async fn a_host_that_hangs_is_left_after_the_timeout_and_the_request_may_have_arrived() {
    for answer in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"] {
        let address = raw(answer, true).await;
        let request = Request {
            timeout: Duration::from_millis(300),
            ..Request::new("POST", &format!("http://{address}/secret-path?token=hunter2"))
        };
        let error = client(&[]).send(request).await.unwrap_err();
        assert!(matches!(error, HttpError::Timeout { sent: true, .. }), "{error:?}");
        assert!(error.may_have_arrived() && !whole(&error).contains("secret-path"), "{error:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_may_have_brought_the_request() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", "no http at all\r\n\r\n"] {
        let address = raw(answer, false).await;
        let url = format!("http://{address}/secret-path?token=hunter2");
        let error = client(&[]).send(Request::new("POST", &url)).await.unwrap_err();
        assert!(matches!(error, HttpError::Broken { .. }), "{error:?}");
        let text = whole(&error);
        assert!(
            error.may_have_arrived() && !text.contains("secret-path") && !text.contains("hunter2"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_arrived() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    for url in
        [format!("http://{address}/secret-path?token=hunter2"), "http://none.test/secret-path".to_owned()]
    {
        let error = client(&[]).send(Request::new("POST", &url)).await.unwrap_err();
        assert!(matches!(error, HttpError::Connect { .. }), "{error:?}");
        let text = whole(&error);
        assert!(
            !error.may_have_arrived() && !text.contains("secret-path") && !text.contains("hunter2"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_host_that_never_finishes_its_tls_has_not_had_the_request() {
    let address = raw("", true).await;
    let request = Request {
        timeout: Duration::from_millis(300),
        ..Request::new("POST", &format!("https://{address}/"))
    };
    let error = client(&[]).send(request).await.unwrap_err();
    assert!(matches!(error, HttpError::Timeout { sent: false, .. }), "{error:?}");
}
