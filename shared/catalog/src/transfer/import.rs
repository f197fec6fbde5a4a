//! In: one transaction, batch by batch. Rows pass as text, so that nothing of them is rounded on its way.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use model::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use tokio::sync::mpsc;

use super::{FORMAT, Imported, LEFT, MARK, MOVED, Mark, REPLACED};
use crate::{Error, connect, record::listings::REMOVAL};

/// How many rows are written at once, and how many bytes of them, about.
const BATCH_ROWS: usize = 1_000;
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// How long a line may be. A document has at most a few megabytes.
const LONGEST: usize = 64 * 1024 * 1024;

/// Lines on their way in.
struct Lines {
    from: mpsc::Receiver<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
    /// How many lines came.
    number: u64,
}

impl Lines {
    /// The next line without its end; `None` after the last. What has no end is no line.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut line = Vec::new();
        loop {
            let rest = self.piece.get(self.at..).unwrap_or_default();
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                line.extend_from_slice(rest.get(..end).unwrap_or_default());
                self.at += end + 1;
                self.number += 1;
                return Ok(Some(line));
            }
            line.extend_from_slice(rest);
            if line.len() > LONGEST {
                return Err(self.wrong("it is too long to be a line of an export"));
            }
            match self.from.recv().await {
                Some(piece) => (self.piece, self.at) = (piece, 0),
                None => return Ok(None),
            }
        }
    }

    fn wrong(&self, reason: impl Into<String>) -> Error {
        Error::Import { line: self.number + 1, reason: reason.into() }
    }
}

/// A table whose rows come, and those that were not written yet.
struct Filling {
    table: &'static str,
    insert: String,
    rows: Vec<String>,
    bytes: usize,
}

pub(super) async fn import(
    pool: &PgPool,
    from: mpsc::Receiver<Vec<u8>>,
    now: Timestamp,
) -> Result<Imported, Error> {
    let mut lines = Lines { from, piece: Vec::new(), at: 0, number: 0 };
    let mut hash = Sha256::new();
    let (expected, months_from) = header(&mut lines, &mut hash).await?;
    let mut tx = connect::begin(pool).await.map_err(Error::connecting)?;
    prepare(&mut tx, months_from, now).await?;
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    let mut filling: Option<Filling> = None;
    loop {
        let Some(line) = lines.next().await? else {
            return Err(lines.wrong("it ends without the last line of an export: the file was cut"));
        };
        if !line.starts_with(MARK) {
            hash.update(&line);
            hash.update(b"\n");
            let Some(filling) = &mut filling else {
                return Err(lines.wrong("a row before any table was named"));
            };
            *counts.entry(filling.table.to_owned()).or_default() += 1;
            filling.bytes += line.len();
            filling.rows.push(String::from_utf8(line).map_err(|_| lines.wrong("it is not UTF-8"))?);
            if filling.rows.len() >= BATCH_ROWS || filling.bytes >= BATCH_BYTES {
                flush(&mut tx, filling, &lines).await?;
            }
            continue;
        }
        if let Some(filling) = &mut filling {
            flush(&mut tx, filling, &lines).await?;
        }
        match serde_json::from_slice(&line).map_err(|error| lines.wrong(error.to_string()))? {
            Mark::Export { .. } => return Err(lines.wrong("a second export begins; import one at a time")),
            Mark::Table { name } => {
                let known = MOVED.iter().find(|known| **known == name);
                let table =
                    *known.ok_or_else(|| lines.wrong(format!("this build knows no table `{name}`")))?;
                counts.entry(name).or_default();
                filling = Some(Filling {
                    table,
                    insert: insert(&mut tx, table).await?,
                    rows: Vec::new(),
                    bytes: 0,
                });
            }
            Mark::End { rows, sha256 } => {
                if rows != counts || rows != expected {
                    return Err(lines.wrong("there are more or fewer rows than it says"));
                }
                if sha256 != hex::encode(hash.clone().finalize()) {
                    return Err(lines.wrong("the file was changed: its hash is another"));
                }
                break;
            }
        }
        hash.update(&line);
        hash.update(b"\n");
    }
    number_on(&mut tx).await?;
    tx.commit().await.map_err(Error::writing("the catalog"))?;
    Ok(Imported { rows: counts.values().sum(), tables: counts })
}

async fn header(lines: &mut Lines, hash: &mut Sha256) -> Result<(BTreeMap<String, i64>, NaiveDate), Error> {
    let no_export = "it is not the first line of an export; `perigee export FILE` writes one";
    let Some(line) = lines.next().await? else { return Err(lines.wrong(no_export)) };
    lines.number -= 1;
    let Ok(Mark::Export { format, schema, months_from, rows, .. }) = serde_json::from_slice(&line) else {
        return Err(lines.wrong(no_export));
    };
    let known = connect::known_version();
    if format != FORMAT || schema != known {
        let reason = format!(
            "it is of format {format} and schema version {schema}, and this build reads format {FORMAT} and schema \
             version {known}; migrate both databases with one perigee, and export again"
        );
        return Err(lines.wrong(reason));
    }
    lines.number += 1;
    hash.update(&line);
    hash.update(b"\n");
    Ok((rows, months_from))
}

/// Keeps writers out, sees that nothing is there, and makes room.
async fn prepare(db: &mut PgConnection, months_from: NaiveDate, now: Timestamp) -> Result<(), Error> {
    sqlx::query!("select pg_advisory_xact_lock($1)::text as locked", REMOVAL)
        .fetch_one(&mut *db)
        .await
        .map_err(Error::writing("the lock of writers"))?;
    for table in MOVED.iter().filter(|table| !REPLACED.contains(table)) {
        let sql = format!("select exists (select 1 from perigee.{table})");
        let any: bool = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut *db)
            .await
            .map_err(Error::reading("whether the catalog is empty"))?;
        if any {
            return Err(Error::NotEmpty { table });
        }
    }
    let notes = LEFT.iter().filter(|table| matches!(**table, "outbox" | "marks" | "retention_walks"));
    for table in REPLACED.iter().chain(notes) {
        sqlx::query(AssertSqlSafe(format!("delete from perigee.{table}")))
            .execute(&mut *db)
            .await
            .map_err(Error::writing("the catalog"))?;
    }
    let today = now.date_naive();
    let months = (today.year() - months_from.year()) * 12 + today.month0().cast_signed()
        - months_from.month0().cast_signed();
    sqlx::query_scalar!("select perigee.make_partitions($1, $2)", months_from, months.clamp(0, 1_200) + 4)
        .fetch_one(db)
        .await
        .map_err(Error::writing("partitions"))?;
    Ok(())
}

/// The statement that writes rows of a table: all columns but those that are worked out.
async fn insert(db: &mut PgConnection, table: &str) -> Result<String, Error> {
    let columns = sqlx::query_scalar!(
        r#"select quote_ident(column_name) as "column!" from information_schema.columns
           where table_schema = 'perigee' and table_name = $1 and is_generated = 'NEVER' order by ordinal_position"#,
        table
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("columns"))?
    .join(", ");
    Ok(format!(
        "insert into perigee.{table} ({columns}) overriding system value
         select {columns} from unnest($1::text[]) w (line)
         cross join lateral jsonb_populate_record(null::perigee.{table}, w.line::jsonb)"
    ))
}

async fn flush(db: &mut PgConnection, filling: &mut Filling, lines: &Lines) -> Result<(), Error> {
    let rows = std::mem::take(&mut filling.rows);
    filling.bytes = 0;
    if rows.is_empty() {
        return Ok(());
    }
    let written = sqlx::query(AssertSqlSafe(filling.insert.clone())).bind(&rows).execute(db).await;
    written.map(|_| ()).map_err(|source| {
        let error = Error::writing("what is imported")(source);
        match &error {
            Error::Write { source: sqlx::Error::Database(refused), .. } if error.refuses_values() => {
                let (count, table) = (rows.len(), filling.table);
                lines.wrong(format!("one of the {count} rows of `{table}` before it is refused: {refused}"))
            }
            _ => error,
        }
    })
}

/// Numbers go on after those that were imported.
async fn number_on(db: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!(
        r#"select setval(pg_get_serial_sequence('perigee.health_transitions', 'id'),
                         (select coalesce(max(id), 0) + 1 from perigee.health_transitions), false) as "transitions!",
                  setval('perigee.manifest_marks',
                         greatest((select coalesce(max(mark), 0) from perigee.manifests),
                                  (select last_value from perigee.manifest_marks)) + 1, false) as "marks!""#
    )
    .fetch_one(db)
    .await
    .map_err(Error::writing("numbers"))?;
    Ok(())
}
