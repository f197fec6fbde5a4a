//! `perigee diff REF` and `perigee diff --account ACCOUNT`

use catalog::{Edge, ResourceChange, ResourceDiff};
use clap::Args;
use serde_json::Value;

use super::{history::difference, items, read, reference, second, word};
use crate::{
    cli::{Amount, given},
    client::{Client, explain_missing, resource_path},
    exit::Done,
    output::{self, Format},
};

/// How many differences of each resource of an account are shown.
const OF_EACH: usize = 5;

/// Between which instants, and of what.
#[derive(Debug, Args)]
pub struct Options {
    /// An id, an ARN, another of its names, or type/name
    #[arg(value_name = "REF", required_unless_present = "account", conflicts_with = "account")]
    pub reference: Option<String>,
    /// Instead of one resource, all of this account or cluster
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// The earlier instant: 2026-03-03T02:13:00Z, 2026-03-03, or, before now, 90m, 24h, 7d
    #[arg(long, value_name = "TIME")]
    pub from: String,
    /// The later one; now, when not said
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// As it was known then, instead of now
    #[arg(long, value_name = "TIME", conflicts_with = "account")]
    pub recorded_at: Option<String>,
    /// Of an account, only what this describes as it is now: `type=AWS::EC2::* tags.env=prod`
    #[arg(long, value_name = "SELECTOR", requires = "account")]
    pub q: Option<String>,
    /// How many, of an account.
    #[command(flatten)]
    pub amount: Amount,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let mut query = vec![("from", super::since(&options.from))];
    query.extend(given([("to", &options.to), ("recorded_at", &options.recorded_at)]));
    let Some(reference) = &options.reference else {
        query.extend(
            [("account", options.account.clone()), ("q", options.q.clone())]
                .into_iter()
                .filter_map(|(name, text)| Some((name, text?))),
        );
        return super::list(client, format, ("/diff", &query), None, options.amount, account_table);
    };
    reference::one(client, reference)?;
    let found = client
        .get(&resource_path(reference, "/diff"), &query)
        .map_err(|error| explain_missing(error, Some(reference)))?;
    output::show(format, &found, table)?;
    Ok(Done::All)
}

/// What differs of one resource, a line for each place.
pub(crate) fn table(answer: &Value) -> anyhow::Result<String> {
    let ResourceDiff { id, kind, name, from, to, became, differences, relations } = read(answer)?;
    let became = became.as_ref().map_or_else(|| "unchanged".to_owned(), word);
    let heading = format!("{kind}/{name} {became} between {} and {}", second(from), second(to));
    let mut text = format!("{}\n", output::clean(&heading));
    text.extend(differences.iter().map(difference));
    let far = |edge: &Edge| {
        if edge.from_id == id { format!("-> {}", edge.to_id) } else { format!("<- {}", edge.from_id) }
    };
    let told = [("relation came", &relations.appeared), ("relation went", &relations.went)];
    for (what, edges) in told {
        text.extend(edges.iter().map(|edge| {
            format!(
                "  {what}: {}\n",
                output::clean(&format!("{} {}", edge.kind, far(edge))).replace('\n', " ")
            )
        }));
    }
    if relations.truncated {
        text += "  and more relations\n";
    }
    Ok(text)
}

/// A row for each resource that differs, and below it where.
pub(crate) fn account_table(list: &Value) -> anyhow::Result<String> {
    let changes = items::<ResourceChange>(list)?;
    let rows = changes.iter().map(|change| {
        let resource = &change.resource;
        let places = match change.differences {
            0 => String::new(),
            places => places.to_string(),
        };
        let native_id = resource.native_id.replace('\n', " ");
        [word(&change.became), places, resource.kind.clone(), native_id, resource.region.clone()]
    });
    let rows = output::table(["BECAME", "PLACES", "TYPE", "NATIVE ID", "REGION"], rows);
    let (heading, rows) = rows.split_once('\n').unwrap_or((&rows, ""));
    let mut text = format!("{heading}\n");
    for (row, change) in rows.lines().zip(&changes) {
        text += &format!("{row}\n");
        text.extend(change.diff.iter().take(OF_EACH).map(difference));
        match change.differences.saturating_sub(OF_EACH) {
            0 => {}
            more => {
                text += &format!(
                    "  and {more} more; `perigee diff {}` between the same instants shows all\n",
                    change.resource.id
                );
            }
        }
    }
    Ok(text)
}
