//! Whether the catalog agrees with itself.
//!
//! What is so now, and every summary, follows from history; here it is worked out again and compared. Resources are
//! looked at in slices by their ids, so that memory does not grow with the catalog; each comparison is one statement, or
//! one transaction that sees one moment, so that writers at work are no faults. What was removed by retention is no
//! fault either: what ended before the horizon is not missed.
//!
//! What follows from something else can be mended: each slice in one transaction, while no writer is at work.

mod checks;
mod shown;
#[cfg(test)]
pub(crate) mod tests;

use model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};
use tokio::sync::mpsc;
use uuid::Uuid;

use self::checks::Check;
use crate::{Catalog, Error, connect, record::listings::REMOVAL};

/// How many resources a slice has, about.
const SLICE: i64 = 4_000;
/// How many slices there are at most: ids are told apart by their first two bytes.
const MOST_SLICES: i64 = 65_536;
/// How many faults of one check are told; the others are counted.
const TOLD: i64 = 20;

/// How bad a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// What is shown follows wrongly from what is stored; `--repair` works it out anew.
    Drift,
    /// What is stored contradicts itself or is missing.
    Broken,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// Which check found it.
    pub check: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: ids and names.
    pub id: String,
    /// What is wrong.
    pub detail: String,
}

/// What came of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// Its name.
    pub check: String,
    /// What it asks.
    pub what: String,
    /// How bad a fault of it is.
    pub severity: Severity,
    /// How many rows it looked at.
    pub rows: i64,
    /// How many faults it found.
    pub faults: i64,
    /// How many rows were mended.
    pub repaired: i64,
}

/// What is told while the catalog is looked through, in this order: faults as they are found, then every check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Told {
    /// So many of all slices are done.
    Progress {
        /// How many are done.
        done: i64,
        /// How many there are.
        of: i64,
    },
    /// A fault; at most 20 of each check are told.
    Fault(Fault),
    /// A check that is done.
    Checked(Checked),
    /// All is done.
    Done {
        /// How many faults there were.
        faults: i64,
        /// How many rows were mended.
        repaired: i64,
    },
    /// It could not be done.
    Failed {
        /// Why.
        reason: String,
    },
}

impl Catalog {
    /// Looks through the whole catalog, and mends what can be mended when asked to. What is found is sent to `to`; when
    /// nobody listens any more it stops. Returns how many faults there were.
    ///
    /// # Errors
    /// What the database says.
    pub async fn verify(&self, repair: bool, now: Timestamp, to: mpsc::Sender<Told>) -> Result<i64, Error> {
        let mut run = Run::new(repair, now, to);
        run.all(&self.pool).await
    }
}

/// One run through the catalog.
struct Run {
    repair: bool,
    now: Timestamp,
    to: mpsc::Sender<Told>,
    checked: Vec<Checked>,
    told: Vec<i64>,
}

/// The ids of a slice, both ends included.
#[derive(Debug, Clone, Copy)]
struct Slice {
    first: Uuid,
    last: Uuid,
}

impl Run {
    fn new(repair: bool, now: Timestamp, to: mpsc::Sender<Told>) -> Self {
        let of = |check: &Check| Checked {
            check: check.name.to_owned(),
            what: check.what.to_owned(),
            severity: check.severity,
            rows: 0,
            faults: 0,
            repaired: 0,
        };
        let checked: Vec<Checked> = checks::ALL.iter().map(of).collect();
        Self { repair, now, to, told: vec![0; checked.len()], checked }
    }

    async fn all(&mut self, pool: &PgPool) -> Result<i64, Error> {
        let slices = slices(pool).await?;
        let count = i64::try_from(slices.len()).unwrap_or(MOST_SLICES);
        for (done, slice) in (1..).zip(slices) {
            let mut tx = self.begin(pool).await?;
            for (nth, check) in checks::ALL.iter().enumerate().filter(|(_, check)| check.sliced) {
                self.check(&mut tx, nth, check, Some(slice)).await?;
            }
            tx.commit().await.map_err(Error::writing("what was mended"))?;
            if self.to.send(Told::Progress { done, of: count }).await.is_err() {
                return Ok(0);
            }
        }
        for (nth, check) in checks::ALL.iter().enumerate().filter(|(_, check)| !check.sliced) {
            let mut tx = self.begin(pool).await?;
            self.check(&mut tx, nth, check, None).await?;
            tx.commit().await.map_err(Error::writing("what was mended"))?;
        }
        let faults = self.checked.iter().map(|checked| checked.faults).sum();
        let repaired = self.checked.iter().map(|checked| checked.repaired).sum();
        let checked = self.checked.iter().cloned().map(Told::Checked);
        for told in checked.chain([Told::Done { faults, repaired }]) {
            drop(self.to.send(told).await);
        }
        Ok(faults)
    }

    /// A transaction that sees one moment, or one that keeps writers out.
    async fn begin(&self, pool: &PgPool) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, Error> {
        let mut tx = connect::begin(pool).await.map_err(Error::connecting)?;
        if self.repair {
            sqlx::query!("select pg_advisory_xact_lock($1)::text as locked", REMOVAL)
                .fetch_one(&mut *tx)
                .await
                .map_err(Error::writing("the lock of writers"))?;
        } else {
            sqlx::query("set transaction isolation level repeatable read, read only")
                .execute(&mut *tx)
                .await
                .map_err(Error::reading("one moment"))?;
        }
        Ok(tx)
    }

    async fn check(
        &mut self,
        db: &mut PgConnection,
        nth: usize,
        check: &Check,
        slice: Option<Slice>,
    ) -> Result<(), Error> {
        let found = match (check.sql, slice) {
            (None, Some(slice)) => shown::compare(db, slice, self.repair, self.now).await?,
            (None, None) => Found::default(),
            (Some(sql), slice) => sql.run(db, slice, self.repair, self.now).await?,
        };
        let (Some(checked), Some(told)) = (self.checked.get_mut(nth), self.told.get_mut(nth)) else {
            return Ok(());
        };
        checked.rows += found.rows;
        checked.faults += found.count;
        checked.repaired += found.repaired;
        for (id, detail) in found.faults {
            if *told >= TOLD {
                break;
            }
            *told += 1;
            let fault = Fault { check: check.name.to_owned(), severity: check.severity, id, detail };
            drop(self.to.send(Told::Fault(fault)).await);
        }
        Ok(())
    }
}

/// What a check found in a slice.
#[derive(Debug, Default)]
struct Found {
    rows: i64,
    count: i64,
    /// Some of them: what they are about, and what is wrong.
    faults: Vec<(String, String)>,
    repaired: i64,
}

/// The slices that all ids fall into.
async fn slices(pool: &PgPool) -> Result<Vec<Slice>, Error> {
    let resources = sqlx::query_scalar!(r#"select count(*) as "count!" from perigee.resources"#)
        .fetch_one(pool)
        .await
        .map_err(Error::reading("resources"))?;
    let mut count = 1;
    while count < MOST_SLICES && count * SLICE < resources {
        count *= 2;
    }
    let width = u128::from(u64::try_from(MOST_SLICES / count).unwrap_or(1)) << 112;
    let slice = |nth: u128| Slice {
        first: Uuid::from_u128(nth * width),
        last: Uuid::from_u128((nth * width).wrapping_add(width - 1)),
    };
    let count = u128::from(u64::try_from(count).unwrap_or(1));
    if count == 1 {
        return Ok(vec![Slice { first: Uuid::nil(), last: Uuid::max() }]);
    }
    Ok((0..count).map(slice).collect())
}
