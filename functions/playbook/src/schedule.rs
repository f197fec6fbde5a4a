//! Schedules that start runs: each instant once, whoever gets there first.

use catalog::{ResourceQuery, runs::Schedule};
use model::{ResourceId, Timestamp};
use triggers::{Answer, Book, Books, Principals, Request, Trigger};

use crate::{Error, Playbooks};

/// How many schedules are dealt with in one go.
const AT_ONCE: i64 = 20;

/// How many resources a schedule starts a run on.
const MOST_TARGETS: u16 = 100;

/// Under this name the catalog keeps what the playbooks were when their schedules were last read.
const MARK: &str = "playbook.schedules";

/// How many instants that were missed are walked through to find the latest; more only happens to schedules of seconds.
const MOST_MISSED: usize = 100_000;

/// Starts the runs of the schedules that are due, and says when the next one is.
pub(crate) async fn fire(playbooks: &Playbooks) -> Result<Option<Timestamp>, Error> {
    refresh(playbooks).await?;
    let now = playbooks.clock.now();
    let due = playbooks.catalog.playbook_schedules_due(now, AT_ONCE).await;
    let (due, next) = due.map_err(Error::Schedule)?;
    if due.is_empty() {
        return Ok(next);
    }
    let books = playbooks.library.books(&playbooks.catalog).await.map_err(Error::Start)?;
    for schedule in due {
        fire_one(playbooks, &books, &schedule, now).await?;
    }
    Ok(Some(now))
}

/// Writes down when schedules fire next, where playbooks were changed since somebody did.
async fn refresh(playbooks: &Playbooks) -> Result<(), Error> {
    let catalog = &playbooks.catalog;
    let mark = Books::mark(catalog).await.map_err(Error::Start)?;
    if catalog.mark(MARK).await.map_err(Error::Schedule)?.as_ref() == Some(&mark) {
        return Ok(());
    }
    let now = playbooks.clock.now();
    let books = playbooks.library.books(catalog).await.map_err(Error::Start)?;
    let mut schedules = Vec::new();
    for book in books.iter() {
        for (position, schedule) in (0..).zip(&book.playbook.on.schedules) {
            match schedule.every.next_after(now) {
                Ok(next_at) => schedules.push(Schedule {
                    playbook: book.name.clone(),
                    position,
                    every: schedule.every.0.clone(),
                    next_at,
                }),
                Err(error) => tracing::warn!("A schedule of playbook {} never fires: {error}", book.name),
            }
        }
    }
    catalog.set_playbook_schedules(&schedules).await.map_err(Error::Schedule)?;
    catalog.set_mark(MARK, &mark, now).await.map_err(Error::Schedule)
}

/// The latest instant that has passed, of those that the schedule named since it was last dealt with, and the next
/// one. Those before the latest were missed, and stay so.
fn latest(schedule: &Schedule, every: &manifest::Every, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let mut latest = schedule.next_at;
    for _ in 0..MOST_MISSED {
        let next = every.next_after(latest).ok()?;
        if next > now {
            return Some((latest, next));
        }
        latest = next;
    }
    Some((latest, every.next_after(now).ok()?))
}

async fn fire_one(
    playbooks: &Playbooks,
    books: &Books,
    schedule: &Schedule,
    now: Timestamp,
) -> Result<(), Error> {
    let position = usize::try_from(schedule.position).unwrap_or(usize::MAX);
    let found = books.get(&schedule.playbook).and_then(|book| {
        let trigger = book.playbook.on.schedules.get(position)?;
        let (at, next) = latest(schedule, &trigger.every, now)?;
        Some((book, trigger, at, next))
    });
    // Somebody changes the playbook at this moment; the next refresh puts it right.
    let Some((book, trigger, at, next)) = found else { return Ok(()) };
    let targets = targets(playbooks, book, at, now).await?;
    let requests: Vec<Request<'_>> = targets
        .into_iter()
        .map(|target| Request {
            book,
            trigger: Trigger::Schedule(position, at),
            target,
            parameters: trigger.parameters.clone(),
        })
        .collect();
    let principals = Principals(&playbooks.principals);
    let answers = triggers::start(&playbooks.catalog, principals, &requests, now).await;
    let answers = answers.map_err(Error::Start)?;
    let started = answers.iter().filter(|answer| matches!(answer, Answer::Started(_))).count();
    tracing::info!(playbook = book.name, "The schedule of {} started {started} runs", book.name);
    playbooks.catalog.move_playbook_schedule(schedule, next).await.map_err(Error::Schedule)
}

/// The resources that a schedule starts runs on. One that is too old starts none, and leaves one row that says so.
async fn targets(
    playbooks: &Playbooks,
    book: &Book,
    at: Timestamp,
    now: Timestamp,
) -> Result<Vec<Option<ResourceId>>, Error> {
    let Some(selector) = book.target() else { return Ok(vec![None]) };
    if now.signed_duration_since(at) > book.max_age() {
        return Ok(vec![None]);
    }
    let query = ResourceQuery { selector: selector.clone(), limit: MOST_TARGETS, ..ResourceQuery::default() };
    let page = playbooks.catalog.resources(&query).await.map_err(Error::Schedule)?;
    if page.next.is_some() {
        tracing::warn!(
            "Playbook {} describes more than {MOST_TARGETS} resources; its schedule starts runs on the first",
            book.name
        );
    }
    Ok(page.items.into_iter().map(|resource| Some(resource.id)).collect())
}
