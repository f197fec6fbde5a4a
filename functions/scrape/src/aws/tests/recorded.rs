//! What AWS Config records decides what a listing proves.

use super::*;

#[tokio::test]
async fn a_type_that_is_not_recorded_any_more_deletes_nothing() {
    let world = World::of(instances(3)).await;
    world.scrape.tick().await.unwrap();
    world.cloud.state().items.clear();
    world.cloud.state().recorder =
        Ok(Some(ports::Recorder { records: Records::AllBut(vec![INSTANCE.to_owned()]), ..recorder() }));
    let arn = format!("arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-900");
    world.cloud.state().tagged = vec![(arn, vec![("Name".to_owned(), "web".to_owned())])];
    world.next_hour().await;
    let shard = world.shard(INSTANCE).await;
    assert_eq!(shard.state, ShardState::Unrecorded);
    assert!(shard.reason.contains("does not record AWS::EC2::Instance"), "{shard:?}");
    assert_eq!(world.living().await, ["i-000", "i-001", "i-002", "i-900"], "what has tags is listed");
}

#[tokio::test]
async fn where_config_does_not_record_what_has_tags_is_listed_and_the_way_out_is_said() {
    let world = World::of(Vec::new()).await;
    let tags = |name: &str| vec![("Name".to_owned(), name.to_owned())];
    world.cloud.state().tagged = vec![
        (format!("arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1"), tags("web")),
        (format!("arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-1"), tags("data")),
        ("nonsense".to_owned(), Vec::new()),
    ];
    world.cloud.state().recorder = Ok(None);
    world.scrape.tick().await.unwrap();
    assert_eq!(world.living().await, ["i-1", "vol-1"]);
    let shard = world.shard("*").await;
    assert_eq!((shard.state, shard.resources), (ShardState::Unrecorded, 2), "{shard:?}");
    assert!(shard.reason.contains("no recorder in 111122223333 eu-west-1"), "{shard:?}");
    assert!(shard.advice.contains("turn AWS Config on in eu-west-1"), "{shard:?}");

    let stopped = ports::Recorder { recording: false, ..recorder() };
    world.cloud.state().recorder = Ok(Some(stopped));
    world.next_hour().await;
    let shard = world.shard("*").await;
    assert!(shard.reason.contains("is stopped"), "{shard:?}");
    assert!(shard.advice.contains("start-configuration-recorder"), "{shard:?}");

    world.cloud.state().recorder = Ok(Some(recorder()));
    world.cloud.state().counts = Err(denied());
    world.next_hour().await;
    let shard = world.shard("*").await;
    assert!(shard.reason.contains("cannot be asked"), "{shard:?}");
    assert_eq!(world.living().await, ["i-1", "vol-1"]);
}

#[tokio::test]
async fn what_an_event_showed_to_be_gone_is_not_brought_back_by_its_tags() {
    let world = World::of(Vec::new()).await;
    world.cloud.state().recorder = Ok(None);
    world.cloud.state().tagged = vec![(format!("arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1"), Vec::new())];
    world.scrape.tick().await.unwrap();
    let mut gone = item(INSTANCE, "i-1", "2026-03-03T12:30:00.000Z");
    gone["configurationItemStatus"] = json!("ResourceDeleted");
    world.clock.advance(TimeDelta::minutes(31));
    let gone = events::listed::selected(&gone, world.clock.now()).unwrap();
    world.scrape.catalog.record(&[gone], world.clock.now()).await.unwrap();
    assert!(world.living().await.is_empty());
    world.next_hour().await;
    assert!(world.living().await.is_empty(), "the tagging API lists for a while what was deleted");
}

#[tokio::test]
async fn a_recorder_that_fails_deletes_nothing() {
    let world = World::of(instances(3)).await;
    world.scrape.tick().await.unwrap();
    world.remove("i-001");
    world.cloud.state().recorder = Ok(Some(ports::Recorder {
        last_status: "FAILURE".to_owned(),
        last_error: "AccessDenied".to_owned(),
        ..recorder()
    }));
    world.next_hour().await;
    let shard = world.shard(INSTANCE).await;
    assert_eq!(shard.state, ShardState::Incomplete);
    assert!(shard.reason.contains("FAILURE: AccessDenied"), "{shard:?}");
    assert_eq!(world.living().await, ids(3));
}

#[tokio::test]
async fn an_aggregator_proves_absence_only_where_it_has_something_and_its_source_is_up_to_date() {
    let wanted = AwsScraper { aggregator: Some("all".to_owned()), ..AwsScraper::default() };
    let world = World::with(instances(3), wanted).await;
    let source = |status: &str| AggregatedSource {
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        status: status.to_owned(),
        error: String::new(),
    };
    world.cloud.state().aggregated = vec![source("SUCCEEDED")];
    world.scrape.tick().await.unwrap();
    world.clock.advance(TimeDelta::days(2));
    world.remove("i-001");
    world.next_hour().await;
    assert_eq!(world.living().await, ["i-000", "i-002"]);

    world.cloud.state().aggregated = vec![source("OUTDATED")];
    world.remove("i-000");
    world.next_hour().await;
    assert_eq!(world.living().await, ["i-000", "i-002"]);
    assert!(world.shard(INSTANCE).await.reason.contains("OUTDATED"));

    world.cloud.state().aggregated = vec![source("SUCCEEDED")];
    world.cloud.state().items.clear();
    world.next_hour().await;
    assert_eq!(world.living().await, ["i-000", "i-002"], "an empty list may mean that it is not recorded");
    assert_eq!(world.shard(INSTANCE).await.state, ShardState::Incomplete);
}
