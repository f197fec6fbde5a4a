//! The pieces that tables lie in.

use chrono::{Months, NaiveDate};
use model::Timestamp;
use sqlx::PgPool;

use super::tables::Table;
use crate::Error;

/// A table that holds rows: one month of a table, the rest of it, or a table that has no months.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) name: String,
    /// The month whose rows it holds.
    pub(super) month: Option<NaiveDate>,
    pub(super) blocks: i64,
    pub(super) bytes: i64,
    /// About how many rows it holds, as the planner believes.
    pub(super) rows: i64,
}

impl Leaf {
    /// When its month begins and when it ends.
    pub(super) fn bounds(&self) -> Option<(Timestamp, Timestamp)> {
        let month = self.month?;
        let begin = |date: NaiveDate| date.and_hms_opt(0, 0, 0).map(|at| at.and_utc());
        begin(month).zip(begin(month.checked_add_months(Months::new(1))?))
    }
}

/// The pieces of a table, months first.
pub(super) async fn leaves(pool: &PgPool, table: &Table) -> Result<Vec<Leaf>, Error> {
    let rows = sqlx::query!(
        r#"select c.relname::text as "name!", pg_relation_size(c.oid) / current_setting('block_size')::bigint as "blocks!",
                  pg_total_relation_size(c.oid) as "bytes!", greatest(c.reltuples, 0)::bigint as "rows!"
           from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'perigee'
           where case when $2 then c.oid in (select i.inhrelid from pg_inherits i
                                             where i.inhparent = to_regclass('perigee.' || $1))
                      else c.oid = to_regclass('perigee.' || $1) end
           order by c.relname"#,
        table.name,
        table.monthly,
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("partitions"))?;
    Ok(rows
        .into_iter()
        .map(|row| Leaf {
            month: month(table.name, &row.name),
            name: row.name,
            blocks: row.blocks,
            bytes: row.bytes,
            rows: row.rows,
        })
        .collect())
}

/// The month of a partition, which its name says: `make_partitions` names them.
fn month(table: &str, leaf: &str) -> Option<NaiveDate> {
    let month = leaf.strip_prefix(table)?.strip_prefix('_')?;
    NaiveDate::parse_from_str(&format!("{month}_01"), "%Y_%m_%d").ok()
}
