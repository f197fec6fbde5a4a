//! Walks over relations: around a resource or a set of them, between two, and up to what one lies in.
//!
//! A walk is one statement, whatever its depth; the rows of what it met are another, the relations among that a third.

pub(crate) mod edges;
mod nodes;
pub(crate) mod parents;
pub(crate) mod paths;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use model::{
    ResourceId, Timestamp,
    relation::{CONTAINMENT, DEPENDENCY, Turn},
};
use selector::Selector;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{AsOf, Bound, Direction, Error, Follow, Graph, GraphNode, Resource, Walk, resources};

/// How far a walk goes at most.
const MAX_DEPTH: u32 = 10;
/// How many resources a walk meets at most.
const MAX_NODES: u32 = 5000;
/// From how many resources a walk starts at most.
const MAX_STARTS: usize = 10_000;
/// How many relations a walk answers with at most.
const MAX_EDGES: usize = 20_000;
/// How many relations a walk reads at most.
const MAX_READS: i32 = 200_000;
/// How long a walk goes on at most.
const MAX_TIME: Duration = Duration::from_secs(10);

/// A walk in the words of the database's functions.
#[derive(Debug)]
struct Way {
    direction: &'static str,
    depth: i32,
    max_nodes: i32,
    kinds: Option<Vec<String>>,
    prefixes: Option<Vec<String>>,
    turns: Option<Vec<i16>>,
    at: Option<Timestamp>,
    known: Option<Timestamp>,
    milliseconds: i32,
}

impl Way {
    fn of(walk: &Walk, max_depth: u32) -> Self {
        let table: Option<&[(&str, Turn)]> = match walk.follow {
            Follow::Stated => None,
            Follow::Dependency => Some(DEPENDENCY),
            Follow::Containment => Some(CONTAINMENT),
        };
        Self {
            direction: match walk.direction {
                Direction::Out => "out",
                Direction::In => "in",
                Direction::Both => "both",
            },
            depth: whole(walk.depth.min(max_depth)),
            max_nodes: whole(walk.max_nodes.clamp(1, MAX_NODES)),
            kinds: (!walk.kinds.is_empty()).then(|| walk.kinds.clone()),
            prefixes: table.map(|table| table.iter().map(|(prefix, _)| (*prefix).to_owned()).collect()),
            turns: table.map(|table| table.iter().map(|(_, turn)| turn.sign()).collect()),
            at: walk.as_of.at,
            known: walk.as_of.recorded_at,
            milliseconds: i32::try_from(walk.time.min(MAX_TIME).as_millis()).unwrap_or(i32::MAX),
        }
    }
}

fn whole(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn bound(word: Option<&str>) -> Option<Bound> {
    match word? {
        "nodes" => Some(Bound::Nodes),
        "edges" => Some(Bound::Edges),
        _ => Some(Bound::Time),
    }
}

/// What a walk met, and how many steps away it is.
#[derive(Debug, Default)]
struct Met {
    ids: Vec<Uuid>,
    distances: Vec<i32>,
    truncated_by: Option<Bound>,
}

/// Walks, and answers with ids, the nearest first.
async fn meet(pool: &PgPool, starts: &[Uuid], walk: &Walk) -> Result<Met, Error> {
    meet_by(pool, starts, &Way::of(walk, MAX_DEPTH)).await
}

/// How many resources a walk meets, without a look at any of them.
pub(crate) async fn count_met(pool: &PgPool, from: ResourceId, walk: &Walk) -> Result<usize, Error> {
    Ok(meet(pool, &[from.into()], walk).await?.ids.len())
}

async fn meet_by(pool: &PgPool, starts: &[Uuid], way: &Way) -> Result<Met, Error> {
    let met = sqlx::query!(
        r#"select ids as "ids!", distances as "distances!", truncated
           from perigee.walk($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"#,
        starts,
        way.direction,
        way.depth,
        way.max_nodes,
        way.kinds.as_deref() as Option<&[String]>,
        way.prefixes.as_deref() as Option<&[String]>,
        way.turns.as_deref() as Option<&[i16]>,
        way.at,
        way.known,
        MAX_READS,
        way.milliseconds,
    )
    .fetch_one(pool)
    .await
    .map_err(Error::reading("the graph"))?;
    Ok(Met { ids: met.ids, distances: met.distances, truncated_by: bound(met.truncated.as_deref()) })
}

pub(crate) async fn around(pool: &PgPool, id: ResourceId, walk: &Walk) -> Result<Option<Graph>, Error> {
    let graph = from(pool, &[id.into()], walk).await?;
    if graph.nodes.is_empty() && !resources::exists(pool, id).await? {
        return Ok(None);
    }
    Ok(Some(graph))
}

pub(crate) async fn around_set(pool: &PgPool, selector: &Selector, walk: &Walk) -> Result<Graph, Error> {
    let most = usize::try_from(walk.max_nodes.clamp(1, MAX_NODES)).unwrap_or(usize::MAX);
    let starts = resources::ids_of(pool, selector, walk.as_of, false, most).await?;
    from(pool, &starts, walk).await
}

/// What a selector describes, with what was deleted, and everything that a walk from there meets. All of it or nothing.
pub(crate) async fn reached(pool: &PgPool, selector: &Selector, walk: &Walk) -> Result<Vec<Uuid>, Error> {
    let starts = resources::ids_of(pool, selector, walk.as_of, true, MAX_STARTS).await?;
    let starts_count = i32::try_from(starts.len()).unwrap_or(i32::MAX);
    let way = Way { max_nodes: starts_count.saturating_add(whole(MAX_NODES)), ..Way::of(walk, MAX_DEPTH) };
    if way.depth == 0 {
        return Ok(starts);
    }
    let met = meet_by(pool, &starts, &way).await?;
    match met.truncated_by {
        None => Ok(met.ids),
        Some(_) => Err(Error::TooMany { most: MAX_STARTS }),
    }
}

async fn from(pool: &PgPool, starts: &[Uuid], walk: &Walk) -> Result<Graph, Error> {
    let met = meet(pool, starts, walk).await?;
    let (found, (edges, all)) = tokio::try_join!(
        nodes::by_ids(pool, &met.ids, walk.as_of),
        edges::among(pool, &met.ids, &walk.kinds, walk.as_of, MAX_EDGES),
    )?;
    let nodes = placed(found, &met);
    // What was not there yet at that instant, and what is related to it, is not told.
    let edges = if nodes.is_empty() { Vec::new() } else { edges };
    let truncated_by = met.truncated_by.or((!all).then_some(Bound::Edges));
    Ok(Graph { nodes, edges, truncated: truncated_by.is_some(), truncated_by })
}

/// Resources with their distances: the nearest first, then by type, name and id.
fn placed(found: BTreeMap<Uuid, Resource>, met: &Met) -> Vec<GraphNode> {
    let distances: BTreeMap<Uuid, i32> = met.ids.iter().copied().zip(met.distances.iter().copied()).collect();
    let distance = |id: Uuid| distances.get(&id).copied().unwrap_or_default().unsigned_abs();
    let mut nodes: Vec<GraphNode> =
        found.into_iter().map(|(id, resource)| GraphNode { resource, distance: distance(id) }).collect();
    sort(&mut nodes);
    nodes
}

fn sort(nodes: &mut [GraphNode]) {
    fn key(node: &GraphNode) -> (u32, &str, &str, ResourceId) {
        (node.distance, &node.resource.kind, &node.resource.name, node.resource.id)
    }
    nodes.sort_by(|a, b| key(a).cmp(&key(b)));
}

/// The whole of the present, as it is known now.
fn is_now(as_of: AsOf) -> bool {
    as_of == AsOf::default()
}
