//! One table: whole months first, then what lies among what stays.

use chrono::TimeDelta;
use model::Timestamp;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use super::{
    Allowance, Removed, horizon, lock,
    partitions::{Leaf, leaves},
    policy::{Horizons, Policy},
    tables::Table,
};
use crate::{Error, holds::Held};

/// How many blocks a slice looks at: a few thousand rows.
const BLOCKS: i64 = 128;
/// How long a table that was looked through is left alone.
const REST: TimeDelta = TimeDelta::hours(6);

/// Forgets how far tables were looked through.
pub(super) async fn forget(pool: &PgPool) -> Result<(), Error> {
    sqlx::query!("delete from perigee.retention_walks")
        .execute(pool)
        .await
        .map_err(Error::writing("the walks of retention"))?;
    Ok(())
}

/// Removes of a table what may go. False when the allowance ended before the table did.
pub(super) async fn table(
    pool: &PgPool,
    table: &Table,
    policy: &Policy,
    held: Held,
    now: Timestamp,
    allowance: &mut Allowance,
    removed: &mut Removed,
) -> Result<bool, Error> {
    let horizons = policy.horizons(table.kind);
    for leaf in leaves(pool, table).await? {
        let whole = leaf.bounds().filter(|(_, end)| *end <= horizons.earliest());
        if whole.is_none() && !mixed(&leaf, &horizons) {
            continue;
        }
        let Some(next) = left_at(pool, &leaf.name, now).await? else { continue };
        if let Some((_, end)) = whole {
            if !allowance.take() {
                return Ok(false);
            }
            match drop_leaf(pool, table, &leaf, end, held, now).await? {
                Dropped::Yes => {
                    removed.dropped.push(leaf.name.clone());
                    removed.add(table.name, leaf.rows);
                    continue;
                }
                Dropped::Busy => {
                    removed.busy.push(leaf.name.clone());
                    continue;
                }
                Dropped::Kept => {}
            }
        }
        if !walk(pool, table, (&leaf, next), &horizons, now, allowance, removed).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a piece may hold both what may go and what stays. The month in which the age of all ends waits to be whole.
pub(super) fn mixed(leaf: &Leaf, horizons: &Horizons) -> bool {
    leaf.bounds().is_none_or(|(begin, _)| !horizons.types.is_empty() && begin < horizons.latest())
}

/// What became of a month.
enum Dropped {
    Yes,
    /// It holds rows that stay.
    Kept,
    /// Somebody was at it.
    Busy,
}

async fn drop_leaf(
    pool: &PgPool,
    table: &Table,
    leaf: &Leaf,
    end: Timestamp,
    held: Held,
    now: Timestamp,
) -> Result<Dropped, Error> {
    let Some(mut tx) = lock::begin(pool).await? else { return Ok(Dropped::Busy) };
    // Without holds nothing has to be looked for; a hold that is being made waits for this transaction.
    let kept: Vec<&str> = table.held.filter(|_| held == Held::Some).into_iter().chain(table.stays).collect();
    if !kept.is_empty() {
        let name = &leaf.name;
        if held == Held::Some {
            // What is held and comes late comes before this or goes elsewhere.
            let locked =
                sqlx::query(AssertSqlSafe(format!(r#"lock table perigee."{name}" in share mode nowait"#)));
            match locked.execute(&mut *tx).await {
                Ok(_) => {}
                Err(error) if lock::is_busy(&error) => return lock::give_up(tx, Dropped::Busy).await,
                Err(error) => return Err(Error::writing("a partition")(error)),
            }
        }
        let sql = format!(r#"select exists (select 1 from perigee."{name}" x where {})"#, kept.join(" or "));
        let any: bool = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut *tx)
            .await
            .map_err(Error::reading("a partition"))?;
        if any {
            return lock::give_up(tx, Dropped::Kept).await;
        }
    }
    if let Some(before) = table.before_drop {
        let sql = before.replace("{leaf}", &format!("\"{}\"", leaf.name));
        sqlx::query(AssertSqlSafe(sql))
            .bind(now)
            .execute(&mut *tx)
            .await
            .map_err(Error::writing("a partition"))?;
    }
    horizon::note(&mut tx, table.kind, &[(String::new(), end)], now).await?;
    let dropped =
        sqlx::query_scalar!(r#"select perigee.drop_partition($1, $2) as "dropped!""#, table.name, leaf.name)
            .fetch_one(&mut *tx)
            .await
            .map_err(Error::writing("a partition"))?;
    if !dropped {
        return lock::give_up(tx, Dropped::Busy).await;
    }
    sqlx::query!("delete from perigee.retention_walks where relation = $1", leaf.name)
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("the walks of retention"))?;
    tx.commit().await.map_err(Error::writing("a partition"))?;
    Ok(Dropped::Yes)
}

/// Goes on with a piece where it was left. False when the allowance ended before the piece did.
async fn walk(
    pool: &PgPool,
    table: &Table,
    (leaf, mut next): (&Leaf, i64),
    horizons: &Horizons,
    now: Timestamp,
    allowance: &mut Allowance,
    removed: &mut Removed,
) -> Result<bool, Error> {
    while next < leaf.blocks {
        if !allowance.take() {
            return Ok(false);
        }
        let Some(mut tx) = lock::begin(pool).await? else {
            removed.busy.push(leaf.name.clone());
            return Ok(false);
        };
        if table.shared && !lock::keep_writers_out(&mut tx).await? {
            removed.busy.push(leaf.name.clone());
            return lock::give_up(tx, true).await;
        }
        let gone = slice(&mut tx, table, leaf, horizons, (next, next + BLOCKS), now).await?;
        if !gone.is_empty() {
            let types: Vec<String> = gone.iter().map(|(kind, _)| kind.clone()).collect();
            horizon::note(&mut tx, table.kind, &horizons.noted(table.kind, &types), now).await?;
        }
        next += BLOCKS;
        note(&mut tx, &leaf.name, next, next >= leaf.blocks, now).await?;
        tx.commit().await.map_err(Error::writing("what retention removes"))?;
        removed.add(table.name, gone.iter().map(|(_, rows)| rows).sum());
    }
    Ok(true)
}

/// The block to go on with; `None` for a piece that was looked through lately.
async fn left_at(pool: &PgPool, leaf: &str, now: Timestamp) -> Result<Option<i64>, Error> {
    let walk =
        sqlx::query!("select next_block, ended_at from perigee.retention_walks where relation = $1", leaf)
            .fetch_optional(pool)
            .await
            .map_err(Error::reading("the walks of retention"))?;
    Ok(match walk {
        None => Some(0),
        Some(walk) => match walk.ended_at {
            None => Some(walk.next_block),
            Some(ended) => (ended <= now - REST).then_some(0),
        },
    })
}

async fn note(
    db: &mut PgConnection,
    leaf: &str,
    next: i64,
    ended: bool,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query!(
        r#"insert into perigee.retention_walks as w (relation, next_block, began_at, ended_at)
           values ($1, $2, $4, case when $3 then $4::timestamptz end)
           on conflict (relation) do update
           set next_block = excluded.next_block, ended_at = excluded.ended_at,
               began_at = case when w.ended_at is null then w.began_at else excluded.began_at end"#,
        leaf,
        next,
        ended,
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("the walks of retention"))?;
    Ok(())
}

/// The condition under which a row `x` of a piece may go, whatever holds say, with the join that it needs.
pub(super) fn expired(table: &Table, horizons: &Horizons) -> (String, String) {
    let kind_of = table.kind_of.filter(|_| !horizons.types.is_empty()).unwrap_or("null::text");
    let join =
        format!("left join unnest($1::text[], $2::timestamptz[]) o (type, horizon) on o.type = {kind_of}");
    let (ended, horizon) = (table.ended, table.horizon);
    let stays = table.stays.map_or_else(String::new, |stays| format!(" and not {stays}"));
    (join, format!("{ended} < $6::timestamptz and {ended} < {horizon}{stays}"))
}

/// Removes what may go from some blocks; says how many rows of which types with ages of their own.
async fn slice(
    db: &mut PgConnection,
    table: &Table,
    leaf: &Leaf,
    horizons: &Horizons,
    (from, to): (i64, i64),
    now: Timestamp,
) -> Result<Vec<(String, i64)>, Error> {
    let (join, expired) = expired(table, horizons);
    let held = table.held.map_or_else(String::new, |held| format!(" and not {held}"));
    let blocks = "x.ctid >= $4::text::tid and x.ctid < $5::text::tid";
    let (leaf, with) = (&leaf.name, table.with);
    let sql = format!(
        r#"with expired as materialized (
               select x.ctid as place, coalesce(o.type, '') as own_type
               from perigee."{leaf}" x {join}
               where {blocks} and {expired}{held}
               for update of x skip locked
           ), gone as (
               delete from perigee."{leaf}" x using expired e
               where {blocks} and x.ctid = e.place returning x.*, e.own_type
           ){with}
           select own_type, count(*) from gone where $3::timestamptz is not null and $7::timestamptz is not null
           group by own_type"#
    );
    sqlx::query_as(AssertSqlSafe(sql))
        .bind(&horizons.types)
        .bind(&horizons.own)
        .bind(horizons.default)
        .bind(format!("({from},0)"))
        .bind(format!("({to},0)"))
        .bind(horizons.latest())
        .bind(now)
        .fetch_all(db)
        .await
        .map_err(Error::writing("what retention removes"))
}
