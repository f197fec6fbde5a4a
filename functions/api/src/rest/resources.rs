//! Resources, and what is known around one.

use std::sync::Arc;

use axum::{Json, extract::State};
use catalog::{
    AsOf, Facets, Finding, FindingQuery, HistoryQuery, Page, Resource, ResourceDetail, ResourceQuery,
    TermResult,
};
use chrono::SecondsFormat;
use model::{ResourceId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    App,
    history::{self, Told},
    input::{Limit, Params, Reference, instant, moment, selector},
    problem::{Kind, Problem},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourcesParams {
    /// A selector, such as `type=AWS::EC2::* health!=healthy tags.env=prod (name=web-* | config.tier=front) "free words"`.
    q: Option<String>,
    /// Also those that were proven gone; the same as `include=deleted`.
    #[serde(default)]
    include_deleted: bool,
    /// What else is listed: `deleted`.
    include: Option<Include>,
    /// As it was at this instant: an RFC 3339 time, a date, or a while before now such as `24h`.
    at: Option<String>,
    /// As it was known at this instant, instead of now.
    recorded_at: Option<String>,
    /// How many items.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// What a list of resources holds besides those that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Include {
    /// Those that were proven gone.
    Deleted,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FacetsParams {
    /// A selector, as for `/resources`.
    q: Option<String>,
    /// What else is counted: `deleted`.
    include: Option<Include>,
    /// As it was at this instant: an RFC 3339 time, a date, or a while before now such as `24h`.
    at: Option<String>,
    /// As it was known at this instant, instead of now.
    recorded_at: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainParams {
    /// A selector, as for `/resources`.
    q: String,
}

/// Why a resource is described by a selector, or is not.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Explanation {
    /// Whether it is described.
    described: bool,
    /// Each term: whether it holds, and what it looked at.
    terms: Vec<TermResult>,
    /// How the database lists what the selector describes.
    plan: Vec<String>,
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

/// As of which moment to answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MomentParams {
    /// As it was at this instant: an RFC 3339 time, a date, or a while before now such as `24h`.
    at: Option<String>,
    /// As it was known at this instant, instead of now.
    recorded_at: Option<String>,
}

/// Which part of a history to list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryParams {
    /// Only what this source says.
    source: Option<String>,
    /// Only what came to be at or after this: an RFC 3339 time, a date, or a while before now such as `24h`.
    since: Option<String>,
    /// Only what came to be before this.
    until: Option<String>,
    /// Also versions that turned out to be otherwise, each with `superseded_at`.
    #[serde(default)]
    superseded: bool,
    /// Also changes of its health, each as `transition`; not with `source`.
    #[serde(default)]
    transitions: bool,
    /// Only what came to be by this instant.
    at: Option<String>,
    /// As it was known at this instant, instead of now.
    recorded_at: Option<String>,
    /// How many items.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceFindingsParams {
    /// A selector, as for `/findings`.
    q: Option<String>,
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

impl App {
    /// The resource that a caller's words name.
    pub(crate) async fn resolve(&self, reference: &str) -> Result<ResourceId, Problem> {
        self.context.catalog.resolve(reference).await?.ok_or_else(|| no_such_resource(reference))
    }

    /// The resource that a caller's words named at a moment.
    pub(crate) async fn resolve_as_of(&self, reference: &str, as_of: AsOf) -> Result<ResourceId, Problem> {
        let Some(at) = as_of.at else { return self.resolve(reference).await };
        let found = self.context.catalog.resolve_at(reference, at).await?;
        found.ok_or_else(|| no_such_resource(reference))
    }

    /// Why a resource is not shown as of a moment.
    pub(crate) async fn not_known_then(
        &self,
        reference: &str,
        id: ResourceId,
        as_of: AsOf,
    ) -> Result<Problem, Problem> {
        let Some(since) = self.context.catalog.known_since(id).await? else {
            return Ok(no_such_resource(reference));
        };
        let second = |at: Timestamp| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let shown: String = reference.chars().take(200).collect();
        let known = as_of.recorded_at.map(|at| format!(", as far as was known at {}", second(at)));
        let detail = match as_of.at {
            Some(at) if at < since => format!(
                "`{shown}` is known since {}; it was not there at {}{}.",
                second(since),
                second(at),
                known.unwrap_or_default()
            ),
            Some(at) => format!("`{shown}` was not there at {}{}.", second(at), known.unwrap_or_default()),
            None => format!("`{shown}` was not there{}.", known.unwrap_or_default()),
        };
        Ok(Problem::new(Kind::NotFound, detail))
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
    let ResourcesParams { q, include_deleted, include, at, recorded_at, limit, cursor } = params;
    let query = ResourceQuery {
        selector: selector(q.as_deref())?,
        include_deleted: include_deleted || include == Some(Include::Deleted),
        as_of: moment(at.as_deref(), recorded_at.as_deref(), app.context.clock.now())?,
        limit: limit.0,
        cursor,
    };
    Ok(Json(app.context.catalog.resources(&query).await?))
}

pub(crate) async fn facets(
    State(app): State<Arc<App>>,
    Params(params): Params<FacetsParams>,
) -> Result<Json<Facets>, Problem> {
    let FacetsParams { q, include, at, recorded_at } = params;
    let query = ResourceQuery {
        selector: selector(q.as_deref())?,
        include_deleted: include == Some(Include::Deleted),
        as_of: moment(at.as_deref(), recorded_at.as_deref(), app.context.clock.now())?,
        ..ResourceQuery::default()
    };
    Ok(Json(app.context.catalog.facets(&query).await?))
}

pub(crate) async fn explain(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(ExplainParams { q }): Params<ExplainParams>,
) -> Result<Json<Explanation>, Problem> {
    let catalog = &app.context.catalog;
    let selector = selector(Some(&q))?;
    let id = app.resolve(&reference).await?;
    let terms = catalog.explain_terms(&selector, id, app.context.clock.now()).await?;
    let terms = terms.ok_or_else(|| no_such_resource(&reference))?;
    let described = catalog.described_by(id, std::slice::from_ref(&selector)).await? == [0];
    let query = ResourceQuery { selector, limit: Limit::default().0, ..ResourceQuery::default() };
    Ok(Json(Explanation { described, terms, plan: catalog.plan(&query).await? }))
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(MomentParams { at, recorded_at }): Params<MomentParams>,
) -> Result<Json<ResourceDetail>, Problem> {
    let as_of = moment(at.as_deref(), recorded_at.as_deref(), app.context.clock.now())?;
    let id = app.resolve_as_of(&reference, as_of).await?;
    match app.context.catalog.resource_at(id, as_of).await? {
        Some(found) => Ok(Json(found)),
        None => Err(app.not_known_then(&reference, id, as_of).await?),
    }
}

pub(crate) async fn history(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(params): Params<HistoryParams>,
) -> Result<Json<Page<Told>>, Problem> {
    let HistoryParams { source, since, until, superseded, transitions, at, recorded_at, limit, cursor } =
        params;
    let now = app.context.clock.now();
    let as_of = moment(at.as_deref(), recorded_at.as_deref(), now)?;
    let query = HistoryQuery {
        resource: app.resolve_as_of(&reference, as_of).await?,
        source: source.map(|source| source.replace('\0', "\u{fffd}")),
        since: since.as_deref().map(|text| instant("since", text, now)).transpose()?,
        until: until.as_deref().map(|text| instant("until", text, now)).transpose()?,
        superseded,
        transitions,
        as_of,
        limit: limit.0,
        cursor,
    };
    Ok(Json(history::history(&app.context.catalog, &query).await?))
}

pub(crate) async fn findings(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(params): Params<ResourceFindingsParams>,
) -> Result<Json<Page<Finding>>, Problem> {
    let ResourceFindingsParams { q, at, recorded_at, limit, cursor } = params;
    let selector = selector(q.as_deref())?;
    let as_of = moment(at.as_deref(), recorded_at.as_deref(), app.context.clock.now())?;
    let resource = Some(app.resolve_as_of(&reference, as_of).await?);
    let query = FindingQuery { selector, resource, as_of, limit: limit.0, cursor };
    Ok(Json(app.context.catalog.findings(&query).await?))
}
