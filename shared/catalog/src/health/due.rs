//! What is to be judged: resources that were touched, and all that a rule concerns when it was edited.

use model::{ResourceId, Timestamp};
use uuid::Uuid;

use crate::{Catalog, Error};

/// A resource that something happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    /// The resource.
    pub resource: ResourceId,
    /// When it happened: where its version begins.
    pub at: Timestamp,
    /// Whether a rule concerns its type. What none concerns is judged only if it was judged before.
    pub concerned: bool,
}

/// Why all resources of some types are judged again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A rule was edited: what comes of it is so since now.
    Edit,
    /// Nobody judged before, or another build did: what was never judged is so since its version began.
    Start,
}

/// Where a piece of a walk over resources by type ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeCursor {
    kind: String,
    account: String,
    region: String,
    native_id: String,
    id: Uuid,
}

impl Default for TypeCursor {
    fn default() -> Self {
        let nothing = String::new;
        Self { kind: nothing(), account: nothing(), region: nothing(), native_id: nothing(), id: Uuid::nil() }
    }
}

impl Catalog {
    /// Every type of which there ever was a resource.
    ///
    /// # Errors
    /// What the database says.
    pub async fn resource_types(&self) -> Result<Vec<String>, Error> {
        // From type to type along the index: it costs the number of types, not that of resources.
        sqlx::query_scalar!(
            r#"with recursive live as (
                   (select type from perigee.resources where deleted_at is null order by type limit 1)
                   union all
                   select (select r.type from perigee.resources r where r.deleted_at is null and r.type > t.type
                           order by r.type limit 1)
                   from live t where t.type is not null),
               gone as (
                   (select type from perigee.resources where deleted_at is not null order by type limit 1)
                   union all
                   select (select r.type from perigee.resources r where r.deleted_at is not null and r.type > t.type
                           order by r.type limit 1)
                   from gone t where t.type is not null)
               select type as "kind!" from live where type is not null
               union
               select type from gone where type is not null
               order by 1"#
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("types"))
    }

    /// Makes resources due that something happened to.
    ///
    /// # Errors
    /// What the database says.
    pub async fn health_touched(&self, touched: &[Touched], now: Timestamp) -> Result<(), Error> {
        let mut touched = touched.to_vec();
        // One row a resource: the latest of what happened to it.
        touched.sort_by_key(|one| (one.resource, std::cmp::Reverse(one.at)));
        touched.dedup_by_key(|one| one.resource);
        if touched.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = touched.iter().map(|one| one.resource.into()).collect();
        let times: Vec<Timestamp> = touched.iter().map(|one| one.at).collect();
        let concerned: Vec<bool> = touched.iter().map(|one| one.concerned).collect();
        sqlx::query!(
            r#"insert into perigee.health as h (resource_id, type, account, region, native_id, namespace, due_at, due_since)
               select r.id, r.type, r.account, r.region, r.native_id,
                      case when r.type like 'Kubernetes::%' and r.native_id like '%/%'
                           then split_part(r.native_id, '/', 1) end,
                      $4::timestamptz, t.at
               from unnest($1::uuid[], $2::timestamptz[], $3::boolean[]) t (id, at, concerned)
               join perigee.resources r on r.id = t.id
               where (t.concerned and r.deleted_at is null)
                  or exists (select 1 from perigee.health e where e.resource_id = r.id)
               order by r.id
               on conflict (resource_id) do update set
                   due_since = greatest(excluded.due_since,
                       case when h.due_at <= excluded.due_at then coalesce(h.due_since, h.due_at) end),
                   due_at = least(h.due_at, excluded.due_at)"#,
            &ids,
            &times,
            &concerned,
            now,
        )
        .execute(&self.pool)
        .await
        .map_err(Error::writing("health"))?;
        Ok(())
    }

    /// Makes the next `limit` resources of `types` due. Returns where to go on, or `None` when all are.
    ///
    /// # Errors
    /// What the database says.
    pub async fn health_types_due(
        &self,
        types: &[String],
        cause: Cause,
        after: &TypeCursor,
        limit: u32,
        now: Timestamp,
    ) -> Result<Option<TypeCursor>, Error> {
        let TypeCursor { kind, account, region, native_id, id } = after;
        // Rows are locked in the order of their ids, as everywhere.
        let last = sqlx::query!(
            r#"with piece as (
                   select id, type, account, region, native_id from perigee.resources
                   where type = any ($1) and deleted_at is null and since is not null
                     and (type, account, region, native_id, id) > ($2, $3, $4, $5, $6)
                   order by type, account, region, native_id, id limit $7
               ), made as (
                   insert into perigee.health as h (resource_id, type, account, region, native_id, namespace, due_at,
                                                    due_since)
                   select p.id, p.type, p.account, p.region, p.native_id,
                          case when p.type like 'Kubernetes::%' and p.native_id like '%/%'
                               then split_part(p.native_id, '/', 1) end,
                          $8::timestamptz,
                          case when $9 then $8 else
                              (select max(v.valid_from) from perigee.versions_open v where v.resource_id = p.id) end
                   from piece p order by p.id
                   on conflict (resource_id) do update set due_since = $8, due_at = least(h.due_at, excluded.due_at)
               )
               select id, type as kind, account, region, native_id from piece
               order by type desc, account desc, region desc, native_id desc, id desc limit 1"#,
            types,
            kind,
            account,
            region,
            native_id,
            id,
            i64::from(limit),
            now,
            cause == Cause::Edit,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(Error::writing("health"))?;
        Ok(last.map(|row| TypeCursor {
            kind: row.kind,
            account: row.account,
            region: row.region,
            native_id: row.native_id,
            id: row.id,
        }))
    }

    /// Makes the next `limit` resources due that `rule` judged. Returns where to go on, or `None` when all are.
    ///
    /// # Errors
    /// What the database says.
    pub async fn health_rule_due(
        &self,
        rule: &str,
        after: Option<ResourceId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Option<ResourceId>, Error> {
        let after = after.map_or_else(Uuid::nil, Uuid::from);
        let done = sqlx::query_scalar!(
            r#"with piece as (
                   select resource_id from perigee.health where rule = $1 and resource_id > $2
                   order by resource_id limit $3 for update
               ), made as (
                   update perigee.health h set due_at = least(h.due_at, $4), due_since = $4
                   from piece p where h.resource_id = p.resource_id
               )
               select resource_id from piece order by resource_id desc limit 1"#,
            rule,
            after,
            i64::from(limit),
            now,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(Error::writing("health"))?;
        Ok(done.map(ResourceId))
    }

    /// When the next resource is due to be judged.
    ///
    /// # Errors
    /// What the database says.
    pub async fn health_next_due(&self) -> Result<Option<Timestamp>, Error> {
        sqlx::query_scalar!("select min(due_at) from perigee.health where due_at is not null")
            .fetch_one(&self.pool)
            .await
            .map_err(Error::reading("health"))
    }
}
