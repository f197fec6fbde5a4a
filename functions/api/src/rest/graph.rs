//! What is around resources: walks, paths, impact, parents, relations.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State};
use catalog::{Direction, Edge, Follow, Graph, Page, Parents, Paths, Walk};
use model::ResourceId;
use schemars::JsonSchema;
use serde::Deserialize;

use super::resources::no_such_resource;
use crate::{
    App,
    input::{Limit, Params, Reference, Whole, moment, selector},
    problem::{Kind, Problem},
};

/// How many kinds of relations are asked for at most.
const MAX_KINDS: usize = 100;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GraphParams {
    /// Which way to follow relations.
    #[serde(default)]
    direction: Direction,
    /// How many steps to go.
    #[serde(default)]
    depth: Whole<10, 2>,
    /// How many resources at most.
    #[serde(default)]
    max_nodes: Whole<5000, 200>,
    /// Which kinds of relations to follow, with commas between, such as `is contained in vpc`; all when left out.
    kinds: Option<String>,
    /// After how many milliseconds to stop with what was met.
    #[serde(default)]
    time: Whole<10000, 2000>,
    /// As it was at this instant: an RFC 3339 time, a date, or a while before now such as `24h`.
    at: Option<String>,
    /// As it was known at this instant.
    recorded_at: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetGraphParams {
    /// Which resources to start from: a selector, as for `/resources`.
    q: String,
    /// Which way to follow relations.
    #[serde(default)]
    direction: Direction,
    /// How many steps to go.
    #[serde(default)]
    depth: Whole<10, 2>,
    /// How many resources at most, those at the start included.
    #[serde(default)]
    max_nodes: Whole<5000, 200>,
    /// Which kinds of relations to follow, with commas between; all when left out.
    kinds: Option<String>,
    /// After how many milliseconds to stop with what was met.
    #[serde(default)]
    time: Whole<10000, 2000>,
    /// As it was at this instant: an RFC 3339 time, a date, or a while before now such as `24h`.
    at: Option<String>,
    /// As it was known at this instant.
    recorded_at: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DependencyParams {
    /// How many steps to go.
    #[serde(default)]
    depth: Whole<10, 5>,
    /// How many resources at most.
    #[serde(default)]
    max_nodes: Whole<5000, 200>,
    /// Which kinds of relations to follow, with commas between; all that say who depends on whom when left out.
    kinds: Option<String>,
    /// After how many milliseconds to stop with what was met.
    #[serde(default)]
    time: Whole<10000, 2000>,
    /// As it was at this instant: an RFC 3339 time, a date, or a while before now such as `24h`.
    at: Option<String>,
    /// As it was known at this instant.
    recorded_at: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PathsParams {
    /// Where the paths end: an id, an alias, `type/native id` or `type/name`.
    to: String,
    /// Which way to follow relations.
    #[serde(default)]
    direction: Direction,
    /// How many steps a path has at most.
    #[serde(default)]
    depth: Whole<20, 10>,
    /// How many paths at most.
    #[serde(default)]
    limit: Whole<100, 10>,
    /// Which kinds of relations to follow, with commas between; all when left out.
    kinds: Option<String>,
    /// After how many milliseconds to stop.
    #[serde(default)]
    time: Whole<10000, 2000>,
    /// As it was at this instant: an RFC 3339 time, a date, or a while before now such as `24h`.
    at: Option<String>,
    /// As it was known at this instant.
    recorded_at: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MomentParams {
    /// As it was at this instant: an RFC 3339 time, a date, or a while before now such as `24h`.
    at: Option<String>,
    /// As it was known at this instant.
    recorded_at: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EdgesParams {
    /// As it was at this instant: an RFC 3339 time, a date, or a while before now such as `24h`.
    at: Option<String>,
    /// As it was known at this instant.
    recorded_at: Option<String>,
    /// How many items.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Kinds of relations with commas between. What no relation is called meets nothing.
pub(super) fn kinds(words: Option<&str>) -> Result<Vec<String>, Problem> {
    let Some(words) = words else { return Ok(Vec::new()) };
    let kinds: Vec<String> = words.split(',').map(|kind| kind.trim().to_owned()).collect();
    let fine = |kind: &String| !kind.is_empty() && kind.len() <= 200 && !kind.contains('\0');
    if kinds.len() > MAX_KINDS || !kinds.iter().all(fine) {
        let detail = format!(
            "kinds: give 1 to {MAX_KINDS} kinds of relations with commas between, none of them empty"
        );
        return Err(Problem::new(Kind::BadParameter, detail));
    }
    Ok(kinds)
}

impl App {
    async fn around(&self, reference: &str, walk: &Walk) -> Result<Json<Graph>, Problem> {
        let id = self.resolve(reference).await?;
        let graph = self.context.catalog.graph(id, walk).await?;
        graph.map(Json).ok_or_else(|| no_such_resource(reference))
    }

    fn dependency(&self, direction: Direction, params: DependencyParams) -> Result<Walk, Problem> {
        let DependencyParams { depth, max_nodes, kinds: words, time, at, recorded_at } = params;
        Ok(Walk {
            direction,
            depth: depth.0.into(),
            max_nodes: max_nodes.0.into(),
            kinds: kinds(words.as_deref())?,
            follow: Follow::Dependency,
            as_of: moment(at.as_deref(), recorded_at.as_deref(), self.context.clock.now())?,
            time: Duration::from_millis(time.0.into()),
        })
    }
}

pub(crate) async fn graph(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(params): Params<GraphParams>,
) -> Result<Json<Graph>, Problem> {
    let GraphParams { direction, depth, max_nodes, kinds: words, time, at, recorded_at } = params;
    let walk = Walk {
        direction,
        depth: depth.0.into(),
        max_nodes: max_nodes.0.into(),
        kinds: kinds(words.as_deref())?,
        follow: Follow::Stated,
        as_of: moment(at.as_deref(), recorded_at.as_deref(), app.context.clock.now())?,
        time: Duration::from_millis(time.0.into()),
    };
    app.around(&reference, &walk).await
}

pub(crate) async fn of_set(
    State(app): State<Arc<App>>,
    Params(params): Params<SetGraphParams>,
) -> Result<Json<Graph>, Problem> {
    let SetGraphParams { q, direction, depth, max_nodes, kinds: words, time, at, recorded_at } = params;
    let walk = Walk {
        direction,
        depth: depth.0.into(),
        max_nodes: max_nodes.0.into(),
        kinds: kinds(words.as_deref())?,
        follow: Follow::Stated,
        as_of: moment(at.as_deref(), recorded_at.as_deref(), app.context.clock.now())?,
        time: Duration::from_millis(time.0.into()),
    };
    Ok(Json(app.context.catalog.graph_of(&selector(Some(&q))?, &walk).await?))
}

pub(crate) async fn impact(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(params): Params<DependencyParams>,
) -> Result<Json<Graph>, Problem> {
    let walk = app.dependency(Direction::In, params)?;
    app.around(&reference, &walk).await
}

pub(crate) async fn dependencies(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(params): Params<DependencyParams>,
) -> Result<Json<Graph>, Problem> {
    let walk = app.dependency(Direction::Out, params)?;
    app.around(&reference, &walk).await
}

pub(crate) async fn paths(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(params): Params<PathsParams>,
) -> Result<Json<Paths>, Problem> {
    let PathsParams { to, direction, depth, limit, kinds: words, time, at, recorded_at } = params;
    let walk = Walk {
        direction,
        depth: depth.0.into(),
        max_nodes: u32::MAX,
        kinds: kinds(words.as_deref())?,
        follow: Follow::Stated,
        as_of: moment(at.as_deref(), recorded_at.as_deref(), app.context.clock.now())?,
        time: Duration::from_millis(time.0.into()),
    };
    let ends: [ResourceId; 2] = [app.resolve(&reference).await?, app.resolve(&to).await?];
    let found = app.context.catalog.paths(ends[0], ends[1], &walk, limit.0.into()).await?;
    found.map(Json).ok_or_else(|| no_such_resource(&to))
}

pub(crate) async fn parents(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(MomentParams { at, recorded_at }): Params<MomentParams>,
) -> Result<Json<Parents>, Problem> {
    let as_of = moment(at.as_deref(), recorded_at.as_deref(), app.context.clock.now())?;
    let id = app.resolve(&reference).await?;
    let found = app.context.catalog.parents(id, as_of).await?;
    found.map(Json).ok_or_else(|| no_such_resource(&reference))
}

pub(crate) async fn edges(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(params): Params<EdgesParams>,
) -> Result<Json<Page<Edge>>, Problem> {
    let EdgesParams { at, recorded_at, limit, cursor } = params;
    let as_of = moment(at.as_deref(), recorded_at.as_deref(), app.context.clock.now())?;
    let id = app.resolve(&reference).await?;
    Ok(Json(app.context.catalog.edges(id, as_of, limit.0, cursor.as_deref()).await?))
}
