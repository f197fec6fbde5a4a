//! An account listed into a real catalog: moto answers who we are, what the recorder does and what has tags; advanced
//! queries, which moto does not have, are answered from recorded configuration items.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_config::types::{ConfigurationRecorder, DeliveryChannel, RecordingGroup};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use catalog::{
    Catalog, ConnectOptions, ResourceQuery,
    shards::{ShardState, ShardStatus},
};
use chrono::TimeDelta;
use manifest::{Every, Scraper, kinds::scraper::AwsScraper};
use model::Evidence;
use ports::Clock;
use scrape::{NamedScraper, Providers, Scrape, aws::Aws};
use serde_json::{Value, json};
use testkit::{FakeClock, Moto, TestDb, template_name};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::*;

/// moto's account, and the region of most of its recorded items.
const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-2";

/// moto, and what it does not have.
#[derive(Debug)]
struct Behind {
    moto: String,
    items: Mutex<Vec<Value>>,
    /// Whether the recorder's first recording is over. moto's never is.
    settled: AtomicBool,
    denied: AtomicBool,
}

impl Behind {
    fn select(&self, query: &Value) -> (u16, Value) {
        const PAGE: usize = 2;
        let expression = query["Expression"].as_str().unwrap();
        let items = self.items.lock().unwrap();
        let page = |rows: Vec<String>| (200, json!({"Results": rows}));
        if expression.contains("GROUP BY") {
            let kinds: std::collections::BTreeSet<&str> =
                items.iter().map(|item| item["resourceType"].as_str().unwrap()).collect();
            let count = |kind: &&str| items.iter().filter(|item| item["resourceType"] == **kind).count();
            let row = |kind: &str| json!({"accountId": ACCOUNT, "awsRegion": REGION, "resourceType": kind, "COUNT(*)": count(&kind)});
            return page(kinds.into_iter().map(|kind| row(kind).to_string()).collect());
        }
        let named =
            |item: &&Value| expression.contains(&format!("'{}'", item["resourceType"].as_str().unwrap()));
        let rows: Vec<String> = items.iter().filter(named).map(ToString::to_string).collect();
        if expression.starts_with("SELECT COUNT(*)") {
            return page(vec![json!({"COUNT(*)": rows.len()}).to_string()]);
        }
        let from: usize = query["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
        if from > 0 && self.denied.load(Ordering::Relaxed) {
            return (400, json!({"__type": "AccessDeniedException", "message": "not any more"}));
        }
        let next = (from + PAGE < rows.len()).then(|| (from + PAGE).to_string());
        let rows: Vec<String> = rows.into_iter().skip(from).take(PAGE).collect();
        (200, json!({"Results": rows, "NextToken": next}))
    }

    /// Hands a request on to moto.
    async fn forward(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(self.moto.trim_start_matches("http://")).await.unwrap();
        let mut request = format!("{method} {uri} HTTP/1.1\r\nconnection: close\r\n");
        for (name, value) in headers.iter().filter(|(name, _)| *name != "connection") {
            request.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
        let body = answer[end + 4..].to_vec();
        if !self.settled.load(Ordering::Relaxed) {
            return (status, body);
        }
        (status, String::from_utf8_lossy(&body).replace("\"PENDING\"", "\"SUCCESS\"").into_bytes())
    }
}

async fn serve(
    State(behind): State<Arc<Behind>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (status, body) = if target.ends_with(".SelectResourceConfig") {
        let (status, answer) = behind.select(&serde_json::from_slice(&body).unwrap());
        (status, answer.to_string().into_bytes())
    } else {
        behind.forward(&method, &uri, &headers, &body).await
    };
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

struct World {
    behind: Arc<Behind>,
    scrape: Scrape,
    clock: Arc<FakeClock>,
    _moto: Moto,
    _db: TestDb,
}

impl World {
    async fn of(moto: Moto, items: Vec<Value>) -> Self {
        let behind = Arc::new(Behind {
            moto: moto.endpoint(),
            items: Mutex::new(items),
            settled: AtomicBool::new(false),
            denied: AtomicBool::new(false),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(serve).with_state(Arc::clone(&behind));
        tokio::spawn(async move { axum::serve(listener, router).await });

        let options = |url: &str| ConnectOptions { url: url.to_owned(), max_connections: 4, pooler: false };
        let template = template_name("catalog", &catalog::migrator());
        let now = ports::SystemClock.now();
        let db = TestDb::from_template(&template, async |url| {
            Catalog::connect(&options(&url))?.migrate(now).await
        })
        .await;
        let catalog = Catalog::connect(&options(db.url())).unwrap();
        // moto's recorder was started by the machine's clock: an hour ago, to this one.
        let clock = Arc::new(FakeClock::new(now + TimeDelta::hours(1)));
        let clouds = Clouds::new(config(&endpoint).await);
        let aws = AwsScraper { regions: vec![REGION.to_owned()], ..AwsScraper::default() };
        let spec = Scraper { every: Every("1h".to_owned()), aws: Some(aws), kubernetes: None };
        let scrape = Scrape {
            catalog: catalog.clone(),
            clock: Arc::<FakeClock>::clone(&clock),
            providers: Providers {
                aws: Some(Arc::new(Aws::new(Arc::new(clouds), catalog))),
                kubernetes: None,
            },
            ambient: vec![NamedScraper { name: "aws".to_owned(), spec }],
        };
        Self { behind, scrape, clock, _moto: moto, _db: db }
    }

    async fn next_hour(&self) -> Vec<ShardStatus> {
        self.clock.advance(TimeDelta::hours(1));
        self.scrape.tick().await.unwrap();
        self.scrape.catalog.coverage(self.clock.now()).await.unwrap().shards
    }

    async fn living(&self) -> usize {
        let query = ResourceQuery { limit: 1000, ..ResourceQuery::default() };
        let page = self.scrape.catalog.resources(&query).await.unwrap();
        page.items.iter().filter(|resource| resource.evidence != Evidence::Reference).count()
    }
}

/// The recorded items of moto's account and region, one per resource.
fn items() -> Option<Vec<Value>> {
    let text = std::fs::read_to_string(testkit::test_data()?.join("aws-events/config-items.jsonl")).unwrap();
    let all = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let own = all.filter(|item| item["accountId"] == ACCOUNT && item["awsRegion"] == REGION);
    let mut items: Vec<Value> = own.collect();
    items.sort_by_key(|item| format!("{}{}", item["resourceType"], item["resourceId"]));
    items.dedup_by_key(|item| format!("{}{}", item["resourceType"], item["resourceId"]));
    Some(items)
}

/// Has moto record everything in a region.
async fn record(config: &SdkConfig) {
    let recording = aws_sdk_config::Client::new(config);
    let group = RecordingGroup::builder().all_supported(true).include_global_resource_types(true).build();
    let recorder = ConfigurationRecorder::builder().name("default").recording_group(group);
    let recorder = recorder.role_arn("arn:aws:iam::123456789012:role/config").build();
    recording.put_configuration_recorder().configuration_recorder(recorder).send().await.unwrap();
    let channel = DeliveryChannel::builder().name("default").s3_bucket_name("records").build();
    recording.put_delivery_channel().delivery_channel(channel).send().await.unwrap();
    recording.start_configuration_recorder().configuration_recorder_name("default").send().await.unwrap();
}

#[tokio::test]
async fn an_account_is_listed_as_far_as_its_recorder_lets_it() {
    let (Some(moto), Some(items)) = (Moto::start(), items()) else { return };
    assert!(items.len() >= 5, "{} items", items.len());
    let own = config(&moto.endpoint()).await.to_builder().region(Region::new(REGION)).build();
    let tag = aws_sdk_secretsmanager::types::Tag::builder().key("team").value("shop").build();
    let secrets = aws_sdk_secretsmanager::Client::new(&own);
    secrets.create_secret().name("db").secret_string("x").tags(tag).send().await.unwrap();
    moto.put("records", "k", "");
    let world = World::of(moto, items.clone()).await;

    // No recorder: what has tags.
    let shards = world.next_hour().await;
    assert_eq!((shards.len(), shards[0].state), (1, ShardState::Unrecorded), "{shards:?}");
    assert!(shards[0].reason.contains("no recorder in 123456789012 us-east-2"), "{shards:?}");
    assert_eq!(world.living().await, 1);

    // A recorder whose first recording is under way: everything, and no conclusion.
    record(&own).await;
    let shards = world.next_hour().await;
    assert!(shards.iter().all(|shard| shard.state == ShardState::Incomplete), "{shards:?}");
    assert!(shards[0].reason.contains("PENDING"), "{shards:?}");
    assert_eq!(world.living().await, items.len() + 1, "{shards:?}");

    // A recorder that is done: a list without a resource deletes it.
    world.behind.settled.store(true, Ordering::Relaxed);
    let shards = world.next_hour().await;
    assert!(shards.iter().all(|shard| shard.state == ShardState::Complete), "{shards:?}");
    assert_eq!(world.living().await, items.len() + 1);
    world.behind.items.lock().unwrap().remove(0);
    world.next_hour().await;
    assert_eq!(world.living().await, items.len());
}

#[tokio::test]
async fn a_page_that_aws_denies_deletes_nothing() {
    let Some(moto) = Moto::start() else { return };
    let own = config(&moto.endpoint()).await.to_builder().region(Region::new(REGION)).build();
    moto.put("records", "k", "");
    record(&own).await;
    // Three pages of one type.
    let instance = |n: usize| {
        json!({"accountId": ACCOUNT, "awsRegion": REGION, "resourceType": "AWS::EC2::Instance",
               "resourceId": format!("i-{n}"), "configurationItemCaptureTime": "2021-01-01T00:00:00Z",
               "configurationItemStatus": "OK", "configuration": {"n": n}})
    };
    let world = World::of(moto, (0..5).map(instance).collect()).await;
    world.behind.settled.store(true, Ordering::Relaxed);
    world.next_hour().await;
    assert_eq!(world.living().await, 5);
    world.behind.items.lock().unwrap().remove(4);
    world.behind.denied.store(true, Ordering::Relaxed);
    let shards = world.next_hour().await;
    assert_eq!((shards[0].state, shards[0].resources), (ShardState::Incomplete, 2), "{shards:?}");
    assert!(
        shards[0].reason.contains("config:SelectResourceConfig is not permitted: not any more"),
        "{shards:?}"
    );
    assert_eq!(world.living().await, 5);
    world.behind.denied.store(false, Ordering::Relaxed);
    world.next_hour().await;
    assert_eq!(world.living().await, 4);
}
