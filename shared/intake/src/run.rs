//! The half that touches the world: items of many inputs, recorded in batches.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use catalog::{NewRejected, Recorded};
use events::{ObjectPointer, Reason};
use model::{Observation, Timestamp};
use ports::{ObjectError, ObjectLocation};

use crate::{
    Error, Intake, RejectedItem, Report,
    item::{self, Meaning, Origin, Reader},
};

/// A batch is written when it holds this many observations ...
const BATCH_COUNT: usize = 500;
/// ... or when the bytes they were read from are this many.
const BATCH_BYTES: usize = 8 << 20;
/// No body that lies elsewhere is read beyond this.
const BODY_LIMIT: usize = 256 << 20;
/// Kept when the database refuses an observation that it could read.
const NOT_STORABLE: &str = "not_storable";

/// The inputs of one call on their way into the catalog.
pub(crate) struct Run<'a> {
    intake: &'a Intake,
    now: Timestamp,
    inputs: Vec<Progress>,
    observed: Vec<(Origin, Observation)>,
    observed_bytes: usize,
    refused: Vec<(Origin, &'static str, String)>,
    /// Why the catalog cannot be written; from then on nothing more is tried.
    down: Option<Arc<catalog::Error>>,
}

/// How far one input got.
struct Progress {
    origin: String,
    report: Report,
    failed: Option<Error>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(intake: &'a Intake, origins: Vec<String>) -> Self {
        let inputs = origins
            .into_iter()
            .map(|origin| Progress { origin, report: Report::default(), failed: None })
            .collect();
        Self {
            intake,
            now: intake.clock.now(),
            inputs,
            observed: Vec::new(),
            observed_bytes: 0,
            refused: Vec::new(),
            down: None,
        }
    }

    /// Takes the bytes of one input.
    pub(crate) async fn take(&mut self, input: usize, bytes: Vec<u8>) {
        let reader = Reader { input, body: None, now: self.now, accounts: self.intake.accounts.clone() };
        let count = self.read_all(&reader, bytes).await;
        self.inputs[input].report.pieces = count;
    }

    /// Writes what is left and says, per input, what became of it.
    pub(crate) async fn finish(mut self) -> Vec<Result<Report, Error>> {
        self.flush().await;
        self.inputs
            .into_iter()
            .map(|Progress { mut report, failed, .. }| {
                report.rejections.sort_by_key(|rejection| rejection.index);
                failed.map_or(Ok(report), Err)
            })
            .collect()
    }

    /// Reads bytes batch by batch, so that a large body is never held in memory as observations all at once.
    async fn read_all(&mut self, reader: &Reader, bytes: Vec<u8>) -> u64 {
        let mut pieces = item::split(bytes).await.into_iter();
        let mut count = 0;
        loop {
            let some: Vec<_> = pieces.by_ref().take(BATCH_COUNT).collect();
            if some.is_empty() || self.inputs[reader.input].failed.is_some() {
                return count;
            }
            let first = count;
            count += some.len() as u64;
            for item in reader.read(first, some).await {
                self.sort(item.origin, item.meaning).await;
            }
        }
    }

    async fn sort(&mut self, origin: Origin, meaning: Meaning) {
        match meaning {
            Meaning::Observed(observation) => {
                self.observed_bytes += origin.size;
                self.observed.push((origin, *observation));
            }
            Meaning::Ignored => {
                let report = &mut self.inputs[origin.input].report;
                report.total += 1;
                report.ignored += 1;
            }
            Meaning::Rejected { reason, message } => self.refused.push((origin, reason, message)),
            Meaning::Elsewhere(pointer) => self.follow(origin, pointer).await,
        }
        if self.observed.len() >= BATCH_COUNT
            || self.observed_bytes >= BATCH_BYTES
            || self.refused.len() >= BATCH_COUNT
        {
            self.flush().await;
        }
    }

    /// Fetches the body that an item points at, and takes its items in the item's place.
    async fn follow(&mut self, origin: Origin, pointer: ObjectPointer) {
        let ObjectPointer { bucket, key, region } = pointer;
        let location = ObjectLocation { bucket, key, region };
        match self.intake.objects.get(&location, BODY_LIMIT).await {
            Ok(bytes) => {
                let reader = Reader {
                    input: origin.input,
                    body: Some((origin, location.to_string())),
                    now: self.now,
                    accounts: self.intake.accounts.clone(),
                };
                // A body holds items and never bodies, so this goes no deeper than once.
                Box::pin(self.read_all(&reader, bytes)).await;
            }
            Err(source @ ObjectError::Unavailable { .. }) => {
                let progress = &mut self.inputs[origin.input];
                let at = if origin.place.is_empty() {
                    progress.origin.clone()
                } else {
                    format!("{}, {}", progress.origin, origin.place)
                };
                progress.failed.get_or_insert(Error::Body { origin: at, source });
            }
            Err(
                error @ (ObjectError::Missing(_)
                | ObjectError::Denied(_)
                | ObjectError::TooLarge { .. }
                | ObjectError::NotConfigured(_)),
            ) => {
                self.refused.push((
                    origin,
                    Reason::NoBody.as_str(),
                    format!("its body is needed: {}", chain(&error)),
                ));
            }
        }
    }

    /// Writes what was gathered. Observations of inputs that failed are written too: they are true, and count as
    /// duplicates when the input comes again.
    async fn flush(&mut self) {
        self.observed_bytes = 0;
        let (origins, observations): (Vec<Origin>, Vec<Observation>) =
            std::mem::take(&mut self.observed).into_iter().unzip();
        let mut ranges = Vec::from_iter((!observations.is_empty()).then_some(0..observations.len()));
        while let Some(range) = ranges.pop() {
            self.record(&origins, &observations, range, &mut ranges).await;
        }
        self.keep_refused().await;
    }

    /// Records a range. One observation that the database refuses would fail its neighbours, so a refused range is
    /// halved until the culprit stands alone.
    async fn record(
        &mut self,
        origins: &[Origin],
        observations: &[Observation],
        range: Range<usize>,
        ranges: &mut Vec<Range<usize>>,
    ) {
        let (origins, middle) = (&origins[range.clone()], range.start + range.len() / 2);
        if let Some(down) = self.down.clone() {
            return self.fail(origins, &down);
        }
        match self.intake.catalog.record(&observations[range.clone()], self.now).await {
            Ok(recorded) => {
                for (origin, recorded) in origins.iter().zip(recorded) {
                    let report = &mut self.inputs[origin.input].report;
                    report.total += 1;
                    match recorded {
                        Recorded::New => report.accepted += 1,
                        Recorded::Duplicate => report.duplicate += 1,
                    }
                }
            }
            Err(error) if !error.refuses_values() => {
                let error = Arc::new(error);
                self.fail(origins, &error);
                self.down = Some(error);
            }
            Err(error) if range.len() == 1 => {
                let message = format!(
                    "it was read, but the database refuses it: {}; please report this with the item, and send it again after an upgrade",
                    chain(&error)
                );
                self.refused
                    .extend(origins.iter().map(|origin| (origin.clone(), NOT_STORABLE, message.clone())));
            }
            Err(_) => ranges.extend([middle..range.end, range.start..middle]),
        }
    }

    async fn keep_refused(&mut self) {
        let refused = std::mem::take(&mut self.refused);
        if refused.is_empty() {
            return;
        }
        let rows: Vec<NewRejected> = refused
            .iter()
            .map(|(origin, reason, message)| NewRejected {
                origin: storable(&self.inputs[origin.input].origin),
                place: storable(&origin.place),
                reason,
                message: storable(message),
                size: origin.size,
                hash: origin.hash,
            })
            .collect();
        let kept = match self.down.clone() {
            Some(down) => Err(down),
            None => self.intake.catalog.reject(&rows, self.now).await.map_err(Arc::new),
        };
        if let Err(error) = kept {
            let origins: Vec<Origin> = refused.into_iter().map(|(origin, ..)| origin).collect();
            self.fail(&origins, &error);
            self.down = Some(error);
            return;
        }
        for (origin, reason, message) in refused {
            let report = &mut self.inputs[origin.input].report;
            report.total += 1;
            report.rejected += 1;
            let reason = reason.to_owned();
            report.rejections.push(RejectedItem {
                index: origin.index,
                place: origin.place,
                reason,
                message,
            });
        }
    }

    /// Every input that has an item among these must come again.
    fn fail(&mut self, origins: &[Origin], error: &Arc<catalog::Error>) {
        let failed: BTreeSet<usize> = origins.iter().map(|origin| origin.input).collect();
        for input in failed {
            let Progress { origin, failed, .. } = &mut self.inputs[input];
            failed.get_or_insert_with(|| Error::Record { origin: origin.clone(), source: error.clone() });
        }
    }
}

/// An error with its causes, for a person.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// Text as Postgres can hold it.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
