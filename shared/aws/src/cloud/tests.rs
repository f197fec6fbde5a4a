//! Against a scripted server for advanced queries and for what may go wrong, and against moto for the rest.

mod listing;

use std::{
    collections::VecDeque,
    io::Read as _,
    sync::{Mutex, MutexGuard},
};

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_sdk_config::types::{ConfigurationRecorder, RecordingGroup};
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::IntoResponse};
use ports::{Cloud as _, Clouds as _, Records};
use serde_json::{Value, json};
use testkit::Moto;

use super::*;

/// The configuration of an account at `endpoint`.
pub(crate) async fn config(endpoint: &str) -> SdkConfig {
    let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(1));
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))
        .retry_config(retries)
        .load()
        .await
}

/// Answers in turn, and what was asked: the action and its body.
#[derive(Debug, Default)]
struct Script {
    answers: Mutex<VecDeque<(u16, String)>>,
    asked: Mutex<Vec<(String, Value)>>,
}

impl Script {
    fn asked(&self) -> MutexGuard<'_, Vec<(String, Value)>> {
        self.asked.lock().unwrap()
    }
}

async fn answer(State(script): State<Arc<Script>>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let action = target.rsplit('.').next().unwrap_or_default().to_owned();
    script.asked().push((action, serde_json::from_slice(&body).unwrap()));
    let (status, body) = script.answers.lock().unwrap().pop_front().expect("another answer in the script");
    let status = axum::http::StatusCode::from_u16(status).unwrap();
    (status, [("content-type", "application/x-amz-json-1.1")], body)
}

/// An account behind a server that answers so.
async fn account(answers: &[(u16, String)]) -> (Arc<dyn ports::Cloud>, Arc<Script>) {
    let script =
        Arc::new(Script { answers: Mutex::new(answers.iter().cloned().collect()), ..Script::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(Arc::clone(&script));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let cloud = Clouds::new(config(&endpoint).await).open(&CloudAccess::default()).await.unwrap();
    (cloud, script)
}

fn refusal(code: &str) -> (u16, String) {
    (400, json!({"__type": code, "message": "said AWS"}).to_string())
}

fn query<'a>(token: Option<&'a str>, aggregator: Option<&'a str>) -> Selection<'a> {
    Selection { region: "eu-west-1", aggregator, expression: "SELECT resourceId", limit: 100, token }
}

#[tokio::test]
async fn a_query_is_paged_by_its_tokens() {
    let first = json!({"Results": [r#"{"resourceId":"i-1"}"#], "NextToken": "more"}).to_string();
    let second = json!({"Results": [r#"{"resourceId":"i-2"}"#]}).to_string();
    let (cloud, script) = account(&[(200, first), (200, second)]).await;
    let page = cloud.select(&query(None, None)).await.unwrap();
    assert_eq!((&*page.rows[0], page.next.as_deref()), (r#"{"resourceId":"i-1"}"#, Some("more")));
    let page = cloud.select(&query(Some("more"), Some("all"))).await.unwrap();
    assert_eq!((page.rows.len(), page.next), (1, None));
    let asked = script.asked();
    assert_eq!(asked[0].0, "SelectResourceConfig");
    assert_eq!(asked[0].1, json!({"Expression": "SELECT resourceId", "Limit": 100}));
    assert_eq!(asked[1].0, "SelectAggregateResourceConfig");
    assert_eq!(asked[1].1["NextToken"], "more");
    assert_eq!(asked[1].1["ConfigurationAggregatorName"], "all");
}

#[tokio::test]
async fn a_throttle_that_passes_is_waited_for_and_a_storm_is_said() {
    let good = (200, json!({"Results": []}).to_string());
    let (cloud, script) = account(&[refusal("ThrottlingException"), good]).await;
    cloud.select(&query(None, None)).await.unwrap();
    assert_eq!(script.asked().len(), 2);
    let storm = vec![refusal("ThrottlingException"); 9];
    let (cloud, script) = account(&storm).await;
    let error = cloud.select(&query(None, None)).await.unwrap_err();
    assert!(matches!(error, CloudError::Throttled { .. }), "{error}");
    assert_eq!(script.asked().len(), 3, "it is not asked for ever");
}

#[tokio::test]
async fn what_is_refused_is_told_by_its_cause() {
    let ask = async |answers: &[(u16, String)]| {
        let (cloud, _script) = account(answers).await;
        cloud.select(&query(None, None)).await.unwrap_err()
    };
    let denied = ask(&[refusal("AccessDeniedException")]).await;
    assert_eq!(denied.to_string(), "config:SelectResourceConfig is not permitted: said AWS");
    let expired = ask(&[refusal("ExpiredTokenException")]).await;
    assert_eq!(expired, CloudError::Expired { message: "said AWS".to_owned() });
    let unknown = ask(&[refusal("UnrecognizedClientException")]).await;
    assert_eq!(unknown, CloudError::NoCredentials { message: "said AWS".to_owned() });
    let refused = ask(&[refusal("InvalidExpressionException")]).await;
    assert!(matches!(refused, CloudError::Refused { .. }), "{refused}");
    let down = ask(&vec![(503, String::new()); 3]).await;
    assert!(matches!(down, CloudError::Unavailable { .. }), "{down}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_empty_page() {
    let whole = json!({"Results": [r#"{"resourceId":"i-1"}"#], "NextToken": "more"}).to_string();
    let cut: String = whole.chars().take(20).collect();
    let (cloud, _script) = account(&vec![(200, cut); 3]).await;
    let error = cloud.select(&query(None, None)).await.unwrap_err();
    assert!(matches!(error, CloudError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn every_recorded_answer_of_a_query_is_read() {
    let Some(data) = testkit::test_data() else { return };
    let file = std::fs::File::open(data.join("aws-api-responses/recordings.jsonl.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let recorded: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|row: &Value| row["operation"] == "SelectResourceConfig" && row["status_code"] == 200)
        .collect();
    assert!(recorded.len() >= 10, "{} recordings", recorded.len());
    let mut rows = 0;
    for row in recorded {
        let (cloud, _script) = account(&[(200, row["data"].to_string())]).await;
        let page = cloud.select(&query(None, None)).await.unwrap();
        assert_eq!(page.rows.len(), row["data"]["Results"].as_array().unwrap().len());
        assert!(page.rows.iter().all(|row| serde_json::from_str::<Value>(row).is_ok()));
        rows += page.rows.len();
    }
    assert!(rows >= 10, "{rows} rows");
}

#[tokio::test]
async fn no_credentials_are_told_from_credentials_that_ended() {
    let none = aws_config::defaults(BehaviorVersion::latest())
        .no_credentials()
        .region(Region::new("eu-west-1"))
        .endpoint_url("http://127.0.0.1:9")
        .load()
        .await;
    let ended =
        aws_credential_types::provider::error::CredentialsError::provider_error("the SSO token has expired");
    let ended = none
        .to_builder()
        .credentials_provider(SharedCredentialsProvider::new(Ends(Mutex::new(Some(ended)))))
        .build();
    let error = Account::new(ended).identity().await.unwrap_err();
    assert!(matches!(error, CloudError::Expired { .. }), "{error:?}");
}

/// Credentials that cannot be made any more.
#[derive(Debug)]
struct Ends(Mutex<Option<aws_credential_types::provider::error::CredentialsError>>);

impl aws_credential_types::provider::ProvideCredentials for Ends {
    fn provide_credentials<'a>(&'a self) -> aws_credential_types::provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let error = self.0.lock().unwrap().take();
        let error = error.unwrap_or_else(|| {
            aws_credential_types::provider::error::CredentialsError::provider_error("expired")
        });
        aws_credential_types::provider::future::ProvideCredentials::ready(Err(error))
    }
}

#[tokio::test]
async fn moto_says_who_we_are_and_what_its_recorder_does() {
    let Some(moto) = Moto::start() else { return };
    let config = config(&moto.endpoint()).await;
    let cloud = Account::new(config.clone());
    assert_eq!(cloud.identity().await.unwrap().account, "123456789012");
    assert_eq!(cloud.recorder("eu-west-1").await.unwrap(), None);

    let aws = aws_sdk_config::Client::new(&config);
    let group = RecordingGroup::builder().all_supported(true).include_global_resource_types(true).build();
    let recorder = ConfigurationRecorder::builder()
        .name("default")
        .role_arn("arn:aws:iam::123456789012:role/config")
        .recording_group(group)
        .build();
    aws.put_configuration_recorder().configuration_recorder(recorder).send().await.unwrap();
    let found = cloud.recorder("eu-west-1").await.unwrap().unwrap();
    assert_eq!((found.recording, &found.records), (false, &Records::All { global: true }), "{found:?}");

    let channel =
        aws_sdk_config::types::DeliveryChannel::builder().name("default").s3_bucket_name("records").build();
    moto.put("records", "k", "");
    aws.put_delivery_channel().delivery_channel(channel).send().await.unwrap();
    aws.start_configuration_recorder().configuration_recorder_name("default").send().await.unwrap();
    let found = cloud.recorder("eu-west-1").await.unwrap().unwrap();
    assert!(found.recording && found.started_at.is_some(), "{found:?}");
    assert_eq!(cloud.recorder("eu-north-1").await.unwrap(), None, "another region has another recorder");
}

#[tokio::test]
async fn moto_lists_what_has_tags_and_lets_a_role_be_assumed() {
    let Some(moto) = Moto::start() else { return };
    let config = config(&moto.endpoint()).await;
    let tag = aws_sdk_secretsmanager::types::Tag::builder().key("team").value("shop").build();
    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    secrets.create_secret().name("db").secret_string("x").tags(tag).send().await.unwrap();
    let role = CloudAccess {
        role_arn: Some("arn:aws:iam::210987654321:role/reader".to_owned()),
        external_id: Some("perigee".to_owned()),
        region: None,
    };
    let clouds = Clouds::new(config);
    let own = clouds.open(&CloudAccess::default()).await.unwrap();
    let page = own.tagged("eu-west-1", None).await.unwrap();
    let (arn, tags) = &page.resources[0];
    assert!(arn.contains(":secret:db"), "{arn}");
    assert_eq!((tags, page.next), (&vec![("team".to_owned(), "shop".to_owned())], None));
    let assumed = clouds.open(&role).await.unwrap();
    assert_eq!(assumed.identity().await.unwrap().account, "210987654321");
}
