//! Out: one transaction that sees one moment, read row by row.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use model::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use tokio::sync::mpsc;

use super::{FORMAT, MOVED, Mark};
use crate::{Error, connect};

/// How large a piece is, about.
const PIECE: usize = 64 * 1024;

/// Nobody listens any more.
struct Gone;

/// Lines on their way out.
struct Lines {
    to: mpsc::Sender<Vec<u8>>,
    hash: Sha256,
    piece: Vec<u8>,
}

impl Lines {
    async fn push(&mut self, line: &[u8]) -> Result<(), Gone> {
        self.hash.update(line);
        self.hash.update(b"\n");
        self.piece.extend_from_slice(line);
        self.piece.push(b'\n');
        if self.piece.len() >= PIECE { self.flush().await } else { Ok(()) }
    }

    async fn mark(&mut self, mark: &Mark) -> Result<(), Gone> {
        let line = serde_json::to_string(mark).unwrap_or_default();
        self.push(line.as_bytes()).await
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE * 2));
        self.to.send(piece).await.map_err(|_| Gone)
    }
}

pub(super) async fn export(pool: &PgPool, now: Timestamp, to: mpsc::Sender<Vec<u8>>) -> Result<(), Error> {
    let mut tx = connect::begin(pool).await.map_err(Error::connecting)?;
    for set in ["set transaction isolation level repeatable read, read only", "set local time zone 'UTC'"] {
        sqlx::query(set).execute(&mut *tx).await.map_err(Error::reading("one moment"))?;
    }
    let mut counts = BTreeMap::new();
    for table in MOVED {
        counts.insert((*table).to_owned(), count(&mut tx, table).await?);
    }
    let header = Mark::Export {
        format: FORMAT,
        schema: connect::known_version(),
        exported_at: now,
        months_from: first_month(&mut tx, now).await?,
        rows: counts,
    };
    let mut lines = Lines { to, hash: Sha256::new(), piece: Vec::with_capacity(PIECE * 2) };
    if lines.mark(&header).await.is_err() {
        return Ok(());
    }
    let mut sent = BTreeMap::new();
    for table in MOVED {
        match rows(&mut tx, table, &mut lines).await? {
            Ok(rows) => drop(sent.insert((*table).to_owned(), rows)),
            Err(Gone) => return Ok(()),
        }
    }
    let sha256 = hex::encode(lines.hash.clone().finalize());
    let ended = lines.mark(&Mark::End { rows: sent, sha256 }).await;
    if ended.is_ok() {
        drop(lines.flush().await);
    }
    Ok(())
}

async fn count(db: &mut PgConnection, table: &str) -> Result<i64, Error> {
    sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from perigee.{table}")))
        .fetch_one(db)
        .await
        .map_err(Error::reading("what is exported"))
}

/// The rows of a table; their number, or that nobody listens.
async fn rows(db: &mut PgConnection, table: &str, lines: &mut Lines) -> Result<Result<i64, Gone>, Error> {
    if lines.mark(&Mark::Table { name: table.to_owned() }).await.is_err() {
        return Ok(Err(Gone));
    }
    let sql = format!("select to_jsonb(x)::text from perigee.{table} x");
    let mut found = sqlx::query_scalar::<_, String>(AssertSqlSafe(sql)).fetch(db);
    let mut count = 0;
    while let Some(row) = found.try_next().await.map_err(Error::reading("what is exported"))? {
        if lines.push(row.as_bytes()).await.is_err() {
            return Ok(Err(Gone));
        }
        count += 1;
    }
    Ok(Ok(count))
}

/// The first month that has a partition of its own.
async fn first_month(db: &mut PgConnection, now: Timestamp) -> Result<chrono::NaiveDate, Error> {
    let first = sqlx::query_scalar!(
        r#"select min(to_date(right(c.relname, 7), 'YYYY_MM'))
           from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent = to_regclass('perigee.versions_closed') and c.relname ~ '_\d{4}_\d{2}$'"#
    )
    .fetch_one(db)
    .await
    .map_err(Error::reading("partitions"))?;
    Ok(first.unwrap_or_else(|| now.date_naive()))
}
