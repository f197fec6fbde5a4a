//! `perigee run PLAYBOOK`

use std::{collections::BTreeMap, thread, time::Duration};

use catalog::runs::RunDetail;
use clap::Args;
use model::{RunId, RunState};
use serde_json::{Value, json};

use super::{read, reference, runs};
use crate::{
    client::{Client, explain, explain_missing},
    exit::{Done, Usage},
    output::{self, Format},
    print,
};

/// How often the run is asked after.
const EVERY: Duration = Duration::from_millis(500);

/// Which playbook, on what, with what.
#[derive(Debug, Args)]
pub struct Options {
    /// The playbook
    #[arg(value_name = "PLAYBOOK")]
    pub playbook: String,
    /// The resource to run it on: an id, an ARN, another of its names, or type/name
    #[arg(long, value_name = "REF")]
    pub resource: Option<String>,
    /// A parameter, as its type wants it; a secret as where it is kept: token=env:TOKEN, token=file:/run/token
    #[arg(long = "parameter", short, value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// Only show what would be run
    #[arg(long, conflicts_with = "detach")]
    pub plan: bool,
    /// Do not wait for the end
    #[arg(long)]
    pub detach: bool,
    /// The key of the request: one that comes again with the same key is the same run
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let kinds = kinds(client, &options.playbook)?;
    let parameters: BTreeMap<String, Value> =
        options.parameters.iter().map(|text| parameter(text, &kinds)).collect::<anyhow::Result<_>>()?;
    let given = parameters.iter().filter(|(name, _)| kinds.get(*name).is_some_and(|kind| kind == "resource"));
    for reference in
        options.resource.as_deref().into_iter().chain(given.filter_map(|(_, value)| value.as_str()))
    {
        reference::one(client, reference)?;
    }
    let body = json!({"resource": options.resource, "parameters": parameters, "plan": options.plan});
    let path = format!("/playbooks/{}/runs", crate::client::segment(&options.playbook));
    let key = options.key.clone().unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let answer: Value = client
        .post_once(&path, &key, body.to_string().as_bytes())
        .map_err(|error| explain_missing(error, options.resource.as_deref()))?;
    if options.plan {
        output::show(format, &answer, output::yaml)?;
        return Ok(Done::All);
    }
    let started: RunDetail = read(&answer)?;
    if options.detach {
        output::show(format, &answer, runs::detail)?;
        return Ok(Done::All);
    }
    let ended = follow(client, &started, matches!(format, Format::Table))?;
    output::show(format, &ended, runs::detail)?;
    let run: RunDetail = read(&ended)?;
    Ok(if run.run.state == RunState::Completed { Done::All } else { Done::Failed })
}

/// The types of the playbook's parameters.
fn kinds(client: &Client, playbook: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let list = client.get("/playbooks", &[]).map_err(explain)?;
    let items = list.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(found) = items.iter().find(|item| text(item, "name") == playbook) else {
        let names: Vec<String> = items.iter().map(|item| text(item, "name")).collect();
        anyhow::bail!(no_such(playbook, &names));
    };
    let parameters = found.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(parameters.iter().map(|parameter| (text(parameter, "name"), text(parameter, "type"))).collect())
}

/// What is said of a playbook that is not there.
fn no_such(playbook: &str, names: &[String]) -> String {
    let hint = expr::did_you_mean(playbook, names.iter().map(String::as_str));
    let way = if hint.is_empty() { "; `perigee get Playbook` lists those that there are" } else { &hint };
    format!("there is no playbook called `{}`{way}", output::cut(playbook, 200))
}

/// A parameter as it was typed, as its type wants it.
fn parameter(text: &str, kinds: &BTreeMap<String, String>) -> anyhow::Result<(String, Value)> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(Usage(format!("`{text}` is no parameter; write it as name=value")).into());
    };
    let read = || serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    let value = match kinds.get(name).map(String::as_str) {
        Some("number" | "boolean") => read(),
        Some("secret") => match value.split_once(':') {
            Some(("env", name)) => json!({"env": name}),
            Some(("file", path)) => json!({"file": path}),
            Some(("ssm", name)) => json!({"ssm": name}),
            Some(_) | None => read(),
        },
        Some(_) | None => Value::from(value),
    };
    Ok((name.to_owned(), value))
}

/// Shows what the steps write as they write it, until the run ends.
fn follow(client: &Client, started: &RunDetail, aloud: bool) -> anyhow::Result<Value> {
    let id = started.run.id;
    let mut seen: BTreeMap<String, i64> = BTreeMap::new();
    loop {
        // Asked for before the output is: what is written until the end is shown as well.
        let answer = client.get(&format!("/runs/{id}"), &[]).map_err(explain)?;
        let run: RunDetail = read(&answer)?;
        if aloud {
            for step in &run.steps {
                show_output(client, id, &step.name, seen.entry(step.name.clone()).or_default())?;
            }
        }
        if run.run.state.is_final() {
            return Ok(answer);
        }
        #[expect(clippy::disallowed_methods, reason = "a command that waits has nothing else to do")]
        thread::sleep(EVERY);
    }
}

fn show_output(client: &Client, id: RunId, step: &str, after: &mut i64) -> anyhow::Result<()> {
    for chunk in runs::chunks(client, id, step, *after)? {
        *after = chunk.seq;
        for line in chunk.text.lines() {
            print::note(&format!("{step}: {}", output::clean(line)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_playbook_that_is_not_there_is_looked_for_among_those_that_are() {
        let names = ["diagnose-service".to_owned(), "restart".to_owned()];
        assert_eq!(
            no_such("diagnose-servise", &names),
            "there is no playbook called `diagnose-servise`; did you mean `diagnose-service`?"
        );
        assert!(no_such("x", &[]).ends_with("`perigee get Playbook` lists those that there are"));
    }
}
