//! What the catalog is measured beside: a walk that enumerates paths, and a table with a copy of the document for every
//! version.

use std::time::{Duration, Instant};

use model::ResourceId;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::{Catalog, Error, Walk, connect, graph};

/// How a rival fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rival {
    /// How long it took, or how long it was waited for.
    pub took: Duration,
    /// Whether it came to an end.
    pub ended: bool,
}

/// What lies on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// Resources, those that are gone too.
    pub resources: i64,
    /// Everything, in bytes.
    pub all: i64,
    /// Documents and versions, with their indexes.
    pub versions: i64,
    /// The same versions with a copy of the document each, with one index.
    pub naive: i64,
    /// How much text the documents of all versions are.
    pub text: i64,
}

impl Catalog {
    /// Walks from a resource, and answers with how many it met: what of the answer to a question about the graph is the
    /// walk, without the rows and the relations of what it met.
    ///
    /// # Errors
    /// What the database says.
    pub async fn walk_alone(&self, from: ResourceId, walk: &Walk) -> Result<usize, Error> {
        graph::count_met(&self.pool, from, walk).await
    }

    /// Walks out of a resource by a recursive query that carries its path along, for as long as it may take.
    ///
    /// # Errors
    /// What the database says.
    pub async fn enumerate_paths(
        &self,
        from: ResourceId,
        depth: u32,
        limit: Duration,
    ) -> Result<Rival, Error> {
        let reading = Error::reading("the paths");
        let mut tx = connect::begin(&self.pool).await.map_err(Error::connecting)?;
        let timeout = format!("set local statement_timeout = {}", limit.as_millis());
        sqlx::raw_sql(AssertSqlSafe(timeout)).execute(&mut *tx).await.map_err(&reading)?;
        let began = Instant::now();
        let asked = sqlx::query_scalar::<_, i64>(include_str!("../../queries/bench/paths.sql"))
            .bind(Uuid::from(from))
            .bind(i32::try_from(depth).unwrap_or(i32::MAX))
            .fetch_one(&mut *tx)
            .await;
        let took = began.elapsed();
        match asked {
            Ok(_) => Ok(Rival { took, ended: true }),
            // query_canceled
            Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code == "57014") => {
                Ok(Rival { took, ended: false })
            }
            Err(error) => Err(reading(error)),
        }
    }

    /// What lies on the disk, beside a table of naive versions that is made of a `share` of the resources and scaled.
    ///
    /// # Errors
    /// What the database says.
    pub async fn disk(&self, share: f64) -> Result<Disk, Error> {
        let reading = Error::reading("the sizes");
        sqlx::raw_sql(include_str!("../../queries/bench/naive.sql"))
            .execute(&self.pool)
            .await
            .map_err(Error::writing("the naive table"))?;
        sqlx::query(include_str!("../../queries/bench/fill_naive.sql"))
            .bind(share)
            .execute(&self.pool)
            .await
            .map_err(Error::writing("the naive table"))?;
        let (resources, all, versions, naive, text): (i64, i64, i64, i64, i64) =
            sqlx::query_as(include_str!("../../queries/bench/disk.sql"))
                .fetch_one(&self.pool)
                .await
                .map_err(reading)?;
        sqlx::raw_sql("drop table perigee_bench.naive")
            .execute(&self.pool)
            .await
            .map_err(Error::writing("the naive table"))?;
        Ok(Disk { resources, all, versions, naive, text })
    }
}
