use serde_json::json;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn judged(config: Value) -> Option<Opinion> {
    let mut thing = json!({"type": "Kubernetes::example.com::Thing"});
    thing["config"] = config;
    judge(&thing, at("2026-03-03T00:00:00Z"))
}

fn word(config: Value) -> (Health, String, bool) {
    let opinion = judged(config).unwrap();
    (opinion.health, opinion.status, opinion.ready)
}

fn conditions(list: Value) -> Value {
    let mut object = json!({"metadata": {}, "status": {}});
    object["status"]["conditions"] = list;
    object
}

#[test]
fn a_condition_that_names_success_speaks_for_the_object() {
    let ready = |status: &str, reason: &str| {
        word(conditions(json!([{"type": "Ready", "status": status, "reason": reason}])))
    };
    assert_eq!(ready("True", "Synced"), (Health::Healthy, "Synced".to_owned(), true));
    assert_eq!(ready("False", "SyncError"), (Health::Unhealthy, "SyncError".to_owned(), true));
    assert_eq!(ready("False", "Creating"), (Health::Unknown, "Creating".to_owned(), false));
    assert_eq!(ready("Unknown", ""), (Health::Unknown, "Progressing".to_owned(), false));
}

#[test]
fn a_condition_that_names_trouble_is_trouble_only_when_it_holds() {
    let failed = |status: &str| {
        word(conditions(json!([
            {"type": "Available", "status": "True", "reason": "MinimumReplicas"},
            {"type": "ReconcileError", "status": status, "message": "no such role"},
        ])))
    };
    assert_eq!(failed("False").0, Health::Healthy);
    assert_eq!(failed("True").0, Health::Unhealthy);
}

#[test]
fn a_status_of_an_older_generation_says_nothing() {
    let object = |observed: i64| {
        json!({
            "metadata": {"generation": 3},
            "status": {"observedGeneration": observed, "conditions": [{"type": "Ready", "status": "True"}]},
        })
    };
    assert_eq!(word(object(2)), (Health::Unknown, "Progressing".to_owned(), false));
    assert_eq!(word(object(3)).0, Health::Healthy);
}

#[test]
fn what_somebody_suspended_is_suspended_whatever_it_says() {
    let object = json!({
        "spec": {"suspend": true},
        "status": {"conditions": [{"type": "Ready", "status": "False", "reason": "BuildFailed"}]},
    });
    assert_eq!(word(object), (Health::Healthy, "Suspended".to_owned(), true));
}

#[test]
fn without_conditions_the_phase_speaks() {
    let phase = |phase: &str| word(json!({"status": {"phase": phase}})).0;
    assert_eq!(phase("Running"), Health::Healthy);
    assert_eq!(phase("CREATE_FAILED"), Health::Unhealthy);
    assert_eq!(phase("Reconciling"), Health::Unknown);
    assert_eq!(phase("Mysterious"), Health::Unknown);
    let silent = judged(json!({"status": {"clusterIP": "192.0.2.1"}})).unwrap();
    assert_eq!((silent.status.as_str(), silent.ready), ("Unknown", false));
    assert_eq!(judged(json!({"status": {}})).unwrap().status, "Progressing");
}

#[test]
fn a_built_in_kind_without_a_status_is_judged_by_nobody() {
    let role = json!({"type": "Kubernetes::rbac.authorization.k8s.io::Role", "config": {"metadata": {}}});
    assert_eq!(judge(&role, at("2026-03-03T00:00:00Z")), None);
}

#[test]
fn a_deletion_is_stalled_after_an_hour_and_says_when() {
    let thing = json!({"type": "Kubernetes::core::Pod", "config": {"metadata": {
        "deletionTimestamp": "2026-03-03T00:00:00Z", "finalizers": ["example.com/hold"],
    }}});
    let early = terminating(&thing, at("2026-03-03T00:05:00Z")).unwrap();
    assert_eq!((early.status.as_str(), early.health), ("Terminating", Health::Unknown));
    assert_eq!(early.until, Some(at("2026-03-03T01:00:00Z")));
    let late = terminating(&thing, at("2026-03-03T01:00:00Z")).unwrap();
    assert_eq!(
        (late.status.as_str(), late.health, late.until),
        ("TerminatingStalled", Health::Warning, None)
    );
    assert_eq!(late.reason, "terminating for 1h; finalizers: example.com/hold");
}
