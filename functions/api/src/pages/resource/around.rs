//! What changed around a resource shortly before it was not well any more.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use ::catalog::{
    Catalog, Change, Graph,
    health::{HealthChange, ResourceHealth},
};
use chrono::{SecondsFormat, TimeDelta};
use maud::{Markup, html};
use model::{Category, Health, ResourceId, Timestamp};

use super::super::{
    feed::{self, Way},
    home, text,
};
use crate::problem::Problem;

/// How long before the trouble began a cause is looked for, and how long after: what is judged late began earlier.
const BEFORE: TimeDelta = TimeDelta::hours(6);
const AFTER: TimeDelta = TimeDelta::minutes(15);
/// How many changes are read, and how many of them are shown.
const READ: u16 = 150;
const SHOWN: usize = 20;
/// How far around the resource changes are looked for.
pub(super) const STEPS: u32 = 2;

/// The changes of a resource and of what is near it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::pages) struct Around {
    /// When the trouble began, as far as is known.
    pub(in crate::pages) began: Timestamp,
    /// The changes that may be its cause, newest first.
    pub(in crate::pages) changes: Vec<Change>,
    /// How many others there were.
    pub(in crate::pages) others: usize,
    /// How each resource near it is reached.
    pub(in crate::pages) ways: BTreeMap<ResourceId, Way>,
}

impl Around {
    /// `None` while the resource is well, or nobody knows how it is.
    pub(super) async fn read(
        catalog: &Catalog,
        health: Option<&ResourceHealth>,
        transitions: &[HealthChange],
        graph: &Graph,
        id: ResourceId,
    ) -> Result<Option<Self>, Problem> {
        let Some(began) = health.and_then(|health| began(health, transitions)) else { return Ok(None) };
        let ways = ways(graph, id);
        let near: Vec<ResourceId> = ways.keys().copied().collect();
        let (Some(since), Some(until)) = (began.checked_sub_signed(BEFORE), began.checked_add_signed(AFTER))
        else {
            return Ok(None);
        };
        let until = until.to_rfc3339_opts(SecondsFormat::Micros, true);
        let selector = selector::parse(&format!("{} occurred_at<=\"{until}\"", home::DONE))?;
        let mut changes = catalog.changes_around(&near, &selector, since, READ).await?;
        let others = changes.len().saturating_sub(SHOWN);
        changes.sort_by_key(|change| unlikeliness(change, &ways));
        changes.truncate(SHOWN);
        changes.sort_by_key(|change| Reverse((change.occurred_at, change.id)));
        Ok(Some(Self { began, changes, others, ways }))
    }

    pub(super) fn render(&self, now: Timestamp) -> Markup {
        html! {
            section aria-labelledby="around" {
                h2 id="around" { "What changed around it shortly before" }
                p class="hint" {
                    "On it and on what is within two steps of it, in the six hours before " (text::minute(self.began)) ", when it was last well as far as is known."
                }
                @if self.changes.is_empty() { p class="none" { "Nothing that was recorded." } }
                @else { (feed::brief(&self.changes.iter().collect::<Vec<_>>(), &self.ways, now)) }
                @if self.others > 0 { p class="after" { a href="/changes" { "and " (self.others) " that are less likely to matter" } } }
            }
        }
    }
}

/// How unlikely a change is to be the cause: what failed did nothing, what is near matters more than what is far, and
/// who may reach whom, what is gone and what was deployed more than the rest.
fn unlikeliness(change: &Change, ways: &BTreeMap<ResourceId, Way>) -> usize {
    let failed = usize::from(change.error_code.is_some()) * 4;
    let kind = match change.category {
        Category::Security | Category::Delete => 0,
        Category::Deployment | Category::Update | Category::Create => 2,
        Category::Access | Category::State | Category::Notice | Category::Other => 4,
    };
    let steps = change.resources.iter().filter_map(|target| Some(ways.get(&target.id)?.steps)).min();
    failed + kind + steps.unwrap_or(STEPS as usize)
}

/// When it ceased to be well, as far back as its transitions tell.
fn began(health: &ResourceHealth, transitions: &[HealthChange]) -> Option<Timestamp> {
    if health.state.verdict.health < Health::Warning {
        return None;
    }
    let unwell = transitions.iter().map(|change| &change.transition);
    let unwell = unwell.take_while(|transition| transition.verdict.health >= Health::Warning);
    Some(unwell.map(|transition| transition.at).fold(health.state.since, Timestamp::min))
}

/// How each resource of the graph is reached from `id`, by a shortest way.
fn ways(graph: &Graph, id: ResourceId) -> BTreeMap<ResourceId, Way> {
    let names: BTreeMap<ResourceId, &str> =
        graph.nodes.iter().map(|node| (node.resource.id, node.resource.name.as_str())).collect();
    let mut beside: BTreeMap<ResourceId, BTreeSet<ResourceId>> = BTreeMap::new();
    for edge in &graph.edges {
        beside.entry(edge.from_id).or_default().insert(edge.to_id);
        beside.entry(edge.to_id).or_default().insert(edge.from_id);
    }
    let mut ways = BTreeMap::from([(id, Way { steps: 0, said: "on it".to_owned() })]);
    let mut left = VecDeque::from([(id, Vec::<&str>::new())]);
    while let Some((here, way)) = left.pop_front() {
        for next in beside.get(&here).into_iter().flatten() {
            if ways.contains_key(next) || way.len() >= STEPS as usize {
                continue;
            }
            let said = match way.last() {
                None => "one step away".to_owned(),
                Some(over) => format!("two steps away, over {}", text::cut(over, 60)),
            };
            ways.insert(*next, Way { steps: way.len() + 1, said });
            let mut further = way.clone();
            further.push(names.get(next).copied().unwrap_or_default());
            left.push_back((*next, further));
        }
    }
    ways
}

#[cfg(test)]
mod tests;
