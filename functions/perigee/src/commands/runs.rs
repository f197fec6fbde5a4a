//! `perigee runs [SELECTOR]`

use std::fmt::Write as _;

use catalog::runs::{Run, RunDetail};
use clap::Args;
use serde_json::Value;

use super::{items, read, say_if_cut, second, word};
use crate::{
    cli::Amount,
    client::{Client, explain_missing},
    exit::Done,
    output::{self, Format},
};

/// Which runs.
#[derive(Debug, Args)]
pub struct Options {
    /// What describes them: `playbook=restart state=failed,unknown "free words"`; an id alone shows that run with its
    /// steps; nothing means all
    #[arg(value_name = "SELECTOR")]
    pub selector: Vec<String>,
    /// Only those on this resource: an id, an ARN, another of its names, or type/name
    #[arg(long, value_name = "REF")]
    pub resource: Option<String>,
    /// How many.
    #[command(flatten)]
    pub amount: Amount,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    if let [only] = options.selector.as_slice()
        && only.parse::<model::RunId>().is_ok()
    {
        let found = client.get(&format!("/runs/{only}"), &[])?;
        output::show(format, &found, detail)?;
        return Ok(Done::All);
    }
    let mut query = vec![("q", options.selector.join(" "))];
    query.extend(options.resource.clone().map(|resource| ("resource", resource)));
    let found = client
        .list("/runs", &query, options.amount.most())
        .map_err(|error| explain_missing(error, options.resource.as_deref()))?;
    output::show(format, &found, table)?;
    say_if_cut(&found);
    Ok(Done::All)
}

pub(crate) fn table(list: &Value) -> anyhow::Result<String> {
    let rows = items::<Run>(list)?.into_iter().map(|run| {
        let target = run.resource.map_or_else(String::new, |resource| resource.name);
        [second(run.created_at), run.id.to_string(), word(&run.state), run.playbook, target, run.reason]
    });
    Ok(output::prose(["CREATED", "RUN", "STATE", "PLAYBOOK", "ON", "WHY"], rows))
}

/// A run with its steps, for a person.
pub(crate) fn detail(run: &Value) -> anyhow::Result<String> {
    let RunDetail { run, steps, .. } = read(run)?;
    let mut text = format!("{} {} is {}", run.playbook, run.id, run.state);
    if let Some(target) = &run.resource {
        write!(text, " on {}", target.name)?;
    }
    if !run.reason.is_empty() {
        write!(text, ": {}", run.reason)?;
    }
    let rows = steps.into_iter().map(|step| {
        let attempts = step.attempts.len().to_string();
        let began = step.started_at.map_or_else(String::new, second);
        [step.name, word(&step.state), attempts, began, step.reason]
    });
    let steps = output::prose(["STEP", "STATE", "ATTEMPTS", "BEGAN", "WHY"], rows);
    Ok(format!("{}\n{steps}", output::clean(&text)))
}
