//! What the first listings of `--aws` and `--kube` came to: said once on the terminal, so that nobody takes silence for
//! an empty account. Later it is at `/sources`.

use std::{collections::BTreeMap, time::Duration};

use catalog::{
    Catalog,
    shards::{Coverage, ShardState},
};
use ports::Clock;

use crate::print;

/// How often the listings are looked at, and after how many looks whatever is not done is said to go on.
const EVERY: Duration = Duration::from_secs(2);
const LOOKS: usize = 300;

/// Says what the scrapers of these names list, once they have.
pub(super) async fn say(catalog: &Catalog, clock: &dyn Clock, names: &[String]) -> anyhow::Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let mut ticks = tokio::time::interval(EVERY);
    for look in 1..=LOOKS {
        ticks.tick().await;
        let coverage = catalog.coverage(clock.now()).await?;
        if is_listed(&coverage, names) || look == LOOKS {
            lines(&coverage, names).iter().for_each(|line| print::note(line));
            return Ok(());
        }
    }
    Ok(())
}

/// Whether every scraper was planned, or cannot be, and every shard of theirs was listed once.
fn is_listed(coverage: &Coverage, names: &[String]) -> bool {
    let planned = names.iter().all(|name| {
        coverage.scrapers.iter().any(|scraper| scraper.name == *name && scraper.state != "waiting")
    });
    let mut shards = coverage.shards.iter().filter(|shard| names.contains(&shard.scraper));
    planned && shards.all(|shard| shard.ended_at.is_some() && !shard.running)
}

fn lines(coverage: &Coverage, names: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    for scraper in coverage.scrapers.iter().filter(|scraper| names.contains(&scraper.name)) {
        if scraper.state == "failed" {
            lines.push(format!(
                "{}: nothing is listed: {}",
                scraper.name,
                told(&scraper.reason, &scraper.advice)
            ));
            continue;
        }
        let shards = || coverage.shards.iter().filter(|shard| shard.scraper == scraper.name);
        let seen: i64 = shards().map(|shard| shard.resources).sum();
        let complete = shards().filter(|shard| shard.state == ShardState::Complete).count();
        let all = shards().count();
        lines.push(format!(
            "{}: {seen} resources in {all} listings, {complete} of them complete",
            scraper.name
        ));
        // One line for each place and reason: a region that is not recorded would otherwise be said for each type.
        let mut places: BTreeMap<(&str, &str, &str, &str), Vec<&str>> = BTreeMap::new();
        for shard in shards().filter(|shard| shard.state != ShardState::Complete) {
            let place = (&*shard.account, &*shard.region, &*shard.reason, &*shard.advice);
            places.entry(place).or_default().push(&shard.kind);
        }
        for ((account, region, reason, advice), kinds) in places {
            let what = match kinds.as_slice() {
                ["*"] => "what has tags".to_owned(),
                [kind] => (*kind).to_owned(),
                kinds => format!("{} types", kinds.len()),
            };
            lines.push(format!("  {account} {region}, {what}: {}", told(reason, advice)));
        }
    }
    if !lines.is_empty() {
        lines.push("  All of it, and how fresh it is: /sources".to_owned());
    }
    lines
}

fn told(reason: &str, advice: &str) -> String {
    if advice.is_empty() { reason.to_owned() } else { format!("{reason}; {advice}") }
}

#[cfg(test)]
mod tests;
