//! Listings: pages and closings in, the absences they prove out (law 3 of the design).
//!
//! A complete listing `L` that began at `T` implies that a resource of its partition which it does not have was gone
//! at `T`, if any source saw the resource there before `T` and none saw it within `L`'s grace before `T`. That is a
//! function of the set of facts and listings, so it is derived again whenever an earlier fact arrives.

use std::collections::{BTreeMap, BTreeSet};

use model::{ContentHash, ListingId, Partition, ResourceId, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    plan::{PageSet, Plan, PlannedClosing, PlannedPage},
    unchanged::Place,
};
use crate::Error;

/// A complete listing that may prove absences.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    pub(super) source: String,
    pub(super) rank: i16,
    pub(super) began: Timestamp,
    pub(super) grace_seconds: i32,
}

/// The lock that every writer shares and that whoever removes rows takes alone, so that nothing is removed that a batch
/// found there and refers to.
pub(crate) const REMOVAL: i64 = i64::from_be_bytes(*b"perigee\0") + LOCKS.cast_signed();

/// Locks the partitions of a batch until the transaction ends: shared by writers of facts, alone by a closing and by
/// a page that may show what is known, so that neither misses a fact that somebody writes meanwhile.
pub(super) async fn lock_partitions(
    db: &mut PgConnection,
    shared: &BTreeSet<Place<'_>>,
    alone: &BTreeSet<Place<'_>>,
) -> Result<(), Error> {
    let mut keys: BTreeMap<i64, bool> = shared.iter().map(|place| (lock_key(*place), false)).collect();
    // A lock that is wanted both ways is taken alone.
    keys.extend(alone.iter().map(|place| (lock_key(*place), true)));
    keys.insert(REMOVAL, false);
    let (keys, alone): (Vec<i64>, Vec<bool>) = keys.into_iter().unzip();
    sqlx::query!(
        r#"select case when w.alone then pg_advisory_xact_lock(w.key) else pg_advisory_xact_lock_shared(w.key) end::text as locked
           from unnest($1::bigint[], $2::boolean[]) with ordinality w (key, alone, nth) order by w.nth"#,
        &keys,
        &alone,
    )
    .fetch_all(db)
    .await
    .map_err(Error::writing("partition locks"))?;
    Ok(())
}

/// How many locks all partitions share: a batch may touch thousands, and the database has room for a few thousand
/// locks in all. Two partitions with one lock only wait for each other's closings.
const LOCKS: u64 = 128;

fn lock_key((account, region, kind): Place<'_>) -> i64 {
    let id = ListingId::of(&["lock", account, region, kind]);
    // Keys are the database's own; these begin with the letters of our name, so as not to meet another program's.
    i64::from_be_bytes(*b"perigee\0") + (Uuid::from(id).as_u64_pair().0 % LOCKS).cast_signed()
}

/// Stores the batch's pages and closings and marks the listings that are complete with them. Returns, for each of
/// those, the stored resources that it does not have and that are not known to be gone already.
pub(super) async fn store(
    db: &mut PgConnection,
    plan: &Plan<'_>,
    now: Timestamp,
) -> Result<BTreeMap<ResourceId, Timestamp>, Error> {
    if plan.pages.is_empty() && plan.closings.is_empty() {
        return Ok(BTreeMap::new());
    }
    store_pages(db, plan).await?;
    store_closings(db, plan, now).await?;
    let touched: BTreeSet<ListingId> =
        plan.pages.iter().map(|p| p.listing).chain(plan.closings.iter().map(|c| c.listing)).collect();
    let touched: Vec<Uuid> = touched.into_iter().map(Uuid::from).collect();
    let completed = sqlx::query_scalar!(
        r#"update perigee.listings l set complete = true
           where l.id = any($1) and not l.complete
             and l.pages = (select count(distinct p.page) from perigee.listing_pages p
                            where p.listing_id = l.id and p.page between 0 and l.pages - 1)
             and l.count = (select count(distinct i)
                            from perigee.listing_pages p join perigee.page_sets s on s.hash = p.seen, unnest(s.ids) i
                            where p.listing_id = l.id)
           returning l.id"#,
        &touched,
    )
    .fetch_all(&mut *db)
    .await
    .map_err(Error::writing("listings"))?;
    let missing = sqlx::query!(
        r#"with had as materialized (
               select p.listing_id, i as id
               from perigee.listing_pages p join perigee.page_sets s on s.hash = p.seen cross join lateral unnest(s.ids) i
               where p.listing_id = any($1)
           )
           select r.id as "id!", min(l.began) as "began!"
           from perigee.listings l
           cross join lateral (
               select r.id, r.since, r.deleted_at, r.shown_from from perigee.resources r
               where r.type = l.type and r.account = l.account and r.region = l.region and r.deleted_at is null
               union all
               select r.id, r.since, r.deleted_at, r.shown_from from perigee.resources r
               where r.type = l.type and r.account = l.account and r.region = l.region and r.deleted_at is not null
           ) r
           where l.id = any($1) and r.since < l.began
             and not exists (select 1 from had where had.listing_id = l.id and had.id = r.id)
             -- What was gone then by this source too is not news.
             and not (exists (select 1 from perigee.versions_open v where v.resource_id = r.id
                              and v.source = l.source and v.content = 2 and v.valid_from <= l.began)
                      and (coalesce(r.deleted_at <= l.began and r.shown_from <= l.began, false)
                           or exists (select 1 from perigee.shown_closed s
                                      where s.resource_id = r.id and s.superseded_at is null and s.deleted_at is not null
                                        and s.valid_from <= l.began and s.valid_to > l.began)))
           group by r.id"#,
        &completed,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("listings"))?;
    Ok(missing.into_iter().map(|row| (ResourceId(row.id), row.began)).collect())
}

async fn store_pages(db: &mut PgConnection, plan: &Plan<'_>) -> Result<(), Error> {
    fn column<T>(plan: &Plan<'_>, field: impl Fn(&PlannedPage) -> T) -> Vec<T> {
        plan.pages.iter().map(field).collect()
    }
    let sets: BTreeMap<ContentHash, &PageSet> =
        plan.pages.iter().flat_map(|p| [&p.seen, &p.unchanged]).map(|set| (set.hash, set)).collect();
    let hashes: Vec<Vec<u8>> = sets.keys().map(|hash| hash.0.to_vec()).collect();
    let ids: Vec<String> = sets.values().map(|set| crate::array_literal(set.ids.iter())).collect();
    sqlx::query!(
        r#"insert into perigee.page_sets (hash, ids)
           select hash, ids::uuid[] from unnest($1::bytea[], $2::text[]) w (hash, ids)
           on conflict do nothing"#,
        &hashes,
        &ids,
    )
    .execute(&mut *db)
    .await
    .map_err(Error::writing("listing pages"))?;
    sqlx::query!(
        r#"insert into perigee.listing_pages (listing_id, page, key, seen, unchanged, source, account, region, type, at)
           select * from unnest($1::uuid[], $2::integer[], $3::bytea[], $4::bytea[], $5::bytea[], $6::text[], $7::text[],
                                $8::text[], $9::text[], $10::timestamptz[])
           on conflict do nothing"#,
        &column(plan, |p| Uuid::from(p.listing)),
        &column(plan, |p| p.page),
        &column(plan, |p| p.key.0.0.to_vec()),
        &column(plan, |p| p.seen.hash.0.to_vec()),
        &column(plan, |p| (!p.unchanged.ids.is_empty()).then(|| p.unchanged.hash.0.to_vec())) as _,
        &column(plan, |p| p.source.clone()),
        &column(plan, |p| p.account.clone()),
        &column(plan, |p| p.region.clone()),
        &column(plan, |p| p.kind.clone()),
        &column(plan, |p| p.at),
    )
    .execute(db)
    .await
    .map_err(Error::writing("listing pages"))?;
    Ok(())
}

async fn store_closings(db: &mut PgConnection, plan: &Plan<'_>, now: Timestamp) -> Result<(), Error> {
    fn column<T>(plan: &Plan<'_>, field: impl Fn(&PlannedClosing) -> T) -> Vec<T> {
        plan.closings.iter().map(field).collect()
    }
    sqlx::query!(
        r#"insert into perigee.listings
               (id, source, rank, account, region, type, began, grace_seconds, pages, count, complete, recorded_at)
           select *, false, $11
           from unnest($1::uuid[], $2::text[], $3::smallint[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
                       $8::integer[], $9::integer[], $10::bigint[])
           on conflict do nothing"#,
        &column(plan, |c| Uuid::from(c.listing)),
        &column(plan, |c| c.source.clone()),
        &column(plan, |c| c.rank),
        &column(plan, |c| c.partition.account.clone()),
        &column(plan, |c| c.partition.region.clone()),
        &column(plan, |c| c.partition.kind.clone()),
        &column(plan, |c| c.began),
        &column(plan, |c| c.grace_seconds),
        &column(plan, |c| c.pages),
        &column(plan, |c| c.count),
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("listings"))?;
    Ok(())
}

/// For each given resource (id, partition, instant): the complete listings of its partition that began at or after
/// the instant and do not have it.
pub(super) async fn absences(
    db: &mut PgConnection,
    wanted: &[(ResourceId, Partition, Timestamp)],
) -> Result<BTreeMap<ResourceId, Vec<Listing>>, Error> {
    let mut earliest: BTreeMap<&Partition, Timestamp> = BTreeMap::new();
    for (_, partition, at) in wanted {
        earliest.entry(partition).and_modify(|held| *held = (*held).min(*at)).or_insert(*at);
    }
    let accounts: Vec<String> = earliest.keys().map(|p| p.account.clone()).collect();
    let regions: Vec<String> = earliest.keys().map(|p| p.region.clone()).collect();
    let kinds: Vec<String> = earliest.keys().map(|p| p.kind.clone()).collect();
    let from: Vec<Timestamp> = earliest.values().copied().collect();
    let found = sqlx::query!(
        r#"select l.id, l.account, l.region, l.type as kind, l.source, l.rank, l.began, l.grace_seconds
           from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) w (account, region, type, at)
           join perigee.listings l
             on l.account = w.account and l.region = w.region and l.type = w.type and l.complete and l.began >= w.at"#,
        &accounts,
        &regions,
        &kinds,
        &from,
    )
    .fetch_all(&mut *db)
    .await
    .map_err(Error::reading("listings"))?;
    if found.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut pairs: Vec<(Uuid, Uuid)> = Vec::new();
    let mut listings: BTreeMap<Uuid, Listing> = BTreeMap::new();
    for row in found {
        let partition = Partition { account: row.account, region: row.region, kind: row.kind };
        let reached = wanted.iter().filter(|(_, p, at)| *p == partition && *at <= row.began);
        pairs.extend(reached.map(|(id, _, _)| (row.id, Uuid::from(*id))));
        let listing = Listing {
            source: row.source,
            rank: row.rank,
            began: row.began,
            grace_seconds: row.grace_seconds,
        };
        listings.insert(row.id, listing);
    }
    let (listing_ids, resource_ids): (Vec<Uuid>, Vec<Uuid>) = pairs.into_iter().unzip();
    let absent = sqlx::query!(
        r#"select w.listing as "listing!", w.resource as "resource!"
           from unnest($1::uuid[], $2::uuid[]) w (listing, resource)
           where not exists (
               select 1 from (select p.listing_id, unnest(s.ids) as id
                              from perigee.listing_pages p join perigee.page_sets s on s.hash = p.seen
                              where p.listing_id = any($1)) had
               where had.listing_id = w.listing and had.id = w.resource)"#,
        &listing_ids,
        &resource_ids,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("listing pages"))?;
    let mut answer: BTreeMap<ResourceId, Vec<Listing>> = BTreeMap::new();
    for row in absent {
        if let Some(listing) = listings.get(&row.listing) {
            answer.entry(ResourceId(row.resource)).or_default().push(listing.clone());
        }
    }
    Ok(answer)
}
