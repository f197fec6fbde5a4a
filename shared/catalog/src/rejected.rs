//! Input that could not be taken.

use chrono::{DateTime, Utc};
use model::{ContentHash, Timestamp};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    Error, Page, Rejected,
    cursor::{self, limit_and_one},
};

/// An input that could not be taken, to be kept with its reason.
#[derive(Debug, Clone)]
pub struct NewRejected {
    /// Where it came from.
    pub origin: String,
    /// Where in it the item stood.
    pub place: String,
    /// A stable word.
    pub reason: &'static str,
    /// What was wrong, and what would be right.
    pub message: String,
    /// Its size in bytes.
    pub size: usize,
    /// SHA-256 of its bytes.
    pub hash: ContentHash,
}

impl NewRejected {
    /// The same item refused from the same place for the same reason is one row.
    fn id(&self) -> Uuid {
        let name = [&self.origin, &self.place, self.reason, &self.hash.to_string()].join("\u{1f}");
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
    }
}

/// A text that Postgres can hold: it refuses NUL.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

pub(crate) async fn add(pool: &PgPool, rejected: &[NewRejected], now: Timestamp) -> Result<(), Error> {
    let ids: Vec<Uuid> = rejected.iter().map(NewRejected::id).collect();
    let origins: Vec<String> = rejected.iter().map(|r| storable(&r.origin)).collect();
    let places: Vec<String> = rejected.iter().map(|r| storable(&r.place)).collect();
    let reasons: Vec<String> = rejected.iter().map(|r| r.reason.to_owned()).collect();
    let messages: Vec<String> = rejected.iter().map(|r| storable(&r.message)).collect();
    let sizes: Vec<i64> = rejected.iter().map(|r| i64::try_from(r.size).unwrap_or(i64::MAX)).collect();
    let hashes: Vec<Vec<u8>> = rejected.iter().map(|r| r.hash.0.to_vec()).collect();
    sqlx::query!(
        r#"insert into perigee.rejected (id, origin, place, reason, message, size, hash, recorded_at)
           select *, $8 from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bytea[])
           on conflict do nothing"#,
        &ids,
        &origins,
        &places,
        &reasons,
        &messages,
        &sizes,
        &hashes,
        now,
    )
    .execute(pool)
    .await
    .map_err(Error::writing("rejected items"))?;
    Ok(())
}

pub(crate) async fn list(pool: &PgPool, limit: u16, cursor: Option<&str>) -> Result<Page<Rejected>, Error> {
    let (before, last) = cursor.map(cursor::read_instant).transpose()?.unzip();
    let rows = sqlx::query!(
        r#"select id, origin, place, reason, message, size, hash, recorded_at as "recorded_at: DateTime<Utc>"
           from perigee.rejected
           where $1::timestamptz is null or (recorded_at, id) < ($1, $2)
           order by recorded_at desc, id desc limit $3"#,
        before,
        last,
        limit_and_one(limit),
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("rejected items"))?;
    let items: Vec<Rejected> = rows
        .into_iter()
        .map(|row| Rejected {
            id: row.id,
            origin: row.origin,
            place: row.place,
            reason: row.reason,
            message: row.message,
            size: row.size,
            hash: hex::encode(row.hash),
            recorded_at: row.recorded_at,
        })
        .collect();
    Ok(cursor::page(items, limit, |item| cursor::write_instant(item.recorded_at, item.id)))
}
