//! `perigee scrape`

use std::{
    thread,
    time::{Duration, Instant},
};

use catalog::shards::{Coverage, ScraperStatus, ShardState, ShardStatus};
use clap::Args;
use model::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{read, second};
use crate::{
    client::{Client, explain, explain_none},
    exit::Done,
    output::{self, Format},
    print,
};

/// How often it is looked how far the listings came.
const EVERY: Duration = Duration::from_secs(1);

/// What to list.
#[derive(Debug, Args)]
pub struct Options {
    /// The scraper; all of them without
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Let these listings delete whatever they do not have, however much that is
    #[arg(long)]
    pub accept_deletions: bool,
    /// Do not wait for the end
    #[arg(long)]
    pub no_wait: bool,
    /// How many seconds to wait at most
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    pub timeout: u64,
}

#[derive(Deserialize)]
struct Asked {
    scrapers: Vec<String>,
    at: Timestamp,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let mut query = vec![("accept_deletions", options.accept_deletions.to_string())];
    query.extend(options.name.clone().map(|name| ("name", name)));
    let answer: Value = client
        .post("/scrape", &query, "application/json", b"")
        .map_err(|error| explain_none(error, || no_such(options.name.as_deref().unwrap_or_default())))?;
    let Asked { scrapers, at } = Asked::deserialize(&answer)?;
    if scrapers.is_empty() {
        anyhow::bail!(
            "there is no scraper; start the server with --aws or --kube, or apply a Scraper (`perigee schema Scraper`)"
        );
    }
    if options.no_wait {
        output::show(format, &answer, |_| Ok(format!("Due now: {}", scrapers.join(", "))))?;
        return Ok(Done::All);
    }
    let until = Instant::now() + Duration::from_secs(options.timeout);
    let coverage = loop {
        let coverage = of(coverage(client)?, &scrapers);
        if is_done(&coverage, at) {
            break coverage;
        }
        if Instant::now() >= until {
            print::note("... still listing; `perigee sources` shows how far it came");
            break coverage;
        }
        pause();
    };
    output::show(format, &serde_json::to_value(&coverage)?, |_| Ok(table(&coverage)))?;
    Ok(done(&coverage))
}

fn no_such(name: &str) -> String {
    format!(
        "there is no scraper called `{}`; `perigee get Scraper` lists those that were applied, and those of --aws \
         and --kube are `aws` and `kubernetes`",
        output::cut(name, 200)
    )
}

#[expect(clippy::disallowed_methods, reason = "a command waits for its server; it has no runtime to block")]
fn pause() {
    thread::sleep(EVERY);
}

fn coverage(client: &Client) -> anyhow::Result<Coverage> {
    let sources = client.get("/sources", &[]).map_err(explain)?;
    read(sources.get("coverage").unwrap_or(&Value::Null))
}

/// What of it is about these scrapers.
fn of(coverage: Coverage, scrapers: &[String]) -> Coverage {
    let Coverage { scrapers: mut all, mut shards } = coverage;
    all.retain(|scraper| scrapers.contains(&scraper.name));
    shards.retain(|shard| scrapers.contains(&shard.scraper));
    Coverage { scrapers: all, shards }
}

/// Whether every scraper was planned or failed since it was asked, and every shard of theirs was listed since.
fn is_done(coverage: &Coverage, at: Timestamp) -> bool {
    let failed = |scraper: &ScraperStatus| scraper.state == "failed" && scraper.due_at > at;
    let planned = |scraper: &ScraperStatus| scraper.state == "planned" && scraper.planned_at >= Some(at);
    let settled = |scraper: &ScraperStatus| failed(scraper) || planned(scraper);
    let of_failed = |shard: &ShardStatus| {
        coverage.scrapers.iter().any(|scraper| scraper.name == shard.scraper && failed(scraper))
    };
    let listed = |shard: &ShardStatus| of_failed(shard) || (!shard.running && shard.began_at >= Some(at));
    coverage.scrapers.iter().all(settled) && coverage.shards.iter().all(listed)
}

/// Everything, a part, or nothing was listed in full.
fn done(coverage: &Coverage) -> Done {
    let failed = coverage.scrapers.iter().any(|scraper| scraper.state == "failed");
    let complete = coverage.shards.iter().filter(|shard| shard.state == ShardState::Complete).count();
    if !failed && complete == coverage.shards.len() {
        Done::All
    } else if complete == 0 && failed {
        Done::Failed
    } else {
        Done::Partly
    }
}

fn table(coverage: &Coverage) -> String {
    let scrapers = coverage.scrapers.iter().filter(|scraper| scraper.state == "failed").map(|scraper| {
        let why = said(&scraper.reason, &scraper.advice);
        [scraper.name.clone(), String::new(), "failed".to_owned(), String::new(), String::new(), why]
    });
    let shards = coverage.shards.iter().map(|shard| {
        [
            shard.scraper.clone(),
            format!("{} {} {}", shard.account, shard.region, shard.kind),
            shard.state.as_str().to_owned(),
            shard.resources.to_string(),
            shard.completed_at.map(second).unwrap_or_default(),
            said(&shard.reason, &shard.advice),
        ]
    });
    output::prose(["SCRAPER", "SHARD", "STATE", "SEEN", "COMPLETE AS OF", "WHY"], scrapers.chain(shards))
}

/// A reason and what to do about it, in one text.
fn said(reason: &str, advice: &str) -> String {
    [reason, advice].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(state: ShardState, ended: &str) -> ShardStatus {
        let at: Timestamp = ended.parse().unwrap();
        ShardStatus {
            scraper: "aws".to_owned(),
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
            kind: "AWS::EC2::Instance".to_owned(),
            state,
            reason: "the list was cut".to_owned(),
            advice: String::new(),
            resources: 3,
            pages: 1,
            missing: 0,
            began_at: Some(at),
            ended_at: Some(at),
            completed_at: None,
            due_at: None,
            running: false,
        }
    }

    fn seen(planned: &str, shards: Vec<ShardStatus>) -> Coverage {
        let at: Timestamp = planned.parse().unwrap();
        let scraper = ScraperStatus {
            name: "aws".to_owned(),
            state: "planned".to_owned(),
            reason: String::new(),
            advice: String::new(),
            planned_at: Some(at),
            due_at: at,
        };
        Coverage { scrapers: vec![scraper], shards }
    }

    #[test]
    fn it_waits_for_the_listings_that_it_asked_for_and_not_for_those_before() {
        let (before, after) = ("2026-03-03T11:00:00Z", "2026-03-03T12:00:00Z");
        let asked = "2026-03-03T11:30:00Z".parse().unwrap();
        assert!(!is_done(&seen(before, vec![shard(ShardState::Complete, before)]), asked));
        assert!(!is_done(&seen(after, vec![shard(ShardState::Complete, before)]), asked));
        assert!(is_done(&seen(after, vec![shard(ShardState::Complete, after)]), asked));
    }

    #[test]
    fn a_part_is_neither_all_nor_nothing() {
        let at = "2026-03-03T12:00:00Z";
        let of =
            |states: &[ShardState]| done(&seen(at, states.iter().map(|state| shard(*state, at)).collect()));
        assert_eq!(of(&[ShardState::Complete]), Done::All);
        assert_eq!(of(&[ShardState::Complete, ShardState::Held]), Done::Partly);
        assert_eq!(of(&[ShardState::Unrecorded]), Done::Partly);
    }

    #[test]
    fn the_table_says_why() {
        let text =
            table(&seen("2026-03-03T12:00:00Z", vec![shard(ShardState::Incomplete, "2026-03-03T12:00:00Z")]));
        assert!(text.contains("incomplete") && text.contains("the list was cut"), "{text}");
    }
}
