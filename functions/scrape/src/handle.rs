//! The function's handler: what it is woken by, and what it answers.

use anyhow::Context;
use runtime::wake::Outcome;
use serde::Deserialize;
use serde_json::Value;
use tracing::warn;

use crate::{Error, Scrape};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Job {
    /// `{"task": "tick"}`, or a signal that scrapers changed: what is due.
    Tick,
    /// `{"scraper": "NAME"}`: all of one scraper, now. With `"acceptDeletions": true` its listings may delete whatever
    /// they do not have.
    Scraper { name: String, accept_deletions: bool },
    /// `{"scraper": "NAME", "account": "...", "region": "...", "type": "..."}`: one shard, now.
    Shard { scraper: String, account: String, region: String, kind: String },
}

/// A payload that asks for nothing that this function does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the payload is none of {{\"task\":\"tick\"}}, {{\"scraper\":\"NAME\"}}, a shard (scraper, account, region, type), a \
     signal `manifest.changed`, and a batch of SQS messages with any of these"
)]
struct Unknown;

/// A scraper that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no scraper {0}; `perigee sources` shows which there are")]
struct Missing(String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    scraper: String,
    #[serde(default)]
    accept_deletions: bool,
    account: Option<String>,
    region: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Handles one invocation.
///
/// # Errors
/// When the payload is none of those above, names no scraper, or the catalog does not answer. A batch fails by message.
pub async fn handle(scrape: &Scrape, payload: Value) -> anyhow::Result<Outcome> {
    let mut failures = Vec::new();
    if let Some(messages) = messages(&payload) {
        for message in messages {
            let id =
                message.get("messageId").and_then(Value::as_str).context("a message has no messageId")?;
            let body = message.get("body").and_then(Value::as_str).unwrap_or_default();
            let job = serde_json::from_str(body).map_err(|_| Unknown).and_then(|body| read(&body));
            let done = match job {
                Ok(job) => run(scrape, job).await,
                Err(unknown) => Err(unknown.into()),
            };
            if let Err(error) = done {
                warn!(message.id = %id, "Message {id} is not acknowledged: {error:#}");
                failures.push(id.to_owned());
            }
        }
    } else {
        run(scrape, read(&payload)?).await?;
    }
    let due = scrape.catalog.scrape_due().await.map_err(Error::from)?;
    Ok(Outcome { failures: failures.into_iter().collect(), due })
}

/// The word by which Lambda's metrics and destinations tell failures apart.
#[must_use]
pub fn error_type(error: &anyhow::Error) -> &'static str {
    if error.is::<Unknown>() || error.is::<Missing>() {
        "Scrape.Rejected"
    } else if error.is::<Error>() {
        "Scrape.Unavailable"
    } else {
        "Scrape.Failed"
    }
}

fn messages(payload: &Value) -> Option<&Vec<Value>> {
    let records = payload.get("Records")?.as_array()?;
    let is_message = |record: &Value| record.get("eventSource").and_then(Value::as_str) == Some("aws:sqs");
    records.iter().all(is_message).then_some(records)
}

fn read(payload: &Value) -> Result<Job, Unknown> {
    let text = |name: &str| payload.get(name).and_then(Value::as_str);
    if text("task") == Some("tick") || (text("source") == Some("perigee") && text("detail-type").is_some()) {
        return Ok(Job::Tick);
    }
    let asked = Asked::deserialize(payload).map_err(|_| Unknown)?;
    match asked {
        Asked {
            scraper,
            account: Some(account),
            region: Some(region),
            kind: Some(kind),
            accept_deletions: false,
        } => Ok(Job::Shard { scraper, account, region, kind }),
        Asked { scraper: name, accept_deletions, account: None, region: None, kind: None } => {
            Ok(Job::Scraper { name, accept_deletions })
        }
        Asked { .. } => Err(Unknown),
    }
}

async fn run(scrape: &Scrape, job: Job) -> anyhow::Result<()> {
    match job {
        Job::Tick => {
            scrape.tick().await?;
        }
        Job::Scraper { name, accept_deletions } => {
            let due = scrape.now(Some(&name), accept_deletions).await?;
            anyhow::ensure!(!due.is_empty(), Missing(name));
        }
        // Nobody to list it is no failure: whoever has it, or the next planning, does the work.
        Job::Shard { scraper, account, region, kind } => {
            scrape.shard(&scraper, &account, &region, &kind).await?;
        }
    }
    Ok(())
}
