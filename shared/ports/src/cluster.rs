//! A Kubernetes cluster, as far as it is listed.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::Value;

use crate::Secret;

/// Lists what a cluster holds. Nothing here writes to it.
#[async_trait]
pub trait Cluster: Send + Sync + std::fmt::Debug {
    /// Which cluster this is.
    ///
    /// # Errors
    /// See [`ClusterError`].
    async fn identity(&self) -> Result<ClusterId, ClusterError>;

    /// Every kind that can be listed, as the server names them, and the parts of its API that did not answer.
    ///
    /// # Errors
    /// When not even the list of groups can be had.
    async fn kinds(&self) -> Result<Discovery, ClusterError>;

    /// A page of the objects of a kind in all namespaces, from the beginning or from where another page ended.
    ///
    /// # Errors
    /// See [`ClusterError`]; after any of them nothing is known of the rest.
    async fn list(&self, request: &ListRequest<'_>) -> Result<ObjectPage, ClusterError>;
}

/// Finds clusters.
#[async_trait]
pub trait Clusters: Send + Sync + std::fmt::Debug {
    /// The cluster of a context of a kubeconfig: the current one where no context is named, the ambient kubeconfig (or
    /// the cluster that this program runs in) where none is given.
    ///
    /// # Errors
    /// [`ClusterError::NotConfigured`], or what keeps us from having credentials.
    async fn cluster(
        &self,
        context: Option<&str>,
        kubeconfig: Option<&Secret>,
    ) -> Result<Arc<dyn Cluster>, ClusterError>;
}

/// A page that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct ListRequest<'a> {
    /// Of which kind.
    pub kind: &'a ApiKind,
    /// How much of each object.
    pub form: Form,
    /// How many objects at most.
    pub limit: u32,
    /// Where it begins: where another page said that the next begins, or at the beginning.
    pub from: Option<&'a str>,
}

/// How much of each object is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// All of it.
    Whole,
    /// Its metadata alone. Of Secrets nothing else is ever asked for.
    Metadata,
}

/// Which cluster it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterId {
    /// The UID of its namespace `kube-system`, which lives as long as the cluster.
    pub uid: String,
    /// What we call it: the cluster's name in the kubeconfig.
    pub name: String,
    /// The version of its API server, as `v1.33.2`.
    pub version: String,
}

/// A kind of object that can be listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiKind {
    /// The group; empty for the core group.
    pub group: String,
    /// The version in which it is listed: the first of the server's order that has it.
    pub version: String,
    /// The kind, as `NetworkPolicy`.
    pub kind: String,
    /// Its name in paths, as `networkpolicies`: the server's word, never guessed.
    pub plural: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

impl ApiKind {
    /// How people write it: `Pod`, `Deployment.apps`.
    #[must_use]
    pub fn name(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}.{}", self.kind, self.group) }
    }

    /// How an object of it says what it is: `v1`, `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// What a server says that it has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// The kinds that can be listed, each once, in order.
    pub kinds: Vec<ApiKind>,
    /// The parts that did not answer. Of their kinds nothing is known.
    pub broken: Vec<BrokenApi>,
}

/// A part of a server's API that did not answer: as a rule an aggregated one whose own server is down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BrokenApi {
    /// The group and version, as `metrics.k8s.io/v1beta1`.
    pub api: String,
    /// Why, for a person.
    pub reason: String,
}

/// A page of a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ObjectPage {
    /// The objects, as the server wrote them.
    pub items: Vec<Value>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
    /// How many more there are, where the server says it.
    pub remaining: Option<i64>,
}

/// Why a cluster does not say what it holds.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// Where the cluster is, or who we are, is not said, or not well.
    #[error("no cluster can be reached: {0}")]
    NotConfigured(String),
    /// Nothing answers there.
    #[error("the cluster at {server} does not answer: {reason}")]
    Unreachable {
        /// The server's address.
        server: String,
        /// What went wrong.
        reason: String,
    },
    /// It took too long.
    #[error("the cluster at {server} did not answer within {timeout:?}")]
    Timeout {
        /// The server's address.
        server: String,
        /// The limit.
        timeout: Duration,
    },
    /// The answer ended before it was whole.
    #[error("the answer of the cluster at {server} to {what} broke off")]
    Cut {
        /// The server's address.
        server: String,
        /// What was asked.
        what: String,
    },
    /// We are nobody there: the credentials are wrong or expired.
    #[error("the cluster at {server} does not take our credentials: they are wrong or expired; log in again")]
    Expired {
        /// The server's address.
        server: String,
    },
    /// We may not.
    #[error("{what} is not permitted; {needs}")]
    Denied {
        /// What was asked.
        what: String,
        /// The permission that is missing.
        needs: String,
    },
    /// The place where the next page begins is forgotten; the listing must begin again.
    #[error("the list of {what} took too long: the server forgot where its next page begins")]
    Gone {
        /// What was listed.
        what: String,
    },
    /// The page is larger than we take. A smaller limit may help.
    #[error("a page of {what} is larger than {limit} bytes")]
    TooLarge {
        /// What was listed.
        what: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// Any other answer.
    #[error("the cluster at {server} answers {status} to {what}: {message}")]
    Refused {
        /// The server's address.
        server: String,
        /// What was asked.
        what: String,
        /// The status of the answer.
        status: u16,
        /// Its message.
        message: String,
    },
}

impl ClusterError {
    /// Whether the same may go well later without anybody doing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Cut { .. } | Self::Gone { .. } => true,
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            Self::NotConfigured(_) | Self::Expired { .. } | Self::Denied { .. } | Self::TooLarge { .. } => {
                false
            }
        }
    }
}
