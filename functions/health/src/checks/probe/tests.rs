use ports::{HttpError, Request, Response};
use serde_json::from_value;
use testkit::FakeSecrets;

use super::*;

/// Fails with a text of its own, as what sends requests may.
#[derive(Debug)]
struct Broken(String);

#[async_trait::async_trait]
impl Http for Broken {
    async fn send(&self, _: Request) -> Result<Response, HttpError> {
        Err(HttpError::Invalid(self.0.clone()))
    }
}

#[tokio::test]
async fn a_secret_across_the_cut_of_a_reason_leaves_no_part_of_itself() {
    let secret = "planted-secret-value-that-is-long";
    let secrets = FakeSecrets::new();
    secrets.put("TOKEN", secret);
    let connection = json!({"http": {"url": "https://api.example.com/", "bearer": {"env": "TOKEN"}}});
    let connections = BTreeMap::from([("api".to_owned(), from_value(connection).unwrap())]);
    let check = json!({"every": "1m", "http": {"connection": "api", "timeout": "1s"}});
    let probe = Probe::new(from_value(check).unwrap(), 1, &connections);
    let before = HttpError::Invalid(String::new()).to_string().len();
    for shown in [1, 12, secret.len() - 1] {
        let filler = "x".repeat(REASON - before - shown);
        let http = Broken(format!("{filler}{secret} and more"));
        let answer = probe.ask(&http, &secrets, "2026-03-03T12:00:00Z".parse().unwrap()).await;
        assert_eq!(answer.state, CheckState::Unknown);
        let said = answer.reason.trim_end_matches(" and more").trim_end_matches('*');
        assert!(said.ends_with('x'), "{shown} letters of it: {}", answer.reason);
        assert!(answer.reason.chars().count() <= REASON);
    }
}
