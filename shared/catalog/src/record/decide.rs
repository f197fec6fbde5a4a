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
    Decided { rank, ops, runs }
}

/// Adds what the runs mean for the edges.
pub(super) fn decide_edges(plan: &Plan<'_>, known: &Known, decided: &mut Decided) {
    let relations = |hash: &_| plan.documents.get(hash).map(|document| &document.relations);
    fold_relations(known, &decided.runs, relations, &mut decided.ops);
}

/// A resource as it is to be stored. Whether it is gone is told later, from what was written, where any source says
/// so: see [`super::write::lifecycle`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    pub(super) name: String,
    pub(super) tags: Value,
    pub(super) since: Option<Timestamp>,
    pub(super) evidence: i16,
    /// True when no source has a document now, though one had: name and tags come from the last one.
    pub(super) name_from_history: bool,
    /// True when a source says that it is gone.
    pub(super) said_gone: bool,
}

/// One source's latest word about a resource.
#[derive(Debug, Clone)]
pub(super) struct Voice<'a> {
    source: &'a str,
    rank: i16,
    run: Run,
    label: Option<(Option<&'a str>, &'a Value)>,
}

/// The current answer about a resource, from every source's latest word.
pub(super) fn show(
    native_id: &str,
    evidence: i16,
    since: Option<Timestamp>,
    voices: &mut [Voice<'_>],
) -> Shown {
    voices.sort_by(|a, b| (b.rank, b.run.from, a.source).cmp(&(a.rank, a.run.from, b.source)));
    let name = voices.iter().find_map(|voice| voice.label.and_then(|(name, _)| name));
    let tags =
        voices.iter().filter_map(|voice| voice.label.map(|(_, tags)| tags)).find(|tags| **tags != json!({}));
    let documented = voices.iter().any(|voice| matches!(voice.run.fact.content, Content::Document(_)));
    Shown {
        name: name.unwrap_or(native_id).to_owned(),
        tags: tags.cloned().unwrap_or_else(|| json!({})),
        since,
        evidence,
        name_from_history: !documented && evidence >= Evidence::Document as i16,
        said_gone: voices.iter().any(|voice| voice.run.fact.content == Content::Deleted),
    }
}

/// What is known of the sources' words about resources, stored and decided.
#[derive(Debug)]
pub(super) struct Words<'a> {
    pub(super) heads: &'a BTreeMap<Speaker, Head>,
    pub(super) decided: &'a BTreeMap<Speaker, Decided>,
    pub(super) plan: &'a Plan<'a>,
    pub(super) labels: &'a Labels,
}

impl<'a> Words<'a> {
    /// Every source's latest word about one resource: the decided ones, and the stored ones that nothing new was
    /// said of.
    pub(super) fn voices(&self, id: ResourceId) -> Vec<Voice<'a>> {
        let from = (id, String::new());
        let decided = self.decided.range(from.clone()..).take_while(|(speaker, _)| speaker.0 == id);
        let decided = decided.filter_map(|((_, source), decided)| {
            decided.runs.last().map(|run| self.voice(source, decided.rank, *run))
        });
        let stored = self.heads.range(from..).take_while(|(speaker, _)| speaker.0 == id);
        let stored = stored.filter(|(speaker, _)| !self.decided.contains_key(*speaker));
        let stored = stored.map(|((_, source), head)| self.voice(source, head.rank, head.run.run));
        decided.chain(stored).collect()
    }

    fn voice(&self, source: &'a str, rank: i16, run: Run) -> Voice<'a> {
        let label = match run.fact.content {
            Content::Present | Content::Deleted => None,
            Content::Document(hash) => match self.plan.documents.get(&hash) {
                Some(planned) => Some((planned.name.as_deref(), &planned.tags)),
                None => self.labels.get(&hash).map(|(name, tags)| (name.as_deref(), tags)),
            },
        };
        Voice { source, rank, run, label }
    }
}

/// Whether the stored row already says so.
pub(super) fn unchanged(stored: &StoredResource, shown: &Shown) -> bool {
    !shown.name_from_history
        && stored.name == shown.name
        && stored.tags == shown.tags
        && stored.since == shown.since
        && stored.evidence == shown.evidence
}
