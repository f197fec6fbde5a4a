//! Listings of an account on a real catalog.

mod fake;
mod invoked;
mod recorded;

use std::sync::Arc;

use catalog::{
    Catalog, ConnectOptions, Direction, ResourceQuery, Walk,
    shards::{ShardState, ShardStatus},
};
use chrono::TimeDelta;
use manifest::{Every, Scraper, kinds::scraper::AwsScraper};
use model::Evidence;
use ports::{AggregatedSource, Clock, CloudError, Records};
use serde_json::{Value, json};
use testkit::{FakeClock, TestDb, template_name};

use self::fake::{ACCOUNT, FakeCloud, FakeClouds, REGION, Trouble, denied, item, recorder};
use super::Aws;
use crate::{NamedScraper, Providers, Scrape, handle};

const NOW: &str = "2026-03-03T12:00:00Z";
const EARLIER: &str = "2026-03-03T10:00:00.000Z";
const INSTANCE: &str = "AWS::EC2::Instance";
const VOLUME: &str = "AWS::EC2::Volume";

struct World {
    scrape: Scrape,
    cloud: Arc<FakeCloud>,
    clock: Arc<FakeClock>,
    _db: TestDb,
}

impl World {
    async fn of(items: Vec<Value>) -> Self {
        Self::with(items, AwsScraper::default()).await
    }

    async fn with(items: Vec<Value>, aws: AwsScraper) -> Self {
        let options = |url: &str| ConnectOptions { url: url.to_owned(), max_connections: 4, pooler: false };
        let template = template_name("catalog", &catalog::migrator());
        let db = TestDb::from_template(&template, async |url| {
            Catalog::connect(&options(&url))?.migrate(NOW.parse().unwrap()).await
        })
        .await;
        let catalog = Catalog::connect(&options(db.url())).unwrap();
        let cloud = FakeCloud::new(items);
        let clock = Arc::new(FakeClock::at(NOW));
        let provider = Aws::new(Arc::new(FakeClouds(Arc::clone(&cloud))), catalog.clone());
        let spec = Scraper { every: Every("1h".to_owned()), aws: Some(aws), kubernetes: None };
        let scrape = Scrape {
            catalog,
            clock: Arc::<FakeClock>::clone(&clock),
            providers: Providers { aws: Some(Arc::new(provider)), kubernetes: None },
            ambient: vec![NamedScraper { name: "aws".to_owned(), spec }],
        };
        Self { scrape, cloud, clock, _db: db }
    }

    /// The ids of what is there.
    async fn living(&self) -> Vec<String> {
        let query = ResourceQuery { limit: 1000, ..ResourceQuery::default() };
        let page = self.scrape.catalog.resources(&query).await.unwrap();
        let there = page.items.into_iter().filter(|resource| resource.evidence != Evidence::Reference);
        let mut ids: Vec<String> = there.map(|resource| resource.native_id).collect();
        ids.sort();
        ids
    }

    async fn shards(&self) -> Vec<ShardStatus> {
        self.scrape.catalog.coverage(self.clock.now()).await.unwrap().shards
    }

    async fn shard(&self, kind: &str) -> ShardStatus {
        let shards = self.shards().await;
        let found = shards.iter().find(|shard| shard.kind == kind);
        found.unwrap_or_else(|| panic!("no shard of {kind} in {shards:?}")).clone()
    }

    /// An hour later.
    async fn next_hour(&self) {
        self.clock.advance(TimeDelta::hours(1));
        self.scrape.tick().await.unwrap();
    }

    fn remove(&self, id: &str) {
        self.cloud.state().items.retain(|item| item["resourceId"] != id);
    }
}

fn instances(count: usize) -> Vec<Value> {
    (0..count).map(|n| item(INSTANCE, &format!("i-{n:03}"), EARLIER)).collect()
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("i-{n:03}")).collect()
}

#[tokio::test]
async fn what_config_lists_is_there_with_its_document_and_its_edges() {
    let world = World::of(instances(3)).await;
    let due = world.scrape.tick().await.unwrap();
    assert_eq!(due, Some("2026-03-03T13:00:00Z".parse().unwrap()), "the next turn is in an hour");
    assert_eq!(world.living().await, ids(3));
    let shard = world.shard(INSTANCE).await;
    assert_eq!((shard.state, shard.resources, shard.pages), (ShardState::Complete, 3, 1), "{shard:?}");
    assert_eq!(shard.completed_at, Some(NOW.parse().unwrap()));
    let catalog = &world.scrape.catalog;
    let id = catalog.resolve("i-001").await.unwrap().expect("the instance");
    let detail = serde_json::to_value(catalog.resource(id).await.unwrap().unwrap()).unwrap();
    assert!(detail.to_string().contains(r#""size":8"#), "a whole number is whole: {detail}");
    assert!(detail.to_string().contains("prod"), "{detail}");
    let walk = Walk { direction: Direction::Out, depth: 1, max_nodes: 10, ..Walk::default() };
    let graph = serde_json::to_value(catalog.graph(id, &walk).await.unwrap().unwrap()).unwrap();
    assert!(graph.to_string().contains("is contained in vpc"), "{graph}");
}

#[tokio::test]
async fn a_complete_list_without_a_resource_deletes_it() {
    let world = World::of(instances(3)).await;
    world.scrape.tick().await.unwrap();
    world.remove("i-001");
    world.next_hour().await;
    assert_eq!(world.living().await, ["i-000", "i-002"]);
    let shard = world.shard(INSTANCE).await;
    assert_eq!((shard.state, shard.missing), (ShardState::Complete, 1), "{shard:?}");
}

#[tokio::test]
async fn the_last_resource_of_a_type_that_config_counts_no_more_is_deleted_too() {
    let mut items = instances(2);
    items.push(item(VOLUME, "vol-1", EARLIER));
    let world = World::of(items).await;
    world.scrape.tick().await.unwrap();
    world.remove("vol-1");
    world.next_hour().await;
    assert_eq!(world.living().await, ids(2));
    assert_eq!(world.shard(VOLUME).await.state, ShardState::Complete);
}

#[tokio::test]
async fn what_a_list_found_gone_and_the_next_has_again_is_there_again() {
    let world = World::of(instances(3)).await;
    world.scrape.tick().await.unwrap();
    let item = world.cloud.state().items[1].clone();
    world.remove("i-001");
    world.next_hour().await;
    assert_eq!(world.living().await, ["i-000", "i-002"]);
    world.cloud.state().items.push(item);
    world.next_hour().await;
    assert_eq!(world.living().await, ids(3));
}

/// Lists 25 instances, then the same without one while something goes wrong, and says how that ended. Nothing may be
/// deleted, and all is well once the trouble is over.
async fn in_trouble(page: usize, trouble: Trouble) -> ShardStatus {
    let world = World::of(instances(25)).await;
    world.cloud.state().page_size = 10;
    world.scrape.tick().await.unwrap();
    assert_eq!(world.living().await, ids(25));
    world.remove("i-003");
    world.cloud.trouble(INSTANCE, page, trouble);
    world.next_hour().await;
    let shard = world.shard(INSTANCE).await;
    assert_eq!(world.living().await, ids(25), "nothing is deleted: {shard:?}");
    assert_eq!(shard.completed_at, Some(NOW.parse().unwrap()), "what is shown is as fresh as the first list");
    world.cloud.state().troubles.clear();
    world.next_hour().await;
    assert_eq!(world.living().await.len(), 24, "without the trouble it is deleted");
    shard
}

#[tokio::test]
async fn a_denied_second_page_deletes_nothing() {
    let shard = in_trouble(1, Trouble::Refused(denied())).await;
    assert_eq!((shard.state, shard.resources), (ShardState::Incomplete, 10));
    assert!(shard.reason.contains("config:SelectResourceConfig is not permitted"), "{shard:?}");
    assert!(shard.advice.contains("let the scraper's role do `config:SelectResourceConfig`"), "{shard:?}");
    assert_eq!(shard.due_at, None, "asking again would not help");
}

#[tokio::test]
async fn a_cut_list_deletes_nothing() {
    let shard = in_trouble(1, Trouble::Cut).await;
    assert_eq!((shard.state, shard.resources), (ShardState::Incomplete, 20));
    assert_eq!(shard.reason, "AWS Config counts 24 and lists 20: the list was cut");
}

#[tokio::test]
async fn a_list_that_does_not_end_deletes_nothing() {
    let shard = in_trouble(1, Trouble::Endless).await;
    assert_eq!(shard.state, ShardState::Incomplete);
    assert!(shard.reason.contains("again"), "{shard:?}");
}

#[tokio::test]
async fn a_throttle_storm_deletes_nothing_and_is_tried_again_before_the_next_turn() {
    let (action, message) = ("config:SelectResourceConfig".to_owned(), "Rate exceeded".to_owned());
    let shard = in_trouble(2, Trouble::Refused(CloudError::Throttled { action, message })).await;
    assert_eq!((shard.state, shard.resources), (ShardState::Incomplete, 20));
    assert_eq!(shard.due_at, Some("2026-03-03T13:01:00Z".parse().unwrap()), "{shard:?}");
}

#[tokio::test]
async fn credentials_that_expire_within_a_list_delete_nothing_and_are_named() {
    let expired = CloudError::Expired { message: "The security token is expired".to_owned() };
    let shard = in_trouble(1, Trouble::Refused(expired)).await;
    assert_eq!(shard.state, ShardState::Incomplete);
    assert!(shard.reason.contains("the AWS credentials have expired"), "{shard:?}");
    assert!(shard.advice.contains("aws sso login"), "{shard:?}");
}

#[tokio::test]
async fn credentials_that_expired_before_a_list_are_said_of_the_scraper() {
    let world = World::of(instances(3)).await;
    world.scrape.tick().await.unwrap();
    world.cloud.state().identity = Err(CloudError::Expired { message: "token".to_owned() });
    world.next_hour().await;
    let coverage = world.scrape.catalog.coverage(world.clock.now()).await.unwrap();
    let scraper = &coverage.scrapers[0];
    assert_eq!(scraper.state, "failed");
    assert!(scraper.reason.contains("expired") && scraper.advice.contains("aws sso login"), "{scraper:?}");
    assert_eq!(scraper.due_at, "2026-03-03T13:01:00Z".parse::<model::Timestamp>().unwrap());
    assert_eq!(world.living().await, ids(3));
    world.cloud.state().identity = Ok(());
    world.next_hour().await;
    let coverage = world.scrape.catalog.coverage(world.clock.now()).await.unwrap();
    assert_eq!((&*coverage.scrapers[0].state, &*coverage.scrapers[0].reason), ("planned", ""));
}

#[tokio::test]
async fn what_is_newer_than_config_can_know_is_not_deleted() {
    let world = World::of(instances(2)).await;
    world.scrape.tick().await.unwrap();
    // Ten minutes before the next list, an event shows an instance that Config has not seen yet.
    let new = events::listed::selected(
        &item(INSTANCE, "i-new", "2026-03-03T12:50:00.000Z"),
        "2026-03-03T13:00:00Z".parse().unwrap(),
    );
    world.scrape.catalog.record(&[new.unwrap()], world.clock.now()).await.unwrap();
    world.next_hour().await;
    assert_eq!(world.living().await, ["i-000", "i-001", "i-new"]);
    assert_eq!(world.shard(INSTANCE).await.state, ShardState::Complete);
    world.next_hour().await;
    assert_eq!(world.living().await, ids(2), "an hour later Config would know it");
}

#[tokio::test]
async fn a_list_that_lacks_implausibly_much_is_held_until_somebody_says_that_it_is_right() {
    let world = World::of(instances(30)).await;
    world.scrape.tick().await.unwrap();
    world.cloud.state().items.truncate(5);
    world.next_hour().await;
    assert_eq!(world.living().await, ids(30));
    let shard = world.shard(INSTANCE).await;
    assert_eq!((shard.state, shard.resources, shard.missing), (ShardState::Held, 5, 25), "{shard:?}");
    assert!(shard.reason.contains("lacks 25 of the 30"), "{shard:?}");
    assert!(shard.advice.contains("perigee scrape aws --accept-deletions"), "{shard:?}");

    let asked = json!({"scraper": "aws", "acceptDeletions": true});
    handle(&world.scrape, asked).await.unwrap();
    assert_eq!(world.living().await, ids(5));
    assert_eq!(world.shard(INSTANCE).await.state, ShardState::Complete);

    world.cloud.state().items.clear();
    world.next_hour().await;
    assert_eq!(world.living().await, Vec::<String>::new(), "ten or fewer are plausible");
}

#[tokio::test]
async fn an_answer_of_a_person_holds_for_one_listing_only() {
    let world = World::of(instances(30)).await;
    world.scrape.now(Some("aws"), true).await.unwrap();
    world.cloud.state().items.truncate(5);
    world.next_hour().await;
    assert_eq!(world.shard(INSTANCE).await.state, ShardState::Held);
    assert_eq!(world.living().await, ids(30));
}

#[tokio::test]
async fn two_copies_at_once_list_each_shard_once() {
    let kinds: Vec<String> = (0..12).map(|n| format!("AWS::EC2::Kind{n}")).collect();
    let items = kinds.iter().map(|kind| item(kind, &format!("of-{kind}"), EARLIER)).collect();
    let world = World::of(items).await;
    let (one, other) = (world.scrape.clone(), world.scrape.clone());
    let (one, other) = tokio::join!(
        tokio::spawn(async move { one.tick().await }),
        tokio::spawn(async move { other.tick().await })
    );
    one.unwrap().unwrap();
    other.unwrap().unwrap();
    let state = world.cloud.state();
    assert_eq!(state.asked.len(), 12);
    assert!(state.asked.values().all(|times| *times == 1), "{:?}", state.asked);
}

#[tokio::test]
async fn listing_what_did_not_change_writes_no_version_and_changes_no_digest() {
    let world = World::of(instances(3)).await;
    world.scrape.tick().await.unwrap();
    let digest = world.scrape.catalog.digest().await.unwrap();
    world.next_hour().await;
    assert_eq!(world.shard(INSTANCE).await.completed_at, Some("2026-03-03T13:00:00Z".parse().unwrap()));
    assert_eq!(world.scrape.catalog.digest().await.unwrap(), digest);
}

#[tokio::test]
async fn the_buckets_of_one_region_say_nothing_of_those_of_another() {
    let bucket = |name: &str, region: &str| {
        let mut item = item("AWS::S3::Bucket", name, EARLIER);
        item["awsRegion"] = json!(region);
        item
    };
    let world = World::of(vec![bucket("here", REGION)]).await;
    let elsewhere = events::listed::selected(&bucket("there", "us-east-2"), NOW.parse().unwrap()).unwrap();
    world.scrape.catalog.record(&[elsewhere], NOW.parse().unwrap()).await.unwrap();
    world.scrape.tick().await.unwrap();
    assert_eq!(world.living().await, ["here", "there"]);
    assert_eq!(world.shard("AWS::S3::Bucket").await.state, ShardState::Incomplete);
    world.cloud.state().items.clear();
    world.next_hour().await;
    assert_eq!(world.living().await, ["here", "there"], "an empty region proves nothing either");
}

#[tokio::test]
async fn an_item_that_cannot_be_read_deletes_nothing_and_stops_no_other() {
    let world = World::of(instances(3)).await;
    world.scrape.tick().await.unwrap();
    world.remove("i-001");
    let mut broken = item(INSTANCE, "i-broken", EARLIER);
    broken["configurationItemCaptureTime"] = json!("yesterday");
    world.cloud.state().items.push(broken);
    world.cloud.state().items.push(item(INSTANCE, "i-new", EARLIER));
    world.next_hour().await;
    assert_eq!(world.living().await, ["i-000", "i-001", "i-002", "i-new"]);
    let shard = world.shard(INSTANCE).await;
    assert_eq!(shard.state, ShardState::Incomplete);
    assert!(shard.reason.contains("1 of the items cannot be read"), "{shard:?}");
}

#[tokio::test]
async fn a_copy_that_was_too_slow_proves_nothing() {
    let world = World::of(instances(3)).await;
    world.scrape.tick().await.unwrap();
    let catalog = &world.scrape.catalog;
    let lease = std::time::Duration::from_secs(60);
    let now = world.clock.now();
    let slow =
        catalog.claim_shard_named("aws", ACCOUNT, REGION, INSTANCE, now, lease).await.unwrap().unwrap();
    let again = catalog.claim_shard_named("aws", ACCOUNT, REGION, INSTANCE, now, lease).await.unwrap();
    assert_eq!(again, None, "somebody has it");
    let later = now + TimeDelta::seconds(61);
    let other = catalog.claim_shard_named("aws", ACCOUNT, REGION, INSTANCE, later, lease).await.unwrap();
    assert!(other.is_some(), "the claim ran out");
    assert!(!catalog.renew_shard(&slow, later, lease).await.unwrap(), "and is not prolonged");
}

#[tokio::test]
async fn a_type_that_config_spells_in_two_ways_is_one_list() {
    let domain = |kind: &str, id: &str| item(kind, id, EARLIER);
    let items = vec![domain("AWS::Elasticsearch::Domain", "old"), domain("AWS::OpenSearch::Domain", "new")];
    let world = World::of(items).await;
    world.scrape.tick().await.unwrap();
    world.next_hour().await;
    assert_eq!(world.living().await, ["new", "old"]);
    assert_eq!(world.shards().await.len(), 1);
    world.remove("new");
    world.next_hour().await;
    assert_eq!(world.living().await, ["old"]);
}

#[tokio::test]
async fn the_types_that_a_scraper_names_are_all_that_it_lists() {
    let mut items = instances(1);
    items.push(item("AWS::RDS::DBInstance", "db-1", EARLIER));
    let wanted = AwsScraper { types: vec!["AWS::EC2::*".to_owned()], ..AwsScraper::default() };
    let world = World::with(items, wanted).await;
    world.scrape.tick().await.unwrap();
    let kinds: Vec<String> = world.shards().await.into_iter().map(|shard| shard.kind).collect();
    assert_eq!(kinds, [INSTANCE]);
}
