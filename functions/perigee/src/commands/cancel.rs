//! `perigee cancel RUN`

use clap::Args;
use model::RunId;
use serde_json::Value;

use super::runs;
use crate::{
    client::{Client, explain_none},
    exit::Done,
    output::{self, Format},
};

/// Which run.
#[derive(Debug, Args)]
pub struct Options {
    /// The id of the run
    #[arg(value_name = "RUN")]
    pub run: RunId,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let path = format!("/runs/{}/cancel", options.run);
    let answer: Result<Value, _> = client.post(&path, &[], "application/json", b"");
    let answer = answer.map_err(|error| explain_none(error, || runs::no_such(options.run)))?;
    output::show(format, &answer, runs::detail)?;
    Ok(Done::All)
}
