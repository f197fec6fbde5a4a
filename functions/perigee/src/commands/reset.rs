//! `perigee reset`

use clap::Args;
use serde_json::{Value, json};

use crate::{
    client::{Client, explain},
    exit::Done,
    output::{self, Format},
};

/// What comes after.
#[derive(Debug, Args)]
pub struct Options {
    /// Load the sample estate afterwards
    #[arg(long)]
    pub sample: bool,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let body = json!({"confirm": "reset", "sample": options.sample}).to_string();
    let done: Value = client.post("/reset", &[], "application/json", body.as_bytes()).map_err(explain)?;
    output::show(format, &done, |_| {
        Ok(if options.sample {
            "The catalog was emptied, and the sample estate loaded anew."
        } else {
            "The catalog is empty."
        }
        .to_owned())
    })?;
    Ok(Done::All)
}
