//! The versions of a resource, each with what it changed.

use catalog::{Catalog, Error, Page, Version};
use model::{Difference, ResourceId, diff};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// How many versions are read at once while a predecessor is looked for, and how many times.
const LOOK_BACK: u16 = 100;
const LOOK_BACK_PAGES: usize = 10;

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

/// A page of versions, latest first, with their differences.
pub(crate) async fn history(
    catalog: &Catalog,
    id: ResourceId,
    limit: u16,
    cursor: Option<&str>,
) -> Result<Page<HistoryItem>, Error> {
    let Page { items, next } = catalog.history(id, limit, cursor).await?;
    let mut older = Vec::new();
    let mut more = next.clone();
    for _ in 0..LOOK_BACK_PAGES {
        let Some(cursor) = more.filter(|_| !all_have_predecessor(&items, &older)) else { break };
        let page = catalog.history(id, LOOK_BACK, Some(&cursor)).await?;
        older.extend(page.items);
        more = page.next;
    }
    Ok(Page { items: with_differences(items, &older), next })
}

/// Whether the last documented version of every source has an older one.
fn all_have_predecessor(items: &[Version], older: &[Version]) -> bool {
    let documented = |version: &&Version| version.document.is_some();
    let oldest_of_source = |(at, version): &(usize, &Version)| {
        items.iter().skip(at + 1).filter(documented).all(|other| other.source != version.source)
    };
    let mut open = items.iter().enumerate().filter(|(_, v)| v.document.is_some()).filter(oldest_of_source);
    open.all(|(_, version)| older.iter().filter(documented).any(|other| other.source == version.source))
}

/// Compares each documented version with the one of its source that follows it in the list.
fn with_differences(items: Vec<Version>, older: &[Version]) -> Vec<HistoryItem> {
    let differences: Vec<_> = (0..items.len())
        .map(|at| {
            let version = items.get(at)?;
            let before = items
                .iter()
                .skip(at + 1)
                .chain(older)
                .find(|other| other.source == version.source && other.document.is_some())?;
            Some(differences(before.document.as_ref()?, version.document.as_ref()?))
        })
        .collect();
    items.into_iter().zip(differences).map(|(version, diff)| HistoryItem { version, diff }).collect()
}

fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    diff(before, after)
}

#[cfg(test)]
mod tests;
