//! Lists over the whole catalog.

use std::sync::Arc;

use axum::{Json, extract::State};
use catalog::{Count, Finding, FindingQuery, Page, Rejected, SourceStatus, shards::Coverage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::resources::PageParams;
use crate::{
    App,
    input::{Limit, NoParams, Params, moment, selector},
    problem::Problem,
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FindingsParams {
    /// A selector over `product`, `kind`, `severity`, `status`, `account` and `region`; free words match the title.
    q: Option<String>,
    /// Only those about this resource: an id, an alias, `type/native id` or `type/name`.
    resource: Option<String>,
    /// As they were stated at this instant: an RFC 3339 time, a date, or a while before now such as `24h`.
    at: Option<String>,
    /// As it was known at this instant, instead of now.
    recorded_at: Option<String>,
    /// How many items.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

pub(crate) async fn findings(
    State(app): State<Arc<App>>,
    Params(params): Params<FindingsParams>,
) -> Result<Json<Page<Finding>>, Problem> {
    let FindingsParams { q, resource, at, recorded_at, limit, cursor } = params;
    let selector = selector(q.as_deref())?;
    let as_of = moment(at.as_deref(), recorded_at.as_deref(), app.context.clock.now())?;
    let resource = match &resource {
        Some(reference) => Some(app.resolve_as_of(reference, as_of).await?),
        None => None,
    };
    let query = FindingQuery { selector, resource, as_of, limit: limit.0, cursor };
    Ok(Json(app.context.catalog.findings(&query).await?))
}

pub(crate) async fn rejected(
    State(app): State<Arc<App>>,
    Params(PageParams { limit, cursor }): Params<PageParams>,
) -> Result<Json<Page<Rejected>>, Problem> {
    Ok(Json(app.context.catalog.rejected(limit.0, cursor.as_deref()).await?))
}

/// What the catalog hears from, and what it looks at.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Sources {
    /// What was heard from each source, and how fresh it is.
    items: Vec<SourceStatus>,
    /// What is listed, and what of it is complete.
    coverage: Coverage,
}

/// All of them: there are few.
pub(crate) async fn sources(
    State(app): State<Arc<App>>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Json<Sources>, Problem> {
    let items = app.context.catalog.sources().await?;
    let coverage = app.context.catalog.coverage(app.context.clock.now()).await?;
    Ok(Json(Sources { items, coverage }))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CountsParams {
    /// As many as there were at this instant: an RFC 3339 time, a date, or a while before now such as `24h`.
    at: Option<String>,
}

/// All of them: one for each type in each account and region.
pub(crate) async fn counts(
    State(app): State<Arc<App>>,
    Params(CountsParams { at }): Params<CountsParams>,
) -> Result<Json<Page<Count>>, Problem> {
    let catalog = &app.context.catalog;
    let items = match moment(at.as_deref(), None, app.context.clock.now())?.at {
        Some(at) => catalog.counts_at(at).await?,
        None => catalog.counts().await?,
    };
    Ok(Json(Page { items, next: None }))
}
