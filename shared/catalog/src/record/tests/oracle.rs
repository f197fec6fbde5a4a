//! What a set of observations means, worked out the slow and obvious way: for each resource and source, ask at every
//! instant what the facts up to then say. Shares nothing with `record` but the model's plain types.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Completeness, ListingId, Observation, ObservationKey, Partition, ResourceId, Sighting, Timestamp,
};

/// One version or edge, as text.
pub(super) type Line = String;

/// The meaning of a set of observations, as sorted lines that a test can compare and print.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) versions: BTreeSet<Line>,
    pub(super) edges: BTreeSet<Line>,
    pub(super) deleted: BTreeSet<Line>,
    pub(super) shown: BTreeSet<Line>,
}

impl Meaning {
    /// Adds the meaning of another account.
    pub(super) fn add(&mut self, other: Self) {
        self.versions.extend(other.versions);
        self.edges.extend(other.edges);
        self.deleted.extend(other.deleted);
        self.shown.extend(other.shown);
    }
}

/// What holds at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Present,
    Document(String, BTreeSet<(String, ResourceId)>),
    Deleted,
}

/// A fact in the order of law 1: state id first (derived absences lowest), then content, deletion last.
type Ordered = ((i64, u8, String), State);

#[derive(Debug)]
struct Listed {
    source: String,
    partition: Partition,
    began: Timestamp,
    grace: chrono::Duration,
    seen: BTreeSet<ResourceId>,
}

pub(super) fn meaning(observations: &[Observation]) -> Meaning {
    let unique: BTreeMap<ObservationKey, &Observation> = observations.iter().map(|o| (o.key, o)).collect();
    let mut facts: BTreeMap<(ResourceId, String), BTreeMap<Timestamp, Ordered>> = BTreeMap::new();
    let mut partitions: BTreeMap<ResourceId, Partition> = BTreeMap::new();
    // A sighting counts for "since" even where a greater fact of the same instant decides the state.
    let mut since: BTreeMap<ResourceId, Timestamp> = BTreeMap::new();
    for observation in unique.values() {
        for fact in &observation.resources {
            let Some(ordered) = ordered(&fact.sighting, fact.state_id) else { continue };
            let id = fact.key.id();
            partitions.insert(id, partition_of(&fact.key));
            if ordered.1 != State::Deleted {
                let held = since.entry(id).or_insert(observation.occurred_at);
                *held = (*held).min(observation.occurred_at);
            }
            add(&mut facts, (id, observation.source.name.clone()), observation.occurred_at, ordered);
        }
    }
    let absences = absences(&complete_listings(unique.values().copied()), &facts, &partitions, &since);
    for (speaker, at) in absences {
        add(&mut facts, speaker, at, ((i64::MIN, 2, String::new()), State::Deleted));
    }
    let mut meaning = Meaning::default();
    for ((id, source), facts) in &facts {
        describe(*id, source, facts, &mut meaning);
    }
    for id in partitions.keys() {
        if let Some(at) = gone_since(*id, &facts) {
            meaning.deleted.insert(format!("{id} {at}"));
        }
    }
    let labels = labels(unique.values().copied());
    for (id, (native_id, named)) in &named(unique.values().copied()) {
        show(*id, native_id, *named, &facts, &labels, &mut meaning);
    }
    meaning
}

/// When anything was first said of each resource, and what its provider calls it.
fn named<'a>(
    observations: impl Iterator<Item = &'a Observation>,
) -> BTreeMap<ResourceId, (String, Timestamp)> {
    let mut named: BTreeMap<ResourceId, (String, Timestamp)> = BTreeMap::new();
    let mut name = |key: &model::ResourceKey, at: Timestamp| {
        let held = named.entry(key.id()).or_insert_with(|| (key.native_id.clone(), at));
        held.1 = held.1.min(at);
    };
    for observation in observations {
        let at = observation.occurred_at;
        for fact in &observation.resources {
            name(&fact.key, at);
            if let Sighting::Documented(document) = &fact.sighting {
                document.relations.iter().for_each(|relation| name(&relation.to, at));
            }
        }
        for change in &observation.changes {
            change.resources.iter().for_each(|touched| name(&touched.key, change.occurred_at));
        }
        for finding in &observation.findings {
            finding.resources.iter().for_each(|key| name(key, finding.at));
        }
    }
    named
}

/// Name and tags of documents, by their hashes.
type Labels = BTreeMap<String, (Option<String>, String)>;

fn labels<'a>(observations: impl Iterator<Item = &'a Observation>) -> Labels {
    let documents = observations.flat_map(|o| &o.resources).filter_map(|fact| match &fact.sighting {
        Sighting::Documented(document) => Some(document),
        Sighting::Mentioned | Sighting::Present | Sighting::Deleted => None,
    });
    documents
        .map(|d| (d.hash().to_string(), (d.name.clone(), serde_json::json!(d.tags).to_string())))
        .collect()
}

/// What is shown of a resource at every instant at which anything was said, from all that was said until then.
fn show(
    id: ResourceId,
    native_id: &str,
    named: Timestamp,
    facts: &BTreeMap<(ResourceId, String), BTreeMap<Timestamp, Ordered>>,
    labels: &Labels,
    meaning: &mut Meaning,
) {
    let of_id = facts.iter().filter(|((of, _), _)| *of == id);
    let instants: BTreeSet<Timestamp> =
        of_id.clone().flat_map(|(_, facts)| facts.keys().copied()).chain([named]).collect();
    let mut spans: Vec<(Timestamp, String)> = Vec::new();
    for at in instants {
        let past: BTreeMap<_, BTreeMap<Timestamp, Ordered>> = of_id
            .clone()
            .map(|(speaker, facts)| {
                (speaker.clone(), facts.range(..=at).map(|(at, fact)| (*at, fact.clone())).collect())
            })
            .collect();
        let (name, tags) = label(&past, labels);
        let gone = gone_since(id, &past);
        let line = format!("{} {} {gone:?}", name.unwrap_or_else(|| native_id.to_owned()), tags);
        if spans.last().is_none_or(|(_, last)| *last != line) {
            spans.push((at, line));
        }
    }
    let ends = spans.iter().skip(1).map(|(at, _)| Some(*at)).chain([None]);
    for ((from, line), to) in spans.iter().zip(ends) {
        meaning.shown.insert(format!("{id} {from} {to:?} {line}"));
    }
}

/// The name and the tags by the weightiest source that documents the resource, or else that did so last.
fn label(
    past: &BTreeMap<(ResourceId, String), BTreeMap<Timestamp, Ordered>>,
    labels: &Labels,
) -> (Option<String>, String) {
    let rank = |source: &str| if source == "config" { 3 } else { 1 };
    let mut current = Vec::new();
    let mut former = Vec::new();
    for ((_, source), facts) in past {
        let runs = runs(facts);
        let ends = runs.iter().skip(1).map(|(at, _)| Some(*at)).chain([None]);
        for ((from, state), to) in runs.iter().zip(ends) {
            let State::Document(hash, _) = state else { continue };
            match to {
                None => current.push(((rank(source), *from, std::cmp::Reverse(source)), hash.clone())),
                Some(to) => former.push(((rank(source), to, std::cmp::Reverse(source)), hash.clone())),
            }
        }
    }
    current.sort_unstable();
    former.sort_unstable();
    let counting: Vec<&String> = if current.is_empty() {
        former.last().map(|(_, hash)| hash).into_iter().collect()
    } else {
        current.iter().rev().map(|(_, hash)| hash).collect()
    };
    let name = counting.iter().find_map(|hash| labels.get(*hash)?.0.clone());
    let tags = counting.first().and_then(|hash| labels.get(*hash)).map(|(_, tags)| tags.clone());
    (name, tags.unwrap_or_else(|| "{}".to_owned()))
}

/// The earliest word of a source that calls it gone, after the last that any other source saw of it.
fn gone_since(
    id: ResourceId,
    facts: &BTreeMap<(ResourceId, String), BTreeMap<Timestamp, Ordered>>,
) -> Option<Timestamp> {
    let rank = |source: &str| if source == "config" { 3 } else { 1 };
    let of_id = facts.iter().filter(|((of, _), _)| *of == id);
    let (gone, there): (Vec<_>, Vec<_>) =
        of_id.partition(|(_, facts)| matches!(runs(facts).last(), Some((_, State::Deleted))));
    let word = |source: &str, at: &Timestamp, fact: &Ordered| (*at, fact.0.0, rank(source));
    let seen = there
        .iter()
        .filter_map(|((_, source), facts)| facts.last_key_value().map(|(at, fact)| word(source, at, fact)));
    let seen = seen.max();
    let said = gone.iter().flat_map(|((_, source), facts)| {
        let began = runs(facts).last().map(|(at, _)| *at);
        facts.iter().filter(move |(at, _)| Some(**at) >= began).map(move |(at, fact)| word(source, at, fact))
    });
    said.filter(|word| seen.is_none_or(|seen| *word >= seen)).map(|(at, _, _)| at).min()
}

fn partition_of(key: &model::ResourceKey) -> Partition {
    Partition { account: key.account.clone(), region: key.region.clone(), kind: key.kind.clone() }
}

fn ordered(sighting: &Sighting, state_id: i64) -> Option<Ordered> {
    match sighting {
        Sighting::Mentioned => None,
        Sighting::Present => Some(((state_id, 0, String::new()), State::Present)),
        Sighting::Deleted => Some(((state_id, 2, String::new()), State::Deleted)),
        Sighting::Documented(document) => {
            let hash = document.hash().to_string();
            let relations = document.relations.iter().map(|r| (r.kind.clone(), r.to.id())).collect();
            Some(((state_id, 1, hash.clone()), State::Document(hash, relations)))
        }
    }
}

fn add(
    facts: &mut BTreeMap<(ResourceId, String), BTreeMap<Timestamp, Ordered>>,
    speaker: (ResourceId, String),
    at: Timestamp,
    fact: Ordered,
) {
    let held = facts.entry(speaker).or_default().entry(at).or_insert_with(|| fact.clone());
    if fact.0 > held.0 {
        *held = fact;
    }
}

fn complete_listings<'a>(observations: impl Iterator<Item = &'a Observation> + Clone) -> Vec<Listed> {
    let mut pages: BTreeMap<ListingId, (BTreeSet<i32>, BTreeSet<ResourceId>)> = BTreeMap::new();
    for observation in observations.clone() {
        if let Completeness::Page { listing, page } = observation.completeness {
            let (numbers, seen) = pages.entry(listing).or_default();
            numbers.insert(page);
            seen.extend(observation.resources.iter().map(|fact| fact.key.id()));
        }
    }
    observations
        .filter_map(|observation| {
            let Completeness::Closing { listing, partition, pages: wanted, count, grace_seconds } =
                &observation.completeness
            else {
                return None;
            };
            let (numbers, seen) = pages.get(listing).cloned().unwrap_or_default();
            let whole =
                i64::try_from(seen.len()) == Ok(*count) && i32::try_from(numbers.len()) == Ok(*wanted);
            whole.then(|| Listed {
                source: observation.source.name.clone(),
                partition: partition.clone(),
                began: observation.occurred_at,
                grace: chrono::Duration::seconds((*grace_seconds).into()),
                seen,
            })
        })
        .collect()
}

fn absences(
    listings: &[Listed],
    facts: &BTreeMap<(ResourceId, String), BTreeMap<Timestamp, Ordered>>,
    partitions: &BTreeMap<ResourceId, Partition>,
    since: &BTreeMap<ResourceId, Timestamp>,
) -> Vec<((ResourceId, String), Timestamp)> {
    let mut absent = Vec::new();
    for listing in listings {
        for (id, partition) in partitions {
            let seen: Vec<Timestamp> = facts
                .iter()
                .filter(|((of, _), _)| of == id)
                .flat_map(|(_, facts)| facts)
                .filter(|(_, (_, state))| *state != State::Deleted)
                .map(|(at, _)| *at)
                .collect();
            let before = since.get(id).is_some_and(|since| *since < listing.began);
            let lately = seen.iter().any(|at| *at > listing.began - listing.grace && *at <= listing.began);
            if *partition == listing.partition && !listing.seen.contains(id) && before && !lately {
                absent.push(((*id, listing.source.clone()), listing.began));
            }
        }
    }
    absent
}

/// The runs: every change of state with its instant.
fn runs(facts: &BTreeMap<Timestamp, Ordered>) -> Vec<(Timestamp, State)> {
    let mut runs: Vec<(Timestamp, State)> = Vec::new();
    for (at, (_, state)) in facts {
        let same = match (runs.last().map(|(_, state)| state), state) {
            (Some(State::Document(..)), State::Present) => true,
            (Some(held), state) => held == state,
            (None, _) => false,
        };
        if !same {
            runs.push((*at, state.clone()));
        }
    }
    runs
}

fn describe(id: ResourceId, source: &str, facts: &BTreeMap<Timestamp, Ordered>, meaning: &mut Meaning) {
    let runs = runs(facts);
    let ends = runs.iter().skip(1).map(|(at, _)| Some(*at)).chain([None]);
    let mut open: BTreeMap<(String, ResourceId), Timestamp> = BTreeMap::new();
    for ((from, state), to) in runs.iter().zip(ends) {
        let (content, relations) = match state {
            State::Present => ("present".to_owned(), BTreeSet::new()),
            State::Deleted => ("deleted".to_owned(), BTreeSet::new()),
            State::Document(hash, relations) => (hash.clone(), relations.clone()),
        };
        meaning.versions.insert(format!("{id} {source} {from} {to:?} {content}"));
        for edge in &relations {
            open.entry(edge.clone()).or_insert(*from);
        }
        let ended: Vec<_> = open.keys().filter(|edge| !relations.contains(*edge)).cloned().collect();
        for (kind, to_id) in ended {
            if let Some(began) = open.remove(&(kind.clone(), to_id)) {
                meaning.edges.insert(format!("{id} {source} {kind} {to_id} {began} {:?}", Some(*from)));
            }
        }
    }
    for ((kind, to_id), began) in open {
        meaning.edges.insert(format!("{id} {source} {kind} {to_id} {began} {:?}", None::<Timestamp>));
    }
}
