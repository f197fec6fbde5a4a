//! `perigee changes [SELECTOR]`

use catalog::{Change, ChangeGroup};
use clap::Args;
use model::Actor;
use serde_json::Value;

use super::{items, second, since, word};
use crate::{
    cli::{Amount, Direction},
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
    /// Only those that touched any resource that this selector describes: `type=AWS::EC2::* tags.env=prod`
    #[arg(long, value_name = "SELECTOR", conflicts_with = "resource")]
    pub of: Option<String>,
    /// Which way relations are followed from those of --of
    #[arg(long, value_enum, default_value_t, value_name = "WAY", requires = "of")]
    pub direction: Direction,
    /// How many steps from those of --of count as well
    #[arg(long, default_value_t = 0, value_name = "N", requires = "of", value_parser = clap::value_parser!(u32).range(0..=10))]
    pub depth: u32,
    /// Only relations of these kinds are followed, with commas between
    #[arg(long, value_name = "KIND", value_delimiter = ',', requires = "of")]
    pub kinds: Vec<String>,
    /// Repeats of the same change on one line, with how many there are
    #[arg(long)]
    pub group: bool,
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
    if let Some(of) = &options.of {
        query.push(("of", of.clone()));
        query.push(("direction", options.direction.as_str().to_owned()));
        query.push(("depth", options.depth.to_string()));
    }
    if !options.kinds.is_empty() {
        query.push(("kinds", options.kinds.join(",")));
    }
    let reference = options.resource.as_deref();
    if options.group {
        query.push(("group", "true".to_owned()));
        return super::list(client, format, (&path, &query), reference, options.amount, groups);
    }
    super::list(client, format, (&path, &query), reference, options.amount, table)
}

/// A row for each change that was repeated.
pub(crate) fn groups(list: &Value) -> anyhow::Result<String> {
    let rows = items::<ChangeGroup>(list)?.into_iter().map(|group| {
        let count = if group.more { format!("over {}", group.count) } else { group.count.to_string() };
        let actor = group.change.actor.as_ref().map(who).unwrap_or_default();
        [second(group.last_at), second(group.first_at), count, actor, what(group.change)]
    });
    Ok(output::prose(["LAST", "FIRST", "COUNT", "WHO", "WHAT"], rows))
}

/// What happened, and why it failed where it did.
fn what(change: Change) -> String {
    match change.error_code {
        Some(code) => format!("{} (failed: {code})", change.summary),
        None => change.summary,
    }
}

pub(crate) fn table(list: &Value) -> anyhow::Result<String> {
    let rows = items::<Change>(list)?.into_iter().map(|change| {
        let actor = change.actor.as_ref().map(who).unwrap_or_default();
        [second(change.occurred_at), word(&change.severity), actor, what(change)]
    });
    Ok(output::prose(["TIME", "SEVERITY", "WHO", "WHAT"], rows))
}

/// An actor on a line. The session, which tells the person, is whole.
fn who(actor: &Actor) -> String {
    let Some(session) = &actor.session else { return actor.name.clone() };
    let room = WHO.saturating_sub(session.chars().count() + 1).max(LEAST_ROLE);
    format!("{}/{session}", output::cut(&actor.name, room))
}
