//! Documents that no version refers to any more.
//!
//! Candidates are those whose versions retention removed. One goes a day after that, if no version refers to it and
//! `record` did not hear of it within that day: a writer that found it there marked it as heard of in the transaction
//! that refers to it, so that the removal waits for that transaction and then lets it be.

use chrono::TimeDelta;
use model::Timestamp;
use sqlx::PgPool;

use super::{Allowance, Removed, lock};
use crate::Error;

/// How long a document stays after nothing was known to refer to it.
const GRACE: TimeDelta = TimeDelta::days(1);
/// How many are looked at at once. Versions are not indexed by document, so that many are looked for in one reading.
const BATCH: i64 = 50_000;

/// Removes them. False when the allowance ended first.
pub(super) async fn collect(
    pool: &PgPool,
    now: Timestamp,
    allowance: &mut Allowance,
    removed: &mut Removed,
) -> Result<bool, Error> {
    let mut after = (Timestamp::UNIX_EPOCH, Vec::new());
    loop {
        let batch = sqlx::query!(
            r#"select hash, since from perigee.documents_loose
               where since < $1 and (since, hash) > ($2, $3) order by since, hash limit $4"#,
            now - GRACE,
            after.0,
            &after.1,
            BATCH,
        )
        .fetch_all(pool)
        .await
        .map_err(Error::reading("loose documents"))?;
        let Some(last) = batch.last() else { return Ok(true) };
        if !allowance.take() {
            return Ok(false);
        }
        after = (last.since, last.hash.clone());
        let hashes: Vec<Vec<u8>> = batch.into_iter().map(|row| row.hash).collect();
        let Some(mut tx) = lock::begin(pool).await? else { return Ok(false) };
        let gone = sqlx::query!(
            r#"with referred as materialized (
                   select document from perigee.versions_open where document = any ($1)
                   union
                   select document from perigee.versions_closed where document = any ($1)
               )
               delete from perigee.documents d
               where d.hash = any ($1) and d.heard_at < $2 and d.hash not in (select document from referred)"#,
            &hashes,
            now - GRACE,
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("documents"))?;
        // Those that were heard of lately stay candidates.
        sqlx::query!(
            r#"delete from perigee.documents_loose l
               where l.hash = any ($1)
                 and not exists (select 1 from perigee.documents d where d.hash = l.hash and d.heard_at >= $2)"#,
            &hashes,
            now - GRACE,
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("loose documents"))?;
        tx.commit().await.map_err(Error::writing("documents"))?;
        removed.add("documents", i64::try_from(gone.rows_affected()).unwrap_or(i64::MAX));
    }
}
