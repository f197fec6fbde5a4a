use catalog::shards::{ScraperStatus, ShardStatus};
use model::Timestamp;

use super::*;

fn at() -> Timestamp {
    "2026-03-03T02:13:00Z".parse().unwrap()
}

fn shard(kind: &str, region: &str, state: ShardState, reason: &str) -> ShardStatus {
    ShardStatus {
        scraper: "aws".to_owned(),
        account: "111122223333".to_owned(),
        region: region.to_owned(),
        kind: kind.to_owned(),
        state,
        reason: reason.to_owned(),
        advice: if reason.is_empty() { String::new() } else { "start a recorder".to_owned() },
        resources: 7,
        pages: 1,
        missing: 0,
        began_at: Some(at()),
        ended_at: Some(at()),
        completed_at: None,
        due_at: None,
        running: false,
    }
}

fn coverage(shards: Vec<ShardStatus>) -> Coverage {
    let scraper = ScraperStatus {
        name: "aws".to_owned(),
        state: "planned".to_owned(),
        reason: String::new(),
        advice: String::new(),
        planned_at: Some(at()),
        due_at: at(),
    };
    Coverage { scrapers: vec![scraper], shards }
}

#[test]
fn a_region_that_is_not_recorded_is_named_once_with_what_to_do() {
    let unrecorded = "AWS Config does not record here";
    let names = ["aws".to_owned()];
    let coverage = coverage(vec![
        shard("AWS::EC2::Instance", "eu-west-1", ShardState::Complete, ""),
        shard("*", "us-east-1", ShardState::Unrecorded, unrecorded),
        shard("AWS::EC2::VPC", "eu-north-1", ShardState::Unrecorded, unrecorded),
        shard("AWS::EC2::Subnet", "eu-north-1", ShardState::Unrecorded, unrecorded),
    ]);
    assert!(is_listed(&coverage, &names));
    assert_eq!(
        lines(&coverage, &names),
        [
            "aws: 28 resources in 4 listings, 1 of them complete",
            "  111122223333 eu-north-1, 2 types: AWS Config does not record here; start a recorder",
            "  111122223333 us-east-1, what has tags: AWS Config does not record here; start a recorder",
            "  All of it, and how fresh it is: /sources",
        ]
    );
}

#[test]
fn a_scraper_that_cannot_list_says_why_and_one_that_still_lists_is_waited_for() {
    let names = ["aws".to_owned()];
    let mut failed = coverage(vec![]);
    failed.scrapers[0].state = "failed".to_owned();
    failed.scrapers[0].reason = "the AWS credentials have expired".to_owned();
    failed.scrapers[0].advice = "renew them".to_owned();
    assert!(is_listed(&failed, &names));
    assert_eq!(
        lines(&failed, &names)[0],
        "aws: nothing is listed: the AWS credentials have expired; renew them"
    );
    let mut running = coverage(vec![shard("AWS::EC2::Instance", "eu-west-1", ShardState::Complete, "")]);
    running.shards[0].running = true;
    assert!(!is_listed(&running, &names));
    running.scrapers[0].state = "waiting".to_owned();
    assert!(!is_listed(&running, &names));
}
