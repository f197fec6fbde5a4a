//! The parts of AWS that inventories are read from.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

/// Opens accounts of a cloud.
#[async_trait]
pub trait Clouds: Send + Sync + fmt::Debug {
    /// The account that these credentials lead to. Nothing is asked of it yet.
    ///
    /// # Errors
    /// When the credentials cannot be set up.
    async fn open(&self, access: &CloudAccess) -> Result<Arc<dyn Cloud>, CloudError>;
}

/// With which credentials an account is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CloudAccess {
    /// A role to assume; the ambient credentials without.
    pub role_arn: Option<String>,
    /// The external id that the role's trust asks for.
    pub external_id: Option<String>,
    /// The region of the first request; the ambient one without.
    pub region: Option<String>,
}

/// An account of AWS, as its inventories show it.
#[async_trait]
pub trait Cloud: Send + Sync + fmt::Debug {
    /// The region of the credentials' configuration.
    fn region(&self) -> Option<String>;

    /// Who we are there.
    ///
    /// # Errors
    /// See [`CloudError`].
    async fn identity(&self) -> Result<CloudIdentity, CloudError>;

    /// What AWS Config records in a region; `None` where it has no recorder.
    ///
    /// # Errors
    /// See [`CloudError`].
    async fn recorder(&self, region: &str) -> Result<Option<Recorder>, CloudError>;

    /// The accounts and regions of a Config aggregator, and whether it has their latest.
    ///
    /// # Errors
    /// See [`CloudError`].
    async fn aggregated(&self, region: &str, aggregator: &str) -> Result<Vec<AggregatedSource>, CloudError>;

    /// One page of an advanced query of AWS Config.
    ///
    /// # Errors
    /// See [`CloudError`].
    async fn select(&self, query: &Selection<'_>) -> Result<Selected, CloudError>;

    /// One page of what the tagging API knows of in a region.
    ///
    /// # Errors
    /// See [`CloudError`].
    async fn tagged(&self, region: &str, token: Option<&str>) -> Result<Tagged, CloudError>;
}

/// Who we are in an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudIdentity {
    /// The account's number.
    pub account: String,
    /// The ARN of the role or user.
    pub arn: String,
}

/// What AWS Config records in one account and region.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recorder {
    /// Its name.
    pub name: String,
    /// Whether it records now.
    pub recording: bool,
    /// How its last recording went, as Config says it: `SUCCESS`, `FAILURE`, `PENDING`; empty where it does not say.
    pub last_status: String,
    /// Why it failed, where Config says that.
    pub last_error: String,
    /// When it was last started, in seconds since 1970.
    pub started_at: Option<i64>,
    /// Which types it records.
    pub records: Records,
    /// Whether it records once a day only.
    pub daily: bool,
    /// Types for which `daily` is the other way round.
    pub daily_unless: Vec<String>,
}

/// Which types a recorder records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Records {
    /// None.
    #[default]
    Nothing,
    /// Every type that Config supports.
    All {
        /// Whether users, groups, roles and policies of IAM are recorded here.
        global: bool,
    },
    /// Only these types.
    Only(Vec<String>),
    /// Every type but these.
    AllBut(Vec<String>),
}

/// One account and region of an aggregator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregatedSource {
    /// The account.
    pub account: String,
    /// The region; empty where the whole account is meant.
    pub region: String,
    /// `SUCCEEDED`, `FAILED` or `OUTDATED`.
    pub status: String,
    /// Why it failed.
    pub error: String,
}

/// An advanced query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection<'a> {
    /// Where it is asked.
    pub region: &'a str,
    /// The aggregator that is asked in place of the account's own inventory.
    pub aggregator: Option<&'a str>,
    /// The query, in Config's language.
    pub expression: &'a str,
    /// How many rows a page has, 100 at most.
    pub limit: i32,
    /// Where the page before ended.
    pub token: Option<&'a str>,
}

/// A page of an advanced query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selected {
    /// The rows, each a JSON text.
    pub rows: Vec<String>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// A page of the tagging API.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tagged {
    /// The ARNs, each with all tags of its resource.
    pub resources: Vec<(String, Vec<(String, String)>)>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// Why an account did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloudError {
    /// We may not.
    #[error("{action} is not permitted: {message}")]
    Denied {
        /// The action, as a policy spells it: `config:SelectResourceConfig`.
        action: String,
        /// What AWS says.
        message: String,
    },
    /// We asked too often, and the waits between our tries were not enough.
    #[error("AWS asks for fewer requests of {action}: {message}")]
    Throttled {
        /// The action.
        action: String,
        /// What AWS says.
        message: String,
    },
    /// The credentials were good once.
    #[error("the AWS credentials have expired: {message}")]
    Expired {
        /// What AWS, or what makes the credentials, says.
        message: String,
    },
    /// There are no credentials, or AWS does not know them.
    #[error("there are no AWS credentials that work: {message}")]
    NoCredentials {
        /// What AWS, or what looks for credentials, says.
        message: String,
    },
    /// Nothing answered, or the answer broke off.
    #[error("AWS did not answer {action} to the end: {message}")]
    Unavailable {
        /// The action.
        action: String,
        /// What went wrong.
        message: String,
    },
    /// AWS answered that it will not, for another reason.
    #[error("AWS refuses {action}: {message}")]
    Refused {
        /// The action.
        action: String,
        /// AWS's own code of the error.
        code: String,
        /// What AWS says.
        message: String,
    },
}
