//! What people wrote: manifests, and every generation of them.
//!
//! Applying and deleting lock the table against one another, so that the mark of a kind grows in the order in which its
//! readers see what changed.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use model::{Signal, SignalId, SignalKind, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use crate::{
    Catalog, Error, Page, connect,
    cursor::{self, limit_and_one},
    outbox,
};

/// A manifest as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stored {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How often it changed.
    pub generation: i64,
    /// The whole document: `apiVersion`, `kind`, `metadata`, `spec`.
    pub body: Value,
    /// When this generation was applied.
    pub applied_at: DateTime<Utc>,
}

impl Stored {
    /// Its `spec`, as the type that its kind has.
    ///
    /// # Errors
    /// When it is of another kind, or was applied by a build that knows more.
    pub fn spec<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(self.body.get("spec").unwrap_or(&Value::Null)).map_err(|source| Error::Corrupt {
            what: "manifest",
            id: format!("{}/{}", self.kind, self.name),
            source,
        })
    }
}

/// A manifest as it stood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Generation {
    /// Which.
    pub generation: i64,
    /// The whole document; absent where this generation deleted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Since when.
    pub applied_at: DateTime<Utc>,
}

/// A manifest to apply.
#[derive(Debug, Clone, PartialEq)]
pub struct NewManifest {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The whole document.
    pub body: Value,
}

/// What applying does to a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// There was none of this name.
    Created,
    /// There was another body.
    Changed,
    /// Nothing was to do.
    Unchanged,
}

/// What applying did, or would do, to a manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Applied {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The generation that it has then.
    pub generation: i64,
    /// What happens.
    pub outcome: Outcome,
    /// What was there before, where that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
}

impl Catalog {
    /// Applies manifests, all or none. Of two of one kind and name the last counts. One whose body is as it was is left
    /// alone; the others get a new generation, and a signal `manifest.changed`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn apply_manifests(
        &self,
        manifests: &[NewManifest],
        now: Timestamp,
    ) -> Result<Vec<Applied>, Error> {
        let mut tx = self.begin_manifests().await?;
        let (manifests, applied) = compare(&mut tx, manifests).await?;
        let changed: Vec<(&NewManifest, &Applied)> = manifests
            .into_iter()
            .zip(&applied)
            .filter(|(_, applied)| applied.outcome != Outcome::Unchanged)
            .collect();
        if !changed.is_empty() {
            let kinds: Vec<String> = changed.iter().map(|(new, _)| new.kind.clone()).collect();
            let names: Vec<String> = changed.iter().map(|(new, _)| new.name.clone()).collect();
            let generations: Vec<i64> = changed.iter().map(|(_, applied)| applied.generation).collect();
            let bodies: Vec<Value> = changed.iter().map(|(new, _)| new.body.clone()).collect();
            sqlx::query!(
                r#"with given as (
                       select * from unnest($1::text[], $2::text[], $3::bigint[], $4::jsonb[])
                                as t (kind, name, generation, body)
                   ), kept as (
                       insert into perigee.manifest_generations (kind, name, generation, body, applied_at)
                       select kind, name, generation, body, $5 from given
                   )
                   insert into perigee.manifests (kind, name, generation, body, applied_at)
                   select kind, name, generation, body, $5 from given
                   on conflict (kind, name) do update
                   set generation = excluded.generation, body = excluded.body, applied_at = excluded.applied_at,
                       deleted_at = null, mark = excluded.mark"#,
                &kinds,
                &names,
                &generations,
                &bodies,
                now
            )
            .execute(&mut *tx)
            .await
            .map_err(Error::writing("manifests"))?;
            let signals: Vec<Signal> = changed
                .iter()
                .map(|(new, a)| signal(&new.kind, &new.name, a.generation, false, now))
                .collect();
            outbox::put(&mut tx, &signals, now).await?;
        }
        tx.commit().await.map_err(Error::writing("manifests"))?;
        Ok(applied)
    }

    /// What [`Catalog::apply_manifests`] would do.
    ///
    /// # Errors
    /// What the database says.
    pub async fn plan_manifests(&self, manifests: &[NewManifest]) -> Result<Vec<Applied>, Error> {
        let mut tx = connect::begin(&self.pool).await.map_err(Error::reading("manifests"))?;
        let (_, applied) = compare(&mut tx, manifests).await?;
        tx.rollback().await.map_err(Error::reading("manifests"))?;
        Ok(applied)
    }

    /// Deletes manifests, given as kind and name, all or none, and says which were there. What they were stays among
    /// their generations.
    ///
    /// # Errors
    /// What the database says.
    pub async fn delete_manifests(
        &self,
        names: &[(String, String)],
        now: Timestamp,
    ) -> Result<Vec<(String, String)>, Error> {
        let mut tx = self.begin_manifests().await?;
        let (kinds, names): (Vec<String>, Vec<String>) = names.iter().cloned().unzip();
        let rows = sqlx::query!(
            r#"with given as (select distinct * from unnest($1::text[], $2::text[]) as t (kind, name)),
                   gone as (
                       update perigee.manifests m
                       set deleted_at = $3, generation = generation + 1, mark = nextval('perigee.manifest_marks')
                       from given g
                       where m.kind = g.kind and m.name = g.name and m.deleted_at is null
                       returning m.kind, m.name, m.generation
                   ), kept as (
                       insert into perigee.manifest_generations (kind, name, generation, body, applied_at)
                       select kind, name, generation, null, $3 from gone
                   )
               select kind, name, generation from gone order by kind, name"#,
            &kinds,
            &names,
            now
        )
        .fetch_all(&mut *tx)
        .await
        .map_err(Error::writing("manifests"))?;
        let signals: Vec<Signal> =
            rows.iter().map(|row| signal(&row.kind, &row.name, row.generation, true, now)).collect();
        outbox::put(&mut tx, &signals, now).await?;
        tx.commit().await.map_err(Error::writing("manifests"))?;
        Ok(rows.into_iter().map(|row| (row.kind, row.name)).collect())
    }

    /// All manifests of a kind, by name.
    ///
    /// # Errors
    /// What the database says.
    pub async fn manifests(&self, kind: &str) -> Result<Vec<Stored>, Error> {
        sqlx::query_as!(
            Stored,
            r#"select kind, name, generation, body, applied_at from perigee.manifests
               where kind = $1 and deleted_at is null order by name"#,
            kind
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("manifests"))
    }

    /// A page of manifests, of one kind or of all, by kind and name.
    ///
    /// # Errors
    /// What the database says; a cursor that was not handed out.
    pub async fn manifest_page(
        &self,
        kind: Option<&str>,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<Stored>, Error> {
        let after = cursor.map(cursor::read::<2>).transpose()?;
        let (after_kind, after_name) = after.map(|[kind, name]| (kind, name)).unzip();
        let items = sqlx::query_as!(
            Stored,
            r#"select kind, name, generation, body, applied_at from perigee.manifests
               where deleted_at is null and ($1::text is null or kind = $1)
                 and ($2::text is null or (kind, name) > ($2, $3))
               order by kind, name limit $4"#,
            kind,
            after_kind,
            after_name,
            limit_and_one(limit)
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("manifests"))?;
        Ok(cursor::page(items, limit, |item| cursor::write(&[&item.kind, &item.name])))
    }

    /// One manifest.
    ///
    /// # Errors
    /// What the database says.
    pub async fn manifest(&self, kind: &str, name: &str) -> Result<Option<Stored>, Error> {
        sqlx::query_as!(
            Stored,
            r#"select kind, name, generation, body, applied_at from perigee.manifests
               where kind = $1 and name = $2 and deleted_at is null"#,
            kind,
            name
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(Error::reading("a manifest"))
    }

    /// A manifest as it ever stood, the latest generation first; at most 1,000 of them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn manifest_generations(&self, kind: &str, name: &str) -> Result<Vec<Generation>, Error> {
        sqlx::query_as!(
            Generation,
            r#"select generation, body, applied_at from perigee.manifest_generations
               where kind = $1 and name = $2 order by generation desc limit 1000"#,
            kind,
            name
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("the generations of a manifest"))
    }

    /// A number that is the same while no manifest of the kind changes: what was made of them may be kept so long.
    ///
    /// # Errors
    /// What the database says.
    pub async fn manifest_mark(&self, kind: &str) -> Result<i64, Error> {
        sqlx::query_scalar!(
            r#"select coalesce(max(mark), 0) as "mark!" from perigee.manifests where kind = $1"#,
            kind
        )
        .fetch_one(&self.pool)
        .await
        .map_err(Error::reading("manifests"))
    }

    async fn begin_manifests(&self) -> Result<Transaction<'static, Postgres>, Error> {
        let mut tx = connect::begin(&self.pool).await.map_err(Error::writing("manifests"))?;
        sqlx::query!("lock table perigee.manifests in share row exclusive mode")
            .execute(&mut *tx)
            .await
            .map_err(Error::writing("manifests"))?;
        Ok(tx)
    }
}

/// The manifests, each once and in the order of their first, beside what applying them does.
async fn compare<'m>(
    tx: &mut Transaction<'static, Postgres>,
    manifests: &'m [NewManifest],
) -> Result<(Vec<&'m NewManifest>, Vec<Applied>), Error> {
    let mut unique: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut given: Vec<&NewManifest> = Vec::new();
    for manifest in manifests {
        let at = *unique.entry((&manifest.kind, &manifest.name)).or_insert(given.len());
        match given.get_mut(at) {
            Some(earlier) => *earlier = manifest,
            None => given.push(manifest),
        }
    }
    let kinds: Vec<String> = given.iter().map(|new| new.kind.clone()).collect();
    let names: Vec<String> = given.iter().map(|new| new.name.clone()).collect();
    let bodies: Vec<Value> = given.iter().map(|new| new.body.clone()).collect();
    let rows = sqlx::query!(
        r#"select m.generation as "generation?", m.body as "body?", m.deleted_at as "deleted_at?",
                  coalesce(m.body = g.body and m.deleted_at is null, false) as "same!"
           from unnest($1::text[], $2::text[], $3::jsonb[]) with ordinality as g (kind, name, body, place)
           left join perigee.manifests m on m.kind = g.kind and m.name = g.name
           order by g.place"#,
        &kinds,
        &names,
        &bodies
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::reading("manifests"))?;
    let applied = given
        .iter()
        .zip(rows)
        .map(|(new, row)| {
            let outcome = match (row.generation, row.deleted_at, row.same) {
                (Some(_), None, true) => Outcome::Unchanged,
                (Some(_), None, false) => Outcome::Changed,
                _ => Outcome::Created,
            };
            let generation = row.generation.unwrap_or(0) + i64::from(outcome != Outcome::Unchanged);
            let before = row.body.filter(|_| outcome == Outcome::Changed);
            Applied { kind: new.kind.clone(), name: new.name.clone(), generation, outcome, before }
        })
        .collect();
    Ok((given, applied))
}

/// Tells that a manifest changed.
fn signal(kind: &str, name: &str, generation: i64, deleted: bool, now: Timestamp) -> Signal {
    let word = SignalKind::ManifestChanged.as_str();
    Signal {
        id: SignalId::of(word, &[kind, name, &generation.to_string()]),
        kind: SignalKind::ManifestChanged,
        subject: Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("manifest\u{1f}{kind}\u{1f}{name}").as_bytes()),
        occurred_at: now,
        payload: json!({"kind": kind, "name": name, "generation": generation, "deleted": deleted}),
    }
}
