//! What a set of facts about one resource and one source means: a timeline of runs.
//!
//! Facts are a set; their order of arrival says nothing. They are ordered by (instant, state id, content), the last
//! of an instant is its state, and equal neighbours are one run. Everything here is a pure function of that set, so
//! recording any permutation and repetition of observations gives the same timeline (law 1 of the design).

use std::collections::BTreeMap;

use crate::{ContentHash, Timestamp};

/// What a fact says, in ascending order of preference at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    /// It was there; its document is not said. It continues whatever document is known, and starts a bare run
    /// after a deletion or at the beginning.
    Present,
    /// It was there with this document.
    Document(ContentHash),
    /// It was gone.
    Deleted,
}

/// The order of facts of one instant, and what the fact says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    /// The source's own order of states (`configurationStateId`), 0 where it has none.
    pub state_id: i64,
    /// What it says.
    pub content: Content,
}

/// A half-open interval over which one content holds. The last run of a timeline has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Where it begins.
    pub from: Timestamp,
    /// Where it ends: the beginning of the next run.
    pub to: Option<Timestamp>,
    /// The fact it begins with; `content` is `Present` only when no document was known.
    pub fact: Fact,
}

/// The facts of one resource and source, at most one an instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<Timestamp, Fact>);

impl Facts {
    /// Adds a fact. At one instant the greater fact stays, so the order of adding does not matter.
    pub fn add(&mut self, at: Timestamp, fact: Fact) {
        self.0.entry(at).and_modify(|held| *held = (*held).max(fact)).or_insert(fact);
    }

    /// The facts in order.
    pub fn iter(&self) -> impl Iterator<Item = (Timestamp, Fact)> + '_ {
        self.0.iter().map(|(at, fact)| (*at, *fact))
    }

    /// The runs that these facts mean.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        self.fold().runs
    }

    /// The runs, and the facts inside them that begin none: sightings.
    #[must_use]
    pub fn fold(&self) -> Timeline {
        let mut timeline = Timeline::default();
        for (at, fact) in self.iter() {
            match timeline.runs.last_mut() {
                Some(run) if continues(run.fact.content, fact.content) => timeline.sightings.push((at, fact)),
                last => {
                    if let Some(run) = last {
                        run.to = Some(at);
                    }
                    timeline.runs.push(Run { from: at, to: None, fact });
                }
            }
        }
        timeline
    }
}

/// A folded set of facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// The runs, in order, without gaps.
    pub runs: Vec<Run>,
    /// The facts that begin no run.
    pub sightings: Vec<(Timestamp, Fact)>,
}

/// Whether a fact that says `next` begins no new run after one of `current`.
fn continues(current: Content, next: Content) -> bool {
    match (current, next) {
        (Content::Document(_), Content::Present) => true,
        (Content::Present | Content::Document(_) | Content::Deleted, _) => current == next,
    }
}
