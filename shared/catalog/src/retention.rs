//! Retention: what ended long ago goes, by kind, type and age.
//!
//! A month of history that is past its age for every type, and of which nothing is to be kept, goes in one piece: its
//! partition is dropped, between readers and never before one. Everything else is looked through in slices of a few
//! hundred blocks, each a transaction of its own: where a hold or a longer age of a type keeps rows of a month, that
//! month's partition stays and the others leave it; where a type has a shorter age, its rows leave the months that stay;
//! and so do rows in default partitions and in tables that have none. What is so now is in tables that retention never
//! touches, but for resources that were deleted long ago, of which nothing else tells any more.

mod documents;
mod horizon;
mod lock;
mod partitions;
mod plan;
mod policy;
mod resources;
mod sweep;
mod tables;
#[cfg(test)]
pub(crate) mod tests;

pub use horizon::{Horizon, KindHorizon, check_horizon};
pub(crate) use lock::wait;
pub use plan::{Plan, Planned};

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use crate::{Catalog, Error, holds};

/// How many slices `maintain` does at most.
const SLICES: usize = 40;

/// How much is done before a call returns.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// How many slices at most.
    pub slices: usize,
    /// How long at most; a slice that was begun is finished.
    pub time: Duration,
}

/// What a call removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Removed {
    /// Whether there is nothing left that may go now.
    pub done: bool,
    /// How many rows went, by table.
    pub rows: BTreeMap<String, i64>,
    /// The partitions that were dropped.
    pub dropped: Vec<String>,
    /// What could not be done now because somebody was at it, and is tried again.
    pub busy: Vec<String>,
}

impl Removed {
    fn add(&mut self, table: &str, rows: i64) {
        if rows > 0 {
            *self.rows.entry(table.to_owned()).or_default() += rows;
        }
    }
}

/// What is left of a budget.
#[derive(Debug)]
struct Allowance {
    slices: usize,
    until: Option<Instant>,
}

impl Allowance {
    fn new(budget: Budget) -> Self {
        Self { slices: budget.slices, until: Instant::now().checked_add(budget.time) }
    }

    /// Takes one slice, where there is one left.
    fn take(&mut self) -> bool {
        if self.slices == 0 || self.until.is_some_and(|until| Instant::now() >= until) {
            return false;
        }
        self.slices -= 1;
        true
    }
}

impl Catalog {
    /// What retention would remove now, and what it would not.
    ///
    /// # Errors
    /// [`Error::Hold`] when a hold cannot be evaluated, or what the database says.
    pub async fn retention_plan(&self, now: Timestamp) -> Result<Plan, Error> {
        plan::plan(&self.pool, now).await
    }

    /// Removes what is past its age, within a budget. `fresh` looks at everything again, however lately it was looked at;
    /// later calls go on where the one before stopped.
    ///
    /// # Errors
    /// [`Error::Hold`] when a hold cannot be evaluated: nothing is removed then. Or what the database says.
    pub async fn retain(&self, now: Timestamp, fresh: bool, budget: Budget) -> Result<Removed, Error> {
        if fresh {
            sweep::forget(&self.pool).await?;
        }
        retain(&self.pool, now, budget).await
    }

    /// From which instant on each kind of history is whole.
    ///
    /// # Errors
    /// What the database says.
    pub async fn horizon(&self) -> Result<Horizon, Error> {
        horizon::read(&self.pool).await
    }
}

/// What `maintain` does of it.
pub(crate) async fn maintain(pool: &PgPool, now: Timestamp) -> Result<(), Error> {
    retain(pool, now, Budget { slices: SLICES, time: Duration::from_secs(10) }).await.map(|_| ())
}

async fn retain(pool: &PgPool, now: Timestamp, budget: Budget) -> Result<Removed, Error> {
    let policy = policy::read(pool, now).await?;
    let held = holds::evaluate(pool).await?;
    let mut allowance = Allowance::new(budget);
    let mut removed = Removed { done: true, ..Removed::default() };
    for table in tables::ALL {
        if !sweep::table(pool, table, &policy, held, now, &mut allowance, &mut removed).await? {
            removed.done = false;
            return Ok(removed);
        }
    }
    removed.done = resources::remove(pool, &policy, now, &mut allowance, &mut removed).await?
        && documents::collect(pool, now, &mut allowance, &mut removed).await?;
    Ok(removed)
}
