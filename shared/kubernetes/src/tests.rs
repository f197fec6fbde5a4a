//! The client against a server that answers as Kubernetes does, or does not.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use model::SecretRef;
use ports::{ApiKind, Cluster, ClusterError, Clusters, Form, ListRequest, Secret, SecretError, Secrets};
use serde_json::json;
use testkit::{KubernetesApi, ServedKind, Trouble};

use crate::{Kubernetes, Limits};

/// Kinds whose plurals nobody can guess, one kind in two groups, and one in two versions.
const KINDS: &[ServedKind] = &[
    ServedKind { group: "", versions: &["v1"], kind: "Pod", plural: "pods", namespaced: true },
    ServedKind { group: "", versions: &["v1"], kind: "Node", plural: "nodes", namespaced: false },
    ServedKind { group: "", versions: &["v1"], kind: "Secret", plural: "secrets", namespaced: true },
    ServedKind { group: "", versions: &["v1"], kind: "Endpoints", plural: "endpoints", namespaced: true },
    ServedKind {
        group: "networking.k8s.io",
        versions: &["v1", "v1beta1"],
        kind: "Ingress",
        plural: "ingresses",
        namespaced: true,
    },
    ServedKind {
        group: "networking.k8s.io",
        versions: &["v1"],
        kind: "NetworkPolicy",
        plural: "networkpolicies",
        namespaced: true,
    },
    ServedKind {
        group: "mesh.example.com",
        versions: &["v1alpha1"],
        kind: "Proxy",
        plural: "proxies",
        namespaced: true,
    },
    ServedKind {
        group: "net.example.org",
        versions: &["v2", "v1"],
        kind: "Proxy",
        plural: "proxyservers",
        namespaced: false,
    },
];

fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(1),
        short: Duration::from_millis(600),
        page: Duration::from_millis(600),
        ..Limits::default()
    }
}

async fn connect(kubeconfig: String) -> Result<Arc<dyn Cluster>, ClusterError> {
    Kubernetes::new(limits()).cluster(None, Some(&Secret::new(kubeconfig))).await
}

fn pods() -> ApiKind {
    ApiKind {
        group: String::new(),
        version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        plural: "pods".to_owned(),
        namespaced: true,
    }
}

async fn list(cluster: &dyn Cluster, from: Option<&str>) -> Result<ports::ObjectPage, ClusterError> {
    cluster.list(&ListRequest { kind: &pods(), form: Form::Whole, limit: 2, from }).await
}

#[tokio::test]
async fn every_kind_is_found_with_the_plural_that_the_server_says() {
    let api = KubernetesApi::start(KINDS).await;
    let cluster = connect(api.kubeconfig()).await.unwrap();
    let id = cluster.identity().await.unwrap();
    assert_eq!((id.uid, &*id.name, &*id.version), (api.uid(), "shop-cluster", "v1.33.2"));
    for aggregated in [true, false] {
        api.aggregate(aggregated);
        let found = cluster.kinds().await.unwrap();
        assert_eq!(found.broken, [], "{aggregated}");
        let found: Vec<(String, String, String, bool)> = found
            .kinds
            .into_iter()
            .map(|kind| (kind.name(), kind.api_version(), kind.plural, kind.namespaced))
            .collect();
        let mut wanted: Vec<(String, String, String, bool)> = KINDS
            .iter()
            .map(|kind| {
                let (name, version) = match kind.group {
                    "" => (kind.kind.to_owned(), kind.versions[0].to_owned()),
                    group => (format!("{}.{group}", kind.kind), format!("{group}/{}", kind.versions[0])),
                };
                (name, version, kind.plural.to_owned(), kind.namespaced)
            })
            .collect();
        wanted.sort();
        let mut sorted = found.clone();
        sorted.sort();
        assert_eq!(sorted, wanted, "aggregated: {aggregated}");
    }
}

#[tokio::test]
async fn a_group_whose_server_is_down_does_not_hide_the_others() {
    let api = KubernetesApi::start(KINDS).await;
    let cluster = connect(api.kubeconfig()).await.unwrap();
    api.stale("mesh.example.com");
    for aggregated in [true, false] {
        api.aggregate(aggregated);
        let found = cluster.kinds().await.unwrap();
        assert_eq!(found.kinds.len(), KINDS.len() - 1, "aggregated: {aggregated}");
        let broken: Vec<&str> = found.broken.iter().map(|broken| &*broken.api).collect();
        assert_eq!(broken, ["mesh.example.com/v1alpha1"], "aggregated: {aggregated}");
    }
}

#[tokio::test]
async fn pages_follow_one_another_to_the_end() {
    let api = KubernetesApi::start(KINDS).await;
    let all: Vec<_> = (0..5).map(|n| json!({"metadata": {"name": format!("web-{n}")}})).collect();
    api.put("", "pods", all.clone());
    let cluster = connect(api.kubeconfig()).await.unwrap();
    let (mut seen, mut from) = (Vec::new(), None);
    loop {
        let page = list(&*cluster, from.as_deref()).await.unwrap();
        seen.extend(page.items);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(seen, all);
}

#[tokio::test]
async fn the_values_of_secrets_are_never_asked_for_in_a_list() {
    let api = KubernetesApi::start(KINDS).await;
    let secret =
        json!({"metadata": {"name": "db", "namespace": "shop"}, "data": {"password": "cGxhbnRlZA=="}});
    api.put("", "secrets", vec![secret]);
    let cluster = connect(api.kubeconfig()).await.unwrap();
    let kind = ApiKind { kind: "Secret".to_owned(), plural: "secrets".to_owned(), ..pods() };
    let request = ListRequest { kind: &kind, form: Form::Whole, limit: 500, from: None };
    let page = cluster.list(&request).await.unwrap();
    assert_eq!(page.items[0].pointer("/metadata/name"), Some(&json!("db")));
    assert!(page.items[0].get("data").is_none());
    let asked = api.requests().into_iter().find(|asked| asked.starts_with("/api/v1/secrets?")).unwrap();
    assert!(asked.contains("as=PartialObjectMetadataList"), "{asked}");
}

#[tokio::test]
async fn what_goes_wrong_is_said_as_what_it_is_and_soon() {
    let api = KubernetesApi::start(KINDS).await;
    api.put("", "pods", (0..5).map(|n| json!({"metadata": {"name": format!("web-{n}")}})).collect());
    let cluster = connect(api.kubeconfig()).await.unwrap();
    let mut failed = Vec::new();
    let troubles = [
        Trouble::Status(401),
        Trouble::Status(403),
        Trouble::Status(410),
        Trouble::Status(429),
        Trouble::Status(500),
        Trouble::Hangs,
        Trouble::Cut,
    ];
    for trouble in troubles {
        api.trouble("/api/v1/pods", trouble);
        let began = Instant::now();
        failed.push(list(&*cluster, None).await.unwrap_err());
        assert!(began.elapsed() < Duration::from_secs(3), "{trouble:?} took {:?}", began.elapsed());
    }
    assert!(matches!(failed[0], ClusterError::Expired { .. }), "{:?}", failed[0]);
    let denied = failed[1].to_string();
    assert!(denied.contains("list on pods") && denied.contains("/api/v1/pods is not for you"), "{denied}");
    assert!(matches!(failed[2], ClusterError::Gone { .. }), "{:?}", failed[2]);
    assert!(matches!(failed[3], ClusterError::Refused { status: 429, .. }), "{:?}", failed[3]);
    assert!(matches!(failed[4], ClusterError::Refused { status: 500, .. }), "{:?}", failed[4]);
    assert!(matches!(failed[5], ClusterError::Timeout { .. }), "{:?}", failed[5]);
    assert!(matches!(failed[6], ClusterError::Cut { .. }), "{:?}", failed[6]);
    api.behave();
    list(&*cluster, None).await.unwrap();
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_said_within_seconds() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = |server: String| {
        format!(
            "current-context: a\nclusters: [{{name: c, cluster: {{server: \"{server}\"}}}}]\n\
             users: []\ncontexts: [{{name: a, context: {{cluster: c}}}}]\n"
        )
    };
    // It takes connections and says nothing.
    let began = Instant::now();
    let silent = connect(config(format!("http://{address}"))).await.unwrap();
    assert!(matches!(silent.identity().await, Err(ClusterError::Timeout { .. })));
    drop(listener);
    let refused = connect(config(format!("https://user:hidden@{address}"))).await.unwrap();
    let error = refused.identity().await.unwrap_err();
    assert!(matches!(error, ClusterError::Unreachable { .. }), "{error:?}");
    assert!(!error.to_string().contains("hidden"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_kubeconfig_that_leads_nowhere_says_what_it_has() {
    let api = KubernetesApi::start(KINDS).await;
    let clusters = Kubernetes::new(limits());
    let kubeconfig = Secret::new(api.kubeconfig());
    let error = clusters.cluster(Some("shpo"), Some(&kubeconfig)).await.unwrap_err().to_string();
    assert_eq!(error, "no cluster can be reached: the kubeconfig has no context shpo; it has shop");
    let broken = Secret::new("clusters: [token: planted".to_owned());
    let error = clusters.cluster(None, Some(&broken)).await.unwrap_err().to_string();
    assert!(!error.contains("planted") && error.contains("no YAML of a kubeconfig"), "{error}");
}

#[tokio::test]
async fn what_a_credential_plugin_printed_is_not_repeated() {
    let plugin = |command: &str, args: &str| {
        format!(
            "current-context: a\nclusters: [{{name: c, cluster: {{server: \"http://127.0.0.1:9\"}}}}]\n\
             contexts: [{{name: a, context: {{cluster: c, user: u}}}}]\n\
             users: [{{name: u, user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, \
             interactiveMode: Never, command: {command}, args: {args}}}}}}}]\n"
        )
    };
    let failing = plugin("sh", r#"["-c", "echo planted-token; exit 3"]"#);
    let error = connect(failing).await.unwrap_err();
    assert!(matches!(error, ClusterError::NotConfigured(_)), "{error:?}");
    let said = format!("{error} {error:?}");
    assert!(!said.contains("planted") && said.contains("exit status: 3"), "{said}");
    let missing = connect(plugin("no-such-program-here", "[]")).await.unwrap_err().to_string();
    assert!(missing.contains("cannot be started"), "{missing}");
}

#[tokio::test]
async fn a_secret_is_read_at_use_and_only_the_named_key() {
    let api = KubernetesApi::start(KINDS).await;
    let held = json!({"password": "aHVudGVyMg==", "binary": "/w=="});
    let secret = json!({"kind": "Secret", "metadata": {"name": "db", "namespace": "shop"}, "data": held});
    api.put("", "secrets", vec![secret]);
    let clusters = Kubernetes::new(limits()).with_kubeconfig(&Secret::new(api.kubeconfig()));
    let reference = |name: &str, key: &str| SecretRef::KubernetesSecret {
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        key: key.to_owned(),
    };
    assert_eq!(clusters.read(&reference("db", "password")).await.unwrap().expose(), "hunter2");
    for missing in [reference("db", "user"), reference("cache", "password"), reference("../pods", "a")] {
        let error = clusters.read(&missing).await.unwrap_err();
        assert!(matches!(error, SecretError::Missing(_)), "{missing}: {error:?}");
    }
    let binary = clusters.read(&reference("db", "binary")).await.unwrap_err();
    assert!(matches!(binary, SecretError::Unavailable { .. }), "{binary:?}");
    api.trouble("/api/v1/namespaces/shop/secrets/db", Trouble::Status(403));
    let denied = clusters.read(&reference("db", "password")).await.unwrap_err().to_string();
    assert!(denied.contains("get on the secret db"), "{denied}");
    let elsewhere = clusters.read(&SecretRef::Env("HOME".to_owned())).await.unwrap_err();
    assert!(matches!(elsewhere, SecretError::NotConfigured(_)), "{elsewhere:?}");
}

#[test]
fn the_cluster_role_reads_and_leaves_secrets_alone() {
    let text = include_str!("../../../infra/kubernetes/reader.yaml");
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
    let verbs: Vec<&&str> = lines.iter().filter(|line| line.starts_with("verbs:")).collect();
    assert!(verbs.len() >= 2 && verbs.iter().all(|line| **line == "verbs: [get, list, watch]"), "{verbs:?}");
    assert!(lines.contains(&"- configmaps") && !lines.contains(&"- secrets"));
    // `*` of the core group, and `*` for all groups, would be Secrets too.
    let groups = lines.iter().filter(|line| line.starts_with("- apiGroups:"));
    assert!(groups.clone().count() >= 2 && groups.clone().all(|line| !line.contains('*')));
    let core = lines.iter().position(|line| *line == "- apiGroups: [\"\"]").unwrap();
    assert_eq!(lines[core + 1], "resources:");
}
