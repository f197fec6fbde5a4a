//! A cluster listed through the real client, from a server that answers as Kubernetes does or does not, into a real
//! catalog.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    sync::Arc,
    time::Duration,
};

use catalog::{Catalog, ConnectOptions, ResourceQuery, shards::ShardState};
use chrono::TimeDelta;
use kubernetes::{Kubernetes as Clusters, Limits};
use model::{Evidence, ResourceKey, kubernetes_key};
use ports::{Clock, Secret, Secrets};
use serde_json::{Value, json};
use testkit::{FakeClock, KubernetesApi, ServedKind, TestDb, Trouble, template_name};

use super::Kubernetes;
use crate::{NamedScraper, Providers, Scrape};

const NOW: &str = "2026-03-03T12:00:00Z";

const fn served(
    group: &'static str,
    versions: &'static [&'static str],
    kind: &'static str,
    plural: &'static str,
    namespaced: bool,
) -> ServedKind {
    ServedKind { group, versions, kind, plural, namespaced }
}

const POD: ServedKind = served("", &["v1"], "Pod", "pods", true);
const SERVICE: ServedKind = served("", &["v1"], "Service", "services", true);
const NAMESPACE: ServedKind = served("", &["v1"], "Namespace", "namespaces", false);
const SECRET: ServedKind = served("", &["v1"], "Secret", "secrets", true);
const EVENT: ServedKind = served("", &["v1"], "Event", "events", true);
const POLICY: ServedKind = served("networking.k8s.io", &["v1"], "NetworkPolicy", "networkpolicies", true);
const DEFINITION: ServedKind =
    served("apiextensions.k8s.io", &["v1"], "CustomResourceDefinition", "customresourcedefinitions", false);
const PROXY: ServedKind = served("mesh.example.com", &["v1"], "Proxy", "proxies", true);
const OTHER_PROXY: ServedKind = served("net.example.org", &["v1"], "Proxy", "proxyservers", true);

const KINDS: &[ServedKind] =
    &[POD, SERVICE, NAMESPACE, SECRET, EVENT, POLICY, DEFINITION, PROXY, OTHER_PROXY];

/// A catalog, a cluster and the function that lists it.
struct World {
    _db: TestDb,
    catalog: Catalog,
    clock: Arc<FakeClock>,
    api: KubernetesApi,
    scrape: Scrape,
}

async fn world(spec: Value) -> World {
    world_of(KINDS, spec).await
}

async fn world_of(kinds: &[ServedKind], spec: Value) -> World {
    let options = |url: &str| ConnectOptions { url: url.to_owned(), max_connections: 4, pooler: false };
    let template = template_name("catalog", &catalog::migrator());
    let db = TestDb::from_template(&template, async |url| {
        Catalog::connect(&options(&url))?.migrate(NOW.parse().unwrap()).await
    })
    .await;
    let catalog = Catalog::connect(&options(db.url())).unwrap();
    let clock = Arc::new(FakeClock::at(NOW));
    let api = KubernetesApi::start(kinds).await;
    let second = Duration::from_millis(800);
    let limits = Limits { connect: second, short: second, page: second, ..Limits::default() };
    let clusters = Arc::new(Clusters::new(limits).with_kubeconfig(&Secret::new(api.kubeconfig())));
    let secrets: Arc<dyn Secrets> = clusters.clone();
    let provider = Kubernetes::new(clusters, secrets, catalog.clone(), None);
    let spec = serde_json::from_value(json!({"every": "1h", "kubernetes": spec})).unwrap();
    let scrape = Scrape {
        catalog: catalog.clone(),
        clock: clock.clone(),
        providers: Providers { aws: None, kubernetes: Some(Arc::new(provider)) },
        ambient: vec![NamedScraper { name: "kubernetes".to_owned(), spec }],
    };
    World { _db: db, catalog, clock, api, scrape }
}

/// What a shard has come to: its state and the reason.
type Outcome = (ShardState, String);

impl World {
    /// Lists everything now, to the end.
    async fn list(&self) -> BTreeMap<String, Outcome> {
        self.clock.advance(TimeDelta::minutes(1));
        self.scrape.now(Some("kubernetes"), false).await.unwrap();
        while self.scrape.tick().await.unwrap().is_some_and(|due| due <= self.clock.now()) {}
        let coverage = self.catalog.coverage(self.clock.now()).await.unwrap();
        assert_eq!(coverage.scrapers[0].reason, "");
        let shards = coverage.shards.into_iter();
        shards.map(|s| (s.kind, (s.state, format!("{}; {}", s.reason, s.advice)))).collect()
    }

    /// The native ids of the resources of a type that were shown and are there; of all types with `*`.
    async fn there(&self, kind: &str) -> Vec<String> {
        let mut query = ResourceQuery { limit: 1000, ..ResourceQuery::default() };
        let mut found = Vec::new();
        loop {
            let page = self.catalog.resources(&query).await.unwrap();
            let shown = page.items.into_iter().filter(|resource| resource.evidence == Evidence::Document);
            let wanted = format!("Kubernetes::{kind}");
            found.extend(shown.filter(|r| kind == "*" || r.kind == wanted).map(|r| r.native_id));
            query.cursor = page.next;
            if query.cursor.is_none() {
                return found;
            }
        }
    }

    fn key(&self, group: &str, kind: &str, namespace: &str, name: &str) -> ResourceKey {
        kubernetes_key(&self.api.uid(), group, kind, Some(namespace), name)
    }

    /// Where the edges of a resource lead that hold now.
    async fn edges(&self, key: &ResourceKey) -> BTreeSet<(String, model::ResourceId)> {
        let page = self.catalog.edges(key.id(), catalog::AsOf::default(), 1000, None).await.unwrap();
        let mine = page.items.into_iter().filter(|edge| edge.from_id == key.id() && edge.to.is_none());
        mine.map(|edge| (edge.kind, edge.to_id)).collect()
    }
}

fn named(name: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}")}})
}

fn pod(name: &str, app: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "labels": {"app": app}}, "spec": {"nodeName": "node-1"}})
}

fn service(name: &str, app: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop"}, "spec": {"selector": {"app": app}}})
}

fn pods(count: usize) -> Vec<Value> {
    (0..count).map(|n| pod(&format!("web-{n:04}"), "web")).collect()
}

const COMPLETE: ShardState = ShardState::Complete;

#[tokio::test]
async fn every_kind_is_listed_with_its_edges_and_secrets_stay_where_they_are() {
    let world = world(json!({})).await;
    world.api.put("", "pods", vec![pod("web-1", "web"), pod("db-0", "db")]);
    world.api.put("", "services", vec![service("web", "web")]);
    world.api.put("", "namespaces", vec![json!({"metadata": {"name": "shop"}})]);
    let data = json!({"password": "cGxhbnRlZC1wYXNzd29yZA=="});
    world.api.put(
        "",
        "secrets",
        vec![json!({"metadata": {"name": "db", "namespace": "shop"}, "data": data})],
    );
    world.api.put("", "events", vec![named("something-happened")]);
    world.api.put("mesh.example.com", "proxies", vec![named("edge")]);
    world.api.put("net.example.org", "proxyservers", vec![named("edge")]);
    let shards = world.list().await;
    let wanted = [
        "Kubernetes::apiextensions.k8s.io::CustomResourceDefinition",
        "Kubernetes::core::Cluster",
        "Kubernetes::core::Namespace",
        "Kubernetes::core::Pod",
        "Kubernetes::core::Secret",
        "Kubernetes::core::Service",
        "Kubernetes::mesh.example.com::Proxy",
        "Kubernetes::net.example.org::Proxy",
        "Kubernetes::networking.k8s.io::NetworkPolicy",
    ];
    assert_eq!(shards.keys().map(String::as_str).collect::<Vec<_>>(), wanted);
    assert!(shards.values().all(|(state, _)| *state == COMPLETE), "{shards:?}");
    assert_eq!(world.there("core::Pod").await, ["shop/db-0", "shop/web-1"]);
    // One name, one kind, two groups: two resources.
    assert_eq!(world.there("mesh.example.com::Proxy").await, ["shop/edge"]);
    assert_eq!(world.there("net.example.org::Proxy").await, ["shop/edge"]);
    let edges = world.edges(&world.key("", "Service", "shop", "web")).await;
    let selected = world.key("", "Pod", "shop", "web-1").id();
    assert!(edges.contains(&("selects pod".to_owned(), selected)), "{edges:?}");
    assert_eq!(edges.iter().filter(|(kind, _)| kind == "selects pod").count(), 1);
    let secret = world.catalog.resource(world.key("", "Secret", "shop", "db").id()).await.unwrap().unwrap();
    assert!(!format!("{secret:?}").contains("cGxhbnRlZC1wYXNzd29yZA"), "{secret:?}");
    let cluster = world.catalog.resolve(&format!("Kubernetes::core::Cluster/{}", world.api.uid())).await;
    let cluster = world.catalog.resource(cluster.unwrap().unwrap()).await.unwrap().unwrap();
    assert_eq!(cluster.resource.name, "shop-cluster");
}

#[tokio::test]
async fn only_a_complete_list_deletes() {
    let world = world_of(&[POD, NAMESPACE], json!({})).await;
    world.api.put("", "pods", pods(1_200));
    world.list().await;
    assert_eq!(world.there("core::Pod").await.len(), 1_200);
    let path = "/api/v1/pods";
    world.api.remove("", "pods", "web-0007");
    let gone = world.key("", "Pod", "shop", "web-0007").id();
    let is_gone = async || world.catalog.resource(gone).await.unwrap().unwrap().resource.deleted_at.is_some();
    let troubles = [
        (Trouble::Status(403), "infra/kubernetes"),
        (Trouble::Status(410), "forgot where its next page begins"),
        (Trouble::Status(401), "log in"),
        (Trouble::Status(500), "answers 500"),
        (Trouble::Hangs, "did not answer within"),
        (Trouble::Cut, "broke off"),
    ];
    for (trouble, said) in troubles {
        for later in [true, false] {
            match later {
                true => world.api.trouble_later(path, trouble),
                false => world.api.trouble(path, trouble),
            }
            let shards = world.list().await;
            let (state, reason) = &shards["Kubernetes::core::Pod"];
            let wanted = if later { ShardState::Incomplete } else { ShardState::Failed };
            assert_eq!(*state, wanted, "{trouble:?}: {reason}");
            assert!(reason.contains(said), "{trouble:?}: {reason}");
            assert_eq!(shards["Kubernetes::core::Namespace"].0, COMPLETE, "the others go on");
            assert!(!is_gone().await, "{trouble:?} deleted what was not proven gone");
        }
    }
    world.api.behave();
    assert_eq!(world.list().await["Kubernetes::core::Pod"].0, COMPLETE);
    assert!(is_gone().await);
    let other = world.catalog.resource(world.key("", "Pod", "shop", "web-0008").id()).await.unwrap().unwrap();
    assert_eq!(other.resource.deleted_at, None);
}

#[tokio::test]
async fn listing_again_what_did_not_change_changes_nothing() {
    let world = world(json!({})).await;
    world.api.put("", "pods", pods(3));
    world.api.put("", "services", vec![service("web", "web")]);
    world.list().await;
    let digest = world.catalog.digest().await.unwrap();
    let beat: Vec<Value> = pods(3)
        .into_iter()
        .map(|mut pod| {
            pod["metadata"]["resourceVersion"] = json!("99");
            pod
        })
        .collect();
    world.api.put("", "pods", beat);
    world.list().await;
    assert_eq!(world.catalog.digest().await.unwrap(), digest);
}

#[tokio::test]
async fn what_selects_pods_keeps_its_edges_while_pods_cannot_be_listed() {
    let world = world(json!({})).await;
    world.api.put("", "pods", pods(2));
    world.api.put("", "services", vec![service("web", "web")]);
    world.list().await;
    let web = world.key("", "Service", "shop", "web");
    let before = world.edges(&web).await;
    assert_eq!(before.iter().filter(|(kind, _)| kind == "selects pod").count(), 2);
    world.api.trouble("/api/v1/pods", Trouble::Status(503));
    let shards = world.list().await;
    let (state, reason) = &shards["Kubernetes::core::Service"];
    assert_eq!(*state, ShardState::Failed);
    assert!(reason.contains("what it selects cannot be told"), "{reason}");
    assert_eq!(world.edges(&web).await, before);
    // Not permitted is no accident: then these edges are not known, and the services are listed all the same.
    world.api.trouble("/api/v1/pods", Trouble::Status(403));
    world.api.put("", "services", vec![service("web", "web"), service("api", "api")]);
    assert_eq!(world.list().await["Kubernetes::core::Service"].0, COMPLETE);
    assert_eq!(world.there("core::Service").await, ["shop/api", "shop/web"]);
}

#[tokio::test]
async fn a_group_whose_server_is_down_deletes_nothing_and_is_named() {
    let world = world(json!({})).await;
    world.api.put("mesh.example.com", "proxies", vec![named("edge")]);
    world.list().await;
    world.api.stale("mesh.example.com");
    for aggregated in [true, false] {
        world.api.aggregate(aggregated);
        let shards = world.list().await;
        let (state, reason) = &shards["Kubernetes::mesh.example.com/v1::*"];
        assert_eq!(*state, ShardState::Failed, "{reason}");
        assert!(reason.contains("mesh.example.com/v1 did not answer"), "{reason}");
        let (state, reason) = &shards["Kubernetes::mesh.example.com::Proxy"];
        assert_eq!(*state, ShardState::Failed, "{reason}");
        assert_eq!(shards["Kubernetes::core::Pod"].0, COMPLETE);
        assert_eq!(world.there("mesh.example.com::Proxy").await, ["shop/edge"]);
    }
}

#[tokio::test]
async fn a_kind_is_gone_only_when_nothing_defines_it_any_more() {
    let world = world(json!({})).await;
    world.api.put("mesh.example.com", "proxies", vec![named("edge")]);
    let definition = json!({"metadata": {"name": "proxies.mesh.example.com"},
        "spec": {"group": "mesh.example.com", "names": {"kind": "Proxy", "plural": "proxies"}}});
    let path = "customresourcedefinitions";
    world.api.put("apiextensions.k8s.io", path, vec![definition]);
    world.list().await;
    let without: Vec<ServedKind> = KINDS.iter().filter(|kind| **kind != PROXY).cloned().collect();
    world.api.serve(&without);
    let shards = world.list().await;
    let (state, reason) = &shards["Kubernetes::mesh.example.com::Proxy"];
    assert_eq!(*state, ShardState::Failed, "{reason}");
    assert!(reason.contains("is defined, but the cluster does not serve it"), "{reason}");
    world.api.put("apiextensions.k8s.io", path, Vec::new());
    world.api.trouble("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", Trouble::Status(403));
    assert_eq!(world.list().await["Kubernetes::mesh.example.com::Proxy"].0, ShardState::Failed);
    assert_eq!(world.there("mesh.example.com::Proxy").await, ["shop/edge"]);
    world.api.behave();
    assert_eq!(world.list().await["Kubernetes::mesh.example.com::Proxy"].0, COMPLETE);
    assert!(world.there("mesh.example.com::Proxy").await.is_empty());
}

#[tokio::test]
async fn another_cluster_behind_the_same_name_deletes_nothing() {
    let world = world(json!({})).await;
    world.api.put("", "pods", pods(1));
    world.list().await;
    let uid = world.api.uid();
    world.api.become_another("99998888-7777-6666-5555-444433332222");
    world.api.put("", "pods", Vec::new());
    let ended =
        world.scrape.shard("kubernetes", &uid, "global", "Kubernetes::core::Pod").await.unwrap().unwrap();
    assert_eq!(ended.state, ShardState::Failed);
    assert!(ended.reason.contains("another cluster"), "{}", ended.reason);
    assert_eq!(world.there("core::Pod").await, ["shop/web-0000"]);
}

#[tokio::test]
async fn only_wanted_kinds_are_listed_and_a_misspelt_one_is_named() {
    let world = world(json!({"kinds": ["Pod", "Proxy.mesh.example.com", "Deploymnet.apps"]})).await;
    let shards = world.list().await;
    let kinds: Vec<&str> = shards.keys().map(String::as_str).collect();
    let wanted = [
        "Deploymnet.apps",
        "Kubernetes::core::Cluster",
        "Kubernetes::core::Pod",
        "Kubernetes::mesh.example.com::Proxy",
    ];
    assert_eq!(kinds, wanted);
    let (state, reason) = &shards["Deploymnet.apps"];
    assert_eq!(*state, ShardState::Failed);
    assert!(reason.contains("no kind Deploymnet.apps"), "{reason}");
    let fewer = self::world(json!({"exclude": ["Pod", "Secret"]})).await.list().await;
    assert!(!fewer.contains_key("Kubernetes::core::Pod") && fewer.contains_key("Kubernetes::core::Service"));
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_said_and_nothing_is_forgotten() {
    let world = world(json!({})).await;
    world.api.put("", "pods", pods(1));
    world.list().await;
    for (trouble, said) in [
        (Trouble::Hangs, "did not answer within"),
        (Trouble::Status(401), "does not take our credentials"),
        (Trouble::Status(403), "is not permitted"),
    ] {
        world.api.trouble("/api/v1/namespaces/kube-system", trouble);
        world.scrape.now(Some("kubernetes"), false).await.unwrap();
        let coverage = world.catalog.coverage(world.clock.now()).await.unwrap();
        assert!(coverage.scrapers[0].reason.contains(said), "{:?}", coverage.scrapers[0]);
        assert!(!coverage.scrapers[0].advice.is_empty(), "{:?}", coverage.scrapers[0]);
        assert!(coverage.shards.len() > 5);
    }
    assert_eq!(world.there("core::Pod").await, ["shop/web-0000"]);
}

/// Real objects, served as their clusters did: by group, version and plural.
#[tokio::test]
async fn the_objects_of_real_clusters_are_all_there() {
    let Some(folder) = testkit::test_data() else { return };
    let bytes = std::fs::read(folder.join("kubernetes/live-resources.jsonl.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap();
    type Held = (BTreeSet<String>, bool, BTreeMap<String, Value>);
    let mut kinds: BTreeMap<(String, String), Held> = BTreeMap::new();
    for object in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let said = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (version, namespace) = (said("/apiVersion"), said("/metadata/namespace"));
        let (group, version) = version.rsplit_once('/').unwrap_or(("", &version));
        let held = kinds.entry((group.to_owned(), said("/kind"))).or_default();
        held.0.insert(version.to_owned());
        held.1 |= namespace.is_empty();
        // Several clusters may have an object of one name; one is served.
        held.2.insert(format!("{namespace}/{}", said("/metadata/name")), object);
    }
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let served: Vec<ServedKind> = kinds
        .iter()
        .map(|((group, kind), (versions, wide, _))| ServedKind {
            group: leak(group.clone()),
            versions: Vec::leak(versions.iter().map(|v| leak(v.clone())).collect()),
            kind: leak(kind.clone()),
            plural: leak(format!("{}-of-{}", kind.to_lowercase(), kind.len())),
            namespaced: !wide,
        })
        .collect();
    let world = world_of(&served, json!({})).await;
    let mut count = 0;
    for (kind, (_, _, objects)) in served.iter().zip(kinds.values()) {
        count += objects.len();
        world.api.put(kind.group, kind.plural, objects.values().cloned().collect());
    }
    let shards = world.list().await;
    assert_eq!(shards.len(), kinds.len() + 1);
    assert!(shards.values().all(|(state, _)| *state == COMPLETE), "{shards:?}");
    // And the cluster itself.
    assert_eq!(world.there("*").await.len(), count + 1);
    let digest = world.catalog.digest().await.unwrap();
    world.list().await;
    assert_eq!(world.catalog.digest().await.unwrap(), digest);
}
