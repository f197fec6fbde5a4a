//! `perigee get [KIND [NAME]]`

use catalog::manifests::Stored;
use clap::Args;
use manifest::Kind;
use serde_json::Value;

use super::{items, read, say_if_cut, schema::kind, second};
use crate::{
    cli::Amount,
    client::{Client, explain, segment},
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
        let found = client.get(&format!("/manifests/{kind}/{}", segment(name)), &[]).map_err(explain)?;
        output::show(format, &found, one)?;
        return Ok(Done::All);
    }
    let query: Vec<(&str, String)> = options.kind.iter().map(|kind| ("kind", kind.to_string())).collect();
    let found = client.list("/manifests", &query, options.amount.most()).map_err(explain)?;
    output::show(format, &found, table)?;
    say_if_cut(&found);
    Ok(Done::All)
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
