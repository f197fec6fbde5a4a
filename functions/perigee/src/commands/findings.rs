//! `perigee findings [SELECTOR]`

use catalog::Finding;
use clap::Args;
use serde_json::Value;

use super::{items, second, word};
use crate::{
    cli::{Amount, Moment},
    client::{Client, resource_path},
    exit::Done,
    output::{self, Format},
};

/// Which findings.
#[derive(Debug, Args)]
pub struct Options {
    /// What describes them: `product=GuardDuty severity=high status=open "free words"`; nothing means all
    #[arg(value_name = "SELECTOR")]
    pub selector: Vec<String>,
    /// Only those about this resource: an id, an ARN, another of its names, or type/name
    #[arg(long, value_name = "REF")]
    pub resource: Option<String>,
    /// As of which moment.
    #[command(flatten)]
    pub moment: Moment,
    /// How many.
    #[command(flatten)]
    pub amount: Amount,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let path = match &options.resource {
        Some(reference) => resource_path(reference, "/findings"),
        None => "/findings".to_owned(),
    };
    let mut query = vec![("q", options.selector.join(" "))];
    query.extend(options.moment.query());
    super::list(client, format, (&path, &query), options.resource.as_deref(), options.amount, table)
}

pub(crate) fn table(list: &Value) -> anyhow::Result<String> {
    let rows = items::<Finding>(list)?
        .into_iter()
        .map(|f| [second(f.updated_at), word(&f.severity), word(&f.status), f.product, f.title]);
    Ok(output::prose(["UPDATED", "SEVERITY", "STATUS", "PRODUCT", "WHAT"], rows))
}
