//! Every SQL statement of Perigee: the pool, the migrations, [`Catalog::record`] and the reads.
//!
//! `record` is the only way in. What it means is decided by pure functions of `model`; this crate reads what they
//! need in a fixed number of statements and writes what they answer in a fixed number of statements, in one
//! transaction.

mod account_diff;
pub mod bench;
mod changes;
pub mod checks;
mod connect;
mod cursor;
pub mod deliveries;
mod digest;
mod error;
mod facets;
mod findings;
pub mod glance;
mod graph;
pub mod health;
mod history;
pub mod holds;
pub mod manifests;
mod moment;
pub mod outbox;
mod query;
mod record;
mod rejected;
mod resources;
pub mod retention;
pub mod runs;
mod search;
pub mod shards;
mod status;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_support;
pub mod transfer;
pub mod verify;
mod view;

pub use account_diff::{AccountDiffQuery, Became, ResourceChange, ResourceDiff};
pub use connect::{ConnectOptions, migrator};
pub use error::Error;
pub use facets::{Facet, FacetValue, Facets, Total};
pub use history::{HistoryEntry, HistoryQuery};
pub use query::{AsOf, ChangeQuery, FindingQuery, Follow, Recorded, ResourceQuery, ResourceSet, Walk};
pub use rejected::NewRejected;
pub use search::explain::TermResult;
pub use view::{
    Bound, Change, ChangeGroup, ChangeTarget, Count, Direction, Edge, EdgeDifferences, Finding, Graph,
    GraphNode, GraphPath, HealthNow, Page, Parents, Paths, Rejected, Resource, ResourceDetail, SourceStatus,
    Variant, Version, VersionState,
};

use model::{Observation, ResourceId, Timestamp};
use selector::Selector;
use sqlx::PgPool;

/// The catalog: a handle on its database, cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalog {
    pool: PgPool,
}

/// Ids as the text form of a Postgres array.
pub(crate) fn array_literal<'a>(ids: impl Iterator<Item = &'a ResourceId>) -> String {
    let ids: Vec<String> = ids.map(ToString::to_string).collect();
    format!("{{{}}}", ids.join(","))
}

impl Catalog {
    /// Opens a pool. No connection is made until one is needed.
    ///
    /// # Errors
    /// When the address cannot be read.
    pub fn connect(options: &ConnectOptions) -> Result<Self, Error> {
        connect::pool(options, None).map(|pool| Self { pool })
    }

    /// Brings the database to this build's schema. Safe to call from two processes at once.
    ///
    /// # Errors
    /// [`Error::ForeignTables`], [`Error::NewerSchema`], or what the database says.
    pub async fn migrate(&self, now: Timestamp) -> Result<(), Error> {
        connect::migrate(&self.pool, now).await
    }

    /// Answers when the database does, with this build's schema.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::NotMigrated`], [`Error::NewerSchema`].
    pub async fn check(&self) -> Result<(), Error> {
        connect::check(&self.pool).await
    }

    /// Records observations, all or none. The answers are in the order of `observations`.
    ///
    /// # Errors
    /// What the database says. Nothing was recorded then, and recording again is safe.
    pub async fn record(&self, observations: &[Observation], now: Timestamp) -> Result<Vec<Recorded>, Error> {
        record::record(&self.pool, observations, now).await
    }

    /// Keeps inputs that could not be taken. Keeping one again adds nothing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn reject(&self, rejected: &[NewRejected], now: Timestamp) -> Result<(), Error> {
        rejected::add(&self.pool, rejected, now).await
    }

    /// Lists resources by type, account, region and native id.
    ///
    /// # Errors
    /// [`Error::BadSelector`], [`Error::BadCursor`], or what the database says.
    pub async fn resources(&self, query: &ResourceQuery) -> Result<Page<Resource>, Error> {
        resources::list(&self.pool, query).await
    }

    /// How the database would list what a query asks for: its plan, line by line.
    ///
    /// # Errors
    /// [`Error::BadSelector`], or what the database says.
    pub async fn plan(&self, query: &ResourceQuery) -> Result<Vec<String>, Error> {
        resources::plan(&self.pool, query).await
    }

    /// Why a resource is described by a selector, or is not: each term, whether it holds, and what it looked at. `None`
    /// when there is no such resource.
    ///
    /// # Errors
    /// [`Error::BadSelector`], or what the database says.
    pub async fn explain_terms(
        &self,
        selector: &Selector,
        id: ResourceId,
        now: Timestamp,
    ) -> Result<Option<Vec<TermResult>>, Error> {
        let when = search::When { now: Some(now), at: None };
        search::explain::terms(&self.pool, selector, id.into(), when).await
    }

    /// One resource with its documents.
    ///
    /// # Errors
    /// What the database says.
    pub async fn resource(&self, id: ResourceId) -> Result<Option<ResourceDetail>, Error> {
        resources::one(&self.pool, id).await
    }

    /// One resource with its documents, as it was. `None` when nothing was known of it then.
    ///
    /// # Errors
    /// [`Error::Expired`], or what the database says.
    pub async fn resource_at(&self, id: ResourceId, as_of: AsOf) -> Result<Option<ResourceDetail>, Error> {
        moment::one(&self.pool, id, as_of).await
    }

    /// The earliest instant at which anything was said of a resource. `None` when there is no such resource.
    ///
    /// # Errors
    /// What the database says.
    pub async fn known_since(&self, id: ResourceId) -> Result<Option<Timestamp>, Error> {
        moment::known_since(&self.pool, id).await
    }

    /// What differs of a resource between two instants, as it is known now or was known at `recorded_at`. `None` when
    /// nothing was known of it at either.
    ///
    /// # Errors
    /// [`Error::Expired`], or what the database says.
    pub async fn resource_diff(
        &self,
        id: ResourceId,
        from: Timestamp,
        to: Timestamp,
        recorded_at: Option<Timestamp>,
    ) -> Result<Option<ResourceDiff>, Error> {
        account_diff::one(&self.pool, id, from, to, recorded_at).await
    }

    /// The resources of an account that differ between two instants, by type, region and native id.
    ///
    /// # Errors
    /// [`Error::Expired`], [`Error::BadSelector`], [`Error::BadCursor`], or what the database says.
    pub async fn account_diff(&self, query: &AccountDiffQuery) -> Result<Page<ResourceChange>, Error> {
        account_diff::list(&self.pool, query).await
    }

    /// The resource that `reference` names: an id, an alias (an ARN, say), `type/native id`, `type/name`, or a
    /// native id or name alone.
    ///
    /// # Errors
    /// What the database says.
    pub async fn resolve(&self, reference: &str) -> Result<Option<ResourceId>, Error> {
        resources::resolve(&self.pool, reference).await
    }

    /// As [`Self::resolve`], by the aliases that were told of by an instant.
    ///
    /// # Errors
    /// What the database says.
    pub async fn resolve_at(&self, reference: &str, at: Timestamp) -> Result<Option<ResourceId>, Error> {
        moment::resolve(&self.pool, reference, at).await
    }

    /// The history of a resource, latest first.
    ///
    /// # Errors
    /// [`Error::BadCursor`], or what the database says.
    pub async fn history(&self, query: &HistoryQuery) -> Result<Page<HistoryEntry>, Error> {
        history::list(&self.pool, query).await
    }

    /// The relations of a resource, both ways.
    ///
    /// # Errors
    /// [`Error::BadCursor`], or what the database says.
    pub async fn edges(
        &self,
        id: ResourceId,
        as_of: AsOf,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<Edge>, Error> {
        graph::edges::list(&self.pool, id, as_of, limit, cursor).await
    }

    /// What is around a resource, breadth first. `None` when there is no such resource.
    ///
    /// # Errors
    /// What the database says.
    pub async fn graph(&self, id: ResourceId, walk: &Walk) -> Result<Option<Graph>, Error> {
        graph::around(&self.pool, id, walk).await
    }

    /// What is around all the resources that a selector describes, breadth first from all of them at once.
    ///
    /// # Errors
    /// [`Error::BadSelector`], [`Error::TooMany`], or what the database says.
    pub async fn graph_of(&self, selector: &Selector, walk: &Walk) -> Result<Graph, Error> {
        graph::around_set(&self.pool, selector, walk).await
    }

    /// The shortest ways from one resource to another, at most `limit` of them. `None` when one of them is not there.
    ///
    /// # Errors
    /// What the database says.
    pub async fn paths(
        &self,
        from: ResourceId,
        to: ResourceId,
        walk: &Walk,
        limit: usize,
    ) -> Result<Option<Paths>, Error> {
        graph::paths::between(&self.pool, from, to, walk, limit).await
    }

    /// What a resource lies in: its network, cluster, namespace and application. `None` when there is no such resource.
    ///
    /// # Errors
    /// What the database says.
    pub async fn parents(&self, id: ResourceId, as_of: AsOf) -> Result<Option<Parents>, Error> {
        graph::parents::of(&self.pool, id, as_of).await
    }

    /// Lists changes, newest first.
    ///
    /// # Errors
    /// [`Error::BadSelector`], [`Error::BadCursor`], or what the database says.
    pub async fn changes(&self, query: &ChangeQuery) -> Result<Page<Change>, Error> {
        changes::list(&self.pool, query).await
    }

    /// Lists changes with the repeats of the same one as one item, the latest repeated first.
    ///
    /// # Errors
    /// [`Error::BadSelector`], [`Error::BadCursor`], [`Error::TooMany`], or what the database says.
    pub async fn change_groups(&self, query: &ChangeQuery) -> Result<Page<ChangeGroup>, Error> {
        changes::groups::list(&self.pool, query).await
    }

    /// Lists findings, latest statement first.
    ///
    /// # Errors
    /// [`Error::BadSelector`], [`Error::BadCursor`], or what the database says.
    pub async fn findings(&self, query: &FindingQuery) -> Result<Page<Finding>, Error> {
        findings::list(&self.pool, query).await
    }

    /// Lists what could not be taken, latest first.
    ///
    /// # Errors
    /// [`Error::BadCursor`], or what the database says.
    pub async fn rejected(&self, limit: u16, cursor: Option<&str>) -> Result<Page<Rejected>, Error> {
        rejected::list(&self.pool, limit, cursor).await
    }

    /// Coverage and freshness, by source, account and region.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sources(&self) -> Result<Vec<SourceStatus>, Error> {
        status::sources(&self.pool).await
    }

    /// How many resources there are, by account, region and type.
    ///
    /// # Errors
    /// What the database says.
    pub async fn counts(&self) -> Result<Vec<Count>, Error> {
        status::counts(&self.pool, AsOf::default()).await
    }

    /// How many resources there were at an instant, by account, region and type.
    ///
    /// # Errors
    /// What the database says.
    pub async fn counts_at(&self, at: Timestamp) -> Result<Vec<Count>, Error> {
        status::counts(&self.pool, AsOf { at: Some(at), recorded_at: None }).await
    }

    /// How many resources of a list there are by type, account, region and health, each without its own conditions.
    /// Limit and cursor say nothing here.
    ///
    /// # Errors
    /// [`Error::BadSelector`], or what the database says.
    pub async fn facets(&self, query: &ResourceQuery) -> Result<Facets, Error> {
        facets::facets(&self.pool, query).await
    }

    /// Whether nothing was ever recorded.
    ///
    /// # Errors
    /// What the database says.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        status::is_empty(&self.pool).await
    }

    /// The digest of the catalog's meaning: 64 hex digits.
    ///
    /// # Errors
    /// What the database says.
    pub async fn digest(&self) -> Result<String, Error> {
        digest::digest(&self.pool).await
    }

    /// Removes everything that was recorded.
    ///
    /// # Errors
    /// What the database says.
    pub async fn reset(&self) -> Result<(), Error> {
        connect::reset(&self.pool).await
    }

    /// Makes the role `perigee`, which owns the catalog and which functions sign in as by IAM, where there is none. Wants
    /// a user that may make roles.
    ///
    /// # Errors
    /// What the database says.
    pub async fn make_owner(&self) -> Result<(), Error> {
        connect::make_owner(&self.pool).await
    }

    /// As [`Self::connect`], and everything is done as the role `perigee`.
    ///
    /// # Errors
    /// When the address cannot be read.
    pub fn connect_as_owner(options: &ConnectOptions) -> Result<Self, Error> {
        Ok(Self { pool: connect::pool(options, Some(connect::OWNER))? })
    }

    /// Signs in with another password from now on, where passwords are short-lived (IAM); connections that are open
    /// stay.
    pub fn renew_password(&self, password: &str) {
        connect::renew_password(&self.pool, password);
    }

    /// Closes the connections, once what is under way on them is done. Nothing can be asked afterwards.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Keeps house: makes partitions ahead of time, folds the counts, and removes signals that were told
    /// a while ago and a slice of what is past its age. To be called now and then; never needed for
    /// a right answer.
    ///
    /// # Errors
    /// What the database says.
    pub async fn maintain(&self, now: Timestamp) -> Result<(), Error> {
        connect::make_partitions(&self.pool, now, 0).await?;
        status::fold_counts(&self.pool).await?;
        outbox::prune(&self.pool, now).await?;
        retention::maintain(&self.pool, now).await
    }
}
