//! `perigee deliveries [SELECTOR]`

use catalog::deliveries::Delivery;
use clap::Args;
use serde_json::Value;

use super::{items, second, word};
use crate::{
    cli::Amount,
    client::Client,
    exit::Done,
    output::{self, Format},
};

/// Which deliveries.
#[derive(Debug, Args)]
pub struct Options {
    /// What describes them: `state=failed notification=on-call reason=silenced:* "free words"`; nothing means all
    #[arg(value_name = "SELECTOR")]
    pub selector: Vec<String>,
    /// Only those about this resource: an id, an ARN, another of its names, or type/name
    #[arg(long, value_name = "REF")]
    pub resource: Option<String>,
    /// How many.
    #[command(flatten)]
    pub amount: Amount,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let mut query = vec![("q", options.selector.join(" "))];
    query.extend(options.resource.clone().map(|reference| ("resource", reference)));
    let asked = ("/deliveries", query.as_slice());
    super::list(client, format, asked, options.resource.as_deref(), options.amount, table)
}

pub(crate) fn table(list: &Value) -> anyhow::Result<String> {
    let rows = items::<Delivery>(list)?.into_iter().map(|d| {
        let about = d.title.or(d.resource_name).unwrap_or_else(|| word(&d.kind));
        [second(d.created_at), word(&d.state), d.reason, d.notification, d.channel, about]
    });
    Ok(output::prose(["CREATED", "STATE", "REASON", "NOTIFICATION", "CHANNEL", "WHAT"], rows))
}
