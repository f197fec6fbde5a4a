//! The client: finds a cluster, asks it, and bounds how long and how much it may answer.

mod connect;
mod secrets;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use http::{Request, header::ACCEPT};
use http_body_util::{BodyExt, Limited};
use kube::client::Body;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ports::{
    ApiKind, Cluster, ClusterError, ClusterId, Clusters, Discovery, Form, ListRequest, ObjectPage, Secret,
};
use serde_json::Value;
use tokio::{sync::Mutex, time::timeout};

use crate::{
    answer::{self, Question},
    discovery::{self, Kinds},
};

/// Of every object only the metadata.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const JSON: &str = "application/json";

/// How many parts of an older server's discovery are asked for at once.
const AT_ONCE: usize = 8;

/// How long a client is used before its kubeconfig is read again.
const FRESH: Duration = Duration::from_secs(300);

/// How long and how much a cluster may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long connecting may take.
    pub connect: Duration,
    /// How long credentials may take: a plugin may ask its own server.
    pub credentials: Duration,
    /// How long a short answer may take.
    pub short: Duration,
    /// How long a page may take.
    pub page: Duration,
    /// How many bytes an answer may have.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            credentials: Duration::from_secs(20),
            short: Duration::from_secs(10),
            page: Duration::from_secs(60),
            bytes: 64 << 20,
        }
    }
}

/// The clusters that a kubeconfig names, or the one that this program runs in. Clones share their connections.
#[derive(Clone, Default)]
pub struct Kubernetes {
    limits: Limits,
    /// In place of the ambient kubeconfig.
    ambient: Option<String>,
    clients: Arc<Mutex<Clients>>,
}

/// Clients and when they were made, by context and kubeconfig. A client keeps its connections and its token.
type Clients = BTreeMap<(Option<String>, Option<String>), (Instant, Arc<Client>)>;

impl std::fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kubernetes").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Kubernetes {
    /// With limits of its own.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// With a kubeconfig in place of the ambient one.
    #[must_use]
    pub fn with_kubeconfig(mut self, kubeconfig: &Secret) -> Self {
        self.ambient = Some(kubeconfig.expose().to_owned());
        self
    }

    async fn client(
        &self,
        context: Option<&str>,
        kubeconfig: Option<&Secret>,
    ) -> Result<Arc<Client>, ClusterError> {
        let given = kubeconfig.map(|text| text.expose().to_owned()).or_else(|| self.ambient.clone());
        let key = (context.map(str::to_owned), given);
        let mut clients = self.clients.lock().await;
        clients.retain(|_, (since, _)| since.elapsed() < FRESH);
        if let Some((_, client)) = clients.get(&key) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(connect::client(self.limits, key.0.clone(), key.1.clone()).await?);
        clients.insert(key, (Instant::now(), Arc::clone(&client)));
        Ok(client)
    }
}

#[async_trait]
impl Clusters for Kubernetes {
    async fn cluster(
        &self,
        context: Option<&str>,
        kubeconfig: Option<&Secret>,
    ) -> Result<Arc<dyn Cluster>, ClusterError> {
        let client: Arc<dyn Cluster> = self.client(context, kubeconfig).await?;
        Ok(client)
    }
}

/// One cluster.
struct Client {
    inner: kube::Client,
    limits: Limits,
    server: String,
    /// What the kubeconfig calls the cluster; none where we run in it.
    name: Option<String>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("server", &self.server)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// The JSON in the answer to a GET.
    async fn get(
        &self,
        path: &str,
        accept: &str,
        limit: Duration,
        question: &Question<'_>,
    ) -> Result<Value, ClusterError> {
        let late = |_| ClusterError::Timeout { server: self.server.clone(), timeout: limit };
        timeout(limit, self.ask(path, accept, question)).await.map_err(late)?
    }

    async fn ask(&self, path: &str, accept: &str, question: &Question<'_>) -> Result<Value, ClusterError> {
        let request = Request::get(path).header(ACCEPT, accept).body(Body::empty());
        let request = request.map_err(|_| question.unexpected("it named something that no path can have"))?;
        let answer = self.inner.send(request).await.map_err(|error| connect::unsent(&self.server, &error))?;
        let status = answer.status().as_u16();
        let body = match Limited::new(answer.into_body(), self.limits.bytes).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                return Err(ClusterError::TooLarge { what: question.what.clone(), limit: self.limits.bytes });
            }
            Err(_) => return Err(question.cut()),
        };
        if !(200..300).contains(&status) {
            return Err(question.refused(status, &body));
        }
        serde_json::from_slice(&body).map_err(|error| match error.is_eof() {
            true => question.cut(),
            false => question.unexpected("the answer is no JSON"),
        })
    }

    async fn discover(&self, path: &str) -> Result<Value, ClusterError> {
        let question = Question::discovery(&self.server, path);
        self.get(path, discovery::ACCEPT, self.limits.short, &question).await
    }

    /// Asks an older server for each group and version.
    async fn discover_one_by_one(&self, kinds: &mut Kinds, wanted: Vec<(String, String)>) {
        let mut answers = stream::iter(wanted)
            .map(async |(group, version)| {
                let path = match group.as_str() {
                    "" => format!("/api/{version}"),
                    group => format!("/apis/{group}/{version}"),
                };
                (self.discover(&path).await, group, version)
            })
            .buffered(AT_ONCE);
        while let Some((answer, group, version)) = answers.next().await {
            match answer {
                Ok(body) => kinds.read_version(&group, &version, &body),
                Err(error) => kinds.add_broken(&discovery::api(&group, &version), error.to_string()),
            }
        }
    }
}

#[async_trait]
impl Cluster for Client {
    async fn identity(&self) -> Result<ClusterId, ClusterError> {
        let question = Question {
            server: &self.server,
            what: "reading the namespace kube-system, whose UID identifies the cluster,".to_owned(),
            needs: "bind us to a ClusterRole with the verb get on namespaces (infra/kubernetes has one)"
                .to_owned(),
        };
        let path = "/api/v1/namespaces/kube-system";
        let namespace = self.get(path, JSON, self.limits.short, &question).await?;
        let uid = namespace.pointer("/metadata/uid").and_then(Value::as_str).filter(|uid| !uid.is_empty());
        let uid = uid.ok_or_else(|| question.unexpected("the namespace kube-system has no UID"))?.to_owned();
        let version = self.discover("/version").await?;
        let version = version.get("gitVersion").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(ClusterId { name: self.name.clone().unwrap_or_else(|| uid.clone()), uid, version })
    }

    async fn kinds(&self) -> Result<Discovery, ClusterError> {
        let mut kinds = Kinds::default();
        let mut wanted = Vec::new();
        let core = self.discover("/api").await?;
        if !kinds.read_aggregated(&core) {
            wanted
                .extend(discovery::core_versions(&core).into_iter().map(|version| (String::new(), version)));
        }
        let groups = self.discover("/apis").await?;
        if !kinds.read_aggregated(&groups) {
            wanted.extend(discovery::groups(&groups));
        }
        self.discover_one_by_one(&mut kinds, wanted).await;
        Ok(kinds.finish())
    }

    async fn list(&self, request: &ListRequest<'_>) -> Result<ObjectPage, ClusterError> {
        let ListRequest { kind, form, limit, from } = *request;
        let question = Question::list(&self.server, kind);
        let accept = match form {
            Form::Whole if !is_secret(kind) => JSON,
            Form::Whole | Form::Metadata => METADATA,
        };
        let body = self.get(&path(kind, limit, from), accept, self.limits.page, &question).await?;
        answer::page(body, &question)
    }
}

fn is_secret(kind: &ApiKind) -> bool {
    kind.group.is_empty() && kind.kind == "Secret"
}

/// Where the objects of a kind are listed, in all namespaces.
fn path(kind: &ApiKind, limit: u32, from: Option<&str>) -> String {
    let root = match kind.group.as_str() {
        "" => format!("/api/{}/{}", kind.version, kind.plural),
        group => format!("/apis/{group}/{}/{}", kind.version, kind.plural),
    };
    let from = from.map_or_else(String::new, |from| {
        format!("&continue={}", utf8_percent_encode(from, NON_ALPHANUMERIC))
    });
    format!("{root}?limit={limit}{from}")
}
