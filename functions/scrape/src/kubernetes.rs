//! Kubernetes: every kind that a cluster can list is a shard.
//!
//! The server says which kinds there are and what they are called. Objects are read by [`events::kubernetes`], which
//! masks them; of Secrets only the metadata is asked for. What selects pods by labels is read with the pods that there
//! are: where those cannot be had for a moment, such a shard fails and is tried again, because a document without its
//! edges would say that they ended; where they are not permitted, there are none of these edges.
//!
//! A kind that the cluster does not name any more is listed as empty, once its discovery answered for that group and no
//! `CustomResourceDefinition` of it is left.

mod listing;
mod plan;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use catalog::{Catalog, shards::Shard};
use events::kubernetes::{Kind, Pods, Reader};
use manifest::kinds::{connection::KubernetesConnection, scraper::KubernetesScraper};
use model::Timestamp;
use ports::{ApiKind, Cluster, ClusterError, Clusters, Discovery, Form, Secrets};
use tokio::sync::Mutex;

use self::{
    listing::{Objects, Pager, Prepared},
    plan::Spec,
};
use crate::{Fault, FaultKind, Lister, NamedScraper, Provider};

/// How long what a cluster says of its kinds is believed.
const FRESH: Duration = Duration::from_secs(600);

/// More pods than these are not kept in memory; what selects them is then listed without those edges.
const MAX_PODS: usize = 300_000;

/// Lists clusters.
#[derive(Debug)]
pub struct Kubernetes {
    clusters: Arc<dyn Clusters>,
    secrets: Arc<dyn Secrets>,
    catalog: Catalog,
    accounts: Option<BTreeSet<String>>,
    discovered: Mutex<BTreeMap<String, (Instant, Arc<Discovery>)>>,
}

impl Kubernetes {
    /// Lists what `clusters` finds. `secrets` reads the kubeconfig of a connection; `accounts` are the accounts of AWS
    /// that are ours (all of them without): no edge leads into any other.
    #[must_use]
    pub fn new(
        clusters: Arc<dyn Clusters>,
        secrets: Arc<dyn Secrets>,
        catalog: Catalog,
        accounts: Option<BTreeSet<String>>,
    ) -> Self {
        Self { clusters, secrets, catalog, accounts, discovered: Mutex::default() }
    }

    async fn cluster(&self, scraper: &NamedScraper) -> Result<Arc<dyn Cluster>, Fault> {
        let connection = match wanted(scraper)?.connection.as_deref() {
            Some(name) => crate::scrapers::kubernetes_connection(&self.catalog, name).await?,
            None => KubernetesConnection::default(),
        };
        let kubeconfig = match &connection.kubeconfig {
            Some(reference) => Some(self.secrets.read(reference).await.map_err(|error| {
                Fault::new(FaultKind::Credentials, format!("the kubeconfig cannot be had: {error}"))
            })?),
            None => None,
        };
        let found = self.clusters.cluster(connection.context.as_deref(), kubeconfig.as_ref()).await;
        found.map_err(|error| fault(&error))
    }

    /// What the cluster says of its kinds now, or said lately.
    async fn kinds(&self, uid: &str, cluster: &dyn Cluster) -> Result<Arc<Discovery>, Fault> {
        if let Some((since, discovery)) = self.discovered.lock().await.get(uid)
            && since.elapsed() < FRESH
        {
            return Ok(Arc::clone(discovery));
        }
        self.kinds_now(uid, cluster).await
    }

    async fn kinds_now(&self, uid: &str, cluster: &dyn Cluster) -> Result<Arc<Discovery>, Fault> {
        let discovery = Arc::new(cluster.kinds().await.map_err(|error| fault(&error))?);
        let entry = (Instant::now(), Arc::clone(&discovery));
        self.discovered.lock().await.insert(uid.to_owned(), entry);
        Ok(discovery)
    }

    /// Opens the listing of a kind.
    async fn objects(&self, uid: &str, cluster: Arc<dyn Cluster>, kind: ApiKind) -> Result<Objects, Fault> {
        let discovery = self.kinds(uid, &*cluster).await?;
        let mut reader = Reader::new(uid)
            .with_kinds(discovery.kinds.iter().map(kind_of))
            .with_accounts(self.accounts.clone());
        let pod = discovery.kinds.iter().find(|own| own.group.is_empty() && own.kind == "Pod");
        if let Some(pod) = pod.filter(|_| Pods::are_selected_by(&kind_of(&kind)))
            && let Some(pods) = pods(&cluster, pod.clone()).await?
        {
            reader = reader.with_pods(pods);
        }
        let secret = kind.group.is_empty() && kind.kind == "Secret";
        let form = if secret { Form::Metadata } else { Form::Whole };
        Ok(Objects { reader, kind: kind_of(&kind), pager: Pager::new(cluster, kind, form) })
    }
}

#[async_trait]
impl Provider for Kubernetes {
    async fn plan(&self, scraper: &NamedScraper, _now: Timestamp) -> Result<Vec<Shard>, Fault> {
        let cluster = self.cluster(scraper).await?;
        let id = cluster.identity().await.map_err(|error| fault(&error))?;
        let discovery = self.kinds_now(&id.uid, &*cluster).await?;
        let source = events::kubernetes::source();
        let known = self.catalog.types_known_by(&source.name, &id.uid, plan::REGION).await;
        let known =
            known.map_err(|error| crate::listing::unexpected("the catalog cannot be read", &error))?;
        Ok(plan::shards(&scraper.name, &id.uid, wanted(scraper)?, &discovery, &known))
    }

    async fn open(
        &self,
        scraper: &NamedScraper,
        shard: &Shard,
        _began: Timestamp,
    ) -> Result<Box<dyn Lister>, Fault> {
        let spec = Spec::read(&shard.spec)?;
        let cluster = self.cluster(scraper).await?;
        let id = cluster.identity().await.map_err(|error| fault(&error))?;
        if id.uid != shard.account {
            // The list of another cluster would delete everything of this one.
            return Err(Fault::with_advice(
                FaultKind::Settings,
                format!("the scraper {} leads to another cluster than when it was planned", scraper.name),
                "give each cluster a Connection of its own, which names its context",
            ));
        }
        Ok(match spec {
            Spec::Cluster => {
                let reader = Reader::new(&id.uid);
                Box::new(Prepared::of(reader.cluster(&id.name, &id.version)))
            }
            Spec::Kind(kind) => Box::new(self.objects(&id.uid, cluster, kind.into()).await?),
            Spec::Vanished { group, kind } => {
                let discovery = self.kinds_now(&id.uid, &*cluster).await?;
                listing::prove_vanished(cluster, &discovery, &group, &kind).await?;
                Box::new(Prepared::empty())
            }
            Spec::Broken { api } => {
                let discovery = self.kinds_now(&id.uid, &*cluster).await?;
                return Err(listing::broken(&discovery, &api));
            }
            Spec::Absent { name } => {
                return Err(Fault::with_advice(
                    FaultKind::Settings,
                    format!("the cluster {} has no kind {name} that can be listed", id.name),
                    "`kubectl api-resources` names them; write `Kind` or `Kind.group`",
                ));
            }
        })
    }
}

/// The pods of a cluster, or `None` where we may not list them or there are too many.
async fn pods(cluster: &Arc<dyn Cluster>, kind: ApiKind) -> Result<Option<Pods>, Fault> {
    let mut pager = Pager::new(Arc::clone(cluster), kind, Form::Metadata);
    let mut pods = Pods::default();
    loop {
        match pager.next().await {
            Ok(Some(items)) => items.iter().for_each(|pod| pods.add(pod)),
            Ok(None) => return Ok(Some(pods)),
            Err(ClusterError::Denied { .. }) => return Ok(None),
            Err(error) => {
                let mut fault = fault(&error);
                fault.message = format!("what it selects cannot be told: {}", fault.message);
                return Err(fault);
            }
        }
        if pods.len() > MAX_PODS {
            return Ok(None);
        }
    }
}

fn wanted(scraper: &NamedScraper) -> Result<&KubernetesScraper, Fault> {
    scraper.spec.kubernetes.as_ref().ok_or_else(|| {
        let said = format!("the scraper {} has no `kubernetes`", scraper.name);
        Fault::new(FaultKind::Settings, said)
    })
}

/// A kind as `events` knows it.
fn kind_of(kind: &ApiKind) -> Kind {
    Kind {
        group: kind.group.clone(),
        version: kind.version.clone(),
        kind: kind.kind.clone(),
        namespaced: kind.namespaced,
    }
}

/// What keeps a cluster from being listed.
fn fault(error: &ClusterError) -> Fault {
    const RENEW: &str =
        "log in to the cluster again, as for `kubectl`; `perigee doctor` says whether that was enough";
    let message = error.to_string();
    match error {
        ClusterError::NotConfigured(_) => Fault::with_advice(
            FaultKind::Settings,
            message,
            "`kubectl config get-contexts` names the contexts; `perigee doctor` says what is found",
        ),
        ClusterError::Expired { .. } => Fault::with_advice(FaultKind::Credentials, message, RENEW),
        ClusterError::Denied { what, needs } => {
            Fault::with_advice(FaultKind::Denied, format!("{what} is not permitted"), needs.clone())
        }
        ClusterError::Refused { status: 429, .. } => Fault::new(FaultKind::Throttled, message),
        ClusterError::Unreachable { .. } | ClusterError::Timeout { .. } => Fault::with_advice(
            FaultKind::Unreachable,
            message,
            "it is tried again; `perigee doctor` says whether the cluster can be reached from here",
        ),
        ClusterError::Cut { .. } | ClusterError::Gone { .. } => Fault::new(FaultKind::Unreachable, message),
        ClusterError::Refused { .. } if error.is_transient() => Fault::new(FaultKind::Unreachable, message),
        ClusterError::Refused { .. } | ClusterError::TooLarge { .. } => {
            Fault::new(FaultKind::Unexpected, message)
        }
    }
}

#[cfg(test)]
mod tests;
