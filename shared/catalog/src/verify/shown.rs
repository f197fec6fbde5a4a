//! What is shown of resources, now and over time, beside what their versions say.

use std::collections::BTreeMap;

use model::{ResourceId, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Found, Slice, TOLD};
use crate::{
    Error,
    record::states::{
        StoredSpan, histories,
        spans::{Span, State, spans},
        stored_spans,
    },
};

/// How many resources are held in memory at once.
const BATCH: i64 = 2_000;

/// A resource as it is stored.
struct Stored {
    id: Uuid,
    native_id: String,
    named_at: Timestamp,
    words: String,
    aliases: Vec<String>,
    horizon: Option<Timestamp>,
}

/// What is to be shown of one resource, and is not.
struct Drifted {
    id: Uuid,
    native_id: String,
    wanted: Vec<Span>,
    words: String,
}

pub(super) async fn compare(
    db: &mut PgConnection,
    slice: Slice,
    repair: bool,
    now: Timestamp,
) -> Result<Found, Error> {
    let mut found = Found::default();
    let mut first = slice.first;
    loop {
        let batch = load(db, first, slice.last).await?;
        let Some(last) = batch.last().map(|stored| stored.id) else { break };
        found.rows += i64::try_from(batch.len()).unwrap_or(i64::MAX);
        let drifted = drifted(db, batch, &mut found).await?;
        if repair && !drifted.is_empty() {
            found.repaired += mend(db, &drifted, now).await?;
        }
        match last.as_u128().checked_add(1) {
            Some(next) => first = Uuid::from_u128(next),
            None => break,
        }
    }
    Ok(found)
}

async fn load(db: &mut PgConnection, first: Uuid, last: Uuid) -> Result<Vec<Stored>, Error> {
    sqlx::query_as!(
        Stored,
        r#"select r.id, r.native_id, r.named_at, r.words,
                  array(select a.alias from perigee.aliases a
                        where a.resource_id = r.id and a.alias not like 'arn:%' order by a.alias collate "C") as "aliases!",
                  (select max(h.at) from perigee.horizons h
                   where h.kind in ('history', 'deleted') and h.type in ('', r.type)) as horizon
           from perigee.resources r where r.id between $1 and $2 order by r.id limit $3"#,
        first,
        last,
        BATCH,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("resources"))
}

async fn drifted(
    db: &mut PgConnection,
    batch: Vec<Stored>,
    found: &mut Found,
) -> Result<Vec<Drifted>, Error> {
    let named = batch.iter().map(|one| (ResourceId(one.id), (one.native_id.clone(), one.named_at))).collect();
    let (histories, labels) = histories(db, named).await?;
    let ids: Vec<Uuid> = batch.iter().map(|one| one.id).collect();
    let mut held = stored_spans(db, &ids).await?;
    let mut drifted = Vec::new();
    for one in batch {
        let id = ResourceId(one.id);
        let Some(history) = histories.get(&id) else { continue };
        let wanted = since(spans(history, &labels), one.horizon);
        let held: Vec<StoredSpan> = held.remove(&id).unwrap_or_default();
        let held = since(held.into_iter().map(|held| held.span).collect(), one.horizon);
        let words = wanted
            .last()
            .map(|last| last.state.words(&one.native_id, one.aliases.iter().map(String::as_str)))
            .unwrap_or_default();
        let detail = if held != wanted {
            difference(&held, &wanted)
        } else if words != one.words {
            "the words by which it is found are not its own".to_owned()
        } else {
            continue;
        };
        found.count += 1;
        if i64::try_from(found.faults.len()).is_ok_and(|told| told < TOLD) {
            found.faults.push((one.id.to_string(), detail));
        }
        drifted.push(Drifted { id: one.id, native_id: one.native_id, wanted, words });
    }
    Ok(drifted)
}

/// The spans that reach beyond the horizon, as far as they do; before it nothing is known any more.
fn since(spans: Vec<Span>, horizon: Option<Timestamp>) -> Vec<Span> {
    let Some(horizon) = horizon else { return spans };
    let mut reaching: Vec<Span> = Vec::new();
    for mut span in spans.into_iter().filter(|span| span.to.is_none_or(|to| to > horizon)) {
        span.from = span.from.max(horizon);
        reaching.push(span);
    }
    reaching
}

fn difference(held: &[Span], wanted: &[Span]) -> String {
    let differs = held.iter().zip(wanted).find(|(held, wanted)| held != wanted);
    let of = |state: &State| match state.deleted_at {
        Some(at) => format!("`{}`, gone since {at}", state.name),
        None => format!("`{}`", state.name),
    };
    match differs {
        Some((held, wanted)) if held.state == wanted.state => {
            format!(
                "{} is shown from {} to {:?}, and was so from {} to {:?}",
                of(&held.state),
                held.from,
                held.to,
                wanted.from,
                wanted.to
            )
        }
        Some((held, wanted)) => {
            format!(
                "from {} on it is shown as {}, and its versions say {} with other tags or words",
                wanted.from,
                of(&held.state),
                of(&wanted.state)
            )
        }
        None => format!("{} states are shown, and its versions say {}", held.len(), wanted.len()),
    }
}

/// Writes what is to be shown. What was shown instead stays, marked as superseded.
async fn mend(db: &mut PgConnection, drifted: &[Drifted], now: Timestamp) -> Result<i64, Error> {
    let by_id: BTreeMap<Uuid, &Drifted> = drifted.iter().map(|one| (one.id, one)).collect();
    let ids: Vec<Uuid> = by_id.keys().copied().collect();
    let from: Vec<Timestamp> =
        by_id.values().map(|one| one.wanted.first().map_or(now, |first| first.from)).collect();
    sqlx::query!(
        r#"update perigee.shown_closed s set superseded_at = $3
           from unnest($1::uuid[], $2::timestamptz[]) w (id, began)
           where s.resource_id = w.id and s.valid_to > w.began and s.superseded_at is null"#,
        &ids,
        &from,
        now,
    )
    .execute(&mut *db)
    .await
    .map_err(Error::writing("shown states"))?;
    let (mut owners, mut names, mut tags, mut descriptions) = (vec![], vec![], vec![], vec![]);
    let (mut words, mut deleted, mut begins, mut ends) = (vec![], vec![], vec![], vec![]);
    for one in by_id.values() {
        for span in &one.wanted {
            owners.push(one.id);
            names.push(span.state.name.clone());
            tags.push(span.state.tags.clone());
            descriptions.push(span.state.description.clone());
            let own = span.to.map_or_else(|| one.words.clone(), |_| span.state.words(&one.native_id, []));
            words.push(own);
            deleted.push(span.state.deleted_at);
            begins.push(span.from);
            ends.push(span.to);
        }
    }
    let mended = sqlx::query!(
        r#"with wanted (id, name, tags, description, words, deleted_at, valid_from, valid_to) as (
               select * from unnest($1::uuid[], $2::text[], $3::jsonb[], $4::text[], $5::text[], $6::timestamptz[],
                                    $7::timestamptz[], $8::timestamptz[])
           ), past as (
               insert into perigee.shown_closed
                   (resource_id, type, account, region, native_id, name, tags, description, words, deleted_at, valid_from,
                    valid_to, recorded_at, end_recorded_at)
               select r.id, r.type, r.account, r.region, r.native_id, w.name, w.tags, w.description, w.words, w.deleted_at,
                      w.valid_from, w.valid_to, $9, $9
               from wanted w join perigee.resources r on r.id = w.id where w.valid_to is not null
           )
           update perigee.resources r
           set name = w.name, tags = w.tags, description = w.description, words = w.words, deleted_at = w.deleted_at,
               shown_from = w.valid_from,
               shown_recorded_at = case when r.shown_from = w.valid_from then r.shown_recorded_at else $9 end
           from wanted w where w.id = r.id and w.valid_to is null"#,
        &owners,
        &names,
        &tags,
        &descriptions as _,
        &words,
        &deleted as _,
        &begins,
        &ends as _,
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("shown states"))?;
    Ok(i64::try_from(mended.rows_affected()).unwrap_or(i64::MAX))
}
