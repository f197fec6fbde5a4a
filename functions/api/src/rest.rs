//! The REST API: one table of routes, from which the OpenAPI document is made.

mod changes;
mod deliveries;
mod diff;
mod events;
mod graph;
mod health;
mod lists;
mod manifests;
mod resources;
mod runs;
mod scrapers;
mod system;
mod upkeep;

pub(crate) use changes::ChangeFilter;
pub(crate) use health::no_such_check;
pub(crate) use resources::no_such_resource;

use std::sync::Arc;

use aide::{
    axum::{
        ApiRouter,
        routing::{get_with, post_with},
    },
    openapi::{OpenApi, SecurityScheme},
    transform::{TransformOpenApi, TransformOperation},
};
use axum::Router;
use serde_json::Value;

use crate::{App, VERSION};

/// The routes, and the document that describes them.
pub(crate) fn router() -> (Router<Arc<App>>, Value) {
    aide::generate::extract_schemas(true);
    aide::generate::strip_query_null_types(true);
    let mut document = OpenApi::default();
    let router = routes().finish_api_with(&mut document, describe);
    // The context is the thread's; another router of this thread must start afresh.
    aide::generate::reset_context();
    (router, serde_json::to_value(document).unwrap_or_default())
}

fn describe(api: TransformOpenApi<'_>) -> TransformOpenApi<'_> {
    let bearer = SecurityScheme::Http {
        scheme: "bearer".to_owned(),
        bearer_format: None,
        description: Some("Needed when the server was started with a token.".to_owned()),
        extensions: Default::default(),
    };
    api.title("Perigee")
        .version(VERSION)
        .description(
            "What exists, what changed, who did it, how well it is and what was done about it. Lists are in a stable order; `next` is \
             the `cursor` of the following page. Errors are RFC 9457 problem details.",
        )
        .security_scheme("token", bearer)
}

fn routes() -> ApiRouter<Arc<App>> {
    let events = "Take events: one JSON document or NDJSON, gzipped or not, up to 4 MB";
    ApiRouter::new()
        .api_route("/api/v1/events", post_with(events::post, say("postEvents", events)))
        .merge(of_resources())
        .merge(of_relations())
        .merge(of_health())
        .merge(of_lists())
        .merge(deliveries::routes())
        .merge(manifests::routes())
        .merge(runs::routes())
        .merge(scrapers::routes())
        .merge(upkeep::routes())
        .merge(of_the_server())
}

fn of_resources() -> ApiRouter<Arc<App>> {
    let list = say("listResources", "List resources");
    let facets = say("getFacets", "How many resources there are by type, account, region and health");
    let explain = say("explain", "Why a resource is described by a selector, or is not");
    let show = say("getResource", "One resource with its documents, now or as it was");
    let history = say("getHistory", "The versions of a resource, latest first, each with what it changed");
    let diff = say("getResourceDiff", "What differs of a resource between two instants");
    let diff_of_account = say("listDiff", "The resources of an account that differ between two instants");
    let changes = say("listResourceChanges", "The changes that touched a resource, newest first");
    let findings = say("listResourceFindings", "The findings about a resource");
    ApiRouter::new()
        .api_route("/api/v1/resources", get_with(resources::list, list))
        .api_route("/api/v1/facets", get_with(resources::facets, facets))
        .api_route("/api/v1/resources/{reference}/explain", get_with(resources::explain, explain))
        .api_route("/api/v1/resources/{reference}", get_with(resources::show, show))
        .api_route("/api/v1/resources/{reference}/history", get_with(resources::history, history))
        .api_route("/api/v1/resources/{reference}/diff", get_with(diff::of_resource, diff))
        .api_route("/api/v1/diff", get_with(diff::of_account, diff_of_account))
        .api_route("/api/v1/resources/{reference}/changes", get_with(changes::of_resource, changes))
        .api_route("/api/v1/resources/{reference}/findings", get_with(resources::findings, findings))
}

fn of_relations() -> ApiRouter<Arc<App>> {
    let graph = say("getGraph", "What is around a resource, breadth first");
    let of_set =
        say("getGraphOfSet", "What is around all resources that a selector describes, breadth first");
    let paths = say("getPaths", "The shortest paths from a resource to another");
    let impact = say("getImpact", "What depends on a resource");
    let dependencies = say("getDependencies", "What a resource depends on");
    let parents = say("getParents", "What a resource lies in: network, cluster, namespace, application");
    let edges = say("listEdges", "The relations of a resource, both ways");
    ApiRouter::new()
        .api_route("/api/v1/graph", get_with(graph::of_set, of_set))
        .api_route("/api/v1/resources/{reference}/graph", get_with(graph::graph, graph))
        .api_route("/api/v1/resources/{reference}/paths", get_with(graph::paths, paths))
        .api_route("/api/v1/resources/{reference}/impact", get_with(graph::impact, impact))
        .api_route("/api/v1/resources/{reference}/dependencies", get_with(graph::dependencies, dependencies))
        .api_route("/api/v1/resources/{reference}/parents", get_with(graph::parents, parents))
        .api_route("/api/v1/resources/{reference}/edges", get_with(graph::edges, edges))
}

fn of_health() -> ApiRouter<Arc<App>> {
    let summary = say("getHealthSummary", "The worst of many: by account, cluster, namespace or type");
    let list = say("listHealth", "How well resources are, the worst first");
    let of_resource = say("getResourceHealth", "How well a resource is, and how that changed");
    let checks_of_resource = say("listResourceChecks", "The checks of a resource");
    let runs_of_resource = say("listResourceRuns", "The runs on a resource, newest first");
    let checks = say("listChecks", "List checks by name");
    let check = say("getCheck", "One check with its results, latest first");
    ApiRouter::new()
        .api_route("/api/v1/health", get_with(health::list, list))
        .api_route("/api/v1/health/summary", get_with(health::summary, summary))
        .api_route("/api/v1/resources/{reference}/health", get_with(health::of_resource, of_resource))
        .api_route(
            "/api/v1/resources/{reference}/checks",
            get_with(health::checks_of_resource, checks_of_resource),
        )
        .api_route("/api/v1/resources/{reference}/runs", get_with(health::runs_of_resource, runs_of_resource))
        .api_route("/api/v1/checks", get_with(health::checks, checks))
        .api_route("/api/v1/checks/{name}", get_with(health::check, check))
}

fn of_lists() -> ApiRouter<Arc<App>> {
    let changes = say("listChanges", "List changes, newest first");
    let findings = say("listFindings", "List findings, latest statement first");
    let rejected = say("listRejected", "List input that could not be taken, latest first");
    let sources = say("listSources", "Coverage and freshness of every source");
    let counts = say("listCounts", "How many resources there are, by account, region and type");
    ApiRouter::new()
        .api_route("/api/v1/changes", get_with(changes::list, changes))
        .api_route("/api/v1/findings", get_with(lists::findings, findings))
        .api_route("/api/v1/rejected", get_with(lists::rejected, rejected))
        .api_route("/api/v1/sources", get_with(lists::sources, sources))
        .api_route("/api/v1/counts", get_with(lists::counts, counts))
}

fn of_the_server() -> ApiRouter<Arc<App>> {
    let digest = say("getDigest", "A hash of the catalog's meaning");
    let reset = say("reset", "Remove everything that was recorded (local servers only)");
    let openapi = system::say_text("getOpenApi", "This document", "application/json");
    let healthz = |id| say(id, "Whether the server and its database answer");
    let metrics = |id| system::say_text(id, "Metrics in the text format of Prometheus", "text/plain");
    ApiRouter::new()
        .api_route("/api/v1/digest", get_with(system::digest, digest))
        .api_route("/api/v1/reset", post_with(system::reset, reset))
        .api_route("/api/v1/openapi.json", get_with(system::openapi, openapi))
        .api_route("/api/v1/healthz", get_with(system::healthz, healthz("getHealth")))
        .api_route("/healthz", get_with(system::healthz, healthz("getHealthAtRoot")))
        .api_route("/api/v1/metrics", get_with(system::metrics, metrics("getMetrics")))
        .api_route("/metrics", get_with(system::metrics, metrics("getMetricsAtRoot")))
}

/// Names an operation and says what it does.
fn say(
    id: &'static str,
    summary: &'static str,
) -> impl FnOnce(TransformOperation<'_>) -> TransformOperation<'_> {
    move |operation| operation.id(id).summary(summary)
}
