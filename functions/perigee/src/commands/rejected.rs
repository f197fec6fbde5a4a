//! `perigee rejected`

use catalog::Rejected;
use clap::Args;
use serde_json::Value;

use super::{items, second};
use crate::{
    cli::Amount,
    client::Client,
    exit::Done,
    output::{self, Format},
};

/// How much of what was kept aside.
#[derive(Debug, Args)]
pub struct Options {
    /// How many.
    #[command(flatten)]
    pub amount: Amount,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    super::list(client, format, ("/rejected", &[]), None, options.amount, table)
}

pub(crate) fn table(list: &Value) -> anyhow::Result<String> {
    let rows = items::<Rejected>(list)?
        .into_iter()
        .map(|r| [second(r.recorded_at), r.origin, r.place, r.reason, r.message]);
    Ok(output::prose(["TIME", "FROM", "PLACE", "REASON", "WHY"], rows))
}
