//! What `record` reads before it decides: a fixed number of statements, however many rows.

use std::collections::BTreeMap;

use model::{
    ContentHash, FindingId, FindingStatus, ResourceId, Timestamp,
    timeline::{Content, Fact, Run},
};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    fold::{Known, KnownEdge, KnownRun},
    plan::Speaker,
    states::spans::State,
};
use crate::Error;

/// A resource as it is stored.
#[derive(Debug, Clone)]
pub(super) struct StoredResource {
    pub(super) id: ResourceId,
    pub(super) evidence: i16,
    pub(super) name: String,
    pub(super) tags: Value,
    pub(super) since: Option<Timestamp>,
    pub(super) deleted_at: Option<Timestamp>,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) kind: String,
    pub(super) native_id: String,
    pub(super) description: Option<String>,
    pub(super) contested: bool,
    pub(super) words: String,
    pub(super) named_at: Timestamp,
    pub(super) shown_from: Timestamp,
    pub(super) shown_recorded_at: Timestamp,
}

impl StoredResource {
    /// What is shown of it.
    pub(super) fn state(&self) -> State {
        State {
            name: self.name.clone(),
            tags: self.tags.clone(),
            description: self.description.clone(),
            deleted_at: self.deleted_at,
        }
    }
}

/// What is stored of a resource that a batch only mentions.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) evidence: i16,
    pub(super) named_at: Timestamp,
    pub(super) words: String,
}

/// The open version of one source.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) rank: i16,
    pub(super) run: KnownRun,
}

/// Locks resources in the order of their ids, so that two writers never wait for one another.
pub(super) async fn lock(
    db: &mut PgConnection,
    ids: &[Uuid],
) -> Result<BTreeMap<ResourceId, StoredResource>, Error> {
    let rows = sqlx::query_as!(
        StoredResource,
        r#"select id, evidence, name, tags, since, deleted_at, account, region, type as kind, native_id, description, contested,
                  words, named_at, shown_from, shown_recorded_at
           from perigee.resources where id = any($1) order by id for update"#,
        ids,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("resources"))?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// What is stored of resources that are only mentioned.
pub(super) async fn held(db: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<ResourceId, Held>, Error> {
    let rows =
        sqlx::query!("select id, evidence, named_at, words from perigee.resources where id = any($1)", ids)
            .fetch_all(db)
            .await
            .map_err(Error::reading("resources"))?;
    let held = rows.into_iter().map(|row| {
        (ResourceId(row.id), Held { evidence: row.evidence, named_at: row.named_at, words: row.words })
    });
    Ok(held.collect())
}

/// The open versions of resources, of every source.
pub(super) async fn heads(db: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<Speaker, Head>, Error> {
    let rows = sqlx::query!(
        r#"select resource_id, source, rank, valid_from, state_id, content, document, recorded_at
           from perigee.versions_open where resource_id = any($1)"#,
        ids,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("open versions"))?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let fact = Fact { state_id: row.state_id, content: content(row.content, row.document) };
            let run = Run { from: row.valid_from, to: None, fact };
            let head = Head { rank: row.rank, run: KnownRun { run, recorded_at: row.recorded_at } };
            ((ResourceId(row.resource_id), row.source), head)
        })
        .collect())
}

/// Adds the closed runs that end at or after each speaker's instant.
pub(super) async fn add_closed(
    db: &mut PgConnection,
    wanted: &Wanted,
    known: &mut BTreeMap<Speaker, Known>,
) -> Result<(), Error> {
    let rows = sqlx::query!(
        r#"select c.resource_id, c.source, c.valid_from, c.valid_to, c.state_id, c.content, c.document, c.recorded_at
           from unnest($1::uuid[], $2::text[], $3::timestamptz[]) w (id, source, at)
           join perigee.versions_closed c
             on c.resource_id = w.id and c.source = w.source and c.valid_to >= w.at and c.superseded_at is null
           order by c.resource_id, c.source, c.valid_from desc"#,
        &wanted.ids,
        &wanted.sources,
        &wanted.from,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("closed versions"))?;
    for row in rows {
        let fact = Fact { state_id: row.state_id, content: content(row.content, row.document) };
        let run = Run { from: row.valid_from, to: Some(row.valid_to), fact };
        let runs = &mut known.entry((ResourceId(row.resource_id), row.source)).or_default().runs;
        runs.insert(0, KnownRun { run, recorded_at: row.recorded_at });
    }
    Ok(())
}

/// That the same was seen again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sighted {
    pub(super) at: Timestamp,
    pub(super) state_id: i64,
    pub(super) documented: bool,
}

/// The sightings at or after each speaker's instant, in the order of time: those that have a row, and those that pages of
/// listings imply, which had the resource looking as it was known to look.
pub(super) async fn sightings(
    db: &mut PgConnection,
    wanted: &Wanted,
) -> Result<Vec<(Speaker, Sighted)>, Error> {
    let rows = sqlx::query!(
        r#"with wanted as materialized (
               select w.id, w.source, w.at, r.account, r.region, r.type
               from unnest($1::uuid[], $2::text[], $3::timestamptz[]) w (id, source, at)
               left join perigee.resources r on r.id = w.id
           ),
           pages as materialized (
               select distinct p.unchanged, p.source, p.at, p.account, p.region
               from (select account, region, source, min(at) as at from wanted group by 1, 2, 3) w
               join perigee.listing_pages p
                 on p.account = w.account and p.region = w.region and p.source = w.source and p.at >= w.at
               where p.unchanged is not null and (p.type = '' or p.type in (select type from wanted))
           ),
           members as (
               select s.hash, m.id
               from perigee.page_sets s cross join lateral unnest(s.ids) m (id)
               where s.hash in (select unchanged from pages) and m.id in (select id from wanted)
           )
           select s.resource_id as "id!", s.source as "source!", s.at as "at!", s.state_id as "state_id!",
                  s.documented as "documented!"
           from wanted w
           join perigee.sightings s on s.resource_id = w.id and s.source = w.source and s.at >= w.at
           union
           select w.id, w.source, p.at, 0, true
           from pages p
           join members m on m.hash = p.unchanged
           join wanted w on w.id = m.id and w.source = p.source and p.at >= w.at
           order by 1, 2, 3"#,
        &wanted.ids,
        &wanted.sources,
        &wanted.from,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("sightings"))?;
    let sightings = rows.into_iter().map(|row| {
        let sighted = Sighted { at: row.at, state_id: row.state_id, documented: row.documented };
        ((ResourceId(row.id), row.source), sighted)
    });
    Ok(sightings.collect())
}

/// Adds the sightings at or after each speaker's instant.
pub(super) async fn add_sightings(
    db: &mut PgConnection,
    wanted: &Wanted,
    known: &mut BTreeMap<Speaker, Known>,
) -> Result<(), Error> {
    for (speaker, Sighted { at, state_id, documented }) in sightings(db, wanted).await? {
        known.entry(speaker).or_default().sightings.push((at, state_id, documented));
    }
    Ok(())
}

/// Adds the edges that meet each speaker's known runs.
pub(super) async fn add_edges(
    db: &mut PgConnection,
    wanted: &Wanted,
    known: &mut BTreeMap<Speaker, Known>,
) -> Result<(), Error> {
    let rows = sqlx::query!(
        r#"select e.from_id as "from_id!", e.source as "source!", e.kind as "kind!", e.to_id as "to_id!",
                  e.valid_from as "valid_from!", null::timestamptz as valid_to, e.recorded_at as "recorded_at!"
           from unnest($1::uuid[], $2::text[]) w (id, source)
           join perigee.edges_open e on e.from_id = w.id and e.source = w.source
           union all
           select e.from_id, e.source, e.kind, e.to_id, e.valid_from, e.valid_to, e.recorded_at
           from unnest($1::uuid[], $2::text[], $3::timestamptz[]) w (id, source, at)
           join perigee.edges_closed e
             on e.from_id = w.id and e.source = w.source and e.valid_to >= w.at and e.superseded_at is null"#,
        &wanted.ids,
        &wanted.sources,
        &wanted.from,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("edges"))?;
    for row in rows {
        known.entry((ResourceId(row.from_id), row.source)).or_default().edges.push(KnownEdge {
            kind: row.kind,
            to: ResourceId(row.to_id),
            from: row.valid_from,
            until: row.valid_to,
            recorded_at: row.recorded_at,
        });
    }
    Ok(())
}

/// Speakers, and from when on each is wanted, as columns.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    ids: Vec<Uuid>,
    sources: Vec<String>,
    from: Vec<Timestamp>,
}

impl Wanted {
    pub(super) fn push(&mut self, speaker: &Speaker, from: Timestamp) {
        self.ids.push(speaker.0.into());
        self.sources.push(speaker.1.clone());
        self.from.push(from);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// How a content is stored: a small number, and the hash where there is a document.
pub(super) fn stored_content(content: Content) -> (i16, Option<Vec<u8>>) {
    match content {
        Content::Present => (0, None),
        Content::Document(hash) => (1, Some(hash.0.to_vec())),
        Content::Deleted => (2, None),
    }
}

/// Reads what [`stored_content`] wrote.
pub(crate) fn content(kind: i16, document: Option<Vec<u8>>) -> Content {
    match (kind, document.map(<[u8; 32]>::try_from)) {
        (1, Some(Ok(hash))) => Content::Document(ContentHash(hash)),
        (2, _) => Content::Deleted,
        _ => Content::Present,
    }
}

/// How the stored findings stand.
pub(super) async fn finding_states(
    db: &mut PgConnection,
    ids: &[Uuid],
) -> Result<BTreeMap<FindingId, (Timestamp, FindingStatus)>, Error> {
    let rows = sqlx::query!(
        "select id, at, status from perigee.findings where id = any($1) order by id for update",
        ids
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("findings"))?;
    Ok(rows.into_iter().map(|row| (FindingId(row.id), (row.at, FindingStatus::from(row.status)))).collect())
}
