use std::sync::Mutex;

use async_trait::async_trait;
use axum::{Json, routing::any};
use serde_json::{Value, json};

use super::*;

struct Fake;

#[async_trait]
impl Sign for Fake {
    async fn headers(&self, method: &str, url: &str, body: &[u8]) -> anyhow::Result<Vec<(String, String)>> {
        let path = url.split_once("//").unwrap().1.split_once('/').unwrap().1;
        Ok(vec![("authorization".to_owned(), format!("signed {method} /{path} {}", body.len()))])
    }
}

/// An API that tells what came, and a proxy before it.
async fn proxied() -> (String, Arc<Mutex<Vec<Value>>>) {
    let came = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&came);
    let tell = move |method: Method, headers: axum::http::HeaderMap, uri: axum::http::Uri, body: String| async move {
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        kept.lock().unwrap().push(json!({
            "asked": format!("{method} {uri}"), "body": body, "authorization": header("authorization"),
            "cookie": header("cookie"), "accept": header("accept"),
        }));
        let headers = [("etag", "\"1\""), ("set-cookie", "a=b"), ("location", "/runs/1")];
        (StatusCode::IM_A_TEAPOT, headers, Json(json!({"ok": true})))
    };
    let api = listen(Router::new().fallback(any(tell))).await;
    let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
    let proxy = Proxy { api, agent: config.into(), signer: Arc::new(Fake) };
    (listen(router(proxy)).await, came)
}

async fn listen(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn ask(request: ureq::http::Request<String>) -> ureq::http::Response<ureq::Body> {
    let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
    tokio::task::spawn_blocking(move || Agent::from(config).run(request).unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_signed_and_handed_on_without_what_the_browser_adds() {
    let (proxy, came) = proxied().await;
    let request = ureq::http::Request::post(format!("{proxy}/api/v1/playbooks/p/runs?dry=1"))
        .header("accept", "application/json")
        .header("cookie", "session=secret")
        .header("authorization", "Bearer mine")
        .body("{}".to_owned());
    let answer = ask(request.unwrap()).await;
    assert_eq!(answer.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(answer.headers().get("etag").unwrap(), "\"1\"");
    assert_eq!(answer.headers().get("location").unwrap(), "/runs/1");
    assert!(answer.headers().get("set-cookie").is_none());
    let expected = json!([{
        "asked": "POST /api/v1/playbooks/p/runs?dry=1", "body": "{}", "cookie": null, "accept": "application/json",
        "authorization": "signed POST /api/v1/playbooks/p/runs?dry=1 2",
    }]);
    assert_eq!(Value::from(came.lock().unwrap().clone()), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_can_neither_write_through_it_nor_name_it() {
    let (proxy, came) = proxied().await;
    let foreign =
        ureq::http::Request::post(format!("{proxy}/api/v1/reset")).header("origin", "https://evil.example");
    assert_eq!(ask(foreign.body(String::new()).unwrap()).await.status(), StatusCode::FORBIDDEN);
    let rebound = ureq::http::Request::post(format!("{proxy}/")).header("host", "evil.example");
    assert!(ask(rebound.body(String::new()).unwrap()).await.status().is_client_error());
    assert_eq!(came.lock().unwrap().len(), 0);
}
