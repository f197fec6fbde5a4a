//! Edges of a resource, and the walk around it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use model::ResourceId;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    Direction, Edge, Error, Graph, GraphNode, Page, Walk,
    cursor::{self, limit_and_one},
    resources,
};

/// How far a walk goes at most.
const MAX_DEPTH: u32 = 10;
/// How many resources a walk meets at most.
const MAX_NODES: u32 = 5000;
/// How many relations a walk answers with at most.
const MAX_EDGES: i64 = 20_000;

#[derive(Debug)]
struct Row {
    from_id: Uuid,
    to_id: Uuid,
    kind: String,
    source: String,
    valid_from: DateTime<Utc>,
}

impl From<Row> for Edge {
    fn from(row: Row) -> Self {
        Self {
            from_id: row.from_id.into(),
            to_id: row.to_id.into(),
            kind: row.kind,
            source: row.source,
            from: row.valid_from,
            to: None,
        }
    }
}

pub(crate) async fn edges(
    pool: &PgPool,
    id: ResourceId,
    limit: u16,
    cursor: Option<&str>,
) -> Result<Page<Edge>, Error> {
    let [from, kind, to, source] = match cursor {
        None => [Uuid::nil().to_string(), String::new(), Uuid::nil().to_string(), String::new()],
        Some(cursor) => cursor::read::<4>(cursor)?,
    };
    let from: Uuid = from.parse().map_err(|_| Error::BadCursor)?;
    let to: Uuid = to.parse().map_err(|_| Error::BadCursor)?;
    let rows = sqlx::query_as!(
        Row,
        r#"select e.from_id as "from_id!", e.to_id as "to_id!", e.kind as "kind!", e.source as "source!",
                  e.valid_from as "valid_from!"
           from (
               select from_id, to_id, kind, source, valid_from from perigee.edges_open where from_id = $1
               union
               select from_id, to_id, kind, source, valid_from from perigee.edges_open where to_id = $1
           ) e
           where (e.from_id, e.kind, e.to_id, e.source) > ($2, $3, $4, $5)
           order by e.from_id, e.kind, e.to_id, e.source limit $6"#,
        Uuid::from(id),
        from,
        kind,
        to,
        source,
        limit_and_one(limit),
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("edges"))?;
    Ok(cursor::page(rows.into_iter().map(Edge::from).collect(), limit, |edge: &Edge| {
        cursor::write(&[&edge.from_id.to_string(), &edge.kind, &edge.to_id.to_string(), &edge.source])
    }))
}

pub(crate) async fn walk(pool: &PgPool, id: ResourceId, walk: Walk) -> Result<Option<Graph>, Error> {
    let direction = match walk.direction {
        Direction::Out => "out",
        Direction::In => "in",
        Direction::Both => "both",
    };
    let depth = i32::try_from(walk.depth.min(MAX_DEPTH)).unwrap_or(1);
    let max_nodes = walk.max_nodes.clamp(1, MAX_NODES);
    let reached = sqlx::query!(
        r#"select id as "id!", distance as "distance!" from perigee.walk($1, $2, $3, $4) order by distance, id"#,
        &[Uuid::from(id)],
        direction,
        depth,
        i32::try_from(max_nodes).unwrap_or(1),
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("the graph"))?;
    let mut truncated = reached.len() > max_nodes as usize;
    let distances: BTreeMap<Uuid, i32> =
        reached.iter().take(max_nodes as usize).map(|row| (row.id, row.distance)).collect();
    let ids: Vec<Uuid> = distances.keys().copied().collect();
    let found = resources::by_ids(pool, &ids).await?;
    if !found.contains_key(&Uuid::from(id)) {
        return Ok(None);
    }
    let mut nodes: Vec<GraphNode> = found
        .into_iter()
        .map(|(id, resource)| GraphNode {
            resource,
            distance: distances.get(&id).copied().unwrap_or_default().unsigned_abs(),
        })
        .collect();
    nodes.sort_by(|a, b| {
        let key = |node: &GraphNode| {
            (node.distance, node.resource.kind.clone(), node.resource.name.clone(), node.resource.id)
        };
        key(a).cmp(&key(b))
    });
    let rows = sqlx::query_as!(
        Row,
        r#"select from_id, to_id, kind, source, valid_from from perigee.edges_open
           where from_id = any($1) and to_id = any($1)
           order by from_id, kind, to_id, source limit $2"#,
        &ids,
        MAX_EDGES + 1,
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("edges"))?;
    let mut edges: Vec<Edge> = rows.into_iter().map(Edge::from).collect();
    let most = usize::try_from(MAX_EDGES).unwrap_or(usize::MAX);
    truncated |= edges.len() > most;
    edges.truncate(most);
    Ok(Some(Graph { nodes, edges, truncated }))
}
