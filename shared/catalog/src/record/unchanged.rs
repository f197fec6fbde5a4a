//! What a page of a listing shows just as it is known to look.
//!
//! Such a resource costs a comparison of hashes: that it was seen is told by the page alone (`listing_pages.unchanged`),
//! and neither it nor its documents, relations and names are touched. That is only right where the page is newer than
//! everything that is known of the resource, nothing else in the batch speaks of it, no source ever called it gone, and no
//! complete listing of its partition began later. Whoever writes facts of the partition waits meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    num::NonZero,
};

use model::{
    Completeness, ContentHash, Document, Observation, ObservationKey, ResourceId, Sighting, Timestamp,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::listings;
use crate::Error;

/// A place where resources of one type are: account, region, type.
pub(super) type Place<'a> = (&'a str, &'a str, &'a str);

/// What is unchanged, by page; and the hashes that were worked out on the way.
#[derive(Debug, Default)]
pub(super) struct Unchanged {
    pages: HashMap<ObservationKey, BTreeSet<ResourceId>>,
    /// By the address of the document, which stays where it is while the batch is recorded.
    hashes: HashMap<usize, ContentHash>,
}

impl Unchanged {
    /// What of an observation is unchanged.
    pub(super) fn of(&self, key: &ObservationKey) -> Option<&BTreeSet<ResourceId>> {
        self.pages.get(key)
    }

    /// The hash of a document of the batch.
    pub(super) fn hash(&self, document: &Document) -> Option<ContentHash> {
        self.hashes.get(&std::ptr::from_ref(document).addr()).copied()
    }
}

/// Something that may be unchanged.
struct Candidate<'a> {
    id: ResourceId,
    hash: ContentHash,
    page: &'a Observation,
    place: Place<'a>,
}

/// Locks the partitions of a batch until the transaction ends, and finds what is unchanged.
pub(super) async fn find(db: &mut PgConnection, observations: &[&Observation]) -> Result<Unchanged, Error> {
    let mut unchanged = Unchanged::default();
    let candidates = candidates(observations, &mut unchanged);
    listings::lock_partitions(db, &shared(observations), &alone(observations, &candidates)).await?;
    let candidates = known_complete(db, candidates).await?;
    if candidates.is_empty() {
        return Ok(unchanged);
    }
    let ids: Vec<Uuid> = candidates.iter().map(|candidate| candidate.id.into()).collect();
    let sources: Vec<String> =
        candidates.iter().map(|candidate| candidate.page.source.name.clone()).collect();
    let hashes: Vec<&[u8]> = candidates.iter().map(|candidate| &candidate.hash.0[..]).collect();
    let instants: Vec<Timestamp> = candidates.iter().map(|candidate| candidate.page.occurred_at).collect();
    let same = sqlx::query_scalar!(
        r#"select w.n as "n!"
           from unnest($1::uuid[], $2::text[], $3::bytea[], $4::timestamptz[]) with ordinality w (id, source, hash, at, n)
           join perigee.versions_open v on v.resource_id = w.id and v.source = w.source
           join perigee.resources r on r.id = w.id
           where v.document = w.hash and v.valid_from <= w.at and not r.contested"#,
        &ids,
        &sources,
        &hashes as _,
        &instants,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("open versions"))?;
    let same = same.into_iter().filter_map(|n| candidates.get(usize::try_from(n - 1).ok()?));
    for Candidate { id, page, .. } in same {
        unchanged.pages.entry(page.key).or_default().insert(*id);
    }
    Ok(unchanged)
}

/// Documents on pages of which nothing else in the batch speaks.
fn candidates<'a>(observations: &[&'a Observation], unchanged: &mut Unchanged) -> Vec<Candidate<'a>> {
    let is_page = |o: &Observation| matches!(o.completeness, Completeness::Page { .. });
    if !observations.iter().any(|o| is_page(o)) {
        return Vec::new();
    }
    let mut spoken: HashMap<ResourceId, u32> = HashMap::new();
    let mut on_pages = Vec::new();
    for observation in observations {
        for fact in &observation.resources {
            let id = fact.key.id();
            match &fact.sighting {
                Sighting::Mentioned => continue,
                Sighting::Documented(document) if is_page(observation) && fact.state_id == 0 => {
                    on_pages.push((id, fact, &**document, *observation));
                }
                Sighting::Documented(_) | Sighting::Present | Sighting::Deleted => {}
            }
            *spoken.entry(id).or_default() += 1;
        }
    }
    let documents: Vec<&Document> = on_pages.iter().map(|(_, _, document, _)| *document).collect();
    let mut found = Vec::new();
    for ((id, fact, document, page), hash) in on_pages.into_iter().zip(hashes(&documents)) {
        unchanged.hashes.insert(std::ptr::from_ref(document).addr(), hash);
        let place = (&*fact.key.account, &*fact.key.region, &*fact.key.kind);
        if spoken.get(&id) == Some(&1) {
            found.push(Candidate { id, hash, page, place });
        }
    }
    found
}

/// How many documents are worth a thread of their own.
const WORTH_A_THREAD: usize = 64;

/// The hashes of documents, on all cores: of a page of which nothing is new they are most of the work.
fn hashes(documents: &[&Document]) -> Vec<ContentHash> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(documents.len() / WORTH_A_THREAD).max(1);
    let hash_all = |part: &[&Document]| part.iter().map(|document| document.hash()).collect::<Vec<_>>();
    if threads == 1 {
        return hash_all(documents);
    }
    std::thread::scope(|scope| {
        let parts = documents.chunks(documents.len().div_ceil(threads));
        let threads: Vec<_> = parts.map(|part| scope.spawn(move || hash_all(part))).collect();
        let hashed = threads.into_iter().map(|thread| thread.join());
        hashed.flat_map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// Where facts are written.
fn shared<'a>(observations: &[&'a Observation]) -> BTreeSet<Place<'a>> {
    let facts = observations.iter().flat_map(|o| &o.resources);
    let stateful = facts.filter(|fact| !matches!(fact.sighting, Sighting::Mentioned));
    stateful.map(|fact| (&*fact.key.account, &*fact.key.region, &*fact.key.kind)).collect()
}

/// Where nobody else may write meanwhile: where a listing ends, and where a page may show what is known.
fn alone<'a>(observations: &[&'a Observation], candidates: &[Candidate<'a>]) -> BTreeSet<Place<'a>> {
    let closings = observations.iter().filter_map(|o| match &o.completeness {
        Completeness::Closing { partition, .. } => {
            Some((&*partition.account, &*partition.region, &*partition.kind))
        }
        Completeness::OnlyThese | Completeness::Page { .. } => None,
    });
    closings.chain(candidates.iter().map(|candidate| candidate.place)).collect()
}

/// Leaves out what lies in a partition of which a complete listing began at the same time or later: that may prove that
/// it was gone.
async fn known_complete<'a>(
    db: &mut PgConnection,
    candidates: Vec<Candidate<'a>>,
) -> Result<Vec<Candidate<'a>>, Error> {
    let mut earliest: BTreeMap<Place<'a>, Timestamp> = BTreeMap::new();
    for Candidate { place, page, .. } in &candidates {
        let held = earliest.entry(*place).or_insert(page.occurred_at);
        *held = (*held).min(page.occurred_at);
    }
    if earliest.is_empty() {
        return Ok(candidates);
    }
    let accounts: Vec<String> = earliest.keys().map(|(account, _, _)| (*account).to_owned()).collect();
    let regions: Vec<String> = earliest.keys().map(|(_, region, _)| (*region).to_owned()).collect();
    let types: Vec<String> = earliest.keys().map(|(_, _, kind)| (*kind).to_owned()).collect();
    let instants: Vec<Timestamp> = earliest.values().copied().collect();
    let later = sqlx::query!(
        r#"select w.account as "account!", w.region as "region!", w.type as "kind!"
           from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) w (account, region, type, at)
           where exists (select 1 from perigee.listings l
                         where l.account = w.account and l.region = w.region and l.type = w.type and l.complete
                           and l.began >= w.at)"#,
        &accounts,
        &regions,
        &types,
        &instants,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("listings"))?;
    let later: BTreeSet<Place<'_>> =
        later.iter().map(|row| (&*row.account, &*row.region, &*row.kind)).collect();
    Ok(candidates.into_iter().filter(|candidate| !later.contains(&candidate.place)).collect())
}
