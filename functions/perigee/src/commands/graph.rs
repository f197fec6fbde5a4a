//! `perigee graph REF`

use std::collections::BTreeMap;

use catalog::Graph;
use clap::Args;
use serde_json::Value;

use super::{read, reference};
use crate::{
    cli::Direction,
    client::{Client, explain_missing, resource_path},
    exit::Done,
    output::{self, Format},
    print,
};

/// Around which resource, and how far.
#[derive(Debug, Args)]
pub struct Options {
    /// An id, an ARN, another of its names, or type/name
    #[arg(value_name = "REF")]
    pub reference: String,
    /// Which way relations are followed
    #[arg(long, value_enum, default_value_t, value_name = "WAY")]
    pub direction: Direction,
    /// How many steps
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10))]
    pub depth: u32,
    /// How many resources at most, the nearest first
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub limit: u32,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let query = [
        ("direction", options.direction.as_str().to_owned()),
        ("depth", options.depth.to_string()),
        ("max_nodes", options.limit.to_string()),
    ];
    reference::one(client, &options.reference)?;
    let found = client
        .get(&resource_path(&options.reference, "/graph"), &query)
        .map_err(|error| explain_missing(error, Some(&options.reference)))?;
    output::show(format, &found, table)?;
    if found.get("truncated").and_then(Value::as_bool) == Some(true) {
        print::note(
            "... there are more; --limit N shows that many, up to 5000; a smaller --depth shows all that is near",
        );
    }
    Ok(Done::All)
}

pub(crate) fn table(answer: &Value) -> anyhow::Result<String> {
    let Graph { nodes, edges, truncated: _ } = read(answer)?;
    let names: BTreeMap<_, _> = nodes
        .iter()
        .map(|node| (node.resource.id, format!("{}/{}", node.resource.kind, node.resource.name)))
        .collect();
    let name = |id| names.get(&id).cloned().unwrap_or_else(|| id.to_string());
    let relations = edges.iter().map(|edge| [name(edge.from_id), edge.kind.clone(), name(edge.to_id)]);
    let relations = output::table(["FROM", "RELATION", "TO"], relations);
    let nodes = nodes.into_iter().map(|node| {
        let r = node.resource;
        [node.distance.to_string(), r.kind, r.name, r.account, r.region]
    });
    let nodes = output::table(["STEPS", "TYPE", "NAME", "ACCOUNT", "REGION"], nodes);
    Ok(if edges.is_empty() { nodes } else { format!("{nodes}\n\n{relations}") })
}
