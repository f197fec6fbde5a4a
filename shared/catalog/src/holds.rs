//! Holds: what retention may not remove, for a lawyer or while an incident is looked into.
//!
//! A hold names resources by a selector. Those that match when it is made are written down, and so is whatever matches
//! when retention runs; none leaves before the hold is released, whatever it is called later. What is known of them over
//! the hold's interval stays: versions, edges, health, changes, findings, runs, deliveries.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool, QueryBuilder};

use crate::{
    Catalog, Error, connect, retention,
    search::{When, prepare},
};

/// What a hold is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HoldKind {
    /// The law, or a dispute.
    Legal,
    /// An incident that is looked into.
    Incident,
}

impl HoldKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Legal => "legal",
            Self::Incident => "incident",
        }
    }
}

/// A hold to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHold {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: HoldKind,
    /// Why, for a person.
    pub reason: String,
    /// The resources, in the language of selectors; gone or not.
    pub selector: String,
    /// Only what was so at or after this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Only what was so at or before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// Its name.
    pub name: String,
    /// `legal` or `incident`.
    pub kind: String,
    /// Why.
    pub reason: String,
    /// The resources.
    pub selector: String,
    /// Only what was so at or after this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Only what was so at or before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// When it was released; absent while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<DateTime<Utc>>,
    /// How many resources it keeps.
    pub resources: i64,
}

/// Whether any hold keeps anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    None,
    Some,
}

impl Catalog {
    /// Makes a hold. Once this returns, retention removes nothing that it keeps. `None` when a hold of that name is in
    /// force already; the name of a released one may be used again.
    ///
    /// # Errors
    /// [`Error::BadSelector`], or what the database says.
    pub async fn hold(&self, new: &NewHold, now: Timestamp) -> Result<Option<Hold>, Error> {
        let mut tx = connect::begin(&self.pool).await.map_err(Error::connecting)?;
        retention::wait(&mut tx).await?;
        let made = sqlx::query!(
            r#"insert into perigee.holds as h (name, kind, reason, selector, since, until, created_at, created_by)
               values ($1, $2, $3, $4, $5, $6, $7, $8)
               on conflict (name) do update
               set kind = excluded.kind, reason = excluded.reason, selector = excluded.selector, since = excluded.since,
                   until = excluded.until, created_at = excluded.created_at, created_by = excluded.created_by,
                   released_at = null
               where h.released_at is not null"#,
            new.name,
            new.kind.as_str(),
            new.reason,
            new.selector,
            new.since,
            new.until,
            now,
            new.created_by,
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("a hold"))?;
        if made.rows_affected() == 0 {
            tx.rollback().await.map_err(Error::writing("a hold"))?;
            return Ok(None);
        }
        add_matching(&self.pool, &mut tx, &new.name, &new.selector).await?;
        tx.commit().await.map_err(Error::writing("a hold"))?;
        Ok(self.holds().await?.into_iter().find(|hold| hold.name == new.name))
    }

    /// Every hold, those in force first, the latest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn holds(&self) -> Result<Vec<Hold>, Error> {
        sqlx::query_as!(
            Hold,
            r#"select h.name, h.kind, h.reason, h.selector, h.since, h.until, h.created_at, h.created_by, h.released_at,
                      (select count(*) from perigee.hold_resources k where k.hold = h.name) as "resources!"
               from perigee.holds h order by h.released_at is not null, h.created_at desc, h.name"#
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("holds"))
    }

    /// Releases a hold: from now on its resources are as any. False when none of that name is in force.
    ///
    /// # Errors
    /// What the database says.
    pub async fn release_hold(&self, name: &str, now: Timestamp) -> Result<bool, Error> {
        let mut tx = connect::begin(&self.pool).await.map_err(Error::connecting)?;
        let released = sqlx::query!(
            "update perigee.holds set released_at = $2 where name = $1 and released_at is null",
            name,
            now
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("a hold"))?;
        sqlx::query!(
            "delete from perigee.hold_resources k using perigee.holds h
             where h.name = k.hold and h.name = $1 and h.released_at is not null",
            name
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::writing("a hold"))?;
        tx.commit().await.map_err(Error::writing("a hold"))?;
        Ok(released.rows_affected() > 0)
    }
}

/// Adds to every hold in force what it matches now. One that cannot be evaluated keeps all: nothing may be removed.
pub(crate) async fn evaluate(pool: &PgPool) -> Result<Held, Error> {
    let holds =
        sqlx::query!("select name, selector from perigee.holds where released_at is null order by name")
            .fetch_all(pool)
            .await
            .map_err(Error::reading("holds"))?;
    for hold in &holds {
        let mut tx = connect::begin(pool).await.map_err(Error::connecting)?;
        add_matching(pool, &mut tx, &hold.name, &hold.selector)
            .await
            .map_err(|source| Error::Hold { name: hold.name.clone(), source: Box::new(source) })?;
        tx.commit().await.map_err(Error::writing("holds"))?;
    }
    Ok(if holds.is_empty() { Held::None } else { Held::Some })
}

async fn add_matching(pool: &PgPool, db: &mut PgConnection, name: &str, selector: &str) -> Result<(), Error> {
    let selector = selector::parse(selector)
        .map_err(|error| Error::BadSelector { column: error.column, message: error.message })?;
    let conditions = prepare(pool, &selector, When::default()).await?;
    let mut sql = QueryBuilder::new("insert into perigee.hold_resources (hold, resource_id) select ");
    sql.push_bind(name).push(", r.id");
    conditions.push_described(&mut sql);
    sql.push(" on conflict do nothing");
    sql.build().execute(db).await.map_err(Error::writing("holds"))?;
    Ok(())
}
