//! `perigee sources`

use catalog::SourceStatus;
use clap::Args;
use serde_json::Value;

use super::{items, second};
use crate::{
    client::{Client, explain},
    exit::Done,
    output::{self, Format},
};

/// There is nothing to choose.
#[derive(Debug, Args)]
pub struct Options {}

pub(crate) fn run(client: &Client, format: Format, _options: &Options) -> anyhow::Result<Done> {
    let found = client.get("/sources", &[]).map_err(explain)?;
    output::show(format, &found, table)?;
    Ok(Done::All)
}

pub(crate) fn table(list: &Value) -> anyhow::Result<String> {
    let rows = items::<SourceStatus>(list)?.into_iter().map(|s| {
        [s.source, s.account, s.region, s.observations.to_string(), second(s.latest), second(s.heard_at)]
    });
    Ok(output::table(["SOURCE", "ACCOUNT", "REGION", "OBSERVATIONS", "LATEST FACT", "LAST HEARD"], rows))
}
