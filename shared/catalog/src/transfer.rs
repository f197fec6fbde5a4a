//! Moving a catalog from one database to another, as lines of JSON.
//!
//! The first line says what follows: the format, the schema, how many rows of each table there are. Then, for each table,
//! a line with its name and a line for each row. The last line says again how many there were, with the hash of all
//! lines before it, so that a file that was cut or changed is known. All of it is of one moment, and an import is one
//! transaction: the whole of it, or nothing.
//!
//! What is not moved: signals that are yet to be told, which would tell of the past as if it happened now, and what
//! functions and retention noted for themselves, which they find out again.

mod export;
mod import;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{Catalog, Error};

/// The format that this build writes and reads.
const FORMAT: u32 = 1;

/// The tables that are moved, what is referred to before what refers to it.
const MOVED: &[&str] = &[
    "ledger",
    "documents",
    "documents_loose",
    "resources",
    "resource_tags",
    "aliases",
    "versions_open",
    "versions_closed",
    "sightings",
    "edges_open",
    "edges_closed",
    "shown_closed",
    "changes",
    "change_resources",
    "findings",
    "finding_statements",
    "page_sets",
    "listing_pages",
    "listings",
    "source_status",
    "rejected",
    "counts",
    "count_deltas",
    "count_days",
    "count_log",
    "health",
    "health_closed",
    "health_transitions",
    "manifests",
    "manifest_generations",
    "checks",
    "check_results",
    "scrapers",
    "shards",
    "run_specs",
    "runs",
    "run_steps",
    "run_attempts",
    "step_output",
    "playbook_schedules",
    "deliveries",
    "delivery_attempts",
    "holds",
    "hold_resources",
    "horizons",
];

/// The tables that a running server fills by itself: an import replaces what is in them.
const REPLACED: &[&str] =
    &["checks", "check_results", "shards", "scrapers", "playbook_schedules", "source_status"];

/// The tables that are not moved. An import empties those that are notes of what was there before.
const LEFT: &[&str] =
    &["outbox", "marks", "retention_walks", "retention_lock", "migrations", "migration_lock"];

/// A line that is no row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "perigee", rename_all = "lowercase", deny_unknown_fields)]
enum Mark {
    /// The first line.
    Export {
        format: u32,
        schema: i64,
        exported_at: Timestamp,
        /// The first month that has a partition.
        months_from: chrono::NaiveDate,
        rows: BTreeMap<String, i64>,
    },
    /// The rows of a table follow.
    Table { name: String },
    /// The last line.
    End {
        rows: BTreeMap<String, i64>,
        /// Of all lines before, in hex digits.
        sha256: String,
    },
}

/// How every line begins that is no row. No table has a column of this name.
const MARK: &[u8] = b"{\"perigee\":";

/// What was imported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Imported {
    /// How many rows.
    pub rows: i64,
    /// How many rows of each table.
    pub tables: BTreeMap<String, i64>,
}

impl Catalog {
    /// Sends the whole catalog to `to`, in pieces, as it is at one moment. When nobody listens any more it stops.
    ///
    /// # Errors
    /// What the database says; what was sent until then has no last line.
    pub async fn export(&self, now: Timestamp, to: mpsc::Sender<Vec<u8>>) -> Result<(), Error> {
        export::export(&self.pool, now, to).await
    }

    /// Takes a whole catalog from `from`, in pieces, into this one, which is empty. Writers wait meanwhile.
    ///
    /// # Errors
    /// [`Error::NotEmpty`], [`Error::Import`], or what the database says. Nothing was imported then.
    pub async fn import(&self, from: mpsc::Receiver<Vec<u8>>, now: Timestamp) -> Result<Imported, Error> {
        import::import(&self.pool, from, now).await
    }
}
