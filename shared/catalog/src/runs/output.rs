//! What scripts wrote.

use chrono::{DateTime, Utc};
use model::{RunId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Lease, Written};
use crate::{Catalog, Error, Page, cursor};

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Chunk {
    /// Its place in the output of the step, from 1: the `after` of the request for what follows.
    pub seq: i64,
    /// The attempt that wrote it.
    pub attempt: i32,
    /// `stdout` or `stderr`.
    pub stream: String,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// What was written.
    pub text: String,
}

/// A piece of output that is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChunk {
    /// Its place.
    pub seq: i64,
    /// `stdout` or `stderr`.
    pub stream: &'static str,
    /// When it was written.
    pub at: Timestamp,
    /// What was written; it holds no NUL.
    pub text: String,
}

/// How much output a step has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Pieces.
    pub chunks: i64,
    /// Bytes.
    pub bytes: i64,
    /// Bytes beyond what is kept.
    pub dropped: i64,
}

impl Catalog {
    /// Keeps output of a step as it comes. Keeping a piece again adds nothing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn add_output(
        &self,
        lease: &Lease,
        step: &str,
        attempt: i32,
        chunks: &[NewChunk],
        kept: Kept,
    ) -> Result<Written, Error> {
        let Some(mut tx) = self.held(lease).await? else { return Ok(Written::LeaseLost) };
        let seqs: Vec<i64> = chunks.iter().map(|chunk| chunk.seq).collect();
        let streams: Vec<String> = chunks.iter().map(|chunk| chunk.stream.to_owned()).collect();
        let times: Vec<_> = chunks.iter().map(|chunk| chunk.at).collect();
        let texts: Vec<String> = chunks.iter().map(|chunk| chunk.text.clone()).collect();
        sqlx::query!(
            "insert into perigee.step_output (run_id, step, attempt, seq, stream, at, text)
             select $1, $2, $3, seq, stream, at, text
             from unnest($4::bigint[], $5::text[], $6::timestamptz[], $7::text[]) as t (seq, stream, at, text)
             on conflict do nothing",
            Uuid::from(lease.run),
            step,
            attempt,
            &seqs,
            &streams,
            &times,
            &texts
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("the output of a step"))?;
        sqlx::query!(
            "update perigee.run_steps set output_chunks = $3, output_bytes = $4, output_dropped = $5
             where run_id = $1 and name = $2",
            Uuid::from(lease.run),
            step,
            kept.chunks,
            kept.bytes,
            kept.dropped
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("the output of a step"))?;
        tx.commit().await.map_err(Error::writing("the output of a step"))?;
        Ok(Written::Yes)
    }

    /// The output of a step from behind the piece `after` on. The cursor of the next page is an `after`, too.
    ///
    /// # Errors
    /// What the database says.
    pub async fn run_output(
        &self,
        run: RunId,
        step: &str,
        after: i64,
        limit: u16,
    ) -> Result<Page<Chunk>, Error> {
        let items = sqlx::query_as!(
            Chunk,
            "select seq, attempt, stream, at, text from perigee.step_output
             where run_id = $1 and step = $2 and seq > $3 order by seq limit $4",
            Uuid::from(run),
            step,
            after,
            cursor::limit_and_one(limit)
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("the output of a step"))?;
        Ok(cursor::page(items, limit, |chunk: &Chunk| chunk.seq.to_string()))
    }
}
