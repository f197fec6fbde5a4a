//! `perigee query SELECTOR`

use catalog::{Facets, Resource};
use clap::Args;
use serde_json::Value;

use super::{items, second, word};
use crate::{
    cli::Amount,
    client::{Client, resource_path},
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
    /// As they were then: 2026-03-03T02:13:00Z, 2026-03-03, or a while before now: 90m, 24h, 7d
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// As was known then, written like --at
    #[arg(long, value_name = "TIME")]
    pub recorded_at: Option<String>,
    /// How many there are by type, account, region and health, instead of which
    #[arg(long, conflicts_with_all = ["limit", "all", "explain"])]
    pub facets: bool,
    /// Why this resource is described or is not, term by term, instead of which are
    #[arg(long, value_name = "REF", conflicts_with_all = ["limit", "all", "at", "recorded_at", "deleted"])]
    pub explain: Option<String>,
    /// How many.
    #[command(flatten)]
    pub amount: Amount,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let mut query = vec![("q", options.selector.join(" "))];
    if let Some(reference) = &options.explain {
        let explanation = client.get(&resource_path(reference, "/explain"), &query)?;
        output::show(format, &explanation, explained)?;
        return Ok(Done::All);
    }
    if options.deleted {
        query.push(("include", "deleted".to_owned()));
    }
    query.extend(options.at.clone().map(|at| ("at", at)));
    query.extend(options.recorded_at.clone().map(|at| ("recorded_at", at)));
    if options.facets {
        let facets = client.get("/facets", &query)?;
        output::show(format, &facets, facets_table)?;
        return Ok(Done::All);
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

/// Numbers by field and value, and the sum.
fn facets_table(facets: &Value) -> anyhow::Result<String> {
    let Facets { total, kind, account, region, health } = serde_json::from_value(facets.clone())?;
    let number = |count: i64, exact: bool| if exact { count.to_string() } else { format!("{count} or more") };
    let fields = [("type", kind), ("account", account), ("region", region), ("health", health)];
    let rows = fields.into_iter().flat_map(|(field, facet)| {
        let exact = facet.exact;
        facet.values.into_iter().map(move |value| [field.to_owned(), value.value, number(value.count, exact)])
    });
    let all = std::iter::once(["all".to_owned(), String::new(), number(total.count, total.exact)]);
    Ok(output::table(["FIELD", "VALUE", "COUNT"], rows.chain(all)))
}

/// Terms with what became of them, and the plan.
fn explained(explanation: &Value) -> anyhow::Result<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let terms = explanation["terms"].as_array().into_iter().flatten();
    let rows = terms.map(|term| {
        let holds = term["matched"] == Value::Bool(true);
        let negated = term["negated"] == Value::Bool(true);
        let counts = if holds == negated { "no" } else { "yes" };
        let value =
            if term["value"].is_null() { String::new() } else { text(&term["value"]).replace('\n', " ") };
        [format!("{}{}", if negated { "not " } else { "" }, text(&term["term"])), counts.to_owned(), value]
    });
    let plan: Vec<String> = explanation["plan"].as_array().into_iter().flatten().map(text).collect();
    let described = if explanation["described"] == Value::Bool(true) { "described" } else { "not described" };
    Ok(format!(
        "{}\n{described}\n\n{}\n",
        output::table(["TERM", "HOLDS", "LOOKED AT"], rows),
        plan.join("\n")
    ))
}
