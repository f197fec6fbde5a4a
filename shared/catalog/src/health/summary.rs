//! The worst of many: by account, cluster, namespace or type.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use model::{Health, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ResourceHealth, StateRow};
use crate::{Catalog, Error};

/// How many of the worst resources of a group are named.
const NAMED: i64 = 5;

/// What resources are put together by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthBy {
    /// All in one group.
    #[default]
    All,
    /// Accounts.
    Account,
    /// Kubernetes clusters.
    Cluster,
    /// Namespaces of Kubernetes clusters.
    Namespace,
    /// Types.
    Type,
}

impl HealthBy {
    fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Account => "account",
            Self::Cluster => "cluster",
            Self::Namespace => "namespace",
            Self::Type => "type",
        }
    }
}

/// How many resources are how well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthCounts {
    /// These do what they are for.
    pub healthy: i64,
    /// Of these a rule cannot say how they are.
    pub unknown: i64,
    /// At these somebody should look.
    pub warning: i64,
    /// These do not do what they are for.
    pub unhealthy: i64,
}

/// A group of resources, and how well the worst of them is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HealthGroup {
    /// The account or cluster, where the group is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The namespace, where the group is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The type, where the group is of one.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How well the worst is that a rule judged; unknown where none did.
    pub health: Health,
    /// Since when one of them is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// How many are how well, as rules say.
    pub counts: HealthCounts,
    /// How many no rule judges: they are not counted as healthy.
    pub unjudged: i64,
    /// The worst few, if any is unhealthy or in warning.
    pub worst: Vec<ResourceHealth>,
}

/// What a group is called: account, namespace, type.
type Key = (Option<String>, Option<String>, Option<String>);

impl Catalog {
    /// How well resources are, in groups, the worst group first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn health_summary(&self, by: HealthBy) -> Result<Vec<HealthGroup>, Error> {
        self.health_summary_at(by, None).await
    }

    /// The same as it was at an instant. Names are those of now.
    ///
    /// # Errors
    /// What the database says.
    pub async fn health_summary_at(
        &self,
        by: HealthBy,
        at: Option<Timestamp>,
    ) -> Result<Vec<HealthGroup>, Error> {
        let mut groups = self.judged_groups(by, at).await?;
        for (key, total) in self.totals(by, at).await? {
            let group = groups.entry(key.clone()).or_insert_with(|| group(key, [0; 4], [None; 4]));
            let HealthCounts { healthy, unknown, warning, unhealthy } = group.counts;
            group.unjudged = (total - healthy - unknown - warning - unhealthy).max(0);
        }
        for (key, row) in self.worst_of_groups(by, at).await? {
            if let Some(group) = groups.get_mut(&key) {
                group.worst.push(row);
            }
        }
        let mut groups: Vec<HealthGroup> = groups.into_values().collect();
        // A group of which nothing is judged says less than one that is well.
        let judged = |group: &HealthGroup| group.counts != HealthCounts::default();
        groups.sort_by_key(|group| std::cmp::Reverse((judged(group), group.health)));
        Ok(groups)
    }

    async fn judged_groups(
        &self,
        by: HealthBy,
        at: Option<Timestamp>,
    ) -> Result<BTreeMap<Key, HealthGroup>, Error> {
        let rows = sqlx::query!(
            r#"select case when $1 in ('account', 'cluster', 'namespace') then account end as account,
                      case when $1 = 'namespace' then namespace end as namespace,
                      case when $1 = 'type' then type end as kind,
                      count(*) filter (where level = 0) as "healthy!", min(since) filter (where level = 0) as healthy_since,
                      count(*) filter (where level = 1) as "unknown!", min(since) filter (where level = 1) as unknown_since,
                      count(*) filter (where level = 2) as "warning!", min(since) filter (where level = 2) as warning_since,
                      count(*) filter (where level = 3) as "unhealthy!", min(since) filter (where level = 3) as unhealthy_since
               from (
                   select account, namespace, type, level, since from perigee.health
                   where level is not null and ($2::timestamptz is null or since <= $2)
                   union all
                   select account, namespace, type,
                          case health when 'healthy' then 0 when 'unknown' then 1 when 'warning' then 2 when 'unhealthy' then 3 end,
                          valid_from
                   from perigee.health_closed where valid_from <= $2 and valid_to > $2
               ) h
               where case $1 when 'account' then type not like 'Kubernetes::%' when 'cluster' then type like 'Kubernetes::%'
                             when 'namespace' then namespace is not null else true end
               group by 1, 2, 3"#,
            by.as_str(),
            at,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("health"))?;
        let groups = rows.into_iter().map(|row| {
            let key: Key = (row.account, row.namespace, row.kind);
            let counts = [row.healthy, row.unknown, row.warning, row.unhealthy];
            let since = [row.healthy_since, row.unknown_since, row.warning_since, row.unhealthy_since];
            (key.clone(), group(key, counts, since))
        });
        Ok(groups.collect())
    }

    /// How many resources each group has, judged or not.
    async fn totals(&self, by: HealthBy, at: Option<Timestamp>) -> Result<Vec<(Key, i64)>, Error> {
        if let Some(at) = at {
            return self.totals_at(by, at).await;
        }
        if by == HealthBy::Namespace {
            let rows = sqlx::query!(
                r#"select account, split_part(native_id, '/', 1) as "namespace!", count(*) as "total!"
                   from perigee.resources
                   where type like 'Kubernetes::%' and native_id like '%/%' and deleted_at is null and since is not null
                   group by 1, 2"#
            )
            .fetch_all(&self.pool)
            .await
            .map_err(Error::reading("resources"))?;
            let totals =
                rows.into_iter().map(|row| ((Some(row.account), Some(row.namespace), None), row.total));
            return Ok(totals.collect());
        }
        let mut totals: BTreeMap<Key, i64> = BTreeMap::new();
        for count in self.counts().await? {
            let of_cluster = count.kind.starts_with("Kubernetes::");
            let key = match by {
                HealthBy::Account if !of_cluster => (Some(count.account), None, None),
                HealthBy::Cluster if of_cluster => (Some(count.account), None, None),
                HealthBy::Type => (None, None, Some(count.kind)),
                HealthBy::All => (None, None, None),
                HealthBy::Account | HealthBy::Cluster | HealthBy::Namespace => continue,
            };
            *totals.entry(key).or_default() += count.count;
        }
        Ok(totals.into_iter().collect())
    }

    /// How many resources each group had at an instant.
    async fn totals_at(&self, by: HealthBy, at: Timestamp) -> Result<Vec<(Key, i64)>, Error> {
        let rows = sqlx::query!(
            r#"select case when $1 in ('account', 'cluster', 'namespace') then account end as account,
                      case when $1 = 'namespace' then split_part(native_id, '/', 1) end as namespace,
                      case when $1 = 'type' then type end as kind, count(*) as "total!"
               from (
                   select account, type, native_id from perigee.resources
                   where shown_from <= $2 and deleted_at is null and (since is not null or $1 <> 'namespace')
                   union all
                   select account, type, native_id from perigee.shown_closed
                   where valid_from <= $2 and valid_to > $2 and superseded_at is null and deleted_at is null
               ) r
               where case $1 when 'account' then type not like 'Kubernetes::%' when 'cluster' then type like 'Kubernetes::%'
                             when 'namespace' then type like 'Kubernetes::%' and native_id like '%/%' else true end
               group by 1, 2, 3"#,
            by.as_str(),
            at,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("resources"))?;
        Ok(rows.into_iter().map(|row| ((row.account, row.namespace, row.kind), row.total)).collect())
    }

    async fn worst_of_groups(
        &self,
        by: HealthBy,
        at: Option<Timestamp>,
    ) -> Result<Vec<(Key, ResourceHealth)>, Error> {
        let rows = sqlx::query!(
            r#"select g.group_account as "group_account?", g.group_namespace as "group_namespace?", g.group_kind as "group_kind?",
                      g.resource_id as "resource_id!", g.type as "kind!", r.name as "name!", g.account as "account!",
                      g.region as "region!", g.namespace as "namespace?", g.health as "health!", g.status as "status!",
                      g.ready as "ready!", g.reason as "reason!", g.rule as "rule?", g.until as "until?",
                      g.since as "since!", g.judged_at as "judged_at!"
               from (
                   select *, row_number() over (partition by group_account, group_namespace, group_kind
                                                order by level desc, since desc, resource_id desc) as place
                   from (
                       select *,
                              case when $1 in ('account', 'cluster', 'namespace') then account end as group_account,
                              case when $1 = 'namespace' then namespace end as group_namespace,
                              case when $1 = 'type' then type end as group_kind
                       from (
                           select resource_id, type, account, region, namespace, health, level, status, ready, reason, rule,
                                  until, since, judged_at
                           from perigee.health where level >= 2 and ($3::timestamptz is null or since <= $3)
                           union all
                           select resource_id, type, account, region, namespace, health,
                                  case health when 'warning' then 2 else 3 end, status, ready, reason, rule, null, valid_from,
                                  recorded_at
                           from perigee.health_closed
                           where health in ('warning', 'unhealthy') and valid_from <= $3 and valid_to > $3
                       ) h
                       where case $1 when 'account' then type not like 'Kubernetes::%'
                                     when 'cluster' then type like 'Kubernetes::%'
                                     when 'namespace' then namespace is not null else true end
                   ) bad
               ) g
               join perigee.resources r on r.id = g.resource_id
               where g.place <= $2
               order by g.group_account, g.group_namespace, g.group_kind, g.place"#,
            by.as_str(),
            NAMED,
            at,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("health"))?;
        let rows = rows.into_iter().map(|row| {
            let key: Key = (row.group_account, row.group_namespace, row.group_kind);
            let state = StateRow {
                resource_id: row.resource_id,
                kind: row.kind,
                name: row.name,
                account: row.account,
                region: row.region,
                namespace: row.namespace,
                health: row.health,
                status: row.status,
                ready: row.ready,
                reason: row.reason,
                rule: row.rule,
                until: row.until,
                since: row.since,
                judged_at: row.judged_at,
            };
            (key, ResourceHealth::from(state))
        });
        Ok(rows.collect())
    }
}

/// A group of so many that are so well, by [`Health`] from the best to the worst, with the earliest instant of each.
fn group(key: Key, counts: [i64; 4], since: [Option<DateTime<Utc>>; 4]) -> HealthGroup {
    let present = Health::ALL.iter().zip(counts).filter(|(_, count)| *count > 0).map(|(health, _)| *health);
    let health = Health::worst(present);
    let [healthy, unknown, warning, unhealthy] = counts;
    HealthGroup {
        account: key.0,
        namespace: key.1,
        kind: key.2,
        health: health.unwrap_or(Health::Unknown),
        since: health.and_then(|health| since.get(health as usize).copied().flatten()),
        counts: HealthCounts { healthy, unknown, warning, unhealthy },
        unjudged: 0,
        worst: Vec::new(),
    }
}
