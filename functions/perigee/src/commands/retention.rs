//! `perigee retention`

use catalog::retention::{Horizon, Plan, Removed};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{read, second};
use crate::{
    client::{Client, explain},
    exit::Done,
    output::{self, Format},
};

/// How often the server is asked to go on at most; each time it works for some seconds.
const ROUNDS: usize = 10_000;

/// What of it.
#[derive(Debug, Args)]
pub struct Options {
    /// Only say what would go, and what holds keep
    #[arg(long)]
    pub plan: bool,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    if options.plan {
        let found = client.get("/retention", &[]).map_err(explain)?;
        output::show(format, &found, plan)?;
        return Ok(Done::All);
    }
    let mut all = Removed::default();
    for round in 0..ROUNDS {
        let body = json!({"fresh": round == 0}).to_string();
        let answer: Value =
            client.post("/retention/run", &[], "application/json", body.as_bytes()).map_err(explain)?;
        let removed: Removed = read(&answer)?;
        for (table, rows) in removed.rows {
            *all.rows.entry(table).or_default() += rows;
        }
        all.dropped.extend(removed.dropped);
        all.busy = removed.busy;
        all.done = removed.done;
        if all.done {
            break;
        }
    }
    output::show(format, &serde_json::to_value(&all)?, gone)?;
    Ok(if all.done && all.busy.is_empty() { Done::All } else { Done::Partly })
}

/// What the server answers.
#[derive(Deserialize)]
struct Planned {
    #[serde(flatten)]
    plan: Plan,
    horizon: Horizon,
}

fn plan(answer: &Value) -> anyhow::Result<String> {
    let Planned { plan, horizon } = read(answer)?;
    let whole = match horizon.states {
        Some(at) => format!("History is whole from {} on.", second(at)),
        None => "Nothing of history was removed until now.".to_owned(),
    };
    if plan.items.is_empty() {
        return Ok(format!("Nothing is past its age. {whole}"));
    }
    let rows = plan.items.iter().map(|item| {
        let how = if item.dropped { "drop" } else { "delete" };
        [
            item.kind.clone(),
            item.relation.clone(),
            second(item.before),
            how.to_owned(),
            item.rows.to_string(),
            size(item.bytes),
            item.held.to_string(),
        ]
    });
    let table = output::table(["KIND", "WHERE", "BEFORE", "HOW", "ROWS", "SIZE", "HELD"], rows);
    let held = if plan.held > 0 { format!("; holds keep {}", plan.held) } else { String::new() };
    Ok(format!("{table}\n{} rows would go, about {}{held}. {whole}", plan.rows, size(plan.bytes)))
}

fn size(bytes: i64) -> String {
    match bytes {
        ..10_240 => format!("{bytes} B"),
        10_240..10_485_760 => format!("{} KB", bytes / 1024),
        10_485_760.. => format!("{} MB", bytes / (1024 * 1024)),
    }
}

fn gone(answer: &Value) -> anyhow::Result<String> {
    let removed: Removed = read(answer)?;
    let mut said = Vec::new();
    if removed.rows.is_empty() && removed.dropped.is_empty() {
        said.push("Nothing was past its age.".to_owned());
    } else {
        let rows = removed.rows.iter().map(|(table, rows)| [table.clone(), rows.to_string()]);
        said.push(output::table(["WHERE", "ROWS GONE"], rows));
    }
    if !removed.dropped.is_empty() {
        said.push(format!("Dropped {}.", removed.dropped.join(", ")));
    }
    if !removed.busy.is_empty() {
        said.push(format!("Somebody was at {}; it goes later.", removed.busy.join(", ")));
    } else if !removed.done {
        said.push("There is more; it goes later.".to_owned());
    }
    Ok(said.join("\n"))
}
