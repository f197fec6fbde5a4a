//! Every SQL statement of Perigee: the pool, the migrations, [`Catalog::record`] and the reads.
//!
//! `record` is the only way in. What it means is decided by pure functions of `model`; this crate reads what they
//! need in a fixed number of statements and writes what they answer in a fixed number of statements, in one
//! transaction.

mod view;

pub use view::{
    Change, ChangeTarget, Count, Direction, Edge, Finding, Graph, GraphNode, Page, Rejected, Resource, ResourceDetail,
    SourceStatus, Version, VersionState,
};

use model::{Observation, ResourceId, Timestamp};
use selector::Selector;
use sqlx::PgPool;

/// The catalog: a handle on its database, cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalog {
    pool: PgPool,
}

/// Why the catalog could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database does not answer. Worth trying again.
    #[error("the database does not answer")]
    Unreachable(#[source] sqlx::Error),
    /// A statement that reads failed.
    #[error("cannot read {what}")]
    Read {
        /// What was being read.
        what: &'static str,
        /// What went wrong.
        #[source]
        source: sqlx::Error,
    },
    /// A statement that writes failed.
    #[error("cannot write {what}")]
    Write {
        /// What was being written.
        what: &'static str,
        /// What went wrong.
        #[source]
        source: sqlx::Error,
    },
    /// A stored value is not what this build can read.
    #[error("the stored {what} of {id} cannot be read")]
    Corrupt {
        /// What it is.
        what: &'static str,
        /// Whose it is.
        id: String,
        /// What went wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The database holds tables in schema `perigee` that are not ours.
    #[error("the database has a schema `perigee` that Perigee did not make; use another database, or drop that schema")]
    ForeignTables,
    /// The database was migrated by a newer build.
    #[error("the database is at schema version {found}, this build knows up to {known}; use a newer perigee")]
    NewerSchema {
        /// The version found.
        found: i64,
        /// The newest version this build knows.
        known: i64,
    },
    /// The database was not migrated yet.
    #[error("the database has no catalog yet; run `perigee migrate`")]
    NotMigrated,
    /// A migration failed.
    #[error("cannot migrate the database")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// A cursor that this catalog did not hand out.
    #[error("the cursor is not one that this list handed out; start again without it")]
    BadCursor,
    /// A selector that means nothing here.
    #[error("column {column}: {message}")]
    BadSelector {
        /// The column of the term, from 1.
        column: usize,
        /// What was wrong and what would be right.
        message: String,
    },
}

impl Error {
    /// Whether the same call may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }
}

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The address: `postgres://...` or, for a Unix socket, `postgres:///db?host=/dir`.
    pub url: String,
    /// How many connections at most.
    pub max_connections: u32,
    /// True behind a pooler that cannot keep prepared statements (`PERIGEE_DB_POOLER=1`).
    pub pooler: bool,
}

/// What became of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It was recorded now.
    New,
    /// It had been recorded before; nothing changed.
    Duplicate,
}

/// Which resources to list.
#[derive(Debug, Clone, Default)]
pub struct ResourceQuery {
    /// Fields: `id`, `type`, `account`, `region`, `name`, `native_id`, `provider`, `evidence`, `tags.KEY`.
    pub selector: Selector,
    /// Also those that were proven gone.
    pub include_deleted: bool,
    /// How many at most; bounded to 1000.
    pub limit: u16,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// Which changes to list. Newest first.
#[derive(Debug, Clone, Default)]
pub struct ChangeQuery {
    /// Fields: `kind`, `category`, `severity`, `account`, `region`, `source`, `actor`, `event_id`, `session_id`,
    /// `error_code`, `read_only`; words match the summary.
    pub selector: Selector,
    /// Only those that touched this resource.
    pub resource: Option<ResourceId>,
    /// Only those at or after this instant.
    pub since: Option<Timestamp>,
    /// Only those before this instant.
    pub until: Option<Timestamp>,
    /// How many at most; bounded to 1000.
    pub limit: u16,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// Which findings to list. Latest statement first.
#[derive(Debug, Clone, Default)]
pub struct FindingQuery {
    /// Fields: `product`, `kind`, `severity`, `status`, `account`, `region`; words match the title.
    pub selector: Selector,
    /// Only those about this resource.
    pub resource: Option<ResourceId>,
    /// How many at most; bounded to 1000.
    pub limit: u16,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// How far to walk.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
    /// Which way.
    pub direction: Direction,
    /// How many steps; bounded to 10.
    pub depth: u32,
    /// How many resources at most; bounded to 5000.
    pub max_nodes: u32,
}

/// An input that could not be taken, to be kept with its reason.
#[derive(Debug, Clone)]
pub struct NewRejected {
    /// Where it came from.
    pub origin: String,
    /// Where in it the item stood.
    pub place: String,
    /// A stable word.
    pub reason: &'static str,
    /// What was wrong, and what would be right.
    pub message: String,
    /// Its size in bytes.
    pub size: usize,
    /// SHA-256 of its bytes.
    pub hash: model::ContentHash,
}

#[expect(clippy::unused_async, clippy::needless_pass_by_value, clippy::unused_self, clippy::todo, reason = "signatures first; bodies follow")]
impl Catalog {
    /// Opens a pool. No connection is made until one is needed.
    ///
    /// # Errors
    /// When the address cannot be read.
    pub fn connect(_options: &ConnectOptions) -> Result<Self, Error> {
        todo!()
    }

    /// Brings the database to this build's schema. Safe to call from two processes at once.
    ///
    /// # Errors
    /// [`Error::ForeignTables`], [`Error::NewerSchema`], or what the database says.
    pub async fn migrate(&self) -> Result<(), Error> {
        todo!()
    }

    /// Answers when the database does, with this build's schema.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::NotMigrated`], [`Error::NewerSchema`].
    pub async fn check(&self) -> Result<(), Error> {
        todo!()
    }

    /// Records observations, all or none. The answers are in the order of `observations`.
    ///
    /// # Errors
    /// What the database says. Nothing was recorded then, and recording again is safe.
    pub async fn record(&self, _observations: &[Observation], _now: Timestamp) -> Result<Vec<Recorded>, Error> {
        todo!()
    }

    /// Keeps inputs that could not be taken. Keeping one again adds nothing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn reject(&self, _rejected: &[NewRejected], _now: Timestamp) -> Result<(), Error> {
        todo!()
    }

    /// Lists resources by type, account, region and native id.
    ///
    /// # Errors
    /// [`Error::BadSelector`], [`Error::BadCursor`], or what the database says.
    pub async fn resources(&self, _query: &ResourceQuery) -> Result<Page<Resource>, Error> {
        todo!()
    }

    /// One resource with its documents.
    ///
    /// # Errors
    /// What the database says.
    pub async fn resource(&self, _id: ResourceId) -> Result<Option<ResourceDetail>, Error> {
        todo!()
    }

    /// The resource that `reference` names: an id, an alias (an ARN, say), `type/native id` or `type/name`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn resolve(&self, _reference: &str) -> Result<Option<ResourceId>, Error> {
        todo!()
    }

    /// The versions of a resource, latest first.
    ///
    /// # Errors
    /// [`Error::BadCursor`], or what the database says.
    pub async fn history(&self, _id: ResourceId, _limit: u16, _cursor: Option<&str>) -> Result<Page<Version>, Error> {
        todo!()
    }

    /// The relations of a resource that hold now, both ways.
    ///
    /// # Errors
    /// [`Error::BadCursor`], or what the database says.
    pub async fn edges(&self, _id: ResourceId, _limit: u16, _cursor: Option<&str>) -> Result<Page<Edge>, Error> {
        todo!()
    }

    /// What is around a resource, breadth first. `None` when there is no such resource.
    ///
    /// # Errors
    /// What the database says.
    pub async fn graph(&self, _id: ResourceId, _walk: Walk) -> Result<Option<Graph>, Error> {
        todo!()
    }

    /// Lists changes, newest first.
    ///
    /// # Errors
    /// [`Error::BadSelector`], [`Error::BadCursor`], or what the database says.
    pub async fn changes(&self, _query: &ChangeQuery) -> Result<Page<Change>, Error> {
        todo!()
    }

    /// Lists findings, latest statement first.
    ///
    /// # Errors
    /// [`Error::BadSelector`], [`Error::BadCursor`], or what the database says.
    pub async fn findings(&self, _query: &FindingQuery) -> Result<Page<Finding>, Error> {
        todo!()
    }

    /// Lists what could not be taken, latest first.
    ///
    /// # Errors
    /// [`Error::BadCursor`], or what the database says.
    pub async fn rejected(&self, _limit: u16, _cursor: Option<&str>) -> Result<Page<Rejected>, Error> {
        todo!()
    }

    /// Coverage and freshness, by source, account and region.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sources(&self) -> Result<Vec<SourceStatus>, Error> {
        todo!()
    }

    /// How many resources there are, by account, region and type.
    ///
    /// # Errors
    /// What the database says.
    pub async fn counts(&self) -> Result<Vec<Count>, Error> {
        todo!()
    }

    /// Whether nothing was ever recorded.
    ///
    /// # Errors
    /// What the database says.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        todo!()
    }

    /// The digest of the catalog's meaning: 64 hex digits.
    ///
    /// # Errors
    /// What the database says.
    pub async fn digest(&self) -> Result<String, Error> {
        todo!()
    }

    /// Removes everything that was recorded.
    ///
    /// # Errors
    /// What the database says.
    pub async fn reset(&self) -> Result<(), Error> {
        todo!()
    }
}
