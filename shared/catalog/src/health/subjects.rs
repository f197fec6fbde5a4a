//! Resources as expressions see them: identity, shown document, other names, health.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use model::{HealthState, ResourceId, Verdict};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Catalog, Error, Resource, resources};

/// A resource with what an expression may ask of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The resource.
    pub resource: Resource,
    /// Its other names.
    pub aliases: Vec<String>,
    /// The shown document: the sources' documents merged by rank; null where none ever had one.
    pub document: Value,
    /// How well it is; `None` where no rule judged it.
    pub health: Option<HealthState>,
}

impl Subject {
    /// The variable `resource`: `id`, `type`, `name`, `native_id`, `account`, `region`, `tags`, `labels`, `config`,
    /// `aliases`, `health`, `since`, `deleted_at`. What it does not have is null.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Resource { id, kind, name, native_id, account, region, tags, since, deleted_at, .. } =
            &self.resource;
        let part = |name: &str| self.document.get(name).cloned();
        let health = self.health.as_ref().map(|state| {
            let Verdict { health, status, ready, reason, .. } = &state.verdict;
            json!({"health": health, "status": status, "ready": ready, "reason": reason, "since": state.since})
        });
        json!({
            "id": id, "type": kind, "name": name, "native_id": native_id, "account": account, "region": region,
            "tags": tags, "labels": part("labels").unwrap_or_else(|| json!({})), "config": part("config").map(model::shown_config),
            "aliases": self.aliases, "health": health, "since": since, "deleted_at": deleted_at,
        })
    }
}

impl Catalog {
    /// The resources of `ids` as expressions see them, in the order of their ids, in a fixed number of statements.
    /// What does not exist is left out.
    ///
    /// # Errors
    /// What the database says.
    pub async fn subjects(&self, ids: &[ResourceId]) -> Result<Vec<Subject>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Uuid> = ids.iter().map(|id| Uuid::from(*id)).collect();
        let mut connection = self.pool.acquire().await.map_err(Error::connecting)?;
        load(&mut connection, &ids).await
    }
}

pub(super) async fn load(db: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Subject>, Error> {
    let resources = resources::by_ids(&mut *db, ids).await?;
    let mut states = states(db, ids).await?;
    let mut aliases = aliases(db, ids).await?;
    let mut documents = documents(db, ids).await?;
    let bare: Vec<Uuid> = resources.keys().filter(|id| !documents.contains_key(id)).copied().collect();
    if !bare.is_empty() {
        documents.extend(last_documents(db, &bare).await?);
    }
    let subjects = resources.into_iter().map(|(id, resource)| Subject {
        resource,
        aliases: aliases.remove(&id).unwrap_or_default(),
        document: documents.remove(&id).unwrap_or_default(),
        health: states.remove(&id),
    });
    Ok(subjects.collect())
}

async fn states(db: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<Uuid, HealthState>, Error> {
    let rows = sqlx::query!(
        r#"select resource_id, health as "health!", status, ready, reason, rule, until, since as "since!",
                  judged_at as "judged_at!"
           from perigee.health where resource_id = any ($1) and health is not null"#,
        ids,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("health"))?;
    let states = rows.into_iter().map(|row| {
        let verdict = Verdict {
            health: row.health.into(),
            status: row.status,
            ready: row.ready,
            reason: row.reason,
            rule: row.rule,
            until: row.until,
        };
        let (since, judged_at): (DateTime<Utc>, DateTime<Utc>) = (row.since, row.judged_at);
        (row.resource_id, HealthState { resource: row.resource_id.into(), verdict, since, judged_at })
    });
    Ok(states.collect())
}

async fn aliases(db: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Vec<String>>, Error> {
    let rows = sqlx::query!(
        "select resource_id, alias from perigee.aliases where resource_id = any ($1) order by resource_id, alias",
        ids,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("aliases"))?;
    let mut aliases: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
    for row in rows {
        aliases.entry(row.resource_id).or_default().push(row.alias);
    }
    Ok(aliases)
}

/// The shown documents: what the sources say now, the weightiest first.
async fn documents(db: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Value>, Error> {
    let rows = sqlx::query!(
        r#"select v.resource_id, d.body
           from perigee.versions_open v join perigee.documents d on d.hash = v.document
           where v.resource_id = any ($1) and v.content = 1
           order by v.resource_id, v.rank desc, v.valid_from desc, v.source"#,
        ids,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("versions"))?;
    let mut documents: BTreeMap<Uuid, Value> = BTreeMap::new();
    for row in rows {
        resources::merge(documents.entry(row.resource_id).or_default(), &row.body);
    }
    Ok(documents)
}

/// How those last looked that no source documents any more.
async fn last_documents(db: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Value>, Error> {
    let rows = sqlx::query!(
        r#"select distinct on (c.resource_id) c.resource_id, d.body
           from perigee.versions_closed c join perigee.documents d on d.hash = c.document
           where c.resource_id = any ($1) and c.superseded_at is null and c.content = 1
           order by c.resource_id, c.rank desc, c.valid_to desc, c.source"#,
        ids,
    )
    .fetch_all(db)
    .await
    .map_err(Error::reading("versions"))?;
    Ok(rows.into_iter().map(|row| (row.resource_id, row.body)).collect())
}
