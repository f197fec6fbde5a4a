//! One file per command: its options, and what it does with them.

pub mod apply;
pub mod bench;
pub mod cancel;
pub mod cel;
pub mod changes;
pub mod checks;
pub mod completions;
pub mod delete;
pub mod deliveries;
pub mod diff;
pub mod digest;
pub mod doctor;
pub mod export;
pub mod findings;
pub mod get;
pub mod graph;
pub mod health;
pub mod history;
pub mod hold;
pub mod import;
pub mod ingest;
pub mod init;
pub mod lint;
pub mod migrate;
pub mod proxy;
pub mod query;
pub mod rejected;
pub mod reset;
pub mod retention;
pub mod run;
pub mod runs;
pub mod schema;
pub mod scrape;
pub mod show;
pub mod sources;
pub mod up;
pub mod verify;

mod manifests;
mod reference;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    cli::Amount,
    client::{Client, explain_missing},
    exit::Done,
    output::{self, Format},
    print,
};

/// Prints a list, or as much of it as was asked for. `reference` is the resource that it was narrowed to.
fn list(
    client: &Client,
    format: Format,
    (path, query): (&str, &[(&str, String)]),
    reference: Option<&str>,
    amount: Amount,
    table: impl FnOnce(&Value) -> anyhow::Result<String>,
) -> anyhow::Result<Done> {
    reference.map_or(Ok(()), |reference| reference::one(client, reference))?;
    let found = client.list(path, query, amount.most()).map_err(|error| explain_missing(error, reference))?;
    output::show(format, &found, table)?;
    say_if_cut(&found);
    Ok(Done::All)
}

/// The items of a list as the catalog's own types.
fn items<T: DeserializeOwned>(list: &Value) -> anyhow::Result<Vec<T>> {
    let page: catalog::Page<T> = read(list)?;
    Ok(page.items)
}

/// An answer as one of the catalog's own types.
fn read<T: DeserializeOwned>(answer: &Value) -> anyhow::Result<T> {
    T::deserialize(answer).map_err(|error| {
        anyhow::Error::new(error)
            .context("the server's answer is of another version; use the same perigee for both")
    })
}

/// Says how to see the rest of a list that was cut.
fn say_if_cut(list: &Value) {
    if list.get("next").is_some() {
        print::note("... there are more; --all shows all of them, --limit N that many");
    }
}

/// An instant to the second, for a table.
fn second(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A point in time as the API takes it. `now-24h`, as selectors write it, is the API's `24h`.
pub(crate) fn since(text: &str) -> String {
    text.strip_prefix("now-").unwrap_or(text).to_owned()
}

/// The word that serde writes for a value of an enumeration.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
}
