//! `perigee checks [NAME]`

use std::fmt::Write as _;

use catalog::checks::{Check, CheckResult};
use clap::Args;
use serde_json::{Value, json};

use super::{items, read, say_if_cut, second, word};
use crate::{
    cli::Amount,
    client::{Client, explain_none, segment},
    exit::Done,
    output::{self, Format},
};

/// Which checks.
#[derive(Debug, Args)]
pub struct Options {
    /// Only this one, with how its runs went, latest first
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// How many.
    #[command(flatten)]
    pub amount: Amount,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let Some(name) = &options.name else {
        return super::list(client, format, ("/checks", &[]), None, options.amount, table);
    };
    let found = one(client, name, options.amount.most())?;
    output::show(format, &found, detail)?;
    found.get("results").into_iter().for_each(say_if_cut);
    Ok(Done::All)
}

/// A check and its results, page after page, until they end or `most` are there.
fn one(client: &Client, name: &str, most: usize) -> anyhow::Result<Value> {
    let path = format!("/checks/{}", segment(name));
    let (mut results, mut next) = (Vec::new(), None);
    loop {
        let mut query = vec![("limit", (most - results.len()).clamp(1, 1000).to_string())];
        query.extend(next.take().map(|cursor| ("cursor", cursor)));
        let mut found = client.get(&path, &query).map_err(|error| explain_none(error, || no_such(name)))?;
        let page: catalog::Page<Value> = read(&found["results"])?;
        results.extend(page.items);
        next = page.next;
        if next.is_none() || results.len() >= most {
            found["results"] = json!({"items": results});
            if let Some(next) = next {
                found["results"]["next"] = Value::from(next);
            }
            return Ok(found);
        }
    }
}

fn no_such(name: &str) -> String {
    format!(
        "there is no check called `{}`; `perigee checks` lists those that there are",
        output::cut(name, 200)
    )
}

pub(crate) fn table(list: &Value) -> anyhow::Result<String> {
    let rows = items::<Check>(list)?.into_iter().map(|check| {
        [
            check.name,
            word(&check.state),
            second(check.since),
            uptime(check.uptime),
            check.target,
            check.reason,
        ]
    });
    Ok(output::prose(["CHECK", "STATE", "SINCE", "UPTIME", "WHAT", "WHY"], rows))
}

/// A check with its results, for a person.
pub(crate) fn detail(found: &Value) -> anyhow::Result<String> {
    let check: Check = read(found)?;
    let mut text = format!("{} is {} since {}", check.name, word(&check.state), second(check.since));
    if !check.reason.is_empty() {
        write!(text, ": {}", check.reason)?;
    }
    write!(text, "\n{}; next at {}", check.target, second(check.due_at))?;
    if check.uptime.is_some() {
        write!(
            text,
            "\nthe last 24 hours: {} of {} passed",
            uptime(check.uptime),
            output::count(usize::try_from(check.runs)?, "run")
        )?;
    }
    if let Some(p95) = check.p95_ms {
        write!(text, ", 95 of 100 answers within {}", latency(p95))?;
    }
    let rows = items::<CheckResult>(&found["results"])?.into_iter().map(|result| {
        let status = result.status.map_or_else(String::new, |status| status.to_string());
        let took = result.latency_ms.map_or_else(String::new, latency);
        [second(result.at), word(&result.state), status, took, result.reason]
    });
    let results = output::prose(["RAN", "STATE", "STATUS", "TOOK", "WHY"], rows);
    Ok(format!("{}\n\n{results}", output::clean(&text)))
}

/// A share as a person reads it; nothing where nothing ran.
fn uptime(share: Option<f64>) -> String {
    share.map_or_else(String::new, |share| format!("{:.1} %", share * 100.0))
}

fn latency(milliseconds: f64) -> String {
    format!("{milliseconds:.0} ms")
}
