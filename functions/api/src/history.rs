//! The history of a resource: versions, each with what it changed, and changes of its health.

use catalog::{Catalog, Error, HistoryEntry, HistoryQuery, Page, Version, health::HealthChange};
use model::{Difference, diff};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// A version, and what it changed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct HistoryItem {
    /// The version.
    #[serde(flatten)]
    pub(crate) version: Version,
    /// What differs from the documented version of the same source before it; absent on the first, and where a
    /// version has no document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) diff: Option<Vec<Difference>>,
}

/// A change of health.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct TransitionItem {
    /// From what to what, and when.
    pub(crate) transition: HealthChange,
}

/// Something in the history of a resource.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Told {
    /// A version.
    Version(HistoryItem),
    /// A change of health, where those are asked for.
    Transition(TransitionItem),
}

/// A page of the history, latest first.
pub(crate) async fn history(catalog: &Catalog, query: &HistoryQuery) -> Result<Page<Told>, Error> {
    let Page { items, next } = catalog.history(query).await?;
    let items = items.into_iter().map(|entry| match entry {
        HistoryEntry::Version { version, before } => Told::Version(item(version, before.as_ref())),
        HistoryEntry::Transition(transition) => Told::Transition(TransitionItem { transition }),
    });
    Ok(Page { items: items.collect(), next })
}

/// A page of versions alone.
pub(crate) async fn versions(catalog: &Catalog, query: &HistoryQuery) -> Result<Page<HistoryItem>, Error> {
    let Page { items, next } = catalog.history(query).await?;
    let items = items.into_iter().filter_map(|entry| match entry {
        HistoryEntry::Version { version, before } => Some(item(version, before.as_ref())),
        HistoryEntry::Transition(_) => None,
    });
    Ok(Page { items: items.collect(), next })
}

fn item(version: Version, before: Option<&Value>) -> HistoryItem {
    let diff = before.zip(version.document.as_ref()).map(|(before, after)| diff(before, after));
    HistoryItem { version, diff }
}
