//! Whether a cluster is named here, answers, and lets itself be listed. Nothing of it is kept.

use std::sync::Arc;

use ports::{ApiKind, Cluster, ClusterError, ClusterId, Clusters, Discovery, Form, ListRequest};
use tokio::task::JoinSet;

use super::Check;

const WHAT: &str = "Kubernetes";

/// How many kinds are tried at once.
const AT_ONCE: usize = 8;

/// How many names a sentence has at most.
const NAMED: usize = 8;

/// What was found of a cluster.
#[derive(Debug)]
struct Examined {
    id: ClusterId,
    discovery: Discovery,
    /// The kinds that we may list.
    listed: usize,
    /// The kinds that we may not list.
    denied: Vec<String>,
    /// The kinds that cannot be listed for another reason, and the reason.
    failed: Vec<(String, String)>,
}

/// Looks at the cluster of the current context.
pub(super) async fn checks(clusters: &dyn Clusters) -> Vec<Check> {
    let found = match clusters.cluster(None, None).await {
        Ok(cluster) => examine(cluster).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(found) => describe(&found),
        Err(error @ ClusterError::NotConfigured(_)) => {
            vec![Check::warn(
                WHAT,
                format!("{error}; only `perigee up --kube` and Kubernetes scrapers need one"),
            )]
        }
        Err(error) => vec![Check::warn(WHAT, format!("{error}; `perigee up --kube` would list nothing"))],
    }
}

/// Asks for one object of each kind.
async fn examine(cluster: Arc<dyn Cluster>) -> Result<Examined, ClusterError> {
    let id = cluster.identity().await?;
    let discovery = cluster.kinds().await?;
    let mut found = Examined { id, discovery, listed: 0, denied: Vec::new(), failed: Vec::new() };
    let all = found.discovery.kinds.iter();
    let mut left = all.filter(|k| events::kubernetes::is_resource(&k.group, &k.kind)).cloned();
    let mut under_way = JoinSet::new();
    let ask = |tasks: &mut JoinSet<(ApiKind, Result<(), ClusterError>)>, kind: ApiKind| {
        let cluster = Arc::clone(&cluster);
        tasks.spawn(async move {
            let request = ListRequest { kind: &kind, form: Form::Whole, limit: 1, from: None };
            let asked = cluster.list(&request).await.map(drop);
            (kind, asked)
        });
    };
    left.by_ref().take(AT_ONCE).for_each(|kind| ask(&mut under_way, kind));
    while let Some(done) = under_way.join_next().await {
        if let Some(kind) = left.next() {
            ask(&mut under_way, kind);
        }
        match done {
            Ok((_, Ok(()))) => found.listed += 1,
            Ok((kind, Err(ClusterError::Denied { .. }))) => found.denied.push(kind.name()),
            Ok((kind, Err(error))) => found.failed.push((kind.name(), error.to_string())),
            Err(error) => found.failed.push(("a kind".to_owned(), error.to_string())),
        }
    }
    found.denied.sort();
    found.failed.sort();
    Ok(found)
}

fn describe(found: &Examined) -> Vec<Check> {
    let Examined { id: ClusterId { uid, name, version }, discovery, listed, denied, failed } = found;
    let message = format!(
        "{name} ({version}, {uid}) answers and {listed} of its kinds can be listed; `perigee up --kube` lists them"
    );
    let mut checks = vec![match listed {
        0 => Check::fail(
            WHAT,
            format!("{name} ({version}, {uid}) answers, but none of its kinds can be listed"),
        ),
        _ => Check::ok(WHAT, message),
    }];
    if !denied.is_empty() {
        // Who is not permitted to list Secrets is as well advised as can be.
        let only_secrets = denied.iter().all(|name| name == "Secret");
        let said = format!("not permitted: {}", some(denied));
        checks.push(match only_secrets {
            true => Check::ok("Kubernetes permissions", format!("{said}; that is as it should be")),
            false => Check::warn(
                "Kubernetes permissions",
                format!("{said}; the ClusterRole of infra/kubernetes/reader.yaml permits what is needed"),
            ),
        });
    }
    if let Some((name, reason)) = failed.first() {
        let names: Vec<String> = failed.iter().map(|(name, _)| name.clone()).collect();
        let message = format!("cannot be listed: {}; {name}: {reason}", some(&names));
        checks.push(Check::warn("Kubernetes kinds", message));
    }
    if let Some(broken) = discovery.broken.first() {
        let names: Vec<String> = discovery.broken.iter().map(|broken| broken.api.clone()).collect();
        let message = format!(
            "do not answer: {}; {}: {}; `kubectl get apiservices` says which server should",
            some(&names),
            broken.api,
            broken.reason
        );
        checks.push(Check::warn("Kubernetes APIs", message));
    }
    checks
}

/// The first names, and how many more there are.
fn some(names: &[String]) -> String {
    let shown = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use kubernetes::{Kubernetes, Limits};
    use ports::Secret;
    use testkit::{KubernetesApi, ServedKind, Trouble};

    use super::{super::State, *};

    fn kind(group: &'static str, kind: &'static str, plural: &'static str) -> ServedKind {
        ServedKind { group, versions: &["v1"], kind, plural, namespaced: true }
    }

    async fn looked_at(api: &KubernetesApi) -> Vec<(State, String)> {
        let second = std::time::Duration::from_millis(700);
        let limits = Limits { connect: second, short: second, page: second, ..Limits::default() };
        let clusters = Kubernetes::new(limits).with_kubeconfig(&Secret::new(api.kubeconfig()));
        checks(&clusters).await.into_iter().map(|check| (check.state, check.message)).collect()
    }

    #[tokio::test]
    async fn a_cluster_is_judged_by_what_it_lets_us_list() {
        let kinds = [
            kind("", "Pod", "pods"),
            kind("", "Secret", "secrets"),
            kind("apps", "Deployment", "deployments"),
            kind("metrics.k8s.io", "PodMetrics", "pods"),
        ];
        let api = KubernetesApi::start(&kinds).await;
        let found = looked_at(&api).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].0 == State::Ok && found[0].1.contains("3 of its kinds"), "{found:?}");
        api.trouble("/api/v1/secrets", Trouble::Status(403));
        let found = looked_at(&api).await;
        assert!(found[1].0 == State::Ok && found[1].1.contains("not permitted: Secret"), "{found:?}");
        api.trouble("/apis/apps/v1/deployments", Trouble::Status(403));
        let found = looked_at(&api).await;
        assert!(found[1].0 == State::Warn && found[1].1.contains("Deployment.apps, Secret"), "{found:?}");
        api.behave();
        api.stale("apps");
        api.trouble("/api/v1/pods", Trouble::Status(500));
        let found = looked_at(&api).await;
        assert!(found[1].1.contains("cannot be listed: Pod") && found[2].1.contains("apps/v1"), "{found:?}");
    }

    #[tokio::test]
    async fn a_cluster_that_does_not_answer_is_said() {
        let api = KubernetesApi::start(&[]).await;
        for (trouble, said) in
            [(Trouble::Hangs, "did not answer within"), (Trouble::Status(401), "log in again")]
        {
            api.trouble("/api/v1/namespaces/kube-system", trouble);
            let found = looked_at(&api).await;
            assert!(found[0].0 == State::Warn && found[0].1.contains(said), "{found:?}");
        }
    }
}
