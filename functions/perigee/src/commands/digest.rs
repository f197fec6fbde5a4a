//! `perigee digest`

use anyhow::Context;
use clap::Args;
use serde_json::Value;

use crate::{
    client::{Client, explain},
    exit::Done,
    output::{self, Format},
};

/// There is nothing to choose.
#[derive(Debug, Args)]
pub struct Options {}

pub(crate) fn run(client: &Client, format: Format, _options: &Options) -> anyhow::Result<Done> {
    let found = client.get("/digest", &[]).map_err(explain)?;
    output::show(format, &found, table)?;
    Ok(Done::All)
}

fn table(answer: &Value) -> anyhow::Result<String> {
    let digest = answer.get("digest").and_then(Value::as_str).context("the server's answer has no digest")?;
    Ok(digest.to_owned())
}
