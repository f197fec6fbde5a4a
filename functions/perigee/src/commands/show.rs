//! `perigee show REF`

use catalog::{ResourceDetail, Version};
use clap::Args;
use serde_json::Value;

use super::{read, reference, second, word};
use crate::{
    cli::Moment,
    client::{Client, explain_missing, resource_path},
    exit::Done,
    output::{self, Format},
};

/// Which resource.
#[derive(Debug, Args)]
pub struct Options {
    /// An id, an ARN, another of its names, or type/name
    #[arg(value_name = "REF")]
    pub reference: String,
    /// As of which moment.
    #[command(flatten)]
    pub moment: Moment,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    reference::one(client, &options.reference)?;
    let query: Vec<_> = options.moment.query().collect();
    let found = client
        .get(&resource_path(&options.reference, ""), &query)
        .map_err(|error| explain_missing(error, Some(&options.reference)))?;
    output::show(format, &found, table)?;
    Ok(Done::All)
}

pub(crate) fn table(answer: &Value) -> anyhow::Result<String> {
    let ResourceDetail { resource, aliases, document, sources } = read(answer)?;
    let mut facts = vec![
        ("type", resource.kind),
        ("name", resource.name),
        ("native id", resource.native_id),
        ("id", resource.id.to_string()),
        ("account", resource.account),
        ("region", resource.region),
        ("evidence", word(&resource.evidence)),
    ];
    facts.extend(resource.since.map(|at| ("seen since", second(at))));
    facts.extend(resource.deleted_at.map(|at| ("deleted", second(at))));
    facts.extend(aliases.into_iter().map(|alias| ("also named", alias)));
    facts.extend(resource.tags.into_iter().map(|(key, value)| ("tag", format!("{key}={value}"))));
    let mut text = facts
        .into_iter()
        .map(|(name, value)| format!("{name:<12}{}\n", output::clean(&value)))
        .collect::<String>();
    if !sources.is_empty() {
        text += &format!("\n{}\n", versions(sources));
    }
    if !is_empty(&document) {
        text += &format!("\n{}", output::yaml(&document)?);
    }
    Ok(text)
}

fn is_empty(document: &Value) -> bool {
    document.is_null() || document.as_object().is_some_and(serde_json::Map::is_empty)
}

/// Versions as rows: what each source said, and over which time.
fn versions(versions: Vec<Version>) -> String {
    output::table(VERSIONS, versions.into_iter().map(version))
}

/// What stands above [`version`].
pub(crate) const VERSIONS: [&str; 5] = ["FROM", "TO", "SOURCE", "STATE", "DOCUMENT"];

/// A version as a row.
pub(crate) fn version(v: Version) -> [String; 5] {
    let hash = v.hash.unwrap_or_default().chars().take(12).collect();
    // One line each: what changed is told below it.
    let source = v.source.replace('\n', " ");
    let superseded =
        v.superseded_at.map(|at| format!(", until {} learned {}", second(at), second(v.recorded_at)));
    let state = format!("{}{}", word(&v.state), superseded.unwrap_or_default());
    [second(v.from), v.to.map(second).unwrap_or_default(), source, state, hash]
}
