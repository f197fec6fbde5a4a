//! `perigee hold NAME` and `perigee holds`

use catalog::holds::Hold;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{items, read, second};
use crate::{
    client::{Client, explain, explain_none, segment},
    exit::{Done, Usage},
    output::{self, Format},
    print,
};

/// What a hold is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The law, or a dispute
    Legal,
    /// An incident that is looked into
    Incident,
}

/// Which hold.
#[derive(Debug, Args)]
pub struct Options {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What it is for
    #[arg(long, value_enum, default_value = "incident")]
    pub kind: Kind,
    /// Why, for a person
    #[arg(long, value_name = "TEXT", required_unless_present = "release")]
    pub reason: Option<String>,
    /// The resources, gone or not: `account=111122223333 tags.app=shop`
    #[arg(short = 'q', long, value_name = "SELECTOR", required_unless_present = "release")]
    pub query: Option<String>,
    /// Only what was so at or after this time: 2026-03-03T02:13:00Z
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only what was so at or before this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Release it: from now on what it keeps is as any
    #[arg(long, conflicts_with_all = ["reason", "query", "since", "until"])]
    pub release: bool,
}

/// There is nothing to choose.
#[derive(Debug, Args)]
pub struct ListOptions {}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let name = &options.name;
    if options.release {
        client.delete(&format!("/holds/{}", segment(name))).map_err(|error| {
            explain_none(error, || format!("no hold named `{name}` is in force; `perigee holds` lists them"))
        })?;
        print::line(&format!("Released {name}."))?;
        return Ok(Done::All);
    }
    let kind = match options.kind {
        Kind::Legal => "legal",
        Kind::Incident => "incident",
    };
    let mut body = json!({"name": name, "kind": kind, "reason": options.reason, "selector": options.query});
    for (field, time) in [("since", &options.since), ("until", &options.until)] {
        if let (Some(time), Some(body)) = (time, body.as_object_mut()) {
            body.insert(field.to_owned(), json!(instant(time)?));
        }
    }
    let made: Value =
        client.post("/holds", &[], "application/json", body.to_string().as_bytes()).map_err(explain)?;
    output::show(format, &made, |made| {
        let hold: Hold = read(made)?;
        let resources = output::count(usize::try_from(hold.resources).unwrap_or_default(), "resource");
        Ok(format!(
            "{} keeps what is known of {resources}, and of those that its selector will match.",
            hold.name
        ))
    })?;
    Ok(Done::All)
}

/// An instant, or a date.
fn instant(text: &str) -> Result<String, Usage> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    chrono::DateTime::parse_from_rfc3339(&whole)
        .map(|at| at.to_rfc3339())
        .map_err(|_| Usage(format!("`{text}` is no time; write it like 2026-03-03T02:13:00Z or 2026-03-03")))
}

pub(crate) fn list(client: &Client, format: Format, _options: &ListOptions) -> anyhow::Result<Done> {
    let found = client.get("/holds", &[]).map_err(explain)?;
    output::show(format, &found, table)?;
    Ok(Done::All)
}

fn table(list: &Value) -> anyhow::Result<String> {
    let rows = items::<Hold>(list)?.into_iter().map(|hold| {
        let state = match hold.released_at {
            Some(at) => format!("released {}", second(at)),
            None => "in force".to_owned(),
        };
        [
            hold.name,
            hold.kind,
            state,
            hold.resources.to_string(),
            second(hold.created_at),
            hold.selector,
            hold.reason,
        ]
    });
    Ok(output::prose(["NAME", "KIND", "STATE", "RESOURCES", "SINCE", "SELECTOR", "REASON"], rows))
}
