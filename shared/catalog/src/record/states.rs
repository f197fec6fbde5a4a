//! What is shown of the resources that a batch touches, now and over time.
//!
//! Most facts are newer than all that is known and leave a resource where it was: then what is shown changes at most
//! from that instant on. Whatever else (late facts, deletions, several instants at once) is worked out from all that is
//! known of the resource, as [`spans`] says, and compared with what is stored.

mod load;
pub(crate) mod spans;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Evidence, ResourceId, Timestamp,
    timeline::{Content, Run},
};
use sqlx::PgConnection;
use uuid::Uuid;

pub(crate) use self::{
    load::{StoredSpan, histories, stored_spans},
    write::{MAX_TAG_KEY, MAX_TAG_VALUE},
};
use self::{
    spans::{Labels, Span, State, Word, comings, shown},
    write::{Columns, Correction},
};
use super::{
    Touched,
    decide::Decided,
    load::StoredResource,
    plan::{Plan, PlannedResource, Speaker},
};
use crate::{
    Error,
    status::{self, Delta},
};

/// What becomes of one resource.
#[derive(Debug)]
struct Settled {
    evidence: i16,
    since: Option<Timestamp>,
    named_at: Timestamp,
    /// The state that holds now, and since when.
    from: Timestamp,
    recorded_at: Timestamp,
    state: State,
    /// Whether any source ever called it gone.
    contested: bool,
    /// What the past becomes.
    corrections: Vec<Correction>,
    /// When it came and went, as far as that is news.
    comings: Vec<(Timestamp, i64)>,
}

/// Stores what is shown of every resource of the batch, and counts what came and went. False when another writer was
/// first to insert a resource that this batch decided about as new.
pub(super) async fn settle(
    db: &mut PgConnection,
    plan: &Plan<'_>,
    touched: &Touched,
    decided: &BTreeMap<Speaker, Decided>,
    now: Timestamp,
) -> Result<bool, Error> {
    let labels = load::labels(db, plan, touched, decided).await?;
    let mut settled: BTreeMap<ResourceId, Settled> = BTreeMap::new();
    let mut entangled: Vec<Uuid> = Vec::new();
    let batch = Batch { plan, touched, decided, labels: &labels, now };
    for id in batch.ids() {
        match batch.step(id) {
            Some(step) => drop(settled.insert(id, step)),
            None => entangled.push(id.into()),
        }
    }
    if !entangled.is_empty() {
        settled.extend(unravel(db, &batch, &entangled).await?);
    }
    let aliases = load::aliases(db, plan, settled.keys().copied()).await?;
    let mut columns = Columns::new(now);
    for (id, settled) in &settled {
        let Some(place) = batch.place(*id) else { continue };
        let names = aliases.get(id).into_iter().flatten().map(String::as_str);
        let words = settled.state.words(place.native_id, names);
        columns.add(*id, &place, settled, words, touched.stored.get(id), plan.resources.get(id));
    }
    let born = write::insert(db, &columns).await?;
    if !columns.decided_as_new().all(|id| born.contains(&id)) {
        return Ok(false);
    }
    write::update(db, &columns).await?;
    write::corrections(db, &columns).await?;
    write::tags(db, &columns).await?;
    let counted = settled.iter().filter(|(id, _)| touched.stored.contains_key(id) || born.contains(id));
    let mut deltas = Vec::new();
    for (id, settled) in counted {
        let Some(Place { account, region, kind, .. }) = batch.place(*id) else { continue };
        let delta = |(at, number): &(Timestamp, i64)| Delta {
            account,
            region,
            kind,
            health: "",
            at: *at,
            number: *number,
        };
        deltas.extend(settled.comings.iter().map(delta));
    }
    status::add_deltas(db, &deltas, now).await?;
    Ok(true)
}

/// Where a resource is.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    account: &'a str,
    region: &'a str,
    kind: &'a str,
    native_id: &'a str,
}

/// A batch, as it is looked at here.
struct Batch<'a> {
    plan: &'a Plan<'a>,
    touched: &'a Touched,
    decided: &'a BTreeMap<Speaker, Decided>,
    labels: &'a Labels,
    now: Timestamp,
}

impl<'a> Batch<'a> {
    /// Every resource of which anything may have to be stored: those that are locked, and those that may be new.
    fn ids(&self) -> BTreeSet<ResourceId> {
        let mentioned = self.plan.resources.iter().filter(|(id, planned)| {
            let held = self.touched.held.get(id);
            planned.stateful || held.is_none_or(|held| held.evidence < planned.evidence as i16)
        });
        self.touched.stored.keys().chain(mentioned.map(|(id, _)| id)).copied().collect()
    }

    fn place(&self, id: ResourceId) -> Option<Place<'a>> {
        if let Some(PlannedResource { key, .. }) = self.plan.resources.get(&id) {
            let (account, region) = (&*key.account, &*key.region);
            return Some(Place { account, region, kind: &key.kind, native_id: &key.native_id });
        }
        let StoredResource { account, region, kind, native_id, .. } = self.touched.stored.get(&id)?;
        Some(Place { account, region, kind, native_id })
    }

    fn evidence(&self, id: ResourceId) -> i16 {
        let planned = self.plan.resources.get(&id).map_or(0, |planned| planned.evidence as i16);
        planned.max(self.touched.stored.get(&id).map_or(0, |stored| stored.evidence))
    }

    fn since(&self, id: ResourceId) -> Option<Timestamp> {
        let planned = self.plan.resources.get(&id).and_then(|planned| planned.since);
        let stored = self.touched.stored.get(&id).and_then(|stored| stored.since);
        planned.into_iter().chain(stored).min()
    }

    /// What becomes of a resource to which, if anything, one thing happened after all that is known of it, and which
    /// nobody calls gone. `None` where it is not so simple.
    fn step(&self, id: ResourceId) -> Option<Settled> {
        let planned = self.plan.resources.get(&id);
        let stored = self.touched.stored.get(&id);
        let native_id = self.place(id)?.native_id;
        let (evidence, since) = (self.evidence(id), self.since(id));
        if planned.is_some_and(|p| stored.is_some_and(|stored| p.named < stored.named_at)) {
            return None;
        }
        let at = self.instant(id)?;
        let state = match at {
            Some(_) => self.state(id, native_id, evidence)?,
            None => stored.map_or_else(|| State::bare(native_id), StoredResource::state),
        };
        let Some(stored) = stored else {
            let named_at = planned?.named;
            // Named before it was seen: it has a past already.
            (at.is_none_or(|at| at == named_at)).then_some(())?;
            return Some(Settled {
                evidence,
                since,
                named_at,
                from: named_at,
                recorded_at: self.now,
                state,
                contested: false,
                corrections: Vec::new(),
                comings: vec![(named_at, 1)],
            });
        };
        let same = state == stored.state();
        let mut settled = Settled {
            evidence,
            since,
            named_at: stored.named_at,
            from: stored.shown_from,
            recorded_at: stored.shown_recorded_at,
            state,
            contested: stored.contested,
            corrections: Vec::new(),
            comings: Vec::new(),
        };
        if let Some(at) = at.filter(|_| !same) {
            (at > stored.shown_from).then_some(())?;
            settled.corrections.push(Correction::Ended { to: at });
            (settled.from, settled.recorded_at) = (at, self.now);
        }
        Some(settled)
    }

    /// The one instant from which on the batch shows a resource by other documents, `Some(None)` when at none, `None` when
    /// it is not one, or not after all that is known. That a resource was there matters only where some source ever called
    /// it gone.
    fn instant(&self, id: ResourceId) -> Option<Option<Timestamp>> {
        if self.touched.stored.get(&id).is_some_and(|stored| stored.contested) {
            return self.decided_of(id).next().is_none().then_some(None);
        }
        let is_document = |run: &Run| matches!(run.fact.content, Content::Document(_));
        let mut instant: Option<Timestamp> = None;
        for (_, Decided { ops, runs, .. }) in self.decided_of(id) {
            let gone = runs.iter().any(|run| run.fact.content == Content::Deleted);
            if gone || ops.superseded.iter().any(|known| is_document(&known.run)) {
                return None;
            }
            for run in ops.added.iter().filter(|run| is_document(run)) {
                if run.to.is_some() || instant.is_some_and(|at| at != run.from) {
                    return None;
                }
                instant = Some(run.from);
            }
        }
        let late = self.heads_of(id).any(|(_, head)| instant.is_some_and(|at| head.run.run.from > at));
        (!late).then_some(instant)
    }

    fn decided_of(&self, id: ResourceId) -> impl Iterator<Item = (&'a Speaker, &'a Decided)> {
        self.decided.range((id, String::new())..).take_while(move |(speaker, _)| speaker.0 == id)
    }

    fn heads_of(&self, id: ResourceId) -> impl Iterator<Item = (&'a Speaker, &'a super::load::Head)> {
        self.touched.heads.range((id, String::new())..).take_while(move |(speaker, _)| speaker.0 == id)
    }

    /// What is shown by the latest words of every source; `None` where that is a matter of the past.
    fn state(&self, id: ResourceId, native_id: &str, evidence: i16) -> Option<State> {
        let decided = self
            .decided_of(id)
            .filter_map(|((_, source), decided)| decided.runs.last().map(|run| (source, decided.rank, *run)));
        let untouched = self.heads_of(id).filter(|(speaker, _)| !self.decided.contains_key(*speaker));
        let untouched = untouched.map(|((_, source), head)| (source, head.rank, head.run.run));
        let mut documented = false;
        let mut words = Vec::new();
        for (source, rank, run) in decided.chain(untouched) {
            let label = match run.fact.content {
                Content::Document(hash) => {
                    documented = true;
                    self.labels.get(&hash)
                }
                Content::Present | Content::Deleted => None,
            };
            words.push(Word { rank, from: run.from, source, label });
        }
        let has_past = !documented && evidence >= Evidence::Document as i16;
        (!has_past).then(|| shown(native_id, &mut words))
    }
}

/// What becomes of resources whose past matters: everything that is known of them is looked at again.
async fn unravel(
    db: &mut PgConnection,
    batch: &Batch<'_>,
    ids: &[Uuid],
) -> Result<BTreeMap<ResourceId, Settled>, Error> {
    let named = |id: &Uuid| {
        let id = ResourceId(*id);
        let planned = batch.plan.resources.get(&id).map(|planned| planned.named);
        let stored = batch.touched.stored.get(&id).map(|stored| stored.named_at);
        let named_at = planned.into_iter().chain(stored).min()?;
        Some((id, (batch.place(id)?.native_id.to_owned(), named_at)))
    };
    let (histories, labels) = histories(db, ids.iter().filter_map(named).collect()).await?;
    let stored = stored_spans(db, ids).await?;
    let mut settled = BTreeMap::new();
    for (id, history) in &histories {
        let wanted = spans::spans(history, &labels);
        let Some(last) = wanted.last() else { continue };
        let held: Vec<StoredSpan> = stored.get(id).cloned().unwrap_or_default();
        let known: Vec<Span> = held.iter().map(|held| held.span.clone()).collect();
        let mut news: BTreeMap<Timestamp, i64> = BTreeMap::new();
        comings(&wanted).into_iter().for_each(|(at, n)| *news.entry(at).or_default() += n);
        comings(&known).into_iter().for_each(|(at, n)| *news.entry(at).or_default() -= n);
        let current = held.iter().find(|held| held.span.to.is_none());
        let recorded_at =
            current.filter(|held| held.span == *last).map_or(batch.now, |held| held.recorded_at);
        settled.insert(
            *id,
            Settled {
                evidence: batch.evidence(*id),
                since: batch.since(*id),
                named_at: history.named_at,
                from: last.from,
                recorded_at,
                state: last.state.clone(),
                contested: history.is_contested(),
                corrections: corrections(&held, &wanted),
                comings: news.into_iter().filter(|(_, n)| *n != 0).collect(),
            },
        );
    }
    Ok(settled)
}

/// The rows of the past that have to change so that `held` means `wanted`.
pub(crate) fn corrections(held: &[StoredSpan], wanted: &[Span]) -> Vec<Correction> {
    let mut stored: BTreeMap<Timestamp, &StoredSpan> =
        held.iter().map(|held| (held.span.from, held)).collect();
    let mut corrections = Vec::new();
    for span in wanted {
        match stored.remove(&span.from) {
            Some(held) if held.span == *span => {}
            Some(held) if held.span.to.is_none() && held.span.state == span.state => {
                corrections.extend(span.to.map(|to| Correction::Ended { to }));
            }
            held => {
                corrections.extend(held.map(|held| Correction::Superseded(held.clone())));
                corrections.extend(span.to.is_some().then(|| Correction::Added(span.clone())));
            }
        }
    }
    corrections.extend(stored.into_values().map(|held| Correction::Superseded(held.clone())));
    corrections
}
