//! What is stored of resources' pasts: a fixed number of statements, however many resources.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    ContentHash, ResourceId, Timestamp,
    timeline::{Content, Fact, Run},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::spans::{History, Label, Labels, Span, State};
use crate::{
    Error,
    record::{
        Touched,
        decide::Decided,
        load::{self, Wanted, content},
        plan::{Plan, Speaker},
    },
};

/// A stored span, and when it was learned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredSpan {
    pub(crate) span: Span,
    pub(crate) recorded_at: Timestamp,
}

/// The labels of the documents that the latest words of the touched resources show.
pub(super) async fn labels(
    db: &mut PgConnection,
    plan: &Plan<'_>,
    touched: &Touched,
    decided: &BTreeMap<Speaker, Decided>,
) -> Result<Labels, Error> {
    let stored = touched.heads.iter().filter(|(speaker, _)| !decided.contains_key(*speaker));
    let contents = stored
        .map(|(_, head)| head.run.run.fact.content)
        .chain(decided.values().filter_map(|decided| decided.runs.last().map(|run| run.fact.content)));
    let mut labels = Labels::new();
    let mut unknown = BTreeSet::new();
    for content in contents {
        let Content::Document(hash) = content else { continue };
        match plan.documents.get(&hash) {
            Some(planned) => {
                let label = Label {
                    name: planned.name.clone(),
                    description: planned.description.clone(),
                    tags: planned.tags.clone(),
                };
                labels.insert(hash, label);
            }
            None => drop(unknown.insert(hash)),
        }
    }
    labels.extend(stored_labels(db, &unknown).await?);
    Ok(labels)
}

async fn stored_labels(db: &mut PgConnection, hashes: &BTreeSet<ContentHash>) -> Result<Labels, Error> {
    if hashes.is_empty() {
        return Ok(Labels::new());
    }
    let hashes: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.0.to_vec()).collect();
    let rows = sqlx::query!(
        "select hash, name, description, tags from perigee.documents where hash = any($1)",
        &hashes
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("documents"))?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let label = Label { name: row.name, description: row.description, tags: row.tags };
            Some((ContentHash(row.hash.try_into().ok()?), label))
        })
        .collect())
}

/// The names of resources that are no ARNs, stored and planned, in order.
pub(super) async fn aliases(
    db: &mut PgConnection,
    plan: &Plan<'_>,
    ids: impl Iterator<Item = ResourceId>,
) -> Result<BTreeMap<ResourceId, BTreeSet<String>>, Error> {
    let ids: Vec<Uuid> = ids.map(Uuid::from).collect();
    let rows = sqlx::query!(
        "select resource_id, alias from perigee.aliases where resource_id = any($1) and alias not like 'arn:%'",
        &ids
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("aliases"))?;
    let mut aliases: BTreeMap<ResourceId, BTreeSet<String>> = BTreeMap::new();
    let stored = rows.into_iter().map(|row| (ResourceId(row.resource_id), row.alias));
    let planned = plan.aliases.keys().map(|(alias, id)| (*id, alias.clone()));
    for (id, alias) in stored.chain(planned) {
        aliases.entry(id).or_default().insert(alias);
    }
    Ok(aliases)
}

/// Everything that every source says of resources, with the labels of all their documents. `named` says what each is
/// called and when it was first named.
pub(crate) async fn histories(
    db: &mut PgConnection,
    named: BTreeMap<ResourceId, (String, Timestamp)>,
) -> Result<(BTreeMap<ResourceId, History>, Labels), Error> {
    let ids: Vec<Uuid> = named.keys().map(|id| Uuid::from(*id)).collect();
    let mut histories: BTreeMap<ResourceId, History> = named
        .into_iter()
        .map(|(id, (native_id, named_at))| (id, History { native_id, named_at, voices: BTreeMap::new() }))
        .collect();
    let rows = sqlx::query!(
        r#"select resource_id as "resource_id!", source as "source!", rank as "rank!", valid_from as "valid_from!",
                  valid_to, state_id as "state_id!", content as "content!", document
           from (
               select resource_id, source, rank, valid_from, null::timestamptz as valid_to, state_id, content, document
               from perigee.versions_open where resource_id = any($1)
               union all
               select resource_id, source, rank, valid_from, valid_to, state_id, content, document
               from perigee.versions_closed where resource_id = any($1) and superseded_at is null
           ) v
           order by resource_id, source, valid_from"#,
        &ids
    )
    .fetch_all(&mut *db)
    .await
    .map_err(Error::reading("versions"))?;
    let mut hashes = BTreeSet::new();
    for row in rows {
        let content = content(row.content, row.document);
        if let Content::Document(hash) = content {
            hashes.insert(hash);
        }
        let Some(history) = histories.get_mut(&ResourceId(row.resource_id)) else { continue };
        let voice = history.voices.entry(row.source).or_default();
        voice.rank = row.rank;
        let fact = Fact { state_id: row.state_id, content };
        voice.runs.push(Run { from: row.valid_from, to: row.valid_to, fact });
    }
    add_sightings(db, &mut histories).await?;
    let labels = stored_labels(db, &hashes).await?;
    Ok((histories, labels))
}

/// Adds when the same was seen again, where that matters: of resources that some source called gone.
async fn add_sightings(
    db: &mut PgConnection,
    histories: &mut BTreeMap<ResourceId, History>,
) -> Result<(), Error> {
    let mut wanted = Wanted::default();
    for (id, history) in histories.iter() {
        if history.is_contested() {
            for (source, voice) in &history.voices {
                if let Some(first) = voice.runs.first() {
                    wanted.push(&(*id, source.clone()), first.from);
                }
            }
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    for (speaker, sighting) in load::sightings(db, &wanted).await? {
        let voice = histories.get_mut(&speaker.0).and_then(|history| history.voices.get_mut(&speaker.1));
        if let Some(voice) = voice {
            voice.sightings.push((sighting.at, sighting.state_id));
        }
    }
    Ok(())
}

/// What is stored as shown over time, the current state last.
pub(crate) async fn stored_spans(
    db: &mut PgConnection,
    ids: &[Uuid],
) -> Result<BTreeMap<ResourceId, Vec<StoredSpan>>, Error> {
    let rows = sqlx::query!(
        r#"select id as "id!", valid_from as "valid_from!", valid_to, name as "name!", tags as "tags!", description,
                  deleted_at, recorded_at as "recorded_at!"
           from (
               select resource_id as id, valid_from, valid_to, name, tags, description, deleted_at, recorded_at
               from perigee.shown_closed where resource_id = any($1) and superseded_at is null
               union all
               select id, shown_from, null, name, tags, description, deleted_at, shown_recorded_at
               from perigee.resources where id = any($1)
           ) s
           order by id, valid_from"#,
        ids
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("resources"))?;
    let mut spans: BTreeMap<ResourceId, Vec<StoredSpan>> = BTreeMap::new();
    for row in rows {
        let state = State {
            name: row.name,
            tags: row.tags,
            description: row.description,
            deleted_at: row.deleted_at,
        };
        let span = Span { from: row.valid_from, to: row.valid_to, state };
        spans.entry(ResourceId(row.id)).or_default().push(StoredSpan { span, recorded_at: row.recorded_at });
    }
    Ok(spans)
}
