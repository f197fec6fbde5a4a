//! From what is stored and what a batch says to what has to be written: pure.

use std::collections::BTreeMap;

use model::{
    Timestamp,
    timeline::{Content, Fact, Facts, Run},
};

use super::{
    fold::{DERIVED, Known, Ops, fold, fold_relations},
    listings::Listing,
    plan::{Plan, PlannedTimeline},
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
