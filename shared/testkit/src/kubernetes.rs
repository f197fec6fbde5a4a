//! A Kubernetes API server that answers reads, and misbehaves where it is told to.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{Response, StatusCode, header},
};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

/// A kind that the server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedKind {
    /// The group; empty for the core group.
    pub group: &'static str,
    /// Its versions, the preferred first.
    pub versions: &'static [&'static str],
    /// The kind.
    pub kind: &'static str,
    /// Its name in paths.
    pub plural: &'static str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

/// How the server misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It answers with this status.
    Status(u16),
    /// It never answers.
    Hangs,
    /// The answer ends in the middle.
    Cut,
}

#[derive(Debug, Default)]
struct World {
    kinds: Vec<ServedKind>,
    objects: BTreeMap<(String, String), Vec<Value>>,
    /// By path; with `true`, only the pages after the first.
    troubles: BTreeMap<String, (bool, Trouble)>,
    aggregated: bool,
    stale: Vec<String>,
    uid: String,
    requests: Vec<String>,
}

/// A Kubernetes API server on a port of its own.
#[derive(Debug, Clone)]
pub struct KubernetesApi {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
}

impl KubernetesApi {
    /// Starts a server that has these kinds and no objects.
    ///
    /// # Panics
    /// When no port can be listened on.
    pub async fn start(kinds: &[ServedKind]) -> Self {
        let world = World {
            kinds: kinds.to_vec(),
            aggregated: true,
            uid: "11112222-3333-4444-5555-666677778888".to_owned(),
            ..World::default()
        };
        let world = Arc::new(Mutex::new(world));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.unwrap_or_else(|error| panic!("cannot listen: {error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("no address: {error}"));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&world));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, world }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The UID of its namespace `kube-system`.
    #[must_use]
    pub fn uid(&self) -> String {
        self.world().uid.clone()
    }

    /// A kubeconfig whose only context `shop` leads here.
    #[must_use]
    pub fn kubeconfig(&self) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: shop\n\
             clusters: [{{name: shop-cluster, cluster: {{server: \"http://{}\"}}}}]\n\
             users: [{{name: dev, user: {{token: example}}}}]\n\
             contexts: [{{name: shop, context: {{cluster: shop-cluster, user: dev}}}}]\n",
            self.address
        )
    }

    /// Whether it answers for all groups at once, as servers since 1.26 do.
    pub fn aggregate(&self, aggregated: bool) {
        self.world().aggregated = aggregated;
    }

    /// Another cluster answers from now on.
    pub fn become_another(&self, uid: &str) {
        uid.clone_into(&mut self.world().uid);
    }

    /// The kinds that it has from now on.
    pub fn serve(&self, kinds: &[ServedKind]) {
        self.world().kinds = kinds.to_vec();
    }

    /// The objects of a kind from now on.
    pub fn put(&self, group: &str, plural: &str, objects: Vec<Value>) {
        self.world().objects.insert((group.to_owned(), plural.to_owned()), objects);
    }

    /// Removes the object of this name.
    pub fn remove(&self, group: &str, plural: &str, name: &str) {
        let mut world = self.world();
        if let Some(objects) = world.objects.get_mut(&(group.to_owned(), plural.to_owned())) {
            objects.retain(|object| object.pointer("/metadata/name").and_then(Value::as_str) != Some(name));
        }
    }

    /// Misbehaves at a path.
    pub fn trouble(&self, path: &str, trouble: Trouble) {
        self.world().troubles.insert(path.to_owned(), (false, trouble));
    }

    /// Misbehaves at a path, after the first page of its list.
    pub fn trouble_later(&self, path: &str, trouble: Trouble) {
        self.world().troubles.insert(path.to_owned(), (true, trouble));
    }

    /// The server behind an aggregated group is down.
    pub fn stale(&self, group: &str) {
        self.world().stale.push(group.to_owned());
    }

    /// Behaves again.
    pub fn behave(&self) {
        let mut world = self.world();
        world.troubles.clear();
        world.stale.clear();
    }

    /// What was asked: path, query and `Accept`.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.world().requests.clone()
    }
}

async fn answer(State(world): State<Arc<Mutex<World>>>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let accept = accept.unwrap_or_default().to_owned();
    let (trouble, (status, body)) = {
        let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
        world.requests.push(format!("{path}?{query} {accept}"));
        let later = query.contains("continue=");
        let trouble =
            world.troubles.get(&path).filter(|(after, _)| !after || later).map(|(_, trouble)| *trouble);
        (trouble, world.answer(&path, &query, &accept))
    };
    match trouble {
        Some(Trouble::Status(status)) => {
            let message = format!("{path} is not for you");
            respond(status, &json!({"kind": "Status", "code": status, "message": message}))
        }
        Some(Trouble::Hangs) => std::future::pending().await,
        Some(Trouble::Cut) => cut(&body),
        None => respond(status, &body),
    }
}

fn respond(status: u16, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response
}

/// The first half of an answer, and then the connection breaks.
#[expect(clippy::disallowed_methods, reason = "the first half has to leave before the connection breaks")]
fn cut(body: &Value) -> Response<Body> {
    let text = body.to_string();
    let half = Bytes::copy_from_slice(text.as_bytes().get(..text.len() / 2).unwrap_or_default());
    let broken = stream::once(async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        Err(std::io::Error::other("cut"))
    });
    Response::new(Body::from_stream(stream::once(async { Ok(half) }).chain(broken)))
}

impl World {
    fn answer(&self, path: &str, query: &str, accept: &str) -> (u16, Value) {
        let aggregated = self.aggregated && accept.contains("APIGroupDiscoveryList");
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts[..] {
            ["version"] => (200, json!({"gitVersion": "v1.33.2"})),
            ["api"] if aggregated => (200, self.all_groups(true)),
            ["apis"] if aggregated => (200, self.all_groups(false)),
            ["api"] => (200, json!({"kind": "APIVersions", "versions": ["v1"]})),
            ["apis"] => (200, self.groups()),
            ["api", version] => self.one_group("", version),
            ["apis", group, version] => self.one_group(group, version),
            ["api", "v1", "namespaces", "kube-system"] => {
                (200, json!({"kind": "Namespace", "metadata": {"name": "kube-system", "uid": self.uid}}))
            }
            ["api", "v1", "namespaces", namespace, plural, name] => self.one(plural, namespace, name),
            ["api", version, plural] => self.list(("", version, plural), query, accept),
            ["apis", group, version, plural] => self.list((group, version, plural), query, accept),
            _ => missing(path),
        }
    }

    /// Aggregated discovery.
    fn all_groups(&self, core: bool) -> Value {
        let mut groups: BTreeMap<&str, BTreeMap<(usize, &str), Vec<Value>>> = BTreeMap::new();
        for kind in self.kinds.iter().filter(|kind| kind.group.is_empty() == core) {
            for (order, version) in kind.versions.iter().enumerate() {
                let scope = if kind.namespaced { "Namespaced" } else { "Cluster" };
                let status = json!({"subresource": "status", "verbs": ["get", "patch"]});
                groups.entry(kind.group).or_default().entry((order, version)).or_default().push(json!({
                    "resource": kind.plural, "scope": scope, "verbs": ["get", "list", "watch"],
                    "responseKind": {"group": "", "version": "", "kind": kind.kind}, "subresources": [status],
                }));
            }
        }
        let reviews = json!({"resource": "tokenreviews", "scope": "Cluster", "verbs": ["create"],
                             "responseKind": {"kind": "TokenReview"}});
        let items: Vec<Value> = groups
            .into_iter()
            .map(|(group, versions)| {
                let stale = self.stale.iter().any(|stale| stale == group);
                let versions = versions.into_iter().map(|((_, version), mut resources)| {
                    resources.push(reviews.clone());
                    let resources = if stale { Vec::new() } else { resources };
                    let freshness = if stale { "Stale" } else { "Current" };
                    json!({"version": version, "resources": resources, "freshness": freshness})
                });
                json!({"metadata": {"name": group}, "versions": versions.collect::<Vec<_>>()})
            })
            .collect();
        json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items})
    }

    fn groups(&self) -> Value {
        let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for kind in self.kinds.iter().filter(|kind| !kind.group.is_empty()) {
            let held = groups.entry(kind.group).or_default();
            held.extend(kind.versions.iter().filter(|version| !held.contains(version)).collect::<Vec<_>>());
        }
        let groups: Vec<Value> = groups
            .into_iter()
            .map(|(group, versions)| {
                let preferred = versions.first().copied().unwrap_or_default();
                // In another order, so that whoever does not look at the preferred one is found out.
                let all: Vec<Value> =
                    versions.iter().rev().map(|version| json!({"version": version})).collect();
                json!({"name": group, "versions": all, "preferredVersion": {"version": preferred}})
            })
            .collect();
        json!({"kind": "APIGroupList", "groups": groups})
    }

    fn one_group(&self, group: &str, version: &str) -> (u16, Value) {
        if self.stale.iter().any(|stale| stale == group) {
            return (503, json!({"kind": "Status", "message": "service unavailable"}));
        }
        let kinds = self.kinds.iter().filter(|kind| kind.group == group && kind.versions.contains(&version));
        let resources: Vec<Value> = kinds
            .flat_map(|kind| {
                let status = format!("{}/status", kind.plural);
                let verbs = ["get", "list", "watch"];
                [
                    json!({"name": kind.plural, "kind": kind.kind, "namespaced": kind.namespaced, "verbs": verbs}),
                    json!({"name": status, "kind": kind.kind, "namespaced": kind.namespaced, "verbs": verbs}),
                ]
            })
            .collect();
        (200, json!({"kind": "APIResourceList", "resources": resources}))
    }

    fn one(&self, plural: &str, namespace: &str, name: &str) -> (u16, Value) {
        let objects = self.objects.get(&(String::new(), plural.to_owned())).into_iter().flatten();
        let is = |object: &&Value, path, text| object.pointer(path).and_then(Value::as_str) == Some(text);
        let mut found =
            objects.filter(|o| is(o, "/metadata/name", name) && is(o, "/metadata/namespace", namespace));
        found.next().map_or_else(|| missing(name), |object| (200, object.clone()))
    }

    fn list(&self, (group, version, plural): (&str, &str, &str), query: &str, accept: &str) -> (u16, Value) {
        let fits = |kind: &&ServedKind| {
            kind.group == group && kind.plural == plural && kind.versions.contains(&version)
        };
        let Some(kind) = self.kinds.iter().find(fits) else { return missing(plural) };
        let parameter = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name));
        let limit: usize = parameter("limit=").and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
        // A place has characters that a query has to spell otherwise.
        let from = match parameter("continue=") {
            Some(from) => from.strip_prefix("at%2F%3D").and_then(|from| from.parse().ok()),
            None => Some(0),
        };
        let Some(from): Option<usize> = from else { return (400, json!({"message": "no such continue"})) };
        let key = (group.to_owned(), plural.to_owned());
        let all = self.objects.get(&key).map_or(&[] as &[Value], Vec::as_slice);
        let metadata_only = accept.contains("PartialObjectMetadataList");
        let items: Vec<Value> = all
            .iter()
            .skip(from)
            .take(limit)
            .map(|object| {
                if metadata_only {
                    return json!({"kind": "PartialObjectMetadata", "metadata": object.get("metadata")});
                }
                let mut object = object.clone();
                if let Some(fields) = object.as_object_mut() {
                    // Items of a list do not say what they are.
                    fields.remove("kind");
                    fields.remove("apiVersion");
                }
                object
            })
            .collect();
        let end = from.saturating_add(items.len());
        let metadata = if end < all.len() {
            json!({"continue": format!("at/={end}"), "remainingItemCount": all.len() - end})
        } else {
            json!({})
        };
        (200, json!({"kind": format!("{}List", kind.kind), "metadata": metadata, "items": items}))
    }
}

fn missing(what: &str) -> (u16, Value) {
    (404, json!({"kind": "Status", "code": 404, "message": format!("{what} not found")}))
}
