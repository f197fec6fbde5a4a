//! Resources as they are shown, and what they were shown as before: a fixed number of statements over columns.

use std::collections::BTreeSet;

use model::{ResourceId, Timestamp};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Place, Settled,
    load::StoredSpan,
    spans::{Span, State},
};
use crate::{
    Error,
    record::{load::StoredResource, plan::PlannedResource},
};

/// Tags with longer keys, and longer values, have no row of their own: an index holds no more.
pub(crate) const MAX_TAG_KEY: usize = 256;
pub(crate) const MAX_TAG_VALUE: usize = 512;

/// What becomes of a stored piece of the past.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Correction {
    /// What holds now ended.
    Ended { to: Timestamp },
    /// It was so, and nobody knew.
    Added(Span),
    /// It was otherwise.
    Superseded(StoredSpan),
}

/// What is to be written, as columns.
#[derive(Debug)]
pub(super) struct Columns {
    /// When it is written.
    now: Timestamp,
    new: Rows,
    changed: Rows,
    /// Whose tags or presence changed.
    retagged: Vec<Uuid>,
    tags: Tags,
    closed: Closed,
    superseded: (Vec<Uuid>, Vec<Timestamp>, Vec<Timestamp>),
}

#[derive(Debug, Default)]
struct Rows {
    ids: Vec<Uuid>,
    providers: Vec<String>,
    partitions: Vec<String>,
    accounts: Vec<String>,
    regions: Vec<String>,
    types: Vec<String>,
    native_ids: Vec<String>,
    evidence: Vec<i16>,
    names: Vec<String>,
    tags: Vec<Value>,
    descriptions: Vec<Option<String>>,
    contested: Vec<bool>,
    words: Vec<String>,
    since: Vec<Option<Timestamp>>,
    deleted: Vec<Option<Timestamp>>,
    named: Vec<Timestamp>,
    from: Vec<Timestamp>,
    recorded: Vec<Timestamp>,
    /// Whether more than the name is said of it.
    decided: Vec<bool>,
}

#[derive(Debug, Default)]
struct Tags {
    gone: Vec<bool>,
    keys: Vec<String>,
    values: Vec<String>,
    types: Vec<String>,
    accounts: Vec<String>,
    regions: Vec<String>,
    native_ids: Vec<String>,
    ids: Vec<Uuid>,
}

#[derive(Debug, Default)]
struct Closed {
    ids: Vec<Uuid>,
    types: Vec<String>,
    accounts: Vec<String>,
    regions: Vec<String>,
    native_ids: Vec<String>,
    names: Vec<String>,
    tags: Vec<Value>,
    descriptions: Vec<Option<String>>,
    words: Vec<String>,
    deleted: Vec<Option<Timestamp>>,
    from: Vec<Timestamp>,
    to: Vec<Timestamp>,
    recorded: Vec<Timestamp>,
    superseded: Vec<bool>,
}

impl Rows {
    fn push(&mut self, id: ResourceId, settled: &Settled, words: String) {
        self.ids.push(id.into());
        self.evidence.push(settled.evidence);
        self.names.push(settled.state.name.clone());
        self.tags.push(settled.state.tags.clone());
        self.descriptions.push(settled.state.description.clone());
        self.contested.push(settled.contested);
        self.words.push(words);
        self.since.push(settled.since);
        self.deleted.push(settled.state.deleted_at);
        self.named.push(settled.named_at);
        self.from.push(settled.from);
        self.recorded.push(settled.recorded_at);
    }
}

impl Closed {
    fn push(
        &mut self,
        id: ResourceId,
        place: &Place<'_>,
        span: (&State, Timestamp, Timestamp),
        recorded: Timestamp,
        superseded: bool,
    ) {
        let (state, from, to) = span;
        self.ids.push(id.into());
        self.types.push(place.kind.to_owned());
        self.accounts.push(place.account.to_owned());
        self.regions.push(place.region.to_owned());
        self.native_ids.push(place.native_id.to_owned());
        self.names.push(state.name.clone());
        self.tags.push(state.tags.clone());
        self.descriptions.push(state.description.clone());
        self.words.push(state.words(place.native_id, []));
        self.deleted.push(state.deleted_at);
        self.from.push(from);
        self.to.push(to);
        self.recorded.push(recorded);
        self.superseded.push(superseded);
    }
}

impl Columns {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            new: Rows::default(),
            changed: Rows::default(),
            retagged: Vec::new(),
            tags: Tags::default(),
            closed: Closed::default(),
            superseded: Default::default(),
        }
    }

    pub(super) fn add(
        &mut self,
        id: ResourceId,
        place: &Place<'_>,
        settled: &Settled,
        words: String,
        stored: Option<&StoredResource>,
        planned: Option<&PlannedResource>,
    ) {
        match (stored, planned) {
            (None, Some(planned)) => {
                let new = &mut self.new;
                new.providers.push(planned.key.provider.clone());
                new.partitions.push(planned.key.partition.clone());
                new.accounts.push(place.account.to_owned());
                new.regions.push(place.region.to_owned());
                new.types.push(place.kind.to_owned());
                new.native_ids.push(place.native_id.to_owned());
                new.decided.push(planned.stateful);
                new.push(id, settled, words);
                self.add_tags(id, place, &settled.state);
            }
            (Some(stored), _) => {
                if !is_stored(stored, settled, &words) {
                    self.changed.push(id, settled, words);
                }
                let gone = |deleted_at: Option<Timestamp>| deleted_at.is_some();
                if stored.tags != settled.state.tags
                    || gone(stored.deleted_at) != gone(settled.state.deleted_at)
                {
                    self.retagged.push(id.into());
                    self.add_tags(id, place, &settled.state);
                }
            }
            (None, None) => {}
        }
        for correction in &settled.corrections {
            self.correct(id, place, stored, correction);
        }
    }

    fn correct(
        &mut self,
        id: ResourceId,
        place: &Place<'_>,
        stored: Option<&StoredResource>,
        correction: &Correction,
    ) {
        match correction {
            Correction::Ended { to } => {
                if let Some(stored) = stored {
                    let span = (&stored.state(), stored.shown_from, *to);
                    self.closed.push(id, place, span, stored.shown_recorded_at, false);
                }
            }
            Correction::Added(span) => {
                if let Some(to) = span.to {
                    self.closed.push(id, place, (&span.state, span.from, to), self.now, false);
                }
            }
            Correction::Superseded(held) => match held.span.to {
                Some(to) => {
                    self.superseded.0.push(id.into());
                    self.superseded.1.push(held.span.from);
                    self.superseded.2.push(to);
                }
                None => {
                    let span = (&held.span.state, held.span.from, self.now);
                    self.closed.push(id, place, span, held.recorded_at, true);
                }
            },
        }
    }

    fn add_tags(&mut self, id: ResourceId, place: &Place<'_>, state: &State) {
        for (key, value) in state.tags.as_object().into_iter().flatten() {
            let Some(value) = value.as_str() else { continue };
            if key.len() <= MAX_TAG_KEY && value.len() <= MAX_TAG_VALUE {
                self.tags.gone.push(state.deleted_at.is_some());
                self.tags.keys.push(key.clone());
                self.tags.values.push(value.to_owned());
                self.tags.types.push(place.kind.to_owned());
                self.tags.accounts.push(place.account.to_owned());
                self.tags.regions.push(place.region.to_owned());
                self.tags.native_ids.push(place.native_id.to_owned());
                self.tags.ids.push(id.into());
            }
        }
    }

    /// The resources that are new and of which more than the name is said.
    pub(super) fn decided_as_new(&self) -> impl Iterator<Item = ResourceId> {
        self.new
            .ids
            .iter()
            .zip(&self.new.decided)
            .filter(|(_, decided)| **decided)
            .map(|(id, _)| ResourceId(*id))
    }
}

/// Whether the stored row already says so.
fn is_stored(stored: &StoredResource, settled: &Settled, words: &str) -> bool {
    stored.state() == settled.state
        && stored.contested == settled.contested
        && stored.words == words
        && stored.since == settled.since
        && stored.evidence == settled.evidence
        && stored.named_at == settled.named_at
        && stored.shown_from == settled.from
}

/// Inserts the new resources; answers with those that nobody had inserted before.
pub(super) async fn insert(db: &mut PgConnection, columns: &Columns) -> Result<BTreeSet<ResourceId>, Error> {
    let new = &columns.new;
    if new.ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows = sqlx::query!(
        r#"insert into perigee.resources as r
               (id, provider, partition, account, region, type, native_id, evidence, name, tags, description, contested,
                words, since, deleted_at, named_at, shown_from, recorded_at, shown_recorded_at)
           select *, $18, $18
           from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::smallint[],
                       $9::text[], $10::jsonb[], $11::text[], $12::boolean[], $13::text[], $14::timestamptz[],
                       $15::timestamptz[], $16::timestamptz[], $17::timestamptz[])
           on conflict (id) do update set evidence = excluded.evidence where r.evidence < excluded.evidence
           returning id, (xmax = 0) as "born!""#,
        &new.ids,
        &new.providers,
        &new.partitions,
        &new.accounts,
        &new.regions,
        &new.types,
        &new.native_ids,
        &new.evidence,
        &new.names,
        &new.tags,
        &new.descriptions as _,
        &new.contested,
        &new.words,
        &new.since as _,
        &new.deleted as _,
        &new.named,
        &new.from,
        columns.now,
    )
    .fetch_all(db)
    .await
    .map_err(Error::writing("resources"))?;
    Ok(rows.into_iter().filter(|row| row.born).map(|row| ResourceId(row.id)).collect())
}

/// Updates the resources that are shown otherwise now.
pub(super) async fn update(db: &mut PgConnection, columns: &Columns) -> Result<(), Error> {
    let rows = &columns.changed;
    if rows.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"update perigee.resources r
           set evidence = w.evidence, name = w.name, tags = w.tags, description = w.description, words = w.words,
               since = w.since, deleted_at = w.deleted_at, named_at = w.named_at, shown_from = w.shown_from,
               shown_recorded_at = w.recorded_at, contested = w.contested
           from unnest($1::uuid[], $2::smallint[], $3::text[], $4::jsonb[], $5::text[], $6::text[], $7::timestamptz[],
                       $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::boolean[])
                w (id, evidence, name, tags, description, words, since, deleted_at, named_at, shown_from, recorded_at,
                   contested)
           where r.id = w.id"#,
        &rows.ids,
        &rows.evidence,
        &rows.names,
        &rows.tags,
        &rows.descriptions as _,
        &rows.words,
        &rows.since as _,
        &rows.deleted as _,
        &rows.named,
        &rows.from,
        &rows.recorded,
        &rows.contested,
    )
    .execute(db)
    .await
    .map_err(Error::writing("resources"))?;
    Ok(())
}

/// Writes what became of the past.
pub(super) async fn corrections(db: &mut PgConnection, columns: &Columns) -> Result<(), Error> {
    let (ids, from, to) = &columns.superseded;
    if !ids.is_empty() {
        sqlx::query!(
            r#"update perigee.shown_closed s set superseded_at = $4
               from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) w (id, valid_from, valid_to)
               where s.resource_id = w.id and s.valid_from = w.valid_from and s.valid_to = w.valid_to
                 and s.superseded_at is null"#,
            ids,
            from,
            to,
            columns.now,
        )
        .execute(&mut *db)
        .await
        .map_err(Error::writing("shown states"))?;
    }
    let rows = &columns.closed;
    if rows.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"insert into perigee.shown_closed
               (resource_id, type, account, region, native_id, name, tags, description, words, deleted_at, valid_from,
                valid_to, recorded_at, end_recorded_at, superseded_at, open_ended)
           select id, type, account, region, native_id, name, tags, description, words, deleted_at, valid_from, valid_to,
                  recorded_at, $15::timestamptz, case when superseded then $15::timestamptz end, superseded
           from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::text[],
                       $9::text[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[],
                       $14::boolean[])
                w (id, type, account, region, native_id, name, tags, description, words, deleted_at, valid_from, valid_to,
                   recorded_at, superseded)"#,
        &rows.ids,
        &rows.types,
        &rows.accounts,
        &rows.regions,
        &rows.native_ids,
        &rows.names,
        &rows.tags,
        &rows.descriptions as _,
        &rows.words,
        &rows.deleted as _,
        &rows.from,
        &rows.to,
        &rows.recorded,
        &rows.superseded,
        columns.now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("shown states"))?;
    Ok(())
}

/// Writes the tags of what is new, retagged, gone or back.
pub(super) async fn tags(db: &mut PgConnection, columns: &Columns) -> Result<(), Error> {
    if !columns.retagged.is_empty() {
        sqlx::query!("delete from perigee.resource_tags where resource_id = any($1)", &columns.retagged)
            .execute(&mut *db)
            .await
            .map_err(Error::writing("tags"))?;
    }
    let tags = &columns.tags;
    if tags.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"insert into perigee.resource_tags (gone, key, value, type, account, region, native_id, resource_id)
           select * from unnest($1::boolean[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                                $8::uuid[])
           on conflict do nothing"#,
        &tags.gone,
        &tags.keys,
        &tags.values,
        &tags.types,
        &tags.accounts,
        &tags.regions,
        &tags.native_ids,
        &tags.ids,
    )
    .execute(db)
    .await
    .map_err(Error::writing("tags"))?;
    Ok(())
}
