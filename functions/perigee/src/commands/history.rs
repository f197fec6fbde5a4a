//! `perigee history REF`

use catalog::Version;
use clap::Args;

use super::{items, say_if_cut, show::versions};
use crate::{
    cli::Amount,
    client::{Client, explain, resource_path},
    exit::Done,
    output::{self, Format},
};

/// Which resource's versions.
#[derive(Debug, Args)]
pub struct Options {
    /// An id, an ARN, another of its names, or type/name
    #[arg(value_name = "REF")]
    pub reference: String,
    /// How many.
    #[command(flatten)]
    pub amount: Amount,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let path = resource_path(&options.reference, "/history");
    let found = client.list(&path, &[], options.amount.most()).map_err(explain)?;
    output::show(format, &found, |list| Ok(versions(items::<Version>(list)?)))?;
    say_if_cut(&found);
    Ok(Done::All)
}
