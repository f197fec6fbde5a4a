//! Resources, and what is known around one.

use std::sync::Arc;

use axum::{Json, extract::State};
use catalog::{Finding, FindingQuery, Page, Resource, ResourceDetail, ResourceQuery};
use model::ResourceId;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    App,
    history::{self, HistoryItem},
    input::{Limit, NoParams, Params, Reference, selector},
    problem::{Kind, Problem},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourcesParams {
    /// A selector over `id`, `type`, `account`, `region`, `name`, `native_id`, `provider`, `evidence` and `tags.KEY`;
    /// free words match names and native ids.
    q: Option<String>,
    /// Also those that were proven gone.
    #[serde(default)]
    include_deleted: bool,
    /// How many items.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Where in a list to read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageParams {
    /// How many items.
    #[serde(default)]
    pub(super) limit: Limit,
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceFindingsParams {
    /// A selector, as for `/findings`.
    q: Option<String>,
    /// How many items.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

impl App {
    /// The resource that a caller's words name.
    pub(crate) async fn resolve(&self, reference: &str) -> Result<ResourceId, Problem> {
        self.context.catalog.resolve(reference).await?.ok_or_else(|| no_such_resource(reference))
    }
}

pub(crate) fn no_such_resource(reference: &str) -> Problem {
    let shown: String = reference.chars().take(200).collect();
    let detail = format!(
        "No resource is called `{shown}`. Give its id, its ARN or another alias, `type/native id` or `type/name`, \
         percent-encoded; GET /api/v1/resources?q=... searches."
    );
    Problem::new(Kind::NotFound, detail)
}

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Params(params): Params<ResourcesParams>,
) -> Result<Json<Page<Resource>>, Problem> {
    let ResourcesParams { q, include_deleted, limit, cursor } = params;
    let query = ResourceQuery { selector: selector(q.as_deref())?, include_deleted, limit: limit.0, cursor };
    Ok(Json(app.context.catalog.resources(&query).await?))
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Json<ResourceDetail>, Problem> {
    let id = app.resolve(&reference).await?;
    let found = app.context.catalog.resource(id).await?;
    found.map(Json).ok_or_else(|| no_such_resource(&reference))
}

pub(crate) async fn history(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(PageParams { limit, cursor }): Params<PageParams>,
) -> Result<Json<Page<HistoryItem>>, Problem> {
    let id = app.resolve(&reference).await?;
    Ok(Json(history::history(&app.context.catalog, id, limit.0, cursor.as_deref()).await?))
}

pub(crate) async fn findings(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(params): Params<ResourceFindingsParams>,
) -> Result<Json<Page<Finding>>, Problem> {
    let ResourceFindingsParams { q, limit, cursor } = params;
    let selector = selector(q.as_deref())?;
    let resource = Some(app.resolve(&reference).await?);
    let query = FindingQuery { selector, resource, limit: limit.0, cursor };
    Ok(Json(app.context.catalog.findings(&query).await?))
}
