//! What runs and their triggers ask of the rest of the catalog, for many at once.

use std::collections::BTreeMap;

use model::{ChangeId, FindingId, ResourceId, Timestamp};
use selector::Selector;
use uuid::Uuid;

use crate::{Catalog, Change, Error, changes, resources};

impl Catalog {
    /// Changes by their ids and the instants at which they happened; what does not exist is left out.
    ///
    /// # Errors
    /// What the database says.
    pub async fn changes_by_ids(&self, ids: &[(ChangeId, Timestamp)]) -> Result<Vec<Change>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        changes::by_ids(&self.pool, ids).await
    }

    /// The latest changes that touched any of the resources since an instant, newest first.
    ///
    /// # Errors
    /// [`Error::BadSelector`], or what the database says.
    pub async fn changes_around(
        &self,
        resources: &[ResourceId],
        selector: &Selector,
        since: Timestamp,
        limit: u16,
    ) -> Result<Vec<Change>, Error> {
        changes::around(&self.pool, resources, selector, since, limit).await
    }

    /// The first resource that each finding is about.
    ///
    /// # Errors
    /// What the database says.
    pub async fn resources_of_findings(
        &self,
        ids: &[FindingId],
    ) -> Result<BTreeMap<FindingId, ResourceId>, Error> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let ids: Vec<Uuid> = ids.iter().map(|id| Uuid::from(*id)).collect();
        let rows = sqlx::query!(
            r#"select id, resources[1] as "resource!" from perigee.findings
               where id = any ($1) and cardinality(resources) > 0"#,
            &ids
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::reading("findings"))?;
        Ok(rows.into_iter().map(|row| (row.id.into(), row.resource.into())).collect())
    }

    /// Those of the resources that a selector describes, in the order of their ids; also deleted ones where that is
    /// asked.
    ///
    /// # Errors
    /// [`Error::BadSelector`], or what the database says.
    pub async fn selected(
        &self,
        selector: &Selector,
        ids: &[ResourceId],
        include_deleted: bool,
    ) -> Result<Vec<ResourceId>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        resources::selected(&self.pool, selector, ids, include_deleted).await
    }
}
