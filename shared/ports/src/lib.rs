//! The small traits through which the world is touched.
//!
//! Everything that is not a pure function of its arguments comes in through one of these, so that a test can hold
//! the world still. `aws` and `perigee` implement them; `testkit` fakes them.

mod bus;
mod cloud;
mod cluster;
mod http;
mod secrets;

pub use bus::{Bus, BusError, Wake};
pub use cloud::{
    AggregatedSource, Cloud, CloudAccess, CloudError, CloudIdentity, Clouds, Recorder, Records, Selected,
    Selection, Tagged,
};
pub use cluster::{
    ApiKind, BrokenApi, Cluster, ClusterError, ClusterId, Clusters, Discovery, Form, ListRequest, ObjectPage,
};
pub use http::{Http, HttpError, Request, Response};
pub use secrets::{Secret, SecretError, Secrets};

use async_trait::async_trait;
use model::Timestamp;

/// What time it is. The only source of "now" in the program.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        model::to_micros(chrono::Utc::now())
    }
}

/// Where an object of an object store lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectLocation {
    /// The bucket.
    pub bucket: String,
    /// The key, decoded.
    pub key: String,
    /// The region of the bucket, where it is known.
    pub region: Option<String>,
}

impl std::fmt::Display for ObjectLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// Reads whole objects: CloudTrail log files, the bodies of oversized Config items.
#[async_trait]
pub trait Objects: Send + Sync + std::fmt::Debug {
    /// The bytes of an object, at most `limit` of them.
    ///
    /// # Errors
    /// See [`ObjectError`]; only `Unavailable` is worth trying again.
    async fn get(&self, location: &ObjectLocation, limit: usize) -> Result<Vec<u8>, ObjectError>;
}

/// Why an object could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// There is no such object.
    #[error("{0} does not exist")]
    Missing(ObjectLocation),
    /// We may not read it.
    #[error("reading {0} is not permitted; the reader needs s3:GetObject on it")]
    Denied(ObjectLocation),
    /// It is larger than we take.
    #[error("{location} is larger than {limit} bytes")]
    TooLarge {
        /// The object.
        location: ObjectLocation,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The store cannot be reached from here: no credentials, or started without AWS.
    #[error("{0} cannot be read here: no AWS access is configured; start with --aws")]
    NotConfigured(ObjectLocation),
    /// The store did not answer, or answered that it is busy.
    #[error("cannot read {location}")]
    Unavailable {
        /// The object.
        location: ObjectLocation,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// An object store that has nothing, for a program that runs without AWS.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObjects;

#[async_trait]
impl Objects for NoObjects {
    async fn get(&self, location: &ObjectLocation, _limit: usize) -> Result<Vec<u8>, ObjectError> {
        Err(ObjectError::NotConfigured(location.clone()))
    }
}
