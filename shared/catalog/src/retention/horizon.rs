//! From which instant on questions about the past can be answered.

use chrono::{DateTime, Utc};
use model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};

use super::policy::{Horizons, Kind};
use crate::Error;

/// From which instant on each kind of history is whole. A kind that is not named is whole from its beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Horizon {
    /// From which instant on the state at an instant can be told: `history` and `deleted` together, for all types but
    /// those that have ages of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub states: Option<DateTime<Utc>>,
    /// By kind, and by type where a type has an age of its own.
    pub kinds: Vec<KindHorizon>,
}

/// From which instant on one kind is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KindHorizon {
    /// The kind, in the words of the manifest `Retention`.
    pub kind: String,
    /// The type of resources, where it has an age of its own.
    #[serde(rename = "type", default, skip_serializing_if = "String::is_empty")]
    pub resource_type: String,
    /// The instant.
    pub at: DateTime<Utc>,
}

pub(super) async fn read(pool: &PgPool) -> Result<Horizon, Error> {
    let kinds = sqlx::query_as!(
        KindHorizon,
        "select kind, type as resource_type, at from perigee.horizons order by kind, type"
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("horizons"))?;
    Ok(Horizon { states: states(pool).await?, kinds })
}

async fn states(pool: &PgPool) -> Result<Option<Timestamp>, Error> {
    sqlx::query_scalar!(
        "select max(at) from perigee.horizons where kind in ('history', 'deleted') and type = ''"
    )
    .fetch_one(pool)
    .await
    .map_err(Error::reading("horizons"))
}

/// Refuses a question about an instant of which history was removed.
///
/// # Errors
/// [`Error::Expired`], or what the database says.
pub async fn check_horizon(pool: &PgPool, at: Timestamp) -> Result<(), Error> {
    match states(pool).await? {
        Some(horizon) if at < horizon => Err(Error::Expired { horizon }),
        Some(_) | None => Ok(()),
    }
}

/// Notes, beside the removal itself, that what ended before an instant is not whole any more. It never goes back.
pub(super) async fn note(
    db: &mut PgConnection,
    kind: Kind,
    types: &[(String, Timestamp)],
    now: Timestamp,
) -> Result<(), Error> {
    let (types, instants): (Vec<String>, Vec<Timestamp>) = types.iter().cloned().unzip();
    sqlx::query!(
        r#"insert into perigee.horizons as h (kind, type, at, removed_at)
           select $1, w.type, w.at, $4 from unnest($2::text[], $3::timestamptz[]) w (type, at)
           on conflict (kind, type) do update
           set at = greatest(h.at, excluded.at), removed_at = excluded.removed_at"#,
        kind.word(),
        &types,
        &instants,
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("horizons"))?;
    Ok(())
}

impl Horizons {
    /// The instants to note when rows of a type went; the type is empty where the age of all counts.
    pub(super) fn noted(&self, kind: Kind, gone: &[String]) -> Vec<(String, Timestamp)> {
        let own = self.types.iter().cloned().zip(self.own.iter().copied());
        // A change touches resources of several types.
        let of_types = own.filter(|(own, _)| kind == Kind::Changes || gone.contains(own));
        let all = (kind == Kind::Changes || gone.iter().any(String::is_empty))
            .then(|| (String::new(), self.default));
        of_types.chain(all).collect()
    }
}
