//! What a listing has to know of the catalog before it says something.

use std::collections::BTreeMap;

use model::{ContentHash, Partition, ResourceId, Timestamp};
use uuid::Uuid;

use crate::{Catalog, Error};

/// What is known of a resource that a listing saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Whether it is thought to be gone, by any source.
    pub gone: bool,
    /// Whether the asked source ever said more of it than its name.
    pub heard: bool,
    /// Whether the asked source's last word is that it was not in a complete listing.
    pub found_absent: bool,
    /// The document that the asked source knows it by now.
    pub document: Option<ContentHash>,
}

impl Catalog {
    /// What is known of each of `ids`, and which document `source` knows it by. Unknown ids are left out.
    ///
    /// # Errors
    /// What the database says.
    pub async fn known(
        &self,
        source: &str,
        ids: &[ResourceId],
    ) -> Result<BTreeMap<ResourceId, Known>, Error> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let rows = sqlx::query!(
            r#"select r.id, r.deleted_at is not null as "gone!", v.document as "document?",
                      v.resource_id is not null as "heard!",
                      coalesce(v.content = 2 and v.state_id = $3, false) as "absent!"
               from perigee.resources r
               left join perigee.versions_open v on v.resource_id = r.id and v.source = $1
               where r.id = any ($2)"#,
            source,
            &ids,
            // The mark of facts that `record` derived from listings.
            i64::MIN
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("resources"))?;
        let known = rows.into_iter().map(|row| {
            let document = row.document.and_then(|hash| hash.try_into().ok()).map(ContentHash);
            (
                ResourceId(row.id),
                Known { gone: row.gone, heard: row.heard, found_absent: row.absent, document },
            )
        });
        Ok(known.collect())
    }

    /// How many resources of a partition were there before `began` (less `grace_seconds`) and are still thought to be
    /// there, and how many of those are not among `seen`: what a complete listing would delete.
    ///
    /// # Errors
    /// What the database says.
    pub async fn missing(
        &self,
        partition: &Partition,
        seen: impl IntoIterator<Item = ResourceId>,
        began: Timestamp,
        grace_seconds: i32,
    ) -> Result<(i64, i64), Error> {
        let seen: Vec<Uuid> = seen.into_iter().map(|id| id.0).collect();
        let row = sqlx::query!(
            r#"select count(*) as "there!", count(*) filter (where s.id is null) as "missing!"
               from perigee.resources r left join unnest($4::uuid[]) s (id) on s.id = r.id
               where r.account = $1 and r.region = $2 and r.type = $3 and r.deleted_at is null and r.since < $5"#,
            partition.account,
            partition.region,
            partition.kind,
            &seen,
            began - chrono::TimeDelta::seconds(grace_seconds.into())
        )
        .fetch_one(&self.pool)
        .await
        .map_err(Error::reading("resources"))?;
        Ok((row.there, row.missing))
    }

    /// The types of which `source` knows a living resource in an account and region.
    ///
    /// # Errors
    /// What the database says.
    pub async fn types_known_by(
        &self,
        source: &str,
        account: &str,
        region: &str,
    ) -> Result<Vec<String>, Error> {
        sqlx::query_scalar!(
            r#"select distinct r.type from perigee.resources r
               join perigee.versions_open v on v.resource_id = r.id and v.source = $1 and v.content < 2
               where r.account = $2 and r.region = $3 and r.deleted_at is null order by r.type"#,
            source,
            account,
            region
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("resources"))
    }
}
