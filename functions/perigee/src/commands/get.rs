//! `perigee get [KIND [NAME]]`

use catalog::manifests::Stored;
use clap::Args;
use manifest::Kind;
use serde_json::Value;

use super::{items, manifests::no_such, read, schema::kind, second};
use crate::{
    cli::Amount,
    client::{Client, explain_none, segment},
    exit::Done,
    output::{self, Format},
};

/// Which manifests.
#[derive(Debug, Args)]
pub struct Options {
    /// Only those of this kind
    #[arg(value_name = "KIND", value_parser = kind)]
    pub kind: Option<Kind>,
    /// Only this one, as it was applied
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// How many.
    #[command(flatten)]
    pub amount: Amount,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    if let (Some(kind), Some(name)) = (options.kind, &options.name) {
        let path = format!("/manifests/{kind}/{}", segment(name));
        let found = client.get(&path, &[]).map_err(|error| explain_none(error, || no_such(kind, name)))?;
        output::show(format, &found, one)?;
        return Ok(Done::All);
    }
    let query: Vec<(&str, String)> = options.kind.iter().map(|kind| ("kind", kind.to_string())).collect();
    super::list(client, format, ("/manifests", &query), None, options.amount, table)
}

/// The document itself, as it could be applied.
fn one(found: &Value) -> anyhow::Result<String> {
    output::yaml(&read::<Stored>(found)?.body)
}

pub(crate) fn table(list: &Value) -> anyhow::Result<String> {
    let rows = items::<Stored>(list)?
        .into_iter()
        .map(|stored| [stored.kind, stored.name, stored.generation.to_string(), second(stored.applied_at)]);
    Ok(output::table(["KIND", "NAME", "GENERATION", "APPLIED"], rows))
}
