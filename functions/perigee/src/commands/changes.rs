//! `perigee changes [SELECTOR]`

use catalog::Change;
use clap::Args;
use model::Actor;
use serde_json::Value;

use super::{items, second, since, word};
use crate::{
    cli::Amount,
    client::{Client, resource_path},
    exit::Done,
    output::{self, Format},
};

/// How wide the column of actors grows before roles are shortened, in characters, and what is left of a role at least.
const WHO: usize = 40;
const LEAST_ROLE: usize = 8;

/// Which changes.
#[derive(Debug, Args)]
pub struct Options {
    /// What describes them: `severity=high actor=alice kind=DeleteBucket "free words"`; nothing means all
    #[arg(value_name = "SELECTOR")]
    pub selector: Vec<String>,
    /// Only those since then: 2026-03-03T02:13:00Z, 2026-03-03, or a while before now: 90m, 24h, 7d
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only those before then, written like --since
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only those that touched this resource: an id, an ARN, another of its names, or type/name
    #[arg(long, value_name = "REF")]
    pub resource: Option<String>,
    /// How many.
    #[command(flatten)]
    pub amount: Amount,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let path = match &options.resource {
        Some(reference) => resource_path(reference, "/changes"),
        None => "/changes".to_owned(),
    };
    let mut query = vec![("q", options.selector.join(" "))];
    query.extend(options.since.as_deref().map(|at| ("since", since(at))));
    query.extend(options.until.as_deref().map(|at| ("until", since(at))));
    super::list(client, format, (&path, &query), options.resource.as_deref(), options.amount, table)
}

pub(crate) fn table(list: &Value) -> anyhow::Result<String> {
    let rows = items::<Change>(list)?.into_iter().map(|change| {
        let actor = change.actor.as_ref().map(who).unwrap_or_default();
        let summary = match change.error_code {
            Some(code) => format!("{} (failed: {code})", change.summary),
            None => change.summary,
        };
        [second(change.occurred_at), word(&change.severity), actor, summary]
    });
    Ok(output::prose(["TIME", "SEVERITY", "WHO", "WHAT"], rows))
}

/// An actor on a line. The session, which tells the person, is whole.
fn who(actor: &Actor) -> String {
    let Some(session) = &actor.session else { return actor.name.clone() };
    let room = WHO.saturating_sub(session.chars().count() + 1).max(LEAST_ROLE);
    format!("{}/{session}", output::cut(&actor.name, room))
}
