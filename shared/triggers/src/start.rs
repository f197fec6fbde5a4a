//! What every trigger of a playbook passes, whoever pulls it.
//!
//! In this order: the playbook is there, the target is one of its resources, the parameters are admitted, the trigger
//! is not too old, it is nothing that we did ourselves, and no other run of the playbook is live on the target. Then
//! the run is written down, once however often the trigger comes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use catalog::{
    Catalog,
    runs::{NewRun, Started},
};
use manifest::kinds::playbook::ParameterType;
use model::{ResourceId, RunId, SignalKind, Timestamp};
use serde_json::{Map, Value};

use crate::{Book, Error, Principals, Subject, guard, subject};

/// Somebody or something wants a playbook to be run.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The playbook.
    pub book: &'a Arc<Book>,
    /// Who or what wants it.
    pub trigger: Trigger<'a>,
    /// The resource to run it on.
    pub target: Option<ResourceId>,
    /// The parameters as they were given.
    pub parameters: BTreeMap<String, Value>,
}

/// Who or what wants a playbook to be run.
#[derive(Debug, Clone, Copy)]
pub enum Trigger<'a> {
    /// A signal.
    Signal(&'a Subject),
    /// A schedule: its place among those of the playbook, and the instant that it names.
    Schedule(usize, Timestamp),
    /// Somebody, by the API.
    Api {
        /// The request's key: a request that comes again is the same run.
        key: &'a str,
        /// Who it is, where that is known.
        by: Option<&'a str>,
    },
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The run was started.
    Started(RunId),
    /// The same request had started the run before.
    Before(RunId),
    /// No run was started.
    Refused(Refusal),
}

/// Why no run was started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The playbook is run on a resource.
    #[error("playbook `{playbook}` is run on a resource; say on which: one of `{selector}`")]
    NeedsTarget {
        /// The playbook.
        playbook: String,
        /// The resources it may be run on.
        selector: String,
    },
    /// The playbook is run on no resource.
    #[error("playbook `{0}` is run on no resource, for it has no `target`; leave the resource out")]
    TakesNoTarget(String),
    /// The playbook is not run on this resource.
    #[error("playbook `{playbook}` is not run on this resource; it is run on `{selector}`")]
    OutOfReach {
        /// The playbook.
        playbook: String,
        /// The resources it may be run on.
        selector: String,
    },
    /// The parameters are not what the playbook takes.
    #[error("{}", .0.join("; "))]
    Parameters(Vec<String>),
    /// A guard stopped it, and a run was kept that says so: `too_old`, `own_action`, `chain_too_long`,
    /// `already_running`.
    #[error("{0}")]
    Stopped(String),
    /// A run of the playbook is live on this target.
    #[error("run {0} of this playbook is under way on this target; wait for its end, or cancel it")]
    AlreadyRunning(RunId),
    /// The key was used for another request.
    #[error("this Idempotency-Key was used for a run with other parameters, {0}; use another key")]
    KeyUsed(RunId),
}

impl Trigger<'_> {
    fn word(self) -> &'static str {
        match self {
            Self::Signal(_) => "signal",
            Self::Schedule(..) => "schedule",
            Self::Api { .. } => "api",
        }
    }

    /// What is the same when the same trigger comes again.
    fn key(self) -> String {
        match self {
            Self::Signal(subject) => subject.signal.id.to_string(),
            Self::Schedule(place, at) => format!("{place} {}", at.to_rfc3339()),
            Self::Api { key, .. } => key.to_owned(),
        }
    }

    fn occurred_at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Signal(subject) => subject.signal.occurred_at,
            Self::Schedule(_, at) => at,
            Self::Api { .. } => now,
        }
    }

    /// True where somebody waits for the answer; for others a run is kept that says what became of it.
    fn is_asked(self) -> bool {
        matches!(self, Self::Api { .. })
    }
}

impl Request<'_> {
    /// The id of the run that this request starts. The word keeps a caller from giving a signal's id as a key.
    fn id(&self) -> RunId {
        RunId::of(&self.book.name, &format!("{}:{}", self.trigger.word(), self.trigger.key()), self.target)
    }

    fn selector(&self) -> String {
        self.book.playbook.target.as_ref().map_or_else(String::new, |target| target.0.clone())
    }
}

/// Starts what is wanted. The answers are in the order of `requests`.
///
/// A signal whose resource is not one of the playbook's is no error, and leaves no trace.
///
/// # Errors
/// What the catalog says. Nothing was started then, and starting again is safe.
pub async fn start(
    catalog: &Catalog,
    principals: Principals<'_>,
    requests: &[Request<'_>],
    now: Timestamp,
) -> Result<Vec<Answer>, Error> {
    let reach = reach(catalog, requests).await?;
    let mut answers: Vec<Option<Answer>> = Vec::with_capacity(requests.len());
    let mut runs: Vec<(usize, NewRun)> = Vec::new();
    for (place, request) in requests.iter().enumerate() {
        if let Some(refusal) = out_of_reach(request, &reach) {
            answers.push(Some(Answer::Refused(refusal)));
            continue;
        }
        let (parameters, mut stopped) = match admitted(catalog, request).await? {
            Ok(parameters) => (parameters, None),
            Err(faults) if request.trigger.is_asked() => {
                answers.push(Some(Answer::Refused(Refusal::Parameters(faults))));
                continue;
            }
            Err(faults) => {
                (Value::Object(Map::new()), Some(format!("bad_parameters: {}", faults.join("; "))))
            }
        };
        stopped = stopped_by_guard(principals, request, now).map(str::to_owned).or(stopped);
        runs.push((place, new_run(request, parameters, stopped, now)));
        answers.push(None);
    }
    let (places, runs): (Vec<usize>, Vec<NewRun>) = runs.into_iter().unzip();
    let started = catalog.start_runs(&runs, now).await?;
    for ((place, run), started) in places.into_iter().zip(&runs).zip(started) {
        let answer = match started {
            Started::New => match &run.stopped {
                Some(reason) => Answer::Refused(Refusal::Stopped(reason.clone())),
                None => Answer::Started(run.id),
            },
            Started::Before => before(catalog, run).await?,
            Started::Beside(other) => Answer::Refused(Refusal::AlreadyRunning(other)),
        };
        if let Some(slot) = answers.get_mut(place) {
            *slot = Some(answer);
        }
    }
    // Every place was filled: with a refusal in the first loop, or with what became of its run in the second.
    Ok(answers.into_iter().flatten().collect())
}

/// What [`start`] would start for somebody who asks by the API, without starting it.
///
/// # Errors
/// What the catalog says.
pub async fn plan(
    catalog: &Catalog,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Result<NewRun, Refusal>, Error> {
    let reach = reach(catalog, std::slice::from_ref(request)).await?;
    if let Some(refusal) = out_of_reach(request, &reach) {
        return Ok(Err(refusal));
    }
    Ok(match admitted(catalog, request).await? {
        Ok(parameters) => Ok(new_run(request, parameters, None, now)),
        Err(faults) => Err(Refusal::Parameters(faults)),
    })
}

/// The resources of the requests that the playbooks may be run on, by playbook: one statement a playbook.
async fn reach(
    catalog: &Catalog,
    requests: &[Request<'_>],
) -> Result<BTreeMap<String, BTreeSet<ResourceId>>, Error> {
    let mut wanted: BTreeMap<&str, (&Arc<Book>, BTreeSet<ResourceId>, bool)> = BTreeMap::new();
    for request in requests {
        let (_, ids, deleted) =
            wanted.entry(&request.book.name).or_insert((request.book, BTreeSet::new(), false));
        ids.extend(request.target);
        *deleted |= tells_of_a_deletion(request.trigger);
    }
    let mut reach = BTreeMap::new();
    for (name, (book, ids, deleted)) in wanted {
        if let Some(selector) = &book.target {
            let ids: Vec<ResourceId> = ids.into_iter().collect();
            let found = catalog.selected(selector, &ids, deleted).await?;
            reach.insert(name.to_owned(), found.into_iter().collect());
        }
    }
    Ok(reach)
}

/// A playbook that is started by a deletion is run on what is gone.
fn tells_of_a_deletion(trigger: Trigger<'_>) -> bool {
    match trigger {
        Trigger::Signal(subject) => subject.signal.kind == SignalKind::ResourceDeleted,
        Trigger::Schedule(..) | Trigger::Api { .. } => false,
    }
}

fn out_of_reach(request: &Request<'_>, reach: &BTreeMap<String, BTreeSet<ResourceId>>) -> Option<Refusal> {
    let playbook = || request.book.name.clone();
    match (reach.get(&request.book.name), request.target) {
        (None, None) => None,
        (None, Some(_)) => Some(Refusal::TakesNoTarget(playbook())),
        // A schedule that is too old stands for all its targets.
        (Some(_), None) if matches!(request.trigger, Trigger::Schedule(..)) => None,
        (Some(_), None) => Some(Refusal::NeedsTarget { playbook: playbook(), selector: request.selector() }),
        (Some(reach), Some(target)) if reach.contains(&target) => None,
        (Some(_), Some(_)) => {
            Some(Refusal::OutOfReach { playbook: playbook(), selector: request.selector() })
        }
    }
}

fn stopped_by_guard(
    principals: Principals<'_>,
    request: &Request<'_>,
    now: Timestamp,
) -> Option<&'static str> {
    let own = match request.trigger {
        Trigger::Signal(subject) => principals.guard(subject, &request.book.name),
        Trigger::Schedule(..) | Trigger::Api { .. } => None,
    };
    let age = now.signed_duration_since(request.trigger.occurred_at(now));
    let too_old = age > request.book.max_age();
    own.or_else(|| too_old.then_some("too_old"))
}

/// The parameters as the run sees them: defaults filled in, references of resources resolved; or what is wrong with
/// them.
async fn admitted(catalog: &Catalog, request: &Request<'_>) -> Result<Result<Value, Vec<String>>, Error> {
    let given: Map<String, Value> = request.parameters.clone().into_iter().collect();
    let admitted = match request.book.playbook.admit(&given) {
        Ok(admitted) => admitted,
        Err(faults) => return Ok(Err(faults.into_iter().map(|fault| fault.to_string()).collect())),
    };
    let mut parameters = Map::new();
    let mut faults = Vec::new();
    for (name, value) in admitted {
        let declared = request.book.playbook.parameters.iter().find(|parameter| parameter.name == name);
        let value = match declared.map(|parameter| parameter.kind) {
            Some(ParameterType::Resource) if let Some(reference) = value.as_str() => {
                match catalog.resolve(reference).await? {
                    Some(id) => Value::String(id.to_string()),
                    None => {
                        faults.push(format!("`{name}`: there is no resource `{reference}`"));
                        continue;
                    }
                }
            }
            _ => without_nul(value),
        };
        parameters.insert(name, value);
    }
    Ok(if faults.is_empty() { Ok(Value::Object(parameters)) } else { Err(faults) })
}

/// NUL, which jsonb cannot hold, becomes U+FFFD.
fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "\u{fffd}")),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nul).collect()),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, value)| (key.replace('\0', "\u{fffd}"), without_nul(value)))
                .collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

fn new_run(request: &Request<'_>, parameters: Value, stopped: Option<String>, now: Timestamp) -> NewRun {
    let Request { book, trigger, target, .. } = request;
    let occurred_at = trigger.occurred_at(now);
    let (cause, depth, requested_by) = match trigger {
        Trigger::Signal(about) => (Some(subject::signal(&about.signal)), guard::depth(&about.signal), None),
        Trigger::Schedule(..) => (None, 0, None),
        Trigger::Api { by, .. } => (None, 0, by.map(str::to_owned)),
    };
    NewRun {
        id: request.id(),
        playbook: book.name.clone(),
        generation: book.generation,
        spec: book.spec.clone(),
        steps: book.playbook.steps.iter().map(|step| step.name.clone()).collect(),
        trigger: trigger.word(),
        trigger_key: trigger.key(),
        cause,
        requested_by,
        resource: *target,
        parameters,
        depth,
        occurred_at,
        begin_by: occurred_at.checked_add_signed(book.max_age()).unwrap_or(Timestamp::MAX_UTC),
        stopped,
    }
}

/// The run of a request that came before; a key that came with other parameters is refused.
async fn before(catalog: &Catalog, run: &NewRun) -> Result<Answer, Error> {
    let known = if run.trigger == "api" { catalog.run(run.id).await? } else { None };
    Ok(match known {
        Some(known) if known.parameters != run.parameters => Answer::Refused(Refusal::KeyUsed(run.id)),
        Some(_) | None => Answer::Before(run.id),
    })
}
