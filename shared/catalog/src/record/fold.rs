//! What new facts do to what is known of one resource and source: a pure function from the known runs, sightings and
//! edges and the new facts to the rows that have to change.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    ContentHash, ResourceId, Timestamp,
    timeline::{Content, Fact, Facts, Run},
};

/// The `state_id` of a fact that a listing implies: below every state a source can name, so a real fact of the same
/// instant wins, and recognisable, so it can be derived again.
pub(super) const DERIVED: i64 = i64::MIN;

/// The relations that a document states.
pub(super) type Relations = BTreeSet<(String, ResourceId)>;

/// A stored run, and when it was learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KnownRun {
    pub(super) run: Run,
    pub(super) recorded_at: Timestamp,
}

/// A stored edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownEdge {
    pub(super) kind: String,
    pub(super) to: ResourceId,
    pub(super) from: Timestamp,
    pub(super) until: Option<Timestamp>,
    pub(super) recorded_at: Timestamp,
}

/// What is stored of one resource and source, as far as the new facts can reach: every run that ends at or after the
/// earliest new fact, the sightings at or after it, and the edges that meet those runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) runs: Vec<KnownRun>,
    pub(super) sightings: Vec<(Timestamp, i64, bool)>,
    pub(super) edges: Vec<KnownEdge>,
}

/// An edge over an interval.
pub(super) type EdgeSpan = (String, ResourceId, Timestamp, Option<Timestamp>);

/// The rows that have to change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ops {
    /// Runs to insert.
    pub(super) added: Vec<Run>,
    /// Runs that had no end and now end, with nothing else about them changed.
    pub(super) ended: Vec<(KnownRun, Timestamp)>,
    /// Runs that turned out to be otherwise.
    pub(super) superseded: Vec<KnownRun>,
    /// Sightings to insert: instant, state id, whether the document was seen.
    pub(super) sighted: Vec<(Timestamp, i64, bool)>,
    /// Sightings that became the beginning of a run, or gave way to a greater fact.
    pub(super) unsighted: Vec<Timestamp>,
    /// Edges to insert.
    pub(super) edges_added: Vec<EdgeSpan>,
    /// Edges that had no end and now end.
    pub(super) edges_ended: Vec<(KnownEdge, Timestamp)>,
    /// Edges that turned out to be otherwise.
    pub(super) edges_superseded: Vec<KnownEdge>,
}

impl Ops {
    /// Whether no run changes.
    pub(super) fn keeps_runs(&self) -> bool {
        self.added.is_empty() && self.ended.is_empty() && self.superseded.is_empty()
    }
}

impl Known {
    /// The facts behind what is stored.
    pub(super) fn facts(&self) -> Facts {
        let mut facts = Facts::default();
        for known in &self.runs {
            facts.add(known.run.from, known.run.fact);
        }
        for (at, state_id, documented) in &self.sightings {
            let run = self.runs.iter().rev().find(|known| known.run.from <= *at);
            let content = match run.map(|known| known.run.fact.content) {
                Some(Content::Document(hash)) if *documented => Content::Document(hash),
                Some(Content::Deleted) => Content::Deleted,
                Some(Content::Document(_) | Content::Present) | None => Content::Present,
            };
            facts.add(*at, Fact { state_id: *state_id, content });
        }
        facts
    }

    /// The relations that held at an instant.
    fn relations_at(&self, at: Timestamp) -> Relations {
        self.edges
            .iter()
            .filter(|edge| edge.from <= at && edge.until.is_none_or(|until| until > at))
            .map(|edge| (edge.kind.clone(), edge.to))
            .collect()
    }
}

/// The rows that have to change so that `known` means `facts`.
///
/// `facts` must hold every fact of `known` (see [`Known::facts`]) that still stands.
pub(super) fn fold(known: &Known, facts: &Facts) -> (Ops, Vec<Run>) {
    let timeline = facts.fold();
    let mut ops = Ops::default();
    fold_runs(known, &timeline.runs, &mut ops);
    fold_sightings(known, &timeline.sightings, &mut ops);
    (ops, timeline.runs)
}

/// Adds to `ops` what the runs mean for the edges. `relations` answers for the documents of the batch; those of
/// stored documents are read off the stored edges.
pub(super) fn fold_relations<'r>(
    known: &Known,
    runs: &[Run],
    relations: impl Fn(&ContentHash) -> Option<&'r Relations>,
    ops: &mut Ops,
) {
    let wanted = edges_of(known, runs, relations);
    fold_edges(known, wanted, ops);
}

fn fold_runs(known: &Known, wanted: &[Run], ops: &mut Ops) {
    let mut stored: BTreeMap<Timestamp, KnownRun> = known.runs.iter().map(|k| (k.run.from, *k)).collect();
    for run in wanted {
        match stored.remove(&run.from) {
            Some(known) if known.run == *run => {}
            Some(known) if known.run.fact == run.fact && known.run.to.is_none() => {
                // `wanted` differs from the stored open run only by having an end.
                ops.ended.extend(run.to.map(|to| (known, to)));
            }
            Some(known) => {
                ops.superseded.push(known);
                ops.added.push(*run);
            }
            None => ops.added.push(*run),
        }
    }
    ops.superseded.extend(stored.into_values());
}

fn fold_sightings(known: &Known, wanted: &[(Timestamp, Fact)], ops: &mut Ops) {
    let stored: BTreeMap<Timestamp, (i64, bool)> =
        known.sightings.iter().map(|(at, s, d)| (*at, (*s, *d))).collect();
    let wanted: BTreeMap<Timestamp, (i64, bool)> = wanted
        .iter()
        .map(|(at, fact)| (*at, (fact.state_id, matches!(fact.content, Content::Document(_)))))
        .collect();
    ops.unsighted =
        stored.iter().filter(|(at, held)| wanted.get(at) != Some(held)).map(|(at, _)| *at).collect();
    ops.sighted = wanted
        .iter()
        .filter(|(at, held)| stored.get(at) != Some(held))
        .map(|(at, (s, d))| (*at, *s, *d))
        .collect();
}

/// The edges that the runs mean, neighbouring runs with the same edge joined. An edge that began before the first
/// run at hand keeps its beginning.
fn edges_of<'r>(
    known: &Known,
    runs: &[Run],
    relations: impl Fn(&ContentHash) -> Option<&'r Relations>,
) -> Vec<EdgeSpan> {
    let mut of_stored: BTreeMap<ContentHash, Relations> = BTreeMap::new();
    for stored in &known.runs {
        if let Content::Document(hash) = stored.run.fact.content {
            of_stored.entry(hash).or_insert_with(|| known.relations_at(stored.run.from));
        }
    }
    let empty = Relations::new();
    let mut spans: Vec<EdgeSpan> = Vec::new();
    let mut open: BTreeMap<(String, ResourceId), Timestamp> = BTreeMap::new();
    let mut began_before: BTreeMap<(String, ResourceId), Timestamp> = BTreeMap::new();
    if let Some(first) = runs.first() {
        for edge in &known.edges {
            if edge.from < first.from && edge.until.is_none_or(|until| until > first.from) {
                began_before.insert((edge.kind.clone(), edge.to), edge.from);
            }
        }
    }
    for run in runs {
        let holds = match run.fact.content {
            Content::Document(hash) => relations(&hash).or_else(|| of_stored.get(&hash)).unwrap_or(&empty),
            Content::Present | Content::Deleted => &empty,
        };
        let ending: Vec<_> = open.keys().filter(|edge| !holds.contains(*edge)).cloned().collect();
        for edge in ending {
            if let Some(from) = open.remove(&edge) {
                spans.push((edge.0, edge.1, from, Some(run.from)));
            }
        }
        for edge in holds {
            open.entry(edge.clone()).or_insert_with(|| began_before.remove(edge).unwrap_or(run.from));
        }
        began_before.clear();
    }
    spans.extend(open.into_iter().map(|((kind, to), from)| (kind, to, from, None)));
    spans
}

fn fold_edges(known: &Known, wanted: Vec<EdgeSpan>, ops: &mut Ops) {
    let reach = known.runs.first().map(|k| k.run.from);
    // An edge that ended at the very beginning of what was loaded belongs to runs that were not loaded.
    let reached = known.edges.iter().filter(|edge| match (edge.until, reach) {
        (Some(until), Some(reach)) => until > reach,
        _ => true,
    });
    let mut stored: BTreeMap<(String, ResourceId, Timestamp), KnownEdge> =
        reached.map(|edge| ((edge.kind.clone(), edge.to, edge.from), edge.clone())).collect();
    for (kind, to, from, until) in wanted {
        match stored.remove(&(kind.clone(), to, from)) {
            Some(edge) if edge.until == until => {}
            Some(edge) if edge.until.is_none() => ops.edges_ended.extend(until.map(|until| (edge, until))),
            Some(edge) => {
                ops.edges_superseded.push(edge);
                ops.edges_added.push((kind, to, from, until));
            }
            None => ops.edges_added.push((kind, to, from, until)),
        }
    }
    ops.edges_superseded.extend(stored.into_values());
}
