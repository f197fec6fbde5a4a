//! How well resources are, and the probes that ask.

use std::sync::Arc;

use axum::{Json, extract::State};
use catalog::{
    Page,
    checks::{Check, CheckResult},
    health::{HealthBy, HealthChange, HealthGroup, HealthQuery, ResourceHealth},
    runs::{Run, RunQuery},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::resources::PageParams;
use crate::{
    App,
    input::{Limit, Name, NoParams, Params, Reference, moment, selector},
    problem::{Kind, Problem},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SummaryParams {
    /// What resources are put together by.
    #[serde(default)]
    by: HealthBy,
    /// As it was at this instant: an RFC 3339 time, a date, or a while before now such as `24h`.
    at: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HealthParams {
    /// A selector over `health`, `status`, `rule`, `ready`, `since`, `id`, `type`, `account`, `region`, `namespace`,
    /// `name` and `tags.KEY`; free words match the name, the status and the reason.
    q: Option<String>,
    /// As it was at this instant: an RFC 3339 time, a date, or a while before now such as `24h`.
    at: Option<String>,
    /// How many items.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceHealthParams {
    /// As it was at this instant: an RFC 3339 time, a date, or a while before now such as `24h`.
    at: Option<String>,
    /// How many transitions.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceRunsParams {
    /// A selector, as for `/runs`.
    q: Option<String>,
    /// How many items.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// How well a resource is, and how that changed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HealthDetail {
    /// How well it is; absent where no rule judges it.
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<ResourceHealth>,
    /// Its transitions, latest first.
    #[serde(flatten)]
    transitions: Page<HealthChange>,
}

/// A probe, and how its runs went.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CheckDetail {
    /// The probe.
    #[serde(flatten)]
    check: Check,
    /// Its results, latest first.
    results: Page<CheckResult>,
}

/// The worst group first. There are few groups, so all of them.
pub(crate) async fn summary(
    State(app): State<Arc<App>>,
    Params(SummaryParams { by, at }): Params<SummaryParams>,
) -> Result<Json<Page<HealthGroup>>, Problem> {
    let at = moment(at.as_deref(), None, app.context.clock.now())?.at;
    Ok(Json(Page { items: app.context.catalog.health_summary_at(by, at).await?, next: None }))
}

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Params(HealthParams { q, at, limit, cursor }): Params<HealthParams>,
) -> Result<Json<Page<ResourceHealth>>, Problem> {
    let at = moment(at.as_deref(), None, app.context.clock.now())?.at;
    let query = HealthQuery { selector: selector(q.as_deref())?, at, limit: limit.0, cursor };
    Ok(Json(app.context.catalog.health_list(&query).await?))
}

pub(crate) async fn of_resource(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(ResourceHealthParams { at, limit, cursor }): Params<ResourceHealthParams>,
) -> Result<Json<HealthDetail>, Problem> {
    let as_of = moment(at.as_deref(), None, app.context.clock.now())?;
    let id = app.resolve_as_of(&reference, as_of).await?;
    let catalog = &app.context.catalog;
    let health = match as_of.at {
        Some(at) => catalog.health_at(id, at).await?,
        None => catalog.health_of(id).await?,
    };
    let transitions = catalog.transitions_by(id, as_of.at, limit.0, cursor.as_deref()).await?;
    Ok(Json(HealthDetail { health, transitions }))
}

/// All of them: a resource has few.
pub(crate) async fn checks_of_resource(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Json<Page<Check>>, Problem> {
    let id = app.resolve(&reference).await?;
    let items = app.context.catalog.checks_of(id, app.context.clock.now()).await?;
    Ok(Json(Page { items, next: None }))
}

pub(crate) async fn runs_of_resource(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(ResourceRunsParams { q, limit, cursor }): Params<ResourceRunsParams>,
) -> Result<Json<Page<Run>>, Problem> {
    let selector = selector(q.as_deref())?;
    let resource = Some(app.resolve(&reference).await?);
    Ok(Json(app.context.catalog.runs(&RunQuery { selector, resource, limit: limit.0, cursor }).await?))
}

pub(crate) async fn checks(
    State(app): State<Arc<App>>,
    Params(PageParams { limit, cursor }): Params<PageParams>,
) -> Result<Json<Page<Check>>, Problem> {
    let now = app.context.clock.now();
    Ok(Json(app.context.catalog.checks(now, limit.0, cursor.as_deref()).await?))
}

pub(crate) async fn check(
    State(app): State<Arc<App>>,
    Name { name }: Name,
    Params(PageParams { limit, cursor }): Params<PageParams>,
) -> Result<Json<CheckDetail>, Problem> {
    let catalog = &app.context.catalog;
    let check = catalog.check_of_name(&name, app.context.clock.now()).await?;
    let check = check.ok_or_else(|| no_such_check(&name))?;
    let results = catalog.check_results(check.id, limit.0, cursor.as_deref()).await?;
    Ok(Json(CheckDetail { check, results }))
}

pub(crate) fn no_such_check(name: &str) -> Problem {
    let shown: String = name.chars().take(200).collect();
    let detail = format!("No check is called `{shown}`; GET /api/v1/checks lists them.");
    Problem::new(Kind::NotFound, detail)
}
