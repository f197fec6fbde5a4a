//! What would go, without anything going.

use chrono::{DateTime, Utc};
use model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use super::{
    partitions::{Leaf, leaves},
    policy::{self, Horizons, Kind, Policy},
    sweep::{expired, mixed},
    tables::{self, Table},
};
use crate::{Error, connect, holds};

/// What retention would remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// What would go, piece by piece; pieces of which nothing would go are left out, unless a hold keeps something there.
    pub items: Vec<Planned>,
    /// How many rows would go.
    pub rows: i64,
    /// About how much room they take.
    pub bytes: i64,
    /// How many rows are past their age and are kept by holds.
    pub held: i64,
}

/// What would go of one piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Planned {
    /// The kind, in the words of the manifest `Retention`.
    pub kind: String,
    /// The table, or the month of one.
    pub relation: String,
    /// What ended before this is past its age; types may have ages of their own.
    pub before: DateTime<Utc>,
    /// Whether the whole month would be dropped.
    pub dropped: bool,
    /// How many rows would go.
    pub rows: i64,
    /// About how much room they take.
    pub bytes: i64,
    /// How many rows are past their age and are kept by holds.
    pub held: i64,
}

pub(super) async fn plan(pool: &PgPool, now: Timestamp) -> Result<Plan, Error> {
    let policy = policy::read(pool, now).await?;
    holds::evaluate(pool).await?;
    let mut db = connect::begin(pool).await.map_err(Error::connecting)?;
    let mut items = Vec::new();
    for table in tables::ALL {
        let horizons = policy.horizons(table.kind);
        for leaf in leaves(pool, table).await? {
            let whole = leaf.bounds().is_some_and(|(_, end)| end <= horizons.earliest());
            if whole || mixed(&leaf, &horizons) {
                items.push(piece(&mut db, table, &leaf, &horizons, whole).await?);
            }
        }
    }
    items.push(resources(&mut db, &policy).await?);
    items.retain(|item| item.rows > 0 || item.held > 0 || item.dropped);
    Ok(Plan {
        rows: items.iter().map(|item| item.rows).sum(),
        bytes: items.iter().map(|item| item.bytes).sum(),
        held: items.iter().map(|item| item.held).sum(),
        items,
    })
}

async fn piece(
    db: &mut PgConnection,
    table: &Table,
    leaf: &Leaf,
    horizons: &Horizons,
    whole: bool,
) -> Result<Planned, Error> {
    let (join, expired) = expired(table, horizons);
    let (name, held) = (&leaf.name, table.held.unwrap_or("false"));
    let sql = format!(
        r#"select count(*) filter (where {expired} and not {held}), count(*) filter (where {expired} and {held}), count(*)
           from perigee."{name}" x {join}
           where $3::timestamptz is not null and $4::text is null and $5::text is null and $6::timestamptz is not null"#
    );
    let (rows, held, all): (i64, i64, i64) = sqlx::query_as(AssertSqlSafe(sql))
        .bind(&horizons.types)
        .bind(&horizons.own)
        .bind(horizons.default)
        .bind(None::<String>)
        .bind(None::<String>)
        .bind(horizons.latest())
        .fetch_one(db)
        .await
        .map_err(Error::reading("what retention would remove"))?;
    let dropped = whole && rows == all;
    let bytes = if dropped { leaf.bytes } else { share(leaf.bytes, rows, all) };
    Ok(Planned {
        kind: table.kind.word().to_owned(),
        relation: leaf.name.clone(),
        before: horizons.default,
        dropped,
        rows,
        bytes,
        held,
    })
}

/// The part of `bytes` that some of all rows take.
fn share(bytes: i64, rows: i64, all: i64) -> i64 {
    let part = i128::from(bytes) * i128::from(rows) / i128::from(all.max(1));
    i64::try_from(part).unwrap_or(bytes)
}

/// Deleted resources that are past their age. Those that something else still tells of are among them: they wait for it.
async fn resources(db: &mut PgConnection, policy: &Policy) -> Result<Planned, Error> {
    let horizons = policy.horizons(Kind::Deleted);
    let found = sqlx::query!(
        r#"select count(*) filter (where not held) as "rows!", count(*) filter (where held) as "held!"
           from (select exists (select 1 from perigee.hold_resources k where k.resource_id = r.id) as held
                 from perigee.resources r
                 left join unnest($1::text[], $2::timestamptz[]) o (type, horizon) on o.type = r.type
                 where r.deleted_at < $4 and r.deleted_at < coalesce(o.horizon, $3)) past"#,
        &horizons.types,
        &horizons.own,
        horizons.default,
        horizons.latest(),
    )
    .fetch_one(db)
    .await
    .map_err(Error::reading("resources"))?;
    Ok(Planned {
        kind: Kind::Deleted.word().to_owned(),
        relation: "resources".to_owned(),
        before: horizons.default,
        dropped: false,
        rows: found.rows,
        bytes: 0,
        held: found.held,
    })
}
