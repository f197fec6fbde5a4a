//! Pages in, observations out.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{
    Recorded,
    shards::{Known, Shard, ShardState},
};
use chrono::TimeDelta;
use model::{
    Completeness, ListingId, Observation, ObservationKey, ResourceFact, ResourceId, ResourceKey, Sighting,
    Source, Timestamp,
};
use serde_json::json;

use super::{Stop, World};
use crate::{Certainty, Page};

/// What a listing saw so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) ids: BTreeSet<ResourceId>,
    pub(super) pages: i32,
    pub(super) unreadable: Vec<String>,
}

/// A listing under way.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) world: World<'a>,
    pub(super) shard: &'a Shard,
    pub(super) listing: ListingId,
    pub(super) began: Timestamp,
    pub(super) source: Source,
    pub(super) certainty: Certainty,
}

impl Page {
    /// Whether it says nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.items.is_empty() && self.unreadable.is_empty()
    }
}

impl Run<'_> {
    /// Records a page and remembers what it had.
    pub(super) async fn take(&self, page: Page, seen: &mut Seen) -> Result<(), Stop> {
        let Page { facts, items, unreadable } = page;
        seen.unreadable.extend(unreadable);
        let mut facts: Vec<ResourceFact> = facts.into_iter().filter(|fact| self.is_ours(&fact.key)).collect();
        let mut items: Vec<Observation> = items
            .into_iter()
            .filter(|item| item.resources.iter().all(|fact| self.is_ours(&fact.key)))
            .collect();
        let shown: Vec<ResourceKey> = items.iter().flat_map(shown).cloned().collect();
        let ids: Vec<ResourceId> =
            facts.iter().map(|fact| &fact.key).chain(&shown).map(ResourceKey::id).collect();
        if !ids.is_empty() && ids.iter().all(|id| seen.ids.contains(id)) {
            return Err(Stop::short(
                ShardState::Incomplete,
                "the list repeats itself: a page came twice",
                "",
            ));
        }
        let known = self.world.catalog.known(&self.source.name, &ids).await?;
        for fact in &mut facts {
            self.say_only_news(fact, &known);
        }
        items.extend(self.returned(&shown, &items, &known));
        facts.extend(shown.into_iter().map(mention));
        let number = seen.pages;
        let recorded = self.record(&items, &facts, number, &mut seen.unreadable).await?;
        seen.ids.extend(recorded);
        seen.pages += 1;
        Ok(())
    }

    /// A resource of another account has no row here, whoever lists it.
    fn is_ours(&self, key: &ResourceKey) -> bool {
        key.account == self.shard.account
    }

    /// What is known to look just so is only named: a list of what did not change writes nothing. And what may be
    /// gone already is not brought back by a list that cannot know.
    fn say_only_news(&self, fact: &mut ResourceFact, known: &BTreeMap<ResourceId, Known>) {
        let Some(known) = known.get(&fact.key.id()) else { return };
        let same = match &fact.sighting {
            Sighting::Documented(document) => !known.gone && known.document == Some(document.hash()),
            Sighting::Mentioned | Sighting::Present | Sighting::Deleted => false,
        };
        if same || (known.gone && self.certainty == Certainty::Doubtful) {
            fact.sighting = Sighting::Mentioned;
            fact.aliases.clear();
        }
    }

    /// What this listing has and an earlier one of this source may have found gone, though its item is old: it was
    /// there when the source last looked.
    fn returned(
        &self,
        shown: &[ResourceKey],
        items: &[Observation],
        known: &BTreeMap<ResourceId, Known>,
    ) -> Option<Observation> {
        let at = self.began - TimeDelta::seconds(self.certainty.grace_seconds().into());
        let is_old = |key: &ResourceKey| {
            items
                .iter()
                .any(|item| item.occurred_at < at && item.resources.iter().any(|fact| fact.key == *key))
        };
        let may_be_gone =
            |key: &ResourceKey| known.get(&key.id()).is_none_or(|it| it.found_absent || !it.heard);
        let back = shown.iter().filter(|key| may_be_gone(key) && is_old(key));
        let facts: Vec<ResourceFact> =
            back.map(|key| ResourceFact { sighting: Sighting::Present, ..mention(key.clone()) }).collect();
        (!facts.is_empty()).then(|| self.observation("returned", at, facts, Completeness::OnlyThese))
    }

    /// Records a page in one transaction. Where the database refuses a value, one by one, so that the culprit stands
    /// alone. Answers with what the page had.
    async fn record(
        &self,
        items: &[Observation],
        facts: &[ResourceFact],
        number: i32,
        unreadable: &mut Vec<String>,
    ) -> Result<Vec<ResourceId>, Stop> {
        let page = |facts: Vec<ResourceFact>| {
            let completeness = Completeness::Page { listing: self.listing, page: number };
            self.observation("page", self.began, facts, completeness)
        };
        let mut all = items.to_vec();
        all.push(page(facts.to_vec()));
        match self.put(&all).await {
            Ok(_) => return Ok(facts.iter().map(|fact| fact.key.id()).collect()),
            Err(error) if error.refuses_values() => {}
            Err(error) => return Err(error.into()),
        }
        let alone = facts
            .iter()
            .map(|fact| self.observation("alone", self.began, vec![fact.clone()], Completeness::OnlyThese));
        let mut refused = BTreeSet::new();
        for one in items.iter().cloned().chain(alone) {
            match self.put(std::slice::from_ref(&one)).await {
                Ok(_) => {}
                Err(error) if error.refuses_values() => {
                    let names =
                        one.resources.iter().map(|fact| fact.key.native_id.as_str()).collect::<Vec<_>>();
                    unreadable.push(format!("{} cannot be stored", names.join(", ")));
                    refused.extend(one.resources.iter().map(|fact| fact.key.id()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        let taken: Vec<ResourceFact> = facts
            .iter()
            .filter(|fact| !refused.contains(&fact.key.id()))
            .map(|fact| mention(fact.key.clone()))
            .collect();
        let ids = taken.iter().map(|fact| fact.key.id()).collect();
        self.put(&[page(taken)]).await?;
        Ok(ids)
    }

    async fn put(&self, observations: &[Observation]) -> Result<Vec<Recorded>, catalog::Error> {
        self.world.catalog.record(observations, self.world.clock.now()).await
    }

    fn observation(
        &self,
        what: &str,
        at: Timestamp,
        resources: Vec<ResourceFact>,
        completeness: Completeness,
    ) -> Observation {
        let names: Vec<String> = resources.iter().map(|fact| fact.key.id().to_string()).collect();
        let number = if let Completeness::Page { page, .. } = completeness { page } else { -1 };
        let payload = json!({
            "listing": self.listing.to_string(), "what": what, "page": number, "resources": names,
        });
        Observation {
            key: ObservationKey::of(&payload),
            source: self.source.clone(),
            account: self.shard.account.clone(),
            region: self.shard.region.clone(),
            occurred_at: at,
            resources,
            changes: Vec::new(),
            findings: Vec::new(),
            completeness,
        }
    }
}

/// The resources that an item shows to be there, not those that it only names.
fn shown(item: &Observation) -> impl Iterator<Item = &ResourceKey> {
    let there = |fact: &&ResourceFact| matches!(fact.sighting, Sighting::Present | Sighting::Documented(_));
    item.resources.iter().filter(there).map(|fact| &fact.key)
}

fn mention(key: ResourceKey) -> ResourceFact {
    ResourceFact { key, aliases: Vec::new(), state_id: 0, sighting: Sighting::Mentioned }
}
