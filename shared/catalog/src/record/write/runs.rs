//! Versions, sightings and edges.

use std::collections::BTreeMap;

use model::{Timestamp, timeline::Run};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Error,
    record::{
        decide::Decided,
        load::{Head, stored_content},
        plan::Speaker,
    },
};

/// Columns of runs.
#[derive(Debug, Default)]
struct Runs {
    ids: Vec<Uuid>,
    sources: Vec<String>,
    ranks: Vec<i16>,
    from: Vec<Timestamp>,
    to: Vec<Timestamp>,
    state_ids: Vec<i64>,
    contents: Vec<i16>,
    documents: Vec<Option<Vec<u8>>>,
    recorded: Vec<Timestamp>,
    superseded: Vec<bool>,
}

impl Runs {
    fn push(
        &mut self,
        speaker: &Speaker,
        rank: i16,
        run: &Run,
        to: Timestamp,
        recorded: Timestamp,
        superseded: bool,
    ) {
        let (content, document) = stored_content(run.fact.content);
        self.ids.push(speaker.0.into());
        self.sources.push(speaker.1.clone());
        self.ranks.push(rank);
        self.from.push(run.from);
        self.to.push(to);
        self.state_ids.push(run.fact.state_id);
        self.contents.push(content);
        self.documents.push(document);
        self.recorded.push(recorded);
        self.superseded.push(superseded);
    }
}

/// Writes what became of the runs. An open run that ends moves to the closed ones; one that turned out to be
/// otherwise moves there too, marked superseded; a closed one is marked where it lies.
pub(crate) async fn runs(
    db: &mut PgConnection,
    heads: &BTreeMap<Speaker, Head>,
    decided: &BTreeMap<Speaker, Decided>,
    now: Timestamp,
) -> Result<(), Error> {
    let (mut open, mut closed, mut corrected) = (Runs::default(), Runs::default(), Runs::default());
    let (mut gone_ids, mut gone_sources) = (Vec::new(), Vec::new());
    for (speaker, decided) in decided {
        let rank = decided.rank;
        for run in &decided.ops.added {
            match run.to {
                None => open.push(speaker, rank, run, run.from, now, false),
                Some(to) => closed.push(speaker, rank, run, to, now, false),
            }
        }
        for (known, to) in &decided.ops.ended {
            closed.push(speaker, rank, &known.run, *to, known.recorded_at, false);
        }
        for known in &decided.ops.superseded {
            match known.run.to {
                None => closed.push(speaker, rank, &known.run, now, known.recorded_at, true),
                Some(to) => corrected.push(speaker, rank, &known.run, to, known.recorded_at, true),
            }
        }
        if decided.runs.is_empty() && heads.contains_key(speaker) {
            gone_ids.push(Uuid::from(speaker.0));
            gone_sources.push(speaker.1.clone());
        }
    }
    if !gone_ids.is_empty() {
        remove_open(db, &gone_ids, &gone_sources).await?;
    }
    if !corrected.ids.is_empty() {
        supersede_closed(db, &corrected, now).await?;
    }
    if !closed.ids.is_empty() {
        insert_closed(db, &closed, now).await?;
    }
    if !open.ids.is_empty() {
        upsert_open(db, &open).await?;
    }
    Ok(())
}

async fn remove_open(db: &mut PgConnection, ids: &[Uuid], sources: &[String]) -> Result<(), Error> {
    sqlx::query!(
        r#"delete from perigee.versions_open v using unnest($1::uuid[], $2::text[]) w (id, source)
           where v.resource_id = w.id and v.source = w.source"#,
        ids,
        sources,
    )
    .execute(db)
    .await
    .map_err(Error::writing("open versions"))?;
    Ok(())
}

async fn supersede_closed(db: &mut PgConnection, runs: &Runs, now: Timestamp) -> Result<(), Error> {
    sqlx::query!(
        r#"update perigee.versions_closed c set superseded_at = $5
           from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[]) w (id, source, valid_from, valid_to)
           where c.resource_id = w.id and c.source = w.source and c.valid_from = w.valid_from
             and c.valid_to = w.valid_to and c.superseded_at is null"#,
        &runs.ids,
        &runs.sources,
        &runs.from,
        &runs.to,
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("closed versions"))?;
    Ok(())
}

async fn insert_closed(db: &mut PgConnection, runs: &Runs, now: Timestamp) -> Result<(), Error> {
    sqlx::query!(
        r#"insert into perigee.versions_closed
               (resource_id, source, rank, valid_from, valid_to, state_id, content, document, recorded_at,
                end_recorded_at, superseded_at, open_ended)
           select id, source, rank, valid_from, valid_to, state_id, content, document, recorded_at,
                  $11::timestamptz, case when superseded then $11::timestamptz end, superseded
           from unnest($1::uuid[], $2::text[], $3::smallint[], $4::timestamptz[], $5::timestamptz[], $6::bigint[],
                       $7::smallint[], $8::bytea[], $9::timestamptz[], $10::boolean[])
                w (id, source, rank, valid_from, valid_to, state_id, content, document, recorded_at, superseded)"#,
        &runs.ids,
        &runs.sources,
        &runs.ranks,
        &runs.from,
        &runs.to,
        &runs.state_ids,
        &runs.contents,
        &runs.documents as _,
        &runs.recorded,
        &runs.superseded,
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("closed versions"))?;
    Ok(())
}

async fn upsert_open(db: &mut PgConnection, runs: &Runs) -> Result<(), Error> {
    sqlx::query!(
        r#"insert into perigee.versions_open
               (resource_id, source, rank, valid_from, state_id, content, document, recorded_at)
           select * from unnest($1::uuid[], $2::text[], $3::smallint[], $4::timestamptz[], $5::bigint[],
                                $6::smallint[], $7::bytea[], $8::timestamptz[])
           on conflict (resource_id, source) do update
           set rank = excluded.rank, valid_from = excluded.valid_from, state_id = excluded.state_id,
               content = excluded.content, document = excluded.document, recorded_at = excluded.recorded_at"#,
        &runs.ids,
        &runs.sources,
        &runs.ranks,
        &runs.from,
        &runs.state_ids,
        &runs.contents,
        &runs.documents as _,
        &runs.recorded,
    )
    .execute(db)
    .await
    .map_err(Error::writing("open versions"))?;
    Ok(())
}

/// Writes what became of the sightings.
pub(crate) async fn sightings(
    db: &mut PgConnection,
    decided: &BTreeMap<Speaker, Decided>,
) -> Result<(), Error> {
    let (mut ids, mut sources, mut instants) = (Vec::new(), Vec::new(), Vec::new());
    let (mut new_ids, mut new_sources, mut new_instants) = (Vec::new(), Vec::new(), Vec::new());
    let (mut state_ids, mut documented) = (Vec::new(), Vec::new());
    for ((id, source), decided) in decided {
        for at in &decided.ops.unsighted {
            ids.push(Uuid::from(*id));
            sources.push(source.clone());
            instants.push(*at);
        }
        for (at, state_id, with_document) in &decided.ops.sighted {
            new_ids.push(Uuid::from(*id));
            new_sources.push(source.clone());
            new_instants.push(*at);
            state_ids.push(*state_id);
            documented.push(*with_document);
        }
    }
    if !ids.is_empty() {
        sqlx::query!(
            r#"delete from perigee.sightings s using unnest($1::uuid[], $2::text[], $3::timestamptz[]) w (id, source, at)
               where s.resource_id = w.id and s.source = w.source and s.at = w.at"#,
            &ids,
            &sources,
            &instants,
        )
        .execute(&mut *db)
        .await
        .map_err(Error::writing("sightings"))?;
    }
    if !new_ids.is_empty() {
        sqlx::query!(
            r#"insert into perigee.sightings (resource_id, source, at, state_id, documented)
               select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bigint[], $5::boolean[])
               on conflict do nothing"#,
            &new_ids,
            &new_sources,
            &new_instants,
            &state_ids,
            &documented,
        )
        .execute(db)
        .await
        .map_err(Error::writing("sightings"))?;
    }
    Ok(())
}

/// Columns of edges.
#[derive(Debug, Default)]
struct Edges {
    from_ids: Vec<Uuid>,
    sources: Vec<String>,
    kinds: Vec<String>,
    to_ids: Vec<Uuid>,
    from: Vec<Timestamp>,
    to: Vec<Timestamp>,
    recorded: Vec<Timestamp>,
    superseded: Vec<bool>,
}

impl Edges {
    fn push(
        &mut self,
        speaker: &Speaker,
        (kind, to_id): (&str, Uuid),
        (from, to): (Timestamp, Timestamp),
        recorded: Timestamp,
        superseded: bool,
    ) {
        self.from_ids.push(speaker.0.into());
        self.sources.push(speaker.1.clone());
        self.kinds.push(kind.to_owned());
        self.to_ids.push(to_id);
        self.from.push(from);
        self.to.push(to);
        self.recorded.push(recorded);
        self.superseded.push(superseded);
    }
}

/// Writes what became of the edges, in the manner of [`runs`].
pub(crate) async fn edges(
    db: &mut PgConnection,
    decided: &BTreeMap<Speaker, Decided>,
    now: Timestamp,
) -> Result<(), Error> {
    let (mut open, mut closed) = (Edges::default(), Edges::default());
    let (mut leaving, mut corrected) = (Edges::default(), Edges::default());
    for (speaker, decided) in decided {
        for (kind, to_id, from, until) in &decided.ops.edges_added {
            let edge = (kind.as_str(), Uuid::from(*to_id));
            match until {
                None => open.push(speaker, edge, (*from, *from), now, false),
                Some(until) => closed.push(speaker, edge, (*from, *until), now, false),
            }
        }
        for (known, until) in &decided.ops.edges_ended {
            let edge = (known.kind.as_str(), Uuid::from(known.to));
            leaving.push(speaker, edge, (known.from, *until), known.recorded_at, false);
            closed.push(speaker, edge, (known.from, *until), known.recorded_at, false);
        }
        for known in &decided.ops.edges_superseded {
            let edge = (known.kind.as_str(), Uuid::from(known.to));
            match known.until {
                None => {
                    leaving.push(speaker, edge, (known.from, now), known.recorded_at, true);
                    closed.push(speaker, edge, (known.from, now), known.recorded_at, true);
                }
                Some(until) => corrected.push(speaker, edge, (known.from, until), known.recorded_at, true),
            }
        }
    }
    if !leaving.from_ids.is_empty() {
        remove_open_edges(db, &leaving).await?;
    }
    if !corrected.from_ids.is_empty() {
        supersede_closed_edges(db, &corrected, now).await?;
    }
    if !closed.from_ids.is_empty() {
        insert_closed_edges(db, &closed, now).await?;
    }
    if !open.from_ids.is_empty() {
        insert_open_edges(db, &open).await?;
    }
    Ok(())
}

async fn remove_open_edges(db: &mut PgConnection, edges: &Edges) -> Result<(), Error> {
    sqlx::query!(
        r#"delete from perigee.edges_open e
           using unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) w (from_id, source, kind, to_id)
           where e.from_id = w.from_id and e.source = w.source and e.kind = w.kind and e.to_id = w.to_id"#,
        &edges.from_ids,
        &edges.sources,
        &edges.kinds,
        &edges.to_ids,
    )
    .execute(db)
    .await
    .map_err(Error::writing("open edges"))?;
    Ok(())
}

async fn supersede_closed_edges(db: &mut PgConnection, edges: &Edges, now: Timestamp) -> Result<(), Error> {
    sqlx::query!(
        r#"update perigee.edges_closed e set superseded_at = $7
           from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::timestamptz[], $6::timestamptz[])
                w (from_id, source, kind, to_id, valid_from, valid_to)
           where e.from_id = w.from_id and e.source = w.source and e.kind = w.kind and e.to_id = w.to_id
             and e.valid_from = w.valid_from and e.valid_to = w.valid_to and e.superseded_at is null"#,
        &edges.from_ids,
        &edges.sources,
        &edges.kinds,
        &edges.to_ids,
        &edges.from,
        &edges.to,
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("closed edges"))?;
    Ok(())
}

async fn insert_closed_edges(db: &mut PgConnection, edges: &Edges, now: Timestamp) -> Result<(), Error> {
    sqlx::query!(
        r#"insert into perigee.edges_closed
               (from_id, source, kind, to_id, valid_from, valid_to, recorded_at, end_recorded_at, superseded_at, open_ended)
           select from_id, source, kind, to_id, valid_from, valid_to, recorded_at,
                  $9::timestamptz, case when superseded then $9::timestamptz end, superseded
           from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::timestamptz[], $6::timestamptz[],
                       $7::timestamptz[], $8::boolean[])
                w (from_id, source, kind, to_id, valid_from, valid_to, recorded_at, superseded)"#,
        &edges.from_ids,
        &edges.sources,
        &edges.kinds,
        &edges.to_ids,
        &edges.from,
        &edges.to,
        &edges.recorded,
        &edges.superseded,
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("closed edges"))?;
    Ok(())
}

async fn insert_open_edges(db: &mut PgConnection, edges: &Edges) -> Result<(), Error> {
    sqlx::query!(
        r#"insert into perigee.edges_open (from_id, source, kind, to_id, valid_from, recorded_at)
           select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::timestamptz[], $6::timestamptz[])"#,
        &edges.from_ids,
        &edges.sources,
        &edges.kinds,
        &edges.to_ids,
        &edges.from,
        &edges.recorded,
    )
    .execute(db)
    .await
    .map_err(Error::writing("open edges"))?;
    Ok(())
}
