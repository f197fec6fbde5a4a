//! Bytes from anywhere, recorded: split, read, fetch bodies that lie elsewhere, record, and keep what could not be
//! taken with its reason. `ingest` and `api` are its two doors.
//!
//! [`item`] is the pure half: an input becomes items, each an observation, nothing, a pointer or a rejection.
//! [`scope`] keeps foreign accounts out. [`run`] is the half that touches the world: it gathers items of many inputs
//! into batches, so that ten small messages cost one transaction, and says per input what became of it.

mod item;
mod run;
mod scope;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc};

use catalog::Catalog;
use ports::{Clock, Objects};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What intake needs from outside.
#[derive(Debug, Clone)]
pub struct Intake {
    /// Where observations go.
    pub catalog: Catalog,
    /// Where bodies that do not fit an event are read.
    pub objects: Arc<dyn Objects>,
    /// Bounds the times that are believed.
    pub clock: Arc<dyn Clock>,
    /// The accounts that this catalog holds; `None` means every account.
    pub accounts: Option<BTreeSet<String>>,
}

/// One input: a file, a request body, a queue message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Where it came from, for people and for `/rejected`.
    pub origin: String,
    /// What came.
    pub bytes: Vec<u8>,
}

/// What became of the items of one input. `accepted + duplicate + ignored + rejected = total`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Items in the input. A payload whose body was fetched from S3 counts as the items of that body.
    pub total: u64,
    /// Recorded now.
    pub accepted: u64,
    /// Recorded before.
    pub duplicate: u64,
    /// Understood, and nothing to record.
    pub ignored: u64,
    /// Kept aside with a reason.
    pub rejected: u64,
    /// Items as they stand in the input itself: `total`, but a payload whose body was fetched counts as one.
    #[serde(default)]
    pub pieces: u64,
    /// The rejected ones.
    pub rejections: Vec<RejectedItem>,
}

/// An item that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RejectedItem {
    /// Which piece of the input it was (or, for an item of a fetched body, pointed at it), counted from 0 in the
    /// order of the input.
    pub index: u64,
    /// Where it stood, for people: `line 3, Records[4]`.
    pub place: String,
    /// A stable word.
    pub reason: String,
    /// What was wrong, and what would be right.
    pub message: String,
}

impl Report {
    /// Adds the report of what followed in the same input to this one.
    pub fn add(&mut self, other: Self) {
        let Self { total, accepted, duplicate, ignored, rejected, pieces, rejections } = other;
        self.rejections
            .extend(rejections.into_iter().map(|r| RejectedItem { index: r.index + self.pieces, ..r }));
        self.total += total;
        self.accepted += accepted;
        self.duplicate += duplicate;
        self.ignored += ignored;
        self.rejected += rejected;
        self.pieces += pieces;
    }
}

impl Intake {
    /// Takes everything in `bytes`. `origin` names where they came from, for people and for `/rejected`.
    ///
    /// # Errors
    /// Only when the catalog cannot be written or a body cannot be fetched *for now*: the whole input is to be sent
    /// again, and what was recorded will count as duplicate.
    pub async fn take(&self, origin: &str, bytes: &[u8]) -> Result<Report, Error> {
        let input = Input { origin: origin.to_owned(), bytes: bytes.to_vec() };
        self.take_each(vec![input]).await.pop().unwrap_or_else(|| Ok(Report::default()))
    }

    /// Takes payloads that are parsed already: the sample estate, an event that a function was invoked with. They
    /// may be wrapped like any input.
    ///
    /// # Errors
    /// As [`Intake::take`].
    pub async fn take_payloads(&self, origin: &str, payloads: &[Value]) -> Result<Report, Error> {
        let lines: Vec<String> = payloads.iter().map(Value::to_string).collect();
        self.take(origin, lines.join("\n").as_bytes()).await
    }

    /// Takes inputs that succeed or fail each on its own, such as the messages of a queue. The answers are in the
    /// order of `inputs`, each as that of [`Intake::take`]; small inputs share transactions.
    pub async fn take_each(&self, inputs: Vec<Input>) -> Vec<Result<Report, Error>> {
        let (origins, contents): (Vec<String>, Vec<Vec<u8>>) =
            inputs.into_iter().map(|input| (input.origin, input.bytes)).unzip();
        let mut run = run::Run::new(self, origins);
        for (input, bytes) in contents.into_iter().enumerate() {
            run.take(input, bytes).await;
        }
        run.finish().await
    }
}

/// Why an input has to be sent again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The catalog did not take it.
    #[error("cannot record the items of {origin}")]
    Record {
        /// Where the items came from.
        origin: String,
        /// What went wrong. Shared, because one failed transaction may have held items of several inputs.
        #[source]
        source: Arc<catalog::Error>,
    },
    /// A body could not be read for now.
    #[error("cannot read the body that {origin} points at")]
    Body {
        /// Where the pointer came from.
        origin: String,
        /// What went wrong.
        #[source]
        source: ports::ObjectError,
    },
}
