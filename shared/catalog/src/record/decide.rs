//! From what is stored and what a batch says to what has to be written: pure.

use std::collections::BTreeMap;

use model::{
    Evidence, ResourceId, Timestamp,
    timeline::{Content, Fact, Facts, Run},
};
use serde_json::{Value, json};

use super::{
    fold::{DERIVED, Known, Ops, fold, fold_relations},
    listings::Listing,
    load::{Head, Labels, StoredResource},
    plan::{Plan, PlannedTimeline, Speaker},
};

/// What one speaker's timeline becomes.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) rank: i16,
    pub(super) ops: Ops,
    pub(super) runs: Vec<Run>,
    pub(super) last: Option<(Timestamp, Fact)>,
}

/// The facts that listings imply of one resource, given every fact of every source that reaches their instants.
pub(super) fn derived_facts(
    listings: &[Listing],
    since: Option<Timestamp>,
    facts: &[(&str, &Facts)],
) -> BTreeMap<String, PlannedTimeline> {
    let mut derived: BTreeMap<String, PlannedTimeline> = BTreeMap::new();
    for listing in listings {
        let grace_from = listing.began - chrono::Duration::seconds(listing.grace_seconds.into());
        let seen_in_grace = facts
            .iter()
            .flat_map(|(_, facts)| facts.iter())
            .any(|(at, fact)| fact.content != Content::Deleted && at > grace_from && at <= listing.began);
        if since.is_some_and(|since| since < listing.began) && !seen_in_grace {
            let timeline = derived.entry(listing.source.clone()).or_default();
            timeline.rank = listing.rank;
            timeline.facts.add(listing.began, Fact { state_id: DERIVED, content: Content::Deleted });
        }
    }
    derived
}

/// The facts that stand for one speaker: the known ones (without those that listings implied from `rederive` on,
/// which are derived again) and the new ones.
pub(super) fn standing(known: &Known, new: Option<&Facts>, rederive: Option<Timestamp>) -> Facts {
    let mut facts = Facts::default();
    for (at, fact) in known.facts().iter() {
        if !(fact.state_id == DERIVED && rederive.is_some_and(|from| at >= from)) {
            facts.add(at, fact);
        }
    }
    for (at, fact) in new.into_iter().flat_map(Facts::iter) {
        facts.add(at, fact);
    }
    facts
}

/// Folds one speaker's facts; edges come later, for those whose runs change.
pub(super) fn decide(known: &Known, rank: i16, facts: &Facts) -> Decided {
    let (ops, runs) = fold(known, facts);
    Decided { rank, ops, runs, last: facts.iter().last() }
}

/// Adds what the runs mean for the edges.
pub(super) fn decide_edges(plan: &Plan<'_>, known: &Known, decided: &mut Decided) {
    let relations = |hash: &_| plan.documents.get(hash).map(|document| &document.relations);
    fold_relations(known, &decided.runs, relations, &mut decided.ops);
}

/// A resource as it is to be stored.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    pub(super) name: String,
    pub(super) tags: Value,
    pub(super) since: Option<Timestamp>,
    pub(super) deleted_at: Option<Timestamp>,
    pub(super) evidence: i16,
    /// True when no source has a document now, though one had: name and tags come from the last one.
    pub(super) name_from_history: bool,
}

/// One source's latest word about a resource.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    pub(super) source: String,
    pub(super) rank: i16,
    pub(super) run: Run,
    pub(super) last_at: Timestamp,
    pub(super) last_state_id: i64,
    pub(super) name: Option<String>,
    pub(super) tags: Option<Value>,
}

/// The current answer about a resource, from every source's latest word.
pub(super) fn show(native_id: &str, evidence: i16, since: Option<Timestamp>, voices: &mut [Voice]) -> Shown {
    let latest = voices.iter().max_by_key(|voice| {
        (voice.last_at, voice.last_state_id, voice.rank, voice.run.fact.content, &voice.source)
    });
    let deleted_at =
        latest.filter(|voice| voice.run.fact.content == Content::Deleted).map(|voice| voice.run.from);
    voices.sort_by(|a, b| (b.rank, b.run.from, &a.source).cmp(&(a.rank, a.run.from, &b.source)));
    let documented = || voices.iter().filter(|voice| matches!(voice.run.fact.content, Content::Document(_)));
    let name = documented().find_map(|voice| voice.name.clone());
    let tags = documented().filter_map(|voice| voice.tags.clone()).find(|tags| tags != &json!({}));
    Shown {
        name: name.unwrap_or_else(|| native_id.to_owned()),
        tags: tags.unwrap_or_else(|| json!({})),
        since,
        deleted_at,
        evidence,
        name_from_history: documented().next().is_none() && evidence >= Evidence::Document as i16,
    }
}

/// What is known of the sources' words about resources, stored and decided.
#[derive(Debug)]
pub(super) struct Words<'a> {
    pub(super) heads: &'a BTreeMap<Speaker, Head>,
    pub(super) last_sightings: &'a BTreeMap<Speaker, (Timestamp, i64)>,
    pub(super) decided: &'a BTreeMap<Speaker, Decided>,
    pub(super) plan: &'a Plan<'a>,
    pub(super) labels: &'a Labels,
}

impl Words<'_> {
    /// Every source's latest word about one resource: the decided ones, and the stored ones that nothing new was
    /// said of.
    pub(super) fn voices(&self, id: ResourceId) -> Vec<Voice> {
        let from = (id, String::new());
        let decided = self.decided.range(from.clone()..).take_while(|(speaker, _)| speaker.0 == id);
        let decided = decided.filter_map(|((_, source), decided)| {
            let (run, (last_at, last)) = (decided.runs.last()?, decided.last?);
            Some(self.voice(source, decided.rank, *run, last_at, last.state_id))
        });
        let stored = self.heads.range(from..).take_while(|(speaker, _)| speaker.0 == id);
        let stored =
            stored.filter(|(speaker, _)| !self.decided.contains_key(*speaker)).map(|(speaker, head)| {
                let run = head.run.run;
                let (last_at, state_id) =
                    self.last_sightings.get(speaker).copied().unwrap_or((run.from, run.fact.state_id));
                self.voice(&speaker.1, head.rank, run, last_at, state_id)
            });
        decided.chain(stored).collect()
    }

    fn voice(&self, source: &str, rank: i16, run: Run, last_at: Timestamp, last_state_id: i64) -> Voice {
        let (name, tags) = match run.fact.content {
            Content::Present | Content::Deleted => (None, None),
            Content::Document(hash) => match (self.plan.documents.get(&hash), self.labels.get(&hash)) {
                (Some(planned), _) => (planned.name.clone(), Some(planned.tags.clone())),
                (None, Some((name, tags))) => (name.clone(), Some(tags.clone())),
                (None, None) => (None, None),
            },
        };
        Voice { source: source.to_owned(), rank, run, last_at, last_state_id, name, tags }
    }
}

/// Whether the stored row already says so.
pub(super) fn unchanged(stored: &StoredResource, shown: &Shown) -> bool {
    !shown.name_from_history
        && stored.name == shown.name
        && stored.tags == shown.tags
        && stored.since == shown.since
        && stored.deleted_at == shown.deleted_at
        && stored.evidence == shown.evidence
}
