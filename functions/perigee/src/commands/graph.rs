//! `perigee graph REF`: what is around a resource, what depends on it, what it lies in, how it leads to another

use std::collections::BTreeMap;

use catalog::{Bound, Edge, Graph, GraphNode, Parents, Paths, Resource};
use clap::Args;
use serde_json::Value;

use super::{read, reference, since};
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
    /// How many steps: 2 around it, 5 for --impact and --dependencies, 10 for --to
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20))]
    pub depth: Option<u32>,
    /// How many resources at most, the nearest first
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub limit: u32,
    /// The shortest paths to this resource instead
    #[arg(long, value_name = "REF", conflicts_with_all = ["impact", "dependencies", "parents", "limit"])]
    pub to: Option<String>,
    /// What depends on it instead
    #[arg(long, conflicts_with_all = ["dependencies", "parents", "direction"])]
    pub impact: bool,
    /// What it depends on instead
    #[arg(long, conflicts_with_all = ["parents", "direction"])]
    pub dependencies: bool,
    /// What it lies in instead: network, cluster, namespace, application
    #[arg(long, conflicts_with_all = ["direction", "depth", "limit", "kinds"])]
    pub parents: bool,
    /// Only relations of these kinds, with commas between: `is contained in vpc`
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub kinds: Vec<String>,
    /// As it was then: 2026-03-03T02:13:00Z, 2026-03-03, or a while before now: 90m, 24h, 7d
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// As it was known then, written like --at
    #[arg(long, value_name = "TIME")]
    pub recorded_at: Option<String>,
}

/// What is asked for.
enum Asked<'a> {
    Around,
    Impact,
    Dependencies,
    Paths(&'a str),
    Parents,
}

impl Options {
    fn asked(&self) -> Asked<'_> {
        match &self.to {
            Some(to) => Asked::Paths(to),
            None if self.impact => Asked::Impact,
            None if self.dependencies => Asked::Dependencies,
            None if self.parents => Asked::Parents,
            None => Asked::Around,
        }
    }
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let asked = options.asked();
    let mut query = Vec::new();
    query.extend(options.at.as_deref().map(|at| ("at", since(at))));
    query.extend(options.recorded_at.as_deref().map(|at| ("recorded_at", since(at))));
    query.extend(options.depth.map(|depth| ("depth", depth.to_string())));
    if !options.kinds.is_empty() {
        query.push(("kinds", options.kinds.join(",")));
    }
    let most = ("max_nodes", options.limit.to_string());
    let way = ("direction", options.direction.as_str().to_owned());
    let path = match asked {
        Asked::Around => {
            query.extend([way, most]);
            "/graph"
        }
        Asked::Impact => {
            query.push(most);
            "/impact"
        }
        Asked::Dependencies => {
            query.push(most);
            "/dependencies"
        }
        Asked::Paths(to) => {
            query.extend([way, ("to", to.to_owned())]);
            "/paths"
        }
        Asked::Parents => "/parents",
    };
    reference::one(client, &options.reference)?;
    if let Asked::Paths(to) = asked {
        reference::one(client, to)?;
    }
    let found = client
        .get(&resource_path(&options.reference, path), &query)
        .map_err(|error| explain_missing(error, Some(&options.reference)))?;
    match asked {
        Asked::Around | Asked::Impact | Asked::Dependencies => output::show(format, &found, table)?,
        Asked::Paths(_) => output::show(format, &found, paths)?,
        Asked::Parents => output::show(format, &found, parents)?,
    }
    if found.get("truncated").and_then(Value::as_bool) == Some(true) {
        let bound = found.get("truncated_by").cloned().and_then(|word| serde_json::from_value(word).ok());
        print::note(cut(bound));
    }
    Ok(Done::All)
}

/// What cut the answer, and what to do about it.
fn cut(bound: Option<Bound>) -> &'static str {
    match bound {
        Some(Bound::Edges) => {
            "... there are more relations than are read at once; a smaller --depth or --kinds shows all that is near"
        }
        Some(Bound::Time) => "... time ran out; a smaller --depth or --kinds shows all that is near",
        Some(Bound::Nodes) | None => {
            "... there are more; --limit N shows that many, up to 5000; a smaller --depth shows all that is near"
        }
    }
}

fn named(nodes: &[GraphNode]) -> BTreeMap<model::ResourceId, String> {
    let name = |r: &Resource| format!("{}/{}", r.kind, r.name);
    nodes.iter().map(|node| (node.resource.id, name(&node.resource))).collect()
}

fn relations(nodes: &[GraphNode], edges: &[Edge]) -> String {
    let names = named(nodes);
    let name = |id| names.get(&id).cloned().unwrap_or_else(|| id.to_string());
    let rows = edges.iter().map(|edge| [name(edge.from_id), edge.kind.clone(), name(edge.to_id)]);
    output::table(["FROM", "RELATION", "TO"], rows)
}

fn rows(nodes: Vec<GraphNode>) -> String {
    let rows = nodes.into_iter().map(|node| {
        let r = node.resource;
        [node.distance.to_string(), r.kind, r.name, r.account, r.region]
    });
    output::table(["STEPS", "TYPE", "NAME", "ACCOUNT", "REGION"], rows)
}

pub(crate) fn table(answer: &Value) -> anyhow::Result<String> {
    let Graph { nodes, edges, truncated: _, truncated_by: _ } = read(answer)?;
    let relations = relations(&nodes, &edges);
    let nodes = rows(nodes);
    Ok(if edges.is_empty() { nodes } else { format!("{nodes}\n\n{relations}") })
}

/// Each path as its relations, one below the other.
pub(crate) fn paths(answer: &Value) -> anyhow::Result<String> {
    let Paths { paths, nodes, truncated, truncated_by: _ } = read(answer)?;
    if paths.is_empty() {
        let text = if truncated { "no path was found in what was searched" } else { "there is no path" };
        return Ok(text.to_owned());
    }
    let told = paths
        .iter()
        .map(|path| if path.edges.is_empty() { rows(nodes.clone()) } else { relations(&nodes, &path.edges) });
    Ok(told.collect::<Vec<_>>().join("\n\n"))
}

pub(crate) fn parents(answer: &Value) -> anyhow::Result<String> {
    let found: Parents = read(answer)?;
    let row = |what: &str, r: &Resource| [what.to_owned(), r.kind.clone(), r.name.clone()];
    let plain = |what: &str, name: &str| [what.to_owned(), String::new(), name.to_owned()];
    let mut rows = vec![plain("account", &found.account), plain("region", &found.region)];
    for (what, nodes) in [
        ("network", &found.vpcs),
        ("cluster", &found.clusters),
        ("namespace", &found.namespaces),
        ("application", &found.applications),
    ] {
        rows.extend(nodes.iter().map(|node| row(what, &node.resource)));
    }
    rows.extend(found.application_tag.iter().map(|tag| plain("application tag", tag)));
    let told = [&found.vpcs, &found.clusters, &found.namespaces, &found.applications];
    let is_told = |node: &&GraphNode| told.iter().any(|nodes| nodes.contains(node));
    rows.extend(found.all.iter().filter(|node| !is_told(node)).map(|node| row("within", &node.resource)));
    Ok(output::table(["WHAT", "TYPE", "NAME"], rows))
}
