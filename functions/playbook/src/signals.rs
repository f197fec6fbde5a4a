//! Signals that start runs.

use std::collections::BTreeMap;

use model::{Signal, SignalKind};
use triggers::{Answer, Books, Principals, Request, Subject, Trigger};

use crate::{Error, Playbooks};

impl Playbooks {
    /// Makes runs of what the signals start, each once however often a signal comes. Executes nothing.
    ///
    /// # Errors
    /// See [`Error`]; the same signals may be given again.
    pub async fn signals(&self, signals: &[Signal]) -> Result<(), Error> {
        // What wakes the workers starts nothing; most batches end here, without a question to the catalog.
        let wakes = [SignalKind::RunRequested, SignalKind::ScrapeRequested, SignalKind::ManifestChanged];
        let telling = |signal: &&Signal| !wakes.contains(&signal.kind);
        if !signals.iter().any(|signal| telling(&signal)) {
            return Ok(());
        }
        let books = self.library.books(&self.catalog).await.map_err(Error::Start)?;
        for (name, reason) in books.unreadable() {
            tracing::warn!("Playbook {name} starts nothing, this build cannot read it: {reason}");
        }
        let heard: Vec<Signal> =
            signals.iter().filter(|signal| books.listen_to(signal.kind)).cloned().collect();
        if heard.is_empty() {
            return Ok(());
        }
        let subjects = triggers::load(&self.catalog, &heard).await.map_err(Error::Start)?;
        let requests = self.matching(&books, &subjects);
        let now = self.clock.now();
        let answers = triggers::start(&self.catalog, Principals(&self.principals), &requests, now).await;
        for answer in answers.map_err(Error::Start)? {
            match answer {
                Answer::Started(run) => tracing::info!(run.id = %run, "A signal started run {run}"),
                Answer::Before(run) => tracing::debug!(run.id = %run, "The signal had come before"),
                Answer::Refused(refusal) => tracing::debug!("A signal started no run: {refusal}"),
            }
        }
        Ok(())
    }

    /// Every playbook with every signal whose condition holds.
    fn matching<'a>(&self, books: &'a Books, subjects: &'a [Subject]) -> Vec<Request<'a>> {
        let now = self.clock.now();
        let mut requests = Vec::new();
        // A condition that reads what a resource does not have has no value there: that is not to match. How often is
        // said once a batch, not once a signal.
        let mut faults: BTreeMap<&str, (usize, String)> = BTreeMap::new();
        for subject in subjects {
            let bindings = subject.bindings(now);
            for book in books.iter() {
                for (trigger, condition) in book.signal_triggers() {
                    if !trigger.kinds.contains(&subject.signal.kind) {
                        continue;
                    }
                    match condition.map_or(Ok(true), |condition| condition.holds(&bindings)) {
                        Ok(false) => continue,
                        Err(error) => {
                            let fault = faults.entry(&book.name).or_insert((0, error.to_string()));
                            fault.0 += 1;
                            continue;
                        }
                        Ok(true) => {}
                    }
                    requests.push(Request {
                        book,
                        trigger: Trigger::Signal(subject),
                        target: subject.resource_id().filter(|_| book.playbook.target.is_some()),
                        parameters: trigger.parameters.clone(),
                    });
                    // One run of a playbook for a signal, however many of its triggers match.
                    break;
                }
            }
        }
        for (playbook, (count, error)) in faults {
            tracing::debug!("The condition of playbook {playbook} has no value for {count} signals: {error}");
        }
        requests
    }
}
