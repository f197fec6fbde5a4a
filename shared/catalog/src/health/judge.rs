//! Judges what is due, and writes what came of it: state, transition and signal in one transaction.

use std::collections::BTreeMap;

use model::{Health, HealthState, ResourceId, Signal, SignalId, SignalKind, Timestamp, Verdict};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Subject, subjects};
use crate::{
    Catalog, Error, Resource, connect, outbox,
    status::{self, Delta},
};

/// How long a status and a reason may be, in characters.
const STATUS_LENGTH: usize = 100;
const REASON_LENGTH: usize = 2_000;

/// What a judge says of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict. Without a rule it is none: the resource is not judged.
    pub verdict: Verdict,
    /// When it is to be judged again, whatever happens.
    pub due_at: Option<Timestamp>,
}

/// What a round of judging did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Judged {
    /// How many resources were judged; as many as were asked for when more may be due.
    pub resources: usize,
    /// Of how many health or status changed.
    pub changed: usize,
    /// True when rules were edited meanwhile: nothing was judged, and the rules must be read anew.
    pub outdated: bool,
}

/// A row that is due, and why.
struct Due {
    id: Uuid,
    due_at: Timestamp,
    due_since: Option<Timestamp>,
}

/// What becomes of a row.
#[derive(Debug, Default)]
struct Decided {
    /// The state to keep, if any.
    state: Option<HealthState>,
    /// When to judge again.
    due_at: Option<Timestamp>,
    /// What it was before, and what it is, when that differs.
    change: Option<Change>,
}

#[derive(Debug)]
struct Change {
    from: Option<Verdict>,
    to: Verdict,
    at: Timestamp,
    /// Whether the world is told.
    told: bool,
}

impl Catalog {
    /// Judges up to `limit` resources that are due, as they stand now, by the rules of the mark
    /// `known`. Judges that work at once get different ones; one
    /// that dies leaves them due.
    ///
    /// # Errors
    /// What the database says. Nothing was judged then.
    pub async fn judge_due(
        &self,
        limit: u32,
        now: Timestamp,
        known: i64,
        judge: &mut (dyn FnMut(&Subject) -> Judgement + Send),
    ) -> Result<Judged, Error> {
        let mut tx = connect::begin(&self.pool).await.map_err(Error::connecting)?;
        let due = claim(&mut tx, limit, now).await?;
        if due.is_empty() {
            return Ok(Judged::default());
        }
        // Asked after the claim: a rule was edited before anything became due for it.
        if mark_of_rules(&mut tx).await? != known {
            // Awaited, so that whoever asks again at once does not find them locked.
            tx.rollback().await.map_err(Error::writing("health"))?;
            return Ok(Judged { outdated: true, ..Judged::default() });
        }
        let ids: Vec<Uuid> = due.iter().map(|due| due.id).collect();
        // Read after the rows were locked: whoever records something newer makes them due again once we are done.
        let subjects: BTreeMap<Uuid, Subject> = subjects::load(&mut tx, &ids)
            .await?
            .into_iter()
            .map(|subject| (subject.resource.id.into(), subject))
            .collect();
        let decided: Vec<(Uuid, Decided)> = due
            .iter()
            .map(|due| {
                (due.id, subjects.get(&due.id).map(|one| decide(due, one, judge, now)).unwrap_or_default())
            })
            .collect();
        let changes = spans(&decided, &subjects);
        // Before the rows are overwritten.
        close(&mut tx, &changes, now).await?;
        keep(&mut tx, &decided, now).await?;
        status::add_deltas(&mut tx, &deltas(&changes), now).await?;
        let numbers = transitions(&mut tx, &decided, now).await?;
        let signals: Vec<Signal> = decided
            .iter()
            .filter_map(|(id, decided)| {
                signal(subjects.get(id)?, decided.change.as_ref()?, *numbers.get(id)?)
            })
            .collect();
        outbox::put(&mut tx, &signals, now).await?;
        tx.commit().await.map_err(Error::writing("health"))?;
        Ok(Judged { resources: due.len(), changed: numbers.len(), outdated: false })
    }
}

async fn mark_of_rules(db: &mut PgConnection) -> Result<i64, Error> {
    sqlx::query_scalar!(
        r#"select coalesce(max(mark), 0) as "mark!" from perigee.manifests where kind = 'HealthRule'"#
    )
    .fetch_one(db)
    .await
    .map_err(Error::reading("manifests"))
}

async fn claim(db: &mut PgConnection, limit: u32, now: Timestamp) -> Result<Vec<Due>, Error> {
    sqlx::query_as!(
        Due,
        r#"select resource_id as id, due_at as "due_at!", due_since from perigee.health where due_at <= $1
           order by due_at limit $2 for update skip locked"#,
        now,
        i64::from(limit),
    )
    .fetch_all(db)
    .await
    .map_err(Error::writing("health"))
}

fn decide(
    due: &Due,
    subject: &Subject,
    judge: &mut (dyn FnMut(&Subject) -> Judgement + Send),
    now: Timestamp,
) -> Decided {
    let before = subject.health.as_ref();
    // Transitions of a resource follow one another, also when a late fact brings one about.
    let not_before = |at: Timestamp| before.map_or(at, |state| at.max(state.since));
    if let Some(deleted_at) = subject.resource.deleted_at {
        // `resource.deleted` has told the world already.
        let change = before.map(|state| Change {
            from: Some(state.verdict.clone()),
            to: gone(),
            at: not_before(deleted_at),
            told: false,
        });
        return Decided { change, ..Decided::default() };
    }
    let Judgement { mut verdict, due_at } = judge(subject);
    verdict.status = clean(&verdict.status, STATUS_LENGTH);
    verdict.reason = clean(&verdict.reason, REASON_LENGTH);
    let at = not_before(due.due_since.unwrap_or(due.due_at).min(now));
    let is_judged = verdict.rule.is_some();
    let changed = match before {
        Some(state) => {
            !is_judged || (state.verdict.health, &state.verdict.status) != (verdict.health, &verdict.status)
        }
        None => is_judged,
    };
    let change = changed.then(|| Change {
        from: before.map(|state| state.verdict.clone()),
        to: verdict.clone(),
        at,
        told: true,
    });
    let since = if changed { at } else { before.map_or(at, |state| state.since) };
    let state =
        is_judged.then_some(HealthState { resource: subject.resource.id, verdict, since, judged_at: now });
    Decided { state, due_at, change }
}

fn gone() -> Verdict {
    Verdict {
        health: Health::Unknown,
        status: "Deleted".to_owned(),
        ready: true,
        reason: String::new(),
        rule: None,
        until: None,
    }
}

/// What Postgres can keep of a text, up to a length.
fn clean(text: &str, length: usize) -> String {
    let letters = text.chars().map(|letter| if letter == '\0' { '\u{fffd}' } else { letter });
    letters.take(length).collect()
}

/// Writes the states, and removes the rows of what is neither judged nor due.
async fn keep(db: &mut PgConnection, decided: &[(Uuid, Decided)], now: Timestamp) -> Result<(), Error> {
    let (kept, removed): (Vec<_>, Vec<_>) =
        decided.iter().partition(|(_, one)| one.state.is_some() || one.due_at.is_some());
    let ids: Vec<Uuid> = kept.iter().map(|(id, _)| *id).collect();
    let verdict = |one: &Decided| one.state.as_ref().map(|state| state.verdict.clone());
    let verdicts: Vec<Option<Verdict>> = kept.iter().map(|(_, one)| verdict(one)).collect();
    let healths: Vec<Option<String>> =
        verdicts.iter().map(|v| v.as_ref().map(|v| v.health.as_str().to_owned())).collect();
    let statuses: Vec<String> =
        verdicts.iter().map(|v| v.as_ref().map(|v| v.status.clone()).unwrap_or_default()).collect();
    let readies: Vec<bool> = verdicts.iter().map(|v| v.as_ref().is_none_or(|v| v.ready)).collect();
    let reasons: Vec<String> =
        verdicts.iter().map(|v| v.as_ref().map(|v| v.reason.clone()).unwrap_or_default()).collect();
    let rules: Vec<Option<String>> =
        verdicts.iter().map(|v| v.as_ref().and_then(|v| v.rule.clone())).collect();
    let untils: Vec<Option<Timestamp>> = verdicts.iter().map(|v| v.as_ref().and_then(|v| v.until)).collect();
    let sinces: Vec<Option<Timestamp>> =
        kept.iter().map(|(_, one)| one.state.as_ref().map(|state| state.since)).collect();
    let dues: Vec<Option<Timestamp>> = kept.iter().map(|(_, one)| one.due_at).collect();
    if !ids.is_empty() {
        sqlx::query!(
            r#"update perigee.health h
               set health = w.health, status = w.status, ready = w.ready, reason = w.reason, rule = w.rule,
                   until = w.until, since = w.since, judged_at = $10, due_at = w.due_at, due_since = null
               from unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::text[], $6::text[], $7::timestamptz[],
                           $8::timestamptz[], $9::timestamptz[])
                    w (id, health, status, ready, reason, rule, until, since, due_at)
               where h.resource_id = w.id"#,
            &ids,
            &healths as _,
            &statuses,
            &readies,
            &reasons,
            &rules as _,
            &untils as _,
            &sinces as _,
            &dues as _,
            now,
        )
        .execute(&mut *db)
        .await
        .map_err(Error::writing("health"))?;
    }
    let removed: Vec<Uuid> = removed.iter().map(|(id, _)| *id).collect();
    if !removed.is_empty() {
        sqlx::query!("delete from perigee.health where resource_id = any ($1)", &removed)
            .execute(db)
            .await
            .map_err(Error::writing("health"))?;
    }
    Ok(())
}

/// A change of health, with whose it is and what ended.
struct Ended<'a> {
    subject: &'a Subject,
    change: &'a Change,
}

fn spans<'a>(decided: &'a [(Uuid, Decided)], subjects: &'a BTreeMap<Uuid, Subject>) -> Vec<Ended<'a>> {
    let changed = decided.iter().filter_map(|(id, one)| Some((subjects.get(id)?, one.change.as_ref()?)));
    changed.map(|(subject, change)| Ended { subject, change }).collect()
}

/// How many more or fewer are how well, and from when on.
fn deltas<'a>(ended: &'a [Ended<'a>]) -> Vec<Delta<'a>> {
    let of_one = |Ended { subject, change }: &'a Ended<'a>| {
        let Resource { account, region, kind, .. } = &subject.resource;
        let before = change.from.as_ref().map(|from| (from.health, -1));
        let after = change.to.rule.as_ref().map(|_| (change.to.health, 1));
        before.into_iter().chain(after).map(move |(health, number)| Delta {
            account,
            region,
            kind,
            health: health.as_str(),
            at: change.at,
            number,
        })
    };
    ended.iter().flat_map(of_one).collect()
}

/// Keeps how well resources were until now.
async fn close(db: &mut PgConnection, ended: &[Ended<'_>], now: Timestamp) -> Result<(), Error> {
    let held: Vec<(&Resource, &HealthState, Timestamp)> = ended
        .iter()
        .filter_map(|Ended { subject, change }| {
            let before = subject.health.as_ref()?;
            (before.since < change.at).then_some((&subject.resource, before, change.at))
        })
        .collect();
    if held.is_empty() {
        return Ok(());
    }
    fn column<T>(
        held: &[(&Resource, &HealthState, Timestamp)],
        field: impl Fn(&Resource, &HealthState) -> T,
    ) -> Vec<T> {
        held.iter().map(|(resource, state, _)| field(resource, state)).collect()
    }
    let ends: Vec<Timestamp> = held.iter().map(|(_, _, at)| *at).collect();
    sqlx::query!(
        r#"insert into perigee.health_closed
               (resource_id, type, account, region, native_id, namespace, health, status, ready, reason, rule, valid_from,
                valid_to, recorded_at, end_recorded_at)
           select w.id, r.type, r.account, r.region, r.native_id, h.namespace, w.health, w.status, w.ready, w.reason, w.rule,
                  w.valid_from, w.valid_to,
                  coalesce((select max(t.recorded_at) from perigee.health_transitions t
                            where t.resource_id = w.id and t.at = w.valid_from), w.judged_at), $10
           from unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::text[], $6::text[], $7::timestamptz[],
                       $8::timestamptz[], $9::timestamptz[])
                w (id, health, status, ready, reason, rule, valid_from, valid_to, judged_at)
           join perigee.resources r on r.id = w.id
           left join perigee.health h on h.resource_id = w.id"#,
        &column(&held, |resource, _| Uuid::from(resource.id)),
        &column(&held, |_, state| state.verdict.health.as_str().to_owned()),
        &column(&held, |_, state| state.verdict.status.clone()),
        &column(&held, |_, state| state.verdict.ready),
        &column(&held, |_, state| state.verdict.reason.clone()),
        &column(&held, |_, state| state.verdict.rule.clone()) as _,
        &column(&held, |_, state| state.since),
        &ends,
        &column(&held, |_, state| state.judged_at),
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("health"))?;
    Ok(())
}

/// Writes the transitions. The answer holds the number of each.
async fn transitions(
    db: &mut PgConnection,
    decided: &[(Uuid, Decided)],
    now: Timestamp,
) -> Result<BTreeMap<Uuid, i64>, Error> {
    let changes: Vec<(&Uuid, &Change)> =
        decided.iter().filter_map(|(id, one)| one.change.as_ref().map(|change| (id, change))).collect();
    if changes.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<Uuid> = changes.iter().map(|(id, _)| **id).collect();
    let times: Vec<Timestamp> = changes.iter().map(|(_, change)| change.at).collect();
    let from = |change: &Change| change.from.as_ref().map(|from| from.health.as_str().to_owned());
    let from_healths: Vec<Option<String>> = changes.iter().map(|(_, change)| from(change)).collect();
    let from_statuses: Vec<Option<String>> =
        changes.iter().map(|(_, change)| change.from.as_ref().map(|from| from.status.clone())).collect();
    let healths: Vec<String> =
        changes.iter().map(|(_, change)| change.to.health.as_str().to_owned()).collect();
    let statuses: Vec<String> = changes.iter().map(|(_, change)| change.to.status.clone()).collect();
    let readies: Vec<bool> = changes.iter().map(|(_, change)| change.to.ready).collect();
    let reasons: Vec<String> = changes.iter().map(|(_, change)| change.to.reason.clone()).collect();
    let rules: Vec<Option<String>> = changes.iter().map(|(_, change)| change.to.rule.clone()).collect();
    let untils: Vec<Option<Timestamp>> = changes.iter().map(|(_, change)| change.to.until).collect();
    let rows = sqlx::query!(
        r#"insert into perigee.health_transitions
               (resource_id, at, recorded_at, from_health, from_status, health, status, ready, reason, rule, until)
           select id, at, $11, from_health, from_status, health, status, ready, reason, rule, until
           from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[],
                       $8::text[], $9::text[], $10::timestamptz[])
                w (id, at, from_health, from_status, health, status, ready, reason, rule, until)
           returning id, resource_id"#,
        &ids,
        &times,
        &from_healths as _,
        &from_statuses as _,
        &healths,
        &statuses,
        &readies,
        &reasons,
        &rules as _,
        &untils as _,
        now,
    )
    .fetch_all(db)
    .await
    .map_err(Error::writing("transitions"))?;
    Ok(rows.into_iter().map(|row| (row.resource_id, row.id)).collect())
}

fn signal(subject: &Subject, change: &Change, number: i64) -> Option<Signal> {
    if !change.told {
        return None;
    }
    let Resource { id, kind, account, region, name, .. } = &subject.resource;
    let id: ResourceId = *id;
    let Verdict { health, status, ready, reason, rule, .. } = &change.to;
    let at = change.at.timestamp_micros().to_string();
    Some(Signal {
        id: SignalId::of("health", &[&id.to_string(), &at, &number.to_string()]),
        kind: SignalKind::HealthChanged,
        subject: id.into(),
        occurred_at: change.at,
        payload: json!({
            "type": kind, "account": account, "region": region, "name": name,
            "health": health, "previous": change.from.as_ref().map(|from| from.health),
            "status": status, "reason": reason, "ready": ready, "since": change.at, "rule": rule,
        }),
    })
}
