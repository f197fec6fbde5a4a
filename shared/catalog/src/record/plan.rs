//! What a batch of observations asks of the catalog: observations in, plain data out, no database.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Change, Completeness, ContentHash, Document, Evidence, Finding, ListingId, Observation, ObservationKey,
    Partition, ResourceFact, ResourceId, ResourceKey, Sighting, Timestamp,
    timeline::{Content, Fact, Facts},
};
use serde_json::Value;

use super::unchanged::Unchanged;

/// A resource and the source that speaks of it.
pub(super) type Speaker = (ResourceId, String);

/// Everything a batch asks for, merged and in a stable order.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    pub(super) resources: BTreeMap<ResourceId, PlannedResource>,
    pub(super) timelines: BTreeMap<Speaker, PlannedTimeline>,
    pub(super) documents: BTreeMap<ContentHash, PlannedDocument>,
    pub(super) aliases: BTreeMap<(String, ResourceId), (Timestamp, Timestamp)>,
    pub(super) changes: Vec<&'a Change>,
    pub(super) findings: Vec<&'a Finding>,
    pub(super) pages: Vec<PlannedPage>,
    pub(super) closings: Vec<PlannedClosing>,
    pub(super) heard: BTreeMap<(String, String, String), Heard>,
}

#[derive(Debug, Clone)]
pub(super) struct PlannedResource {
    pub(super) key: ResourceKey,
    pub(super) evidence: Evidence,
    /// The earliest instant at which this batch says anything of it.
    pub(super) named: Timestamp,
    /// The earliest instant at which this batch saw it there.
    pub(super) since: Option<Timestamp>,
    /// True when the batch says more of it than its name.
    pub(super) stateful: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct PlannedTimeline {
    pub(super) rank: i16,
    pub(super) facts: Facts,
}

#[derive(Debug, Clone)]
pub(super) struct PlannedDocument {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) tags: Value,
    pub(super) body: Value,
    pub(super) relations: BTreeSet<(String, ResourceId)>,
}

#[derive(Debug)]
pub(super) struct PlannedPage {
    pub(super) listing: ListingId,
    pub(super) page: i32,
    pub(super) key: ObservationKey,
    pub(super) source: String,
    pub(super) account: String,
    pub(super) region: String,
    /// The type of what did not change, empty where there are several.
    pub(super) kind: String,
    pub(super) at: Timestamp,
    /// What it had.
    pub(super) seen: PageSet,
    /// What of it looked as it was known to look.
    pub(super) unchanged: PageSet,
}

/// A set of resources by its content: pages that have the same share one.
#[derive(Debug)]
pub(super) struct PageSet {
    pub(super) hash: ContentHash,
    pub(super) ids: BTreeSet<ResourceId>,
}

impl PageSet {
    fn of(ids: BTreeSet<ResourceId>) -> Self {
        let text: Vec<String> = ids.iter().map(ToString::to_string).collect();
        Self { hash: ContentHash::of_bytes(text.join(",").as_bytes()), ids }
    }
}

#[derive(Debug)]
pub(super) struct PlannedClosing {
    pub(super) listing: ListingId,
    pub(super) source: String,
    pub(super) rank: i16,
    pub(super) partition: Partition,
    pub(super) began: Timestamp,
    pub(super) grace_seconds: i32,
    pub(super) pages: i32,
    pub(super) count: i64,
}

/// How often and until when a source was heard in this batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    pub(super) observations: i64,
    pub(super) latest: Timestamp,
}

impl<'a> Plan<'a> {
    pub(super) fn of(observations: &[&'a Observation], unchanged: &Unchanged) -> Self {
        let mut plan = Self::default();
        for observation in observations {
            plan.add(observation, unchanged);
        }
        plan
    }

    fn add(&mut self, observation: &'a Observation, unchanged: &Unchanged) {
        let at = observation.occurred_at;
        let same = unchanged.of(&observation.key);
        for fact in &observation.resources {
            if same.is_none_or(|same| !same.contains(&fact.key.id())) {
                self.add_fact(observation, fact, unchanged);
            }
        }
        for change in &observation.changes {
            for touched in &change.resources {
                self.touch(&touched.key, Evidence::Event, change.occurred_at);
            }
            self.changes.push(change);
        }
        for finding in &observation.findings {
            for key in &finding.resources {
                self.touch(key, Evidence::Event, finding.at);
            }
            self.findings.push(finding);
        }
        self.add_listing(observation, same);
        let source = &observation.source.name;
        self.heard
            .entry((source.clone(), observation.account.clone(), observation.region.clone()))
            .and_modify(|heard| {
                heard.observations += 1;
                heard.latest = heard.latest.max(at);
            })
            .or_insert(Heard { observations: 1, latest: at });
    }

    fn add_fact(&mut self, observation: &Observation, fact: &ResourceFact, unchanged: &Unchanged) {
        let at = observation.occurred_at;
        let id = self.touch(&fact.key, fact.sighting.evidence(), at);
        for alias in &fact.aliases {
            self.aliases
                .entry((alias.clone(), id))
                .and_modify(|(first, last)| {
                    *first = (*first).min(at);
                    *last = (*last).max(at);
                })
                .or_insert((at, at));
        }
        let content = match &fact.sighting {
            Sighting::Mentioned => return,
            Sighting::Present => Content::Present,
            Sighting::Documented(document) => {
                let hash = unchanged.hash(document).unwrap_or_else(|| document.hash());
                Content::Document(self.add_document(document, hash, at))
            }
            Sighting::Deleted => Content::Deleted,
        };
        if let Some(resource) = self.resources.get_mut(&id) {
            resource.stateful = true;
            if content != Content::Deleted {
                resource.since = Some(resource.since.map_or(at, |since| since.min(at)));
            }
        }
        let timeline = self.timelines.entry((id, observation.source.name.clone())).or_default();
        timeline.rank = observation.source.rank as i16;
        timeline.facts.add(at, Fact { state_id: fact.state_id, content });
    }

    fn add_document(&mut self, document: &Document, hash: ContentHash, at: Timestamp) -> ContentHash {
        let relations = document
            .relations
            .iter()
            .map(|r| (r.kind.clone(), self.touch(&r.to, Evidence::Reference, at)))
            .collect();
        self.documents.entry(hash).or_insert_with(|| PlannedDocument {
            name: document.name.clone(),
            description: document.description().map(str::to_owned),
            tags: serde_json::to_value(&document.tags).unwrap_or_default(),
            body: document.to_json(),
            relations,
        });
        hash
    }

    fn add_listing(&mut self, observation: &Observation, unchanged: Option<&BTreeSet<ResourceId>>) {
        match &observation.completeness {
            Completeness::OnlyThese => {}
            Completeness::Page { listing, page } => self.pages.push(PlannedPage {
                listing: *listing,
                page: *page,
                key: observation.key,
                source: observation.source.name.clone(),
                account: observation.account.clone(),
                region: observation.region.clone(),
                kind: only_type(observation, unchanged),
                at: observation.occurred_at,
                seen: PageSet::of(observation.resources.iter().map(|fact| fact.key.id()).collect()),
                unchanged: PageSet::of(unchanged.cloned().unwrap_or_default()),
            }),
            Completeness::Closing { listing, partition, pages, count, grace_seconds } => {
                self.closings.push(PlannedClosing {
                    listing: *listing,
                    source: observation.source.name.clone(),
                    rank: observation.source.rank as i16,
                    partition: partition.clone(),
                    began: observation.occurred_at,
                    grace_seconds: *grace_seconds,
                    pages: *pages,
                    count: *count,
                });
            }
        }
    }

    fn touch(&mut self, key: &ResourceKey, evidence: Evidence, at: Timestamp) -> ResourceId {
        let id = key.id();
        self.resources
            .entry(id)
            .and_modify(|held| {
                held.evidence = held.evidence.max(evidence);
                held.named = held.named.min(at);
            })
            .or_insert_with(|| PlannedResource {
                key: key.clone(),
                evidence,
                named: at,
                since: None,
                stateful: false,
            });
        id
    }
}

/// The type of what of a page is unchanged, if there is but one.
fn only_type(page: &Observation, unchanged: Option<&BTreeSet<ResourceId>>) -> String {
    let Some(unchanged) = unchanged else { return String::new() };
    let mut kinds =
        page.resources.iter().filter(|fact| unchanged.contains(&fact.key.id())).map(|fact| &fact.key.kind);
    let Some(first) = kinds.next() else { return String::new() };
    if kinds.all(|kind| kind == first) { first.clone() } else { String::new() }
}
