//! `record`: the one way into the catalog.
//!
//! One transaction: claim the keys, lock what is touched, read what the decision needs, decide in pure functions
//! ([`fold`], [`decide`]), write. The number of statements does not depend on the number of rows. Two writers that
//! collide (the same new resource, a deadlock) are told apart by the database; the loser starts over.

mod decide;
mod fold;
pub(crate) mod listings;
pub(crate) mod load;
mod plan;
mod signals;
pub(crate) mod states;
#[cfg(test)]
pub(crate) mod tests;
mod unchanged;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use model::{Observation, Partition, ResourceId, Timestamp, timeline::Facts};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use self::{
    decide::Decided,
    fold::Known,
    listings::Listing,
    load::{Head, Held, StoredResource, Wanted},
    plan::{Plan, PlannedResource, PlannedTimeline, Speaker},
};
use crate::{Error, Recorded, connect};

/// How often a writer that lost a race starts over before it gives up.
const ATTEMPTS: u32 = 10;

pub(crate) async fn record(
    pool: &PgPool,
    observations: &[Observation],
    now: Timestamp,
) -> Result<Vec<Recorded>, Error> {
    let mut attempt = 1;
    loop {
        match attempt_to_record(pool, observations, now).await {
            Err(Failure::Lost) if attempt < ATTEMPTS => {}
            Err(Failure::Error(error)) if error.is_collision() && attempt < ATTEMPTS => {}
            Err(Failure::Error(error)) => return Err(error),
            Err(Failure::Lost) => return Err(Error::Contended),
            Ok(recorded) => return Ok(recorded),
        }
        attempt += 1;
    }
}

/// Why an attempt did not succeed.
enum Failure {
    /// Another writer created a resource between our look and our insert.
    Lost,
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

async fn attempt_to_record(
    pool: &PgPool,
    observations: &[Observation],
    now: Timestamp,
) -> Result<Vec<Recorded>, Failure> {
    let mut tx = connect::begin(pool).await.map_err(Error::connecting)?;
    let claimed = write::claim(&mut tx, observations, now).await?;
    let mut first = BTreeSet::new();
    let answers: Vec<Recorded> = observations
        .iter()
        .map(|o| {
            if claimed.contains(&o.key) && first.insert(o.key) { Recorded::New } else { Recorded::Duplicate }
        })
        .collect();
    if !claimed.is_empty() {
        let answered = observations.iter().zip(&answers);
        let new: Vec<&Observation> = answered.filter(|(_, a)| **a == Recorded::New).map(|(o, _)| o).collect();
        let unchanged = unchanged::find(&mut tx, &new).await?;
        let plan = Plan::of(&new, &unchanged);
        record_plan(&mut tx, &plan, now).await?;
    }
    tx.commit().await.map_err(Error::writing("the transaction"))?;
    Ok(answers)
}

async fn record_plan(db: &mut PgConnection, plan: &Plan<'_>, now: Timestamp) -> Result<(), Failure> {
    let touched = touch(db, plan, now).await?;
    let decided = decide(db, plan, &touched).await?;
    let finding_ids: Vec<Uuid> = plan.findings.iter().map(|finding| finding.id.into()).collect();
    let findings =
        if finding_ids.is_empty() { BTreeMap::new() } else { load::finding_states(db, &finding_ids).await? };

    write::documents(db, plan, now).await?;
    write::runs(db, &touched.heads, &decided, now).await?;
    write::sightings(db, &decided).await?;
    write::edges(db, &decided, now).await?;
    if !states::settle(db, plan, &touched, &decided, now).await? {
        return Err(Failure::Lost);
    }
    write::aliases(db, plan).await?;
    write::changes(db, plan, now).await?;
    write::findings(db, plan, now).await?;
    let signals = signals::of(plan, &touched, &decided, &findings);
    crate::outbox::put(db, &signals, now).await?;
    write::heard(db, plan, now).await?;
    Ok(())
}

/// What the batch touches, and what is stored of it.
#[derive(Debug, Default)]
struct Touched {
    /// The earliest instant that anything new was said of each resource.
    earliest: BTreeMap<ResourceId, Timestamp>,
    stored: BTreeMap<ResourceId, StoredResource>,
    /// What is stored of the resources that the batch only mentions.
    held: BTreeMap<ResourceId, Held>,
    heads: BTreeMap<Speaker, Head>,
    /// The complete listings that do not have a resource though it may have been there before they began.
    absences: BTreeMap<ResourceId, Vec<Listing>>,
}

async fn touch(db: &mut PgConnection, plan: &Plan<'_>, now: Timestamp) -> Result<Touched, Error> {
    let partition = |resource: &PlannedResource| Partition {
        account: resource.key.account.clone(),
        region: resource.key.region.clone(),
        kind: resource.key.kind.clone(),
    };
    let mut earliest = listings::store(db, plan, now).await?;
    for ((id, _), timeline) in &plan.timelines {
        if let Some((at, _)) = timeline.facts.iter().next() {
            earliest.entry(*id).and_modify(|held| *held = (*held).min(at)).or_insert(at);
        }
    }
    let mentioned: Vec<Uuid> =
        plan.resources.keys().filter(|id| !earliest.contains_key(id)).map(|id| Uuid::from(*id)).collect();
    let held = if mentioned.is_empty() { BTreeMap::new() } else { load::held(db, &mentioned).await? };
    // What is mentioned at an earlier instant than ever before begins earlier, and by another name is found by it.
    let renamed: BTreeSet<ResourceId> = plan
        .aliases
        .keys()
        .filter(|(alias, id)| {
            let known = |held: &Held| held.words.lines().any(|word| word == alias.to_lowercase());
            !alias.starts_with("arn:") && held.get(id).is_some_and(|held| !known(held))
        })
        .map(|(_, id)| *id)
        .collect();
    let earlier = held.iter().filter(|(id, held)| {
        renamed.contains(id) || plan.resources.get(id).is_some_and(|p| p.named < held.named_at)
    });
    let ids: Vec<Uuid> = earliest.keys().chain(earlier.map(|(id, _)| id)).map(|id| Uuid::from(*id)).collect();
    let stored = load::lock(db, &ids).await?;
    let ids: Vec<Uuid> = stored.keys().map(|id| Uuid::from(*id)).collect();
    let heads = if ids.is_empty() { BTreeMap::new() } else { load::heads(db, &ids).await? };

    let wanted: Vec<(ResourceId, Partition, Timestamp)> = earliest
        .iter()
        .filter_map(|(id, at)| {
            let partition = match (plan.resources.get(id), stored.get(id)) {
                (Some(planned), _) => partition(planned),
                (None, Some(row)) => Partition {
                    account: row.account.clone(),
                    region: row.region.clone(),
                    kind: row.kind.clone(),
                },
                (None, None) => return None,
            };
            Some((*id, partition, *at))
        })
        .collect();
    let absences = listings::absences(db, &wanted).await?;
    Ok(Touched { earliest, stored, held, heads, absences })
}

async fn decide(
    db: &mut PgConnection,
    plan: &Plan<'_>,
    touched: &Touched,
) -> Result<BTreeMap<Speaker, Decided>, Error> {
    let mut known = load_known(db, plan, touched).await?;
    let mut decided = BTreeMap::new();
    for (speaker, timeline) in &plan.timelines {
        if !touched.absences.contains_key(&speaker.0) {
            let empty = Known::default();
            let known = known.get(speaker).unwrap_or(&empty);
            let facts = decide::standing(known, Some(&timeline.facts), None);
            decided.insert(speaker.clone(), decide::decide(known, timeline.rank, &facts));
        }
    }
    for (id, listings) in &touched.absences {
        decided.extend(decide_with_listings(plan, touched, &known, *id, listings));
    }

    let mut wanted = Wanted::default();
    for (speaker, decided) in decided.iter().filter(|(_, decided)| !decided.ops.keeps_runs()) {
        let reach = known.get(speaker).and_then(|known| known.runs.first()).map(|known| known.run.from);
        match reach {
            Some(reach) => wanted.push(speaker, reach),
            None => debug_assert!(decided.ops.ended.is_empty(), "nothing known can end"),
        }
    }
    if !wanted.is_empty() {
        load::add_edges(db, &wanted, &mut known).await?;
    }
    let empty = Known::default();
    for (speaker, decided) in decided.iter_mut().filter(|(_, decided)| !decided.ops.keeps_runs()) {
        decide::decide_edges(plan, known.get(speaker).unwrap_or(&empty), decided);
    }
    Ok(decided)
}

/// What is stored of every speaker that anything new was said of, as far as it reaches.
async fn load_known(
    db: &mut PgConnection,
    plan: &Plan<'_>,
    touched: &Touched,
) -> Result<BTreeMap<Speaker, Known>, Error> {
    let mut known: BTreeMap<Speaker, Known> = BTreeMap::new();
    let (mut late, mut reached) = (Wanted::default(), Wanted::default());
    for (speaker, head) in &touched.heads {
        let from = match touched.absences.get(&speaker.0) {
            // What a listing implies depends on every source, and on facts as old as its grace.
            Some(listings) => touched.earliest.get(&speaker.0).map(|at| {
                let grace = listings.iter().map(|l| l.grace_seconds).max().unwrap_or(0);
                *at - chrono::Duration::seconds(grace.into())
            }),
            None => plan.timelines.get(speaker).and_then(|t| t.facts.iter().next()).map(|(at, _)| at),
        };
        let Some(from) = from else { continue };
        known.entry(speaker.clone()).or_default().runs.push(head.run);
        reached.push(speaker, from);
        if from <= head.run.run.from {
            late.push(speaker, from);
        }
    }
    if !late.is_empty() {
        load::add_closed(db, &late, &mut known).await?;
    }
    if !reached.is_empty() {
        load::add_sightings(db, &reached, &mut known).await?;
    }
    Ok(known)
}

/// Decides every speaker of a resource that complete listings do not have.
fn decide_with_listings(
    plan: &Plan<'_>,
    touched: &Touched,
    known: &BTreeMap<Speaker, Known>,
    id: ResourceId,
    listings: &[Listing],
) -> Vec<(Speaker, Decided)> {
    let from = (id, String::new());
    let rederive = touched.earliest.get(&id).copied();
    let mut timelines: BTreeMap<String, (i16, Facts)> = BTreeMap::new();
    for (speaker, known) in known.range(from.clone()..).take_while(|(speaker, _)| speaker.0 == id) {
        let rank = touched.heads.get(speaker).map_or(0, |head| head.rank);
        timelines.insert(speaker.1.clone(), (rank, decide::standing(known, None, rederive)));
    }
    for ((_, source), planned) in plan.timelines.range(from..).take_while(|(speaker, _)| speaker.0 == id) {
        let (rank, facts) = timelines.entry(source.clone()).or_default();
        *rank = planned.rank;
        planned.facts.iter().for_each(|(at, fact)| facts.add(at, fact));
    }
    let stored_since = touched.stored.get(&id).and_then(|stored| stored.since);
    let since = earliest_of(stored_since, plan.resources.get(&id).and_then(|planned| planned.since));
    let seen: Vec<(&str, &Facts)> =
        timelines.iter().map(|(source, (_, facts))| (source.as_str(), facts)).collect();
    for (source, PlannedTimeline { rank, facts: derived }) in decide::derived_facts(listings, since, &seen) {
        let (held_rank, facts) = timelines.entry(source).or_default();
        *held_rank = rank;
        derived.iter().for_each(|(at, fact)| facts.add(at, fact));
    }
    let empty = Known::default();
    timelines
        .into_iter()
        .map(|(source, (rank, facts))| {
            let speaker = (id, source);
            let decided = decide::decide(known.get(&speaker).unwrap_or(&empty), rank, &facts);
            (speaker, decided)
        })
        .collect()
}

fn earliest_of(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
