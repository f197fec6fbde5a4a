use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use model::{Document, ResourceFact, Sighting, kubernetes_key};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Kind, Pods, Reader, is_resource};

const CLUSTER: &str = "11112222-3333-4444-5555-666677778888";

fn kind(api_version: &str, kind: &str, namespaced: bool) -> Kind {
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    Kind { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned(), namespaced }
}

/// Reads an object that says what it is.
fn read(reader: &Reader, object: &Value) -> ResourceFact {
    let text = |name| object.get(name).and_then(Value::as_str).unwrap();
    let namespaced = object.pointer("/metadata/namespace").is_some();
    reader.read(&kind(text("apiVersion"), text("kind"), namespaced), object).unwrap()
}

fn document(fact: &ResourceFact) -> &Document {
    match &fact.sighting {
        Sighting::Documented(document) => document,
        other => panic!("{other:?}"),
    }
}

/// The edges of an object, one a line.
fn edges(fact: &ResourceFact) -> String {
    let relations = &document(fact).relations;
    let mut lines: Vec<String> = relations
        .iter()
        .map(|r| format!("{} {} {}\n", r.kind, r.to.kind.trim_start_matches("Kubernetes::"), r.to.native_id))
        .collect();
    lines.sort();
    lines.concat()
}

#[expect(clippy::needless_pass_by_value, reason = "a literal of a test")]
fn check_edges(object: Value, expected: Expect) {
    expected.assert_eq(&edges(&read(&Reader::new(CLUSTER), &object)));
}

#[test]
fn an_object_is_known_by_cluster_group_kind_namespace_and_name() {
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "uid": "u-1", "labels": {"tier": "front"}}});
    let fact = read(&Reader::new(CLUSTER), &object);
    assert_eq!(fact.key, kubernetes_key(CLUSTER, "apps", "Deployment", Some("shop"), "web"));
    assert_eq!(fact.key.kind, "Kubernetes::apps::Deployment");
    assert_eq!(fact.key.native_id, "shop/web");
    assert_eq!((fact.key.account.as_str(), fact.key.region.as_str()), (CLUSTER, "global"));
    assert_eq!(fact.aliases, ["u-1"]);
    let shown = document(&fact);
    assert_eq!(shown.name.as_deref(), Some("web"));
    assert_eq!(shown.labels.get("tier").map(String::as_str), Some("front"));
    // The version is how it is listed, not what it is.
    let older = json!({"apiVersion": "apps/v1beta1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"}});
    assert_eq!(read(&Reader::new(CLUSTER), &older).key, fact.key);
}

#[test]
fn what_has_no_name_or_namespace_is_refused() {
    let pod = kind("v1", "Pod", true);
    for object in
        [json!({}), json!(null), json!({"metadata": {"name": "web"}}), json!({"metadata": {"name": 1}})]
    {
        let refused = Reader::new(CLUSTER).read(&pod, &object).unwrap_err();
        assert!(refused.message.contains("Kubernetes::core::Pod has no `metadata.name"), "{refused}");
    }
    let long = json!({"metadata": {"namespace": "shop", "name": "x".repeat(2_000)}});
    assert!(Reader::new(CLUSTER).read(&pod, &long).is_err());
}

#[test]
fn a_planted_secret_is_in_no_document() {
    let planted = "hunter2planted";
    let encoded = "aHVudGVyMnBsYW50ZWQ=";
    let applied = json!({"kind": "Secret", "data": {"password": encoded}}).to_string();
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "db", "namespace": "shop", "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": applied,
            "objectset.rio.cattle.io/applied": encoded,
            "example.com/note": format!("password={planted}"),
            "example.com/api-token": planted}},
        "data": {"password": encoded, "file": encoded}, "stringData": {"note": planted}});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"containers": [{"name": "web", "args": ["--password", planted, format!("--token={planted}")],
            "env": [{"name": "HARMLESS", "value": planted}, {"name": "DB_PASSWORD", "value": planted}]}]}});
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app", "namespace": "shop"},
        "data": {"password": planted, "app.properties": format!("url=postgres://app:{planted}@db/shop\n")}});
    for object in [secret, pod, map] {
        let fact = read(&Reader::new(CLUSTER), &object);
        let shown = format!("{fact:?}");
        assert!(!shown.contains(planted) && !shown.contains(encoded), "{shown}");
    }
}

#[test]
fn which_secret_is_used_stays() {
    let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"volumes": [{"name": "tls", "secret": {"secretName": "web-tls"}}],
            "containers": [{"name": "web", "env": [
                {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]}]}});
    let fact = read(&Reader::new(CLUSTER), &object);
    let config = &document(&fact).config;
    assert_eq!(config.pointer("/spec/volumes/0/secret/secretName"), Some(&json!("web-tls")));
    assert_eq!(config.pointer("/spec/containers/0/env/0/valueFrom/secretKeyRef/name"), Some(&json!("db")));
}

#[test]
fn a_heartbeat_is_no_news() {
    let node = |beat: &str, version: &str| {
        json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": "node-1", "resourceVersion": version, "managedFields": [{"time": beat}],
                         "annotations": {"control-plane.alpha.kubernetes.io/leader": beat}},
            "status": {"images": [{"names": [beat]}], "conditions": [
                {"type": "Ready", "status": "True", "lastHeartbeatTime": beat, "lastTransitionTime": "t0"}]}})
    };
    let reader = Reader::new(CLUSTER);
    let hash = |object: &Value| document(&read(&reader, object)).hash();
    assert_eq!(hash(&node("12:00:00", "1")), hash(&node("12:00:10", "2")));
    let mut changed = node("12:00:10", "2");
    changed["status"]["conditions"][0]["status"] = json!("False");
    assert_ne!(hash(&node("12:00:00", "1")), hash(&changed));
}

#[test]
fn measurements_events_and_leases_are_no_resources() {
    for (group, kind) in [
        ("", "Event"),
        ("events.k8s.io", "Event"),
        ("coordination.k8s.io", "Lease"),
        ("metrics.k8s.io", "PodMetrics"),
        ("extensions", "Ingress"),
    ] {
        assert!(!is_resource(group, kind), "{kind}.{group}");
    }
    for (group, kind) in [("", "Pod"), ("networking.k8s.io", "Ingress"), ("example.com", "Event")] {
        assert!(is_resource(group, kind), "{kind}.{group}");
    }
}

#[test]
fn a_pod_says_what_owns_it_runs_it_and_what_it_uses() {
    check_edges(
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web-1", "namespace": "shop", "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-abc", "uid": "u"},
                {"apiVersion": "v1", "kind": "Node", "name": "node-1"},
                {"apiVersion": "unheard.example.com/v1", "kind": "Thing", "name": "x"}]},
            "spec": {"nodeName": "node-1", "serviceAccountName": "web",
                "imagePullSecrets": [{"name": "registry"}],
                "volumes": [
                    {"configMap": {"name": "app"}}, {"secret": {"secretName": "tls"}},
                    {"persistentVolumeClaim": {"claimName": "data"}},
                    {"projected": {"sources": [{"secret": {"name": "token"}}, {"configMap": {"name": "ca"}}]}}],
                "initContainers": [{"envFrom": [{"secretRef": {"name": "migrate"}}]}],
                "containers": [{"env": [
                    {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "flags", "key": "a"}}},
                    {"name": "B", "valueFrom": {"secretKeyRef": {"name": "db", "key": "b"}}},
                    {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}]}}),
        expect![[r#"
            is contained in namespace core::Namespace shop
            is owned by apps::ReplicaSet shop/web-abc
            is owned by core::Node node-1
            runs as service account core::ServiceAccount shop/web
            runs on node core::Node node-1
            uses config map core::ConfigMap shop/app
            uses config map core::ConfigMap shop/ca
            uses config map core::ConfigMap shop/flags
            uses persistent volume claim core::PersistentVolumeClaim shop/data
            uses secret core::Secret shop/db
            uses secret core::Secret shop/migrate
            uses secret core::Secret shop/registry
            uses secret core::Secret shop/tls
            uses secret core::Secret shop/token
        "#]],
    );
}

#[test]
fn an_owner_of_a_kind_that_only_the_cluster_knows_is_found_where_the_cluster_says() {
    let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop",
        "ownerReferences": [{"apiVersion": "mesh.example.com/v1", "kind": "Proxy", "name": "edge"},
                            {"apiVersion": "net.example.org/v1", "kind": "Proxy", "name": "wide"}]}});
    let reader = Reader::new(CLUSTER)
        .with_kinds([kind("mesh.example.com/v1", "Proxy", true), kind("net.example.org/v2", "Proxy", false)]);
    expect![[r#"
        is contained in namespace core::Namespace shop
        is owned by mesh.example.com::Proxy shop/edge
        is owned by net.example.org::Proxy wide
    "#]]
    .assert_eq(&edges(&read(&reader, &object)));
}

#[test]
fn traffic_storage_scaling_and_permissions_are_edges() {
    check_edges(
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"ingressClassName": "alb", "tls": [{"secretName": "web-tls"}],
                "defaultBackend": {"service": {"name": "fallback"}},
                "rules": [{"http": {"paths": [{"backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}}),
        expect![[r#"
            is contained in namespace core::Namespace shop
            is of ingress class networking.k8s.io::IngressClass alb
            routes to service core::Service shop/fallback
            routes to service core::Service shop/web
            uses secret core::Secret shop/web-tls
        "#]],
    );
    check_edges(
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": "web-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
            "endpoints": [{"targetRef": {"kind": "Pod", "name": "web-1", "namespace": "shop"}}, {}]}),
        expect![[r#"
            belongs to service core::Service shop/web
            is contained in namespace core::Namespace shop
            routes to pod core::Pod shop/web-1
        "#]],
    );
    check_edges(
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-1"},
            "spec": {"storageClassName": "gp3", "claimRef": {"namespace": "shop", "name": "data"}}}),
        expect![[r#"
            is claimed by core::PersistentVolumeClaim shop/data
            is of storage class storage.k8s.io::StorageClass gp3
        "#]],
    );
    check_edges(
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}}),
        expect![[r#"
            is contained in namespace core::Namespace shop
            scales apps::Deployment shop/web
        "#]],
    );
    check_edges(
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "dev", "namespace": "shop"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
            "subjects": [{"kind": "User", "name": "dana"},
                         {"kind": "ServiceAccount", "name": "ci", "namespace": "build"}]}),
        expect![[r#"
            grants role rbac.authorization.k8s.io::ClusterRole edit
            grants to service account core::ServiceAccount build/ci
            is contained in namespace core::Namespace shop
        "#]],
    );
}

#[test]
fn a_role_of_aws_is_an_edge_only_into_our_accounts() {
    let object = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web", "namespace": "shop",
        "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/web"}}});
    let any = Reader::new(CLUSTER);
    expect![[r#"
        assumes role AWS::IAM::Role web
        is contained in namespace core::Namespace shop
    "#]]
    .assert_eq(&edges(&read(&any, &object)));
    let other = Reader::new(CLUSTER).with_accounts(Some(["444455556666".to_owned()].into()));
    assert!(!edges(&read(&other, &object)).contains("assumes role"));
}

fn pods() -> Pods {
    let mut pods = Pods::default();
    for (namespace, name, labels) in [
        ("shop", "web-1", json!({"app": "web", "track": "stable"})),
        ("shop", "web-2", json!({"app": "web", "track": "canary"})),
        ("shop", "db-0", json!({"app": "db"})),
        ("other", "web-9", json!({"app": "web"})),
    ] {
        pods.add(&json!({"metadata": {"namespace": namespace, "name": name, "labels": labels}}));
    }
    pods.add(&json!({"metadata": {"name": "nowhere"}}));
    pods
}

/// The pods that an object selects.
fn selected(api_version: &str, kind: &str, spec: &Value) -> Vec<String> {
    let metadata = json!({"name": "web", "namespace": "shop"});
    let object = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec});
    let fact = read(&Reader::new(CLUSTER).with_pods(pods()), &object);
    let relations = document(&fact).relations.iter();
    relations.filter(|r| r.to.kind == "Kubernetes::core::Pod").map(|r| r.to.native_id.clone()).collect()
}

#[test]
fn selectors_select_as_kubernetes_does() {
    assert_eq!(pods().len(), 4);
    let service = |selector: Value| selected("v1", "Service", &json!({"selector": selector}));
    assert_eq!(service(json!({"app": "web"})), ["shop/web-1", "shop/web-2"]);
    assert_eq!(service(json!({"app": "web", "track": "canary"})), ["shop/web-2"]);
    assert!(service(json!({})).is_empty() && service(json!(null)).is_empty());
    let policy = |selector: Value| {
        selected("networking.k8s.io/v1", "NetworkPolicy", &json!({"podSelector": selector}))
    };
    assert_eq!(policy(json!({})).len(), 3);
    let expressions = |operator: &str, key: &str, values: Value| {
        policy(json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]}))
    };
    assert_eq!(expressions("In", "track", json!(["canary", "beta"])), ["shop/web-2"]);
    assert_eq!(expressions("NotIn", "track", json!(["canary"])), ["shop/db-0", "shop/web-1"]);
    assert_eq!(expressions("Exists", "track", json!(null)), ["shop/web-1", "shop/web-2"]);
    assert_eq!(expressions("DoesNotExist", "track", json!([])), ["shop/db-0"]);
    assert!(expressions("Near", "track", json!([])).is_empty());
    let budget = json!({"selector": {"matchLabels": {"app": "db"}}});
    assert_eq!(selected("policy/v1", "PodDisruptionBudget", &budget), ["shop/db-0"]);
    assert!(selected("policy/v1", "PodDisruptionBudget", &json!({})).is_empty());
}

#[test]
fn what_cannot_be_stored_is_replaced_and_flagged() {
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "b"}, "data": {"k\u{0}": "v\u{0}"}});
    let fact = read(&Reader::new(CLUSTER), &object);
    assert!(document(&fact).replaced);
    assert_eq!(document(&fact).config.pointer("/data/k\u{fffd}"), Some(&json!("v\u{fffd}")));
}

/// The objects of real clusters.
#[expect(clippy::disallowed_methods, reason = "where the data is, is the environment's to say")]
fn live() -> Option<Vec<Value>> {
    let Ok(folder) = std::env::var("PERIGEE_TEST_DATA") else {
        assert!(
            std::env::var_os("PERIGEE_REQUIRE_DATA").is_none_or(|v| v != "1"),
            "PERIGEE_TEST_DATA is not set"
        );
        println!("skipped: PERIGEE_TEST_DATA is not set");
        return None;
    };
    let bytes = std::fs::read(format!("{folder}/kubernetes/live-resources.jsonl.gz")).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*bytes), &mut text).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn every_object_of_real_clusters_is_read() {
    let Some(objects) = live() else { return };
    let reader = Reader::new(CLUSTER);
    let (mut kinds, mut words) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
    for object in &objects {
        let fact = read(&reader, object);
        *kinds.entry(fact.key.kind.clone()).or_default() += 1;
        let shown = document(&fact);
        for relation in &shown.relations {
            *words.entry(relation.kind.clone()).or_default() += 1;
        }
        let text = shown.config.to_string();
        assert!(!text.contains("managedFields") && !text.contains("last-applied-configuration"), "{text}");
        assert!(!text.contains("IvWItkB8+ezMisPjSMBknT1PdKjBx7Xc"), "{text}");
    }
    assert_eq!(objects.len(), 243);
    let lines = |counts: &BTreeMap<String, usize>| -> String {
        counts.iter().map(|(what, count)| format!("{what}: {count}\n")).collect()
    };
    expect![[r#"
        is bound to persistent volume: 6
        is claimed by: 3
        is contained in cluster: 22
        is contained in namespace: 153
        is governed by service: 4
        is of ingress class: 1
        is of storage class: 9
        is owned by: 48
        runs as service account: 74
        runs on node: 26
        scales: 3
        uses config map: 74
        uses persistent volume claim: 6
        uses secret: 27
    "#]]
    .assert_eq(&lines(&words));
    assert_eq!(kinds.get("Kubernetes::core::Pod"), Some(&35), "{}", lines(&kinds));
}

/// Any JSON that a server may send, with the field names that are looked at.
fn json_value() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "metadata",
        "name",
        "namespace",
        "ownerReferences",
        "apiVersion",
        "kind",
        "spec",
        "template",
        "selector",
        "matchLabels",
        "matchExpressions",
        "containers",
        "env",
        "valueFrom",
        "secretKeyRef",
        "volumes",
        "status",
        "conditions",
        "annotations",
        "labels",
        "data",
        "rules",
        "http",
        "paths",
        "backend",
        "service",
        "endpoints",
        "targetRef",
        "subjects",
        "roleRef",
        "scaleTargetRef",
        "claimRef",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("Pod")),
        Just(json!("v1")),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6)
                .prop_map(|fields| fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_object_makes_the_reader_panic(
        object in json_value(),
        spec in json_value(),
        kind in prop::sample::select(vec![
            ("v1", "Pod"), ("v1", "Service"), ("v1", "Secret"), ("v1", "Endpoints"), ("apps/v1", "StatefulSet"),
            ("networking.k8s.io/v1", "Ingress"), ("networking.k8s.io/v1", "NetworkPolicy"), ("example.com/v1", "Odd"),
        ]),
    ) {
        let kind = self::kind(kind.0, kind.1, true);
        let reader = Reader::new(CLUSTER).with_pods(pods());
        let named = json!({"metadata": {"name": "a", "namespace": "shop"}, "spec": spec, "status": object.clone()});
        prop_assert!(reader.read(&kind, &named).is_ok());
        drop(reader.read(&kind, &object));
    }
}
