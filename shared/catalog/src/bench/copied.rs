//! The rival of `record`: the same rows by `COPY` into identical tables.

use std::time::{Duration, Instant};

use sqlx::postgres::PgPoolCopyExt;

use crate::{Catalog, Error, connect};

/// Statements about one table.
struct Table {
    create: &'static str,
    count: &'static str,
    copy_out: &'static str,
    copy_in: &'static str,
}

macro_rules! tables {
    ($($name:literal),+ $(,)?) => {
        [$(Table {
            create: concat!("create table perigee_copy.", $name, " (like perigee.", $name, " including all)"),
            count: concat!("select count(*) from perigee_copy.", $name),
            copy_out: concat!("copy (select * from perigee.", $name, ") to stdout"),
            copy_in: concat!("copy perigee_copy.", $name, " from stdin"),
        }),+]
    };
}

/// Every table that `record` writes.
const TABLES: [Table; 19] = tables![
    "ledger",
    "documents",
    "resources",
    "resource_tags",
    "shown_closed",
    "versions_open",
    "versions_closed",
    "sightings",
    "edges_open",
    "edges_closed",
    "aliases",
    "changes",
    "change_resources",
    "listings",
    "listing_pages",
    "page_sets",
    "outbox",
    "count_deltas",
    "source_status",
];

/// How long `COPY` took for how many rows.
#[derive(Debug, Clone, Copy)]
pub struct Copied {
    /// Rows of all tables.
    pub rows: i64,
    /// From the first byte sent to the commit.
    pub took: Duration,
}

impl Catalog {
    /// Copies what was recorded into identical tables, constraints and indexes included, in one transaction on one
    /// connection, and says how long that took. For benchmarks: the tables are dropped again.
    ///
    /// # Errors
    /// What the database says.
    pub async fn copy_beside(&self) -> Result<Copied, Error> {
        sqlx::raw_sql("drop schema if exists perigee_copy cascade; create schema perigee_copy")
            .execute(&self.pool)
            .await
            .map_err(Error::writing("the copy's tables"))?;
        let mut contents: Vec<Vec<u8>> = Vec::new();
        for table in &TABLES {
            sqlx::query(table.create)
                .execute(&self.pool)
                .await
                .map_err(Error::writing("the copy's tables"))?;
            contents.push(self.copy_out(table).await?);
        }
        let began = Instant::now();
        let mut tx = connect::begin(&self.pool).await.map_err(Error::connecting)?;
        for (table, content) in TABLES.iter().zip(&contents) {
            let mut copy = tx.copy_in_raw(table.copy_in).await.map_err(Error::writing("the copy"))?;
            copy.send(content.as_slice()).await.map_err(Error::writing("the copy"))?;
            copy.finish().await.map_err(Error::writing("the copy"))?;
        }
        tx.commit().await.map_err(Error::writing("the copy"))?;
        let took = began.elapsed();
        let mut rows = 0;
        for table in &TABLES {
            let count: i64 = sqlx::query_scalar(table.count)
                .fetch_one(&self.pool)
                .await
                .map_err(Error::reading("the copy"))?;
            rows += count;
        }
        sqlx::raw_sql("drop schema perigee_copy cascade")
            .execute(&self.pool)
            .await
            .map_err(Error::writing("the copy's tables"))?;
        Ok(Copied { rows, took })
    }

    async fn copy_out(&self, table: &Table) -> Result<Vec<u8>, Error> {
        let mut stream = self.pool.copy_out_raw(table.copy_out).await.map_err(Error::reading("the copy"))?;
        let mut content = Vec::new();
        while let Some(chunk) =
            futures_util::TryStreamExt::try_next(&mut stream).await.map_err(Error::reading("the copy"))?
        {
            content.extend_from_slice(&chunk);
        }
        Ok(content)
    }
}
