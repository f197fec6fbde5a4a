//! Keyset cursors: where a page ended, as opaque text.

use chrono::DateTime;
use model::Timestamp;
use uuid::Uuid;

use crate::Error;

/// How many items a page holds at most.
pub(crate) const MAX_LIMIT: u16 = 1000;

/// A page's size within its bounds, as Postgres takes it, plus one to see whether more follows.
pub(crate) fn limit_and_one(limit: u16) -> i64 {
    i64::from(limit.clamp(1, MAX_LIMIT)) + 1
}

/// Writes the parts of a cursor. Not secret and not trusted: reading one checks it as any input.
pub(crate) fn write(parts: &[&str]) -> String {
    hex::encode(parts.join("\u{1f}"))
}

/// Reads the parts of a cursor.
pub(crate) fn read<const N: usize>(cursor: &str) -> Result<[String; N], Error> {
    let bytes = hex::decode(cursor).map_err(|_| Error::BadCursor)?;
    let text = String::from_utf8(bytes).map_err(|_| Error::BadCursor)?;
    if text.contains('\0') {
        return Err(Error::BadCursor);
    }
    let parts: Vec<String> = text.split('\u{1f}').map(str::to_owned).collect();
    parts.try_into().map_err(|_| Error::BadCursor)
}

/// Writes a cursor of an instant and an id.
pub(crate) fn write_instant(at: Timestamp, id: Uuid) -> String {
    write(&[&at.timestamp_micros().to_string(), &id.to_string()])
}

/// Reads a cursor of an instant and an id.
pub(crate) fn read_instant(cursor: &str) -> Result<(Timestamp, Uuid), Error> {
    let [at, id] = read::<2>(cursor)?;
    Ok((instant(&at)?, id.parse().map_err(|_| Error::BadCursor)?))
}

/// Reads an instant of a cursor, in microseconds since 1970.
pub(crate) fn instant(micros: &str) -> Result<Timestamp, Error> {
    let micros: i64 = micros.parse().map_err(|_| Error::BadCursor)?;
    // Postgres holds years 4713 BC to 294276; what lies outside was never handed out.
    let at = DateTime::from_timestamp_micros(micros)
        .filter(|at| (-4000..=9999).contains(&chrono::Datelike::year(at)));
    at.ok_or(Error::BadCursor)
}

/// Cuts a list that was read with [`limit_and_one`] to its page, and makes the cursor of the next.
pub(crate) fn page<T>(mut items: Vec<T>, limit: u16, cursor: impl Fn(&T) -> String) -> crate::Page<T> {
    let limit = usize::from(limit.clamp(1, MAX_LIMIT));
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(cursor) } else { None };
    crate::Page { items, next }
}
