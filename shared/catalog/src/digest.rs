//! The digest: one hash of what the catalog means, for comparing two catalogs.
//!
//! Each row is hashed, and the hashes of a table are added up, so the order of rows says nothing and a million rows
//! need no sort. Nothing that depends on arrival is in it: no `recorded_at`, no ledger, no outbox.

use model::ContentHash;
use sqlx::PgPool;

use crate::Error;

pub(crate) async fn digest(pool: &PgPool) -> Result<String, Error> {
    let sums = sqlx::query_file!("queries/digest.sql")
        .fetch_all(pool)
        .await
        .map_err(Error::reading("the digest"))?;
    let lines: Vec<String> = sums
        .into_iter()
        .map(|sum| format!("{} {} {} {} {} {}", sum.part, sum.rows, sum.a, sum.b, sum.c, sum.d))
        .collect();
    Ok(ContentHash::of_bytes(lines.join("\n").as_bytes()).to_string())
}
