//! What a resource lies in: account, network, cluster, namespace, application.

use std::time::Duration;

use model::ResourceId;
use sqlx::PgPool;
use uuid::Uuid;

use super::{meet, nodes, placed};
use crate::{AsOf, Direction, Error, Follow, GraphNode, Parents, Walk, resources};

/// How far up a resource's parents are looked for, and how many.
const DEPTH: u32 = 8;
const MOST: u32 = 200;
const TIME: Duration = Duration::from_secs(1);

/// The tags that say of which application something is, the plainest first.
const APPLICATION_TAGS: &[&str] = &[
    "app",
    "application",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/name",
    "argocd.argoproj.io/instance",
    "aws:cloudformation:stack-name",
];

/// What a parent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Network,
    Cluster,
    Namespace,
    Application,
    Other,
}

fn sort_of(kind: &str) -> Sort {
    match kind {
        "AWS::EC2::VPC" => Sort::Network,
        "AWS::CloudFormation::Stack"
        | "AWS::ServiceCatalogAppRegistry::Application"
        | "Kubernetes::argoproj.io::Application"
        | "Kubernetes::app.k8s.io::Application"
        | "Kubernetes::helm.toolkit.fluxcd.io::HelmRelease"
        | "Kubernetes::kustomize.toolkit.fluxcd.io::Kustomization" => Sort::Application,
        "Kubernetes::core::Namespace" => Sort::Namespace,
        _ if kind.ends_with("::Cluster") || kind.ends_with("::DBCluster") => Sort::Cluster,
        _ => Sort::Other,
    }
}

pub(crate) async fn of(pool: &PgPool, id: ResourceId, as_of: AsOf) -> Result<Option<Parents>, Error> {
    let walk = Walk {
        direction: Direction::Out,
        depth: DEPTH,
        max_nodes: MOST,
        follow: Follow::Containment,
        as_of,
        time: TIME,
        ..Walk::default()
    };
    let met = meet(pool, &[id.into()], &walk).await?;
    let all = placed(nodes::by_ids(pool, &met.ids, as_of).await?, &met);
    let (own, all): (Vec<_>, Vec<_>) = all.into_iter().partition(|node| node.distance == 0);
    let Some(own) = own.into_iter().next() else {
        // It is there, but was not yet at that instant.
        return Ok(resources::by_ids(pool, &[Uuid::from(id)]).await?.remove(&Uuid::from(id)).map(|r| {
            Parents {
                account: r.account,
                region: r.region,
                vpcs: vec![],
                clusters: vec![],
                namespaces: vec![],
                applications: vec![],
                application_tag: None,
                all: vec![],
                truncated: false,
            }
        }));
    };
    let of_sort = |sort: Sort| -> Vec<GraphNode> {
        all.iter().filter(|node| sort_of(&node.resource.kind) == sort).cloned().collect()
    };
    let tagged = APPLICATION_TAGS.iter().find_map(|tag| own.resource.tags.get(*tag)).cloned();
    Ok(Some(Parents {
        vpcs: of_sort(Sort::Network),
        clusters: of_sort(Sort::Cluster),
        namespaces: of_sort(Sort::Namespace),
        applications: of_sort(Sort::Application),
        application_tag: tagged,
        account: own.resource.account,
        region: own.resource.region,
        truncated: met.truncated_by.is_some(),
        all,
    }))
}
