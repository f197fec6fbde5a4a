//! `perigee runs [SELECTOR]`

use std::fmt::Write as _;

use catalog::{
    Page,
    runs::{Chunk, Run, RunDetail, RunStep},
};
use clap::Args;
use model::RunId;
use serde_json::{Value, json};

use super::{items, read, second, word};
use crate::{
    cli::Amount,
    client::{Client, explain, explain_none},
    exit::{Done, Usage},
    output::{self, Format},
    print,
};

/// How many lines of what a step wrote are shown beside the others: the last ones, which say why it failed.
const LINES: usize = 20;

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
    /// Of the run whose id is given, everything that is kept of what this step wrote
    #[arg(long, value_name = "NAME", conflicts_with = "resource")]
    pub step: Option<String>,
    /// How many.
    #[command(flatten)]
    pub amount: Amount,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let id = match options.selector.as_slice() {
        [only] => only.parse::<RunId>().ok(),
        _ => None,
    };
    match (id, &options.step) {
        (Some(id), Some(step)) => written(client, format, id, step),
        (Some(id), None) => one(client, format, id),
        (None, Some(step)) => {
            Err(Usage(format!("--step wants the id of a run: perigee runs ID --step {step}")).into())
        }
        (None, None) => {
            let mut query = vec![("q", options.selector.join(" "))];
            query.extend(options.resource.clone().map(|resource| ("resource", resource)));
            let asked = ("/runs", query.as_slice());
            super::list(client, format, asked, options.resource.as_deref(), options.amount, table)
        }
    }
}

/// What is said of a run that is not there.
pub(super) fn no_such(id: RunId) -> String {
    format!("there is no run {id}; `perigee runs` lists those that there are")
}

/// One run: its steps, and the last lines of what they wrote.
fn one(client: &Client, format: Format, id: RunId) -> anyhow::Result<Done> {
    let path = format!("/runs/{id}");
    let found = client.get(&path, &[]).map_err(|error| explain_none(error, || no_such(id)))?;
    output::show(format, &found, |found| {
        let mut text = detail(found)?;
        for step in read::<RunDetail>(found)?.steps.iter().filter(|step| step.output_bytes > 0) {
            let wrote: Vec<Chunk> = chunks(client, id, &step.name, 0)?;
            text += &tail(id, step, &wrote);
        }
        Ok(text)
    })?;
    Ok(Done::All)
}

/// All that is kept of what one step wrote, as it wrote it.
fn written(client: &Client, format: Format, id: RunId, step: &str) -> anyhow::Result<Done> {
    client.get(&format!("/runs/{id}"), &[]).map_err(|error| explain_none(error, || no_such(id)))?;
    let wrote = chunks(client, id, step, 0)?;
    if format == Format::Table {
        if wrote.is_empty() {
            print::note(&format!("the step {step} wrote nothing"));
        } else {
            print::line(output::clean(&text(&wrote)).trim_end())?;
        }
    } else {
        output::show(format, &json!({ "items": wrote }), |_| Ok(String::new()))?;
    }
    Ok(Done::All)
}

/// What a step wrote from behind the piece `after` on.
pub(super) fn chunks(client: &Client, id: RunId, step: &str, after: i64) -> anyhow::Result<Vec<Chunk>> {
    let (mut found, mut after): (Vec<Chunk>, _) = (Vec::new(), after.to_string());
    loop {
        let query = [("step", step.to_owned()), ("after", after), ("limit", "1000".to_owned())];
        let page: Page<Chunk> = read(&client.get(&format!("/runs/{id}/output"), &query).map_err(explain)?)?;
        found.extend(page.items);
        match page.next {
            Some(next) => after = next,
            None => return Ok(found),
        }
    }
}

fn text(wrote: &[Chunk]) -> String {
    wrote.iter().map(|chunk| chunk.text.as_str()).collect()
}

/// The last lines of what a step wrote, and how to see the others.
fn tail(id: RunId, step: &RunStep, wrote: &[Chunk]) -> String {
    let text = output::clean(&text(wrote));
    let lines: Vec<&str> = text.lines().collect();
    let before = lines.len().saturating_sub(LINES);
    let mut shown = format!("\n\n{} wrote", output::clean(&step.name));
    if before > 0 {
        let (all, name) = (lines.len(), &step.name);
        shown += &format!(
            " {all} lines, of which these are the last; `perigee runs {id} --step {name}` shows all"
        );
    }
    if step.output_dropped > 0 {
        shown += &format!(" ({} bytes more were not kept)", step.output_dropped);
    }
    shown += ":\n";
    let last: Vec<String> = lines.iter().skip(before).map(|line| format!("  {line}")).collect();
    shown + &last.join("\n")
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

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn of_what_a_step_wrote_the_last_lines_are_shown_and_how_to_see_all() {
        let id: RunId = "7a042686-4d97-5f8a-8e2d-78d06238cfd7".parse().unwrap();
        let step = |dropped: i64| -> RunStep {
            let value = json!({
                "name": "report", "state": "completed", "attempts": [], "output_bytes": 9,
                "output_dropped": dropped, "idempotency_key": "6f2d7c1e-0000-5000-8000-000000000001"
            });
            serde_json::from_value(value).unwrap()
        };
        let chunk = |seq: i64, text: &str| Chunk {
            seq,
            attempt: 1,
            stream: "stdout".to_owned(),
            at: chrono::DateTime::UNIX_EPOCH,
            text: text.to_owned(),
        };
        expect![[r#"


            report wrote:
              a line
              another�[2J"#]]
        .assert_eq(&tail(id, &step(0), &[chunk(1, "a li"), chunk(2, "ne\nanother\u{1b}[2J\n")]));
        let many: String = (1..=25).map(|line| format!("line {line}\n")).collect();
        let shown = tail(id, &step(7), &[chunk(1, &many)]);
        let heading = shown.trim_start().lines().next().unwrap_or_default();
        expect!["report wrote 25 lines, of which these are the last; `perigee runs 7a042686-4d97-5f8a-8e2d-78d06238cfd7 --step report` shows all (7 bytes more were not kept):"]
            .assert_eq(heading);
        assert_eq!(shown.lines().last(), Some("  line 25"));
        assert!(!shown.contains("line 5\n"), "{shown}");
    }
}
