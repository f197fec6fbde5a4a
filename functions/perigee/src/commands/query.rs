//! `perigee query SELECTOR`

use catalog::Resource;
use clap::Args;
use serde_json::Value;

use super::{items, second, word};
use crate::{
    cli::Amount,
    client::Client,
    exit::Done,
    output::{self, Format},
};

/// Which resources.
#[derive(Debug, Args)]
pub struct Options {
    /// What describes them: `type=AWS::EC2::* region!=us-east-1 tags.env=prod "free words"`; nothing means all
    #[arg(value_name = "SELECTOR")]
    pub selector: Vec<String>,
    /// Those, too, that were proven gone
    #[arg(long)]
    pub deleted: bool,
    /// How many.
    #[command(flatten)]
    pub amount: Amount,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let mut query = vec![("q", options.selector.join(" "))];
    if options.deleted {
        query.push(("include_deleted", "true".to_owned()));
    }
    super::list(client, format, ("/resources", &query), None, options.amount, table)
}

pub(crate) fn table(list: &Value) -> anyhow::Result<String> {
    let rows = items::<Resource>(list)?.into_iter().map(|r| {
        let state = r.deleted_at.map_or_else(|| word(&r.evidence), |at| format!("deleted {}", second(at)));
        // Most things without a name of their own are called by their id.
        let name = if r.name == r.native_id { String::new() } else { r.name };
        let health =
            r.health.map_or_else(String::new, |health| format!("{} {}", health.health, health.status));
        [r.kind, r.native_id, name, r.account, r.region, health, state]
    });
    Ok(output::table(["TYPE", "ID", "NAME", "ACCOUNT", "REGION", "HEALTH", "STATE"], rows))
}
