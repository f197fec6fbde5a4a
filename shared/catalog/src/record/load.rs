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
}

/// The open version of one source.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) rank: i16,
    pub(super) run: KnownRun,
}

/// What a list shows of documents, by their hashes.
pub(super) type Labels = BTreeMap<ContentHash, (Option<String>, Value)>;

/// Locks resources in the order of their ids, so that two writers never wait for one another.
pub(super) async fn lock(
    db: &mut PgConnection,
    ids: &[Uuid],
) -> Result<BTreeMap<ResourceId, StoredResource>, Error> {
    let rows = sqlx::query_as!(
        StoredResource,
        r#"select id, evidence, name, tags, since, deleted_at, account, region, type as kind, native_id
           from perigee.resources where id = any($1) order by id for update"#,
        ids,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("resources"))?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// The evidence that is stored of resources.
pub(super) async fn evidence(
    db: &mut PgConnection,
    ids: &[Uuid],
) -> Result<BTreeMap<ResourceId, i16>, Error> {
    let rows = sqlx::query!("select id, evidence from perigee.resources where id = any($1)", ids)
        .fetch_all(db)
        .await
        .map_err(Error::reading("resources"))?;
    Ok(rows.into_iter().map(|row| (ResourceId(row.id), row.evidence)).collect())
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

/// What a list shows of stored documents.
pub(super) async fn labels(db: &mut PgConnection, hashes: &[Vec<u8>]) -> Result<Labels, Error> {
    let rows = sqlx::query!("select hash, name, tags from perigee.documents where hash = any($1)", hashes)
        .fetch_all(db)
        .await
        .map_err(Error::reading("documents"))?;
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((ContentHash(row.hash.try_into().ok()?), (row.name, row.tags))))
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

/// Adds the sightings at or after each speaker's instant.
pub(super) async fn add_sightings(
    db: &mut PgConnection,
    wanted: &Wanted,
    known: &mut BTreeMap<Speaker, Known>,
) -> Result<(), Error> {
    let rows = sqlx::query!(
        r#"select s.resource_id, s.source, s.at, s.state_id, s.documented
           from unnest($1::uuid[], $2::text[], $3::timestamptz[]) w (id, source, at)
           join perigee.sightings s on s.resource_id = w.id and s.source = w.source and s.at >= w.at
           order by s.resource_id, s.source, s.at"#,
        &wanted.ids,
        &wanted.sources,
        &wanted.from,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("sightings"))?;
    for row in rows {
        let sightings = &mut known.entry((ResourceId(row.resource_id), row.source)).or_default().sightings;
        sightings.push((row.at, row.state_id, row.documented));
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
