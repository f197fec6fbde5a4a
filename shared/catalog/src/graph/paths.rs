//! The shortest ways from one resource to another.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    ResourceId,
    relation::{CONTAINMENT, DEPENDENCY, Turn, turn},
};
use sqlx::PgPool;
use uuid::Uuid;

use super::{MAX_READS, Met, Way, bound, edges, nodes, placed};
use crate::{Bound, Direction, Edge, Error, Follow, GraphPath, Paths, Walk, resources};

/// How many steps a path has at most.
const MAX_STEPS: u32 = 20;
/// How many paths are told at most.
const MAX_PATHS: usize = 100;
/// Among how many resources all paths are looked for; among more, one path for each place where the searches met.
const MAX_AMONG: usize = 2000;
/// How many relations are read among them.
const MAX_EDGES: usize = 100_000;

/// What the searches from both ends met: resources, and the place of what each was reached from (0 for the end).
#[derive(Debug)]
struct Searched {
    there: Side,
    back: Side,
    meeting: Vec<Uuid>,
    truncated_by: Option<Bound>,
}

#[derive(Debug)]
struct Side {
    ids: Vec<Uuid>,
    from: Vec<i32>,
}

impl Side {
    /// What led to a resource, from itself to the end.
    fn trail(&self, id: Uuid) -> Vec<Uuid> {
        let mut trail = Vec::new();
        let mut at = self.ids.iter().position(|known| *known == id);
        while let Some(place) = at {
            trail.extend(self.ids.get(place));
            let from = self.from.get(place).and_then(|from| usize::try_from(*from).ok()).unwrap_or(0);
            at = from.checked_sub(1);
        }
        trail
    }
}

pub(crate) async fn between(
    pool: &PgPool,
    from: ResourceId,
    to: ResourceId,
    walk: &Walk,
    limit: usize,
) -> Result<Option<Paths>, Error> {
    let (from, to) = (Uuid::from(from), Uuid::from(to));
    if nodes_missing(pool, from, to).await? {
        return Ok(None);
    }
    let searched = search(pool, from, to, walk).await?;
    let mut truncated_by = searched.truncated_by;
    let trails: Vec<Vec<Uuid>> = searched.meeting.iter().map(|met| joined(&searched, *met)).collect();
    let Some(steps) = trails.first().map(|trail| trail.len().saturating_sub(1)) else {
        return Ok(Some(Paths {
            paths: vec![],
            nodes: vec![],
            truncated: truncated_by.is_some(),
            truncated_by,
        }));
    };
    let (near, complete) = near(&searched, &trails);
    let (found, all) = edges::among(pool, &near, &walk.kinds, walk.as_of, MAX_EDGES).await?;
    if !(complete && all) {
        truncated_by = truncated_by.or(Some(Bound::Edges));
    }
    let limit = limit.clamp(1, MAX_PATHS);
    let mut ways = shortest(from, to, steps, &Steps::of(found, walk), limit + 1);
    if ways.len() > limit {
        ways.truncate(limit);
        truncated_by = truncated_by.or(Some(Bound::Nodes));
    }
    let mut met = Met::default();
    let on: BTreeMap<Uuid, i32> = ways
        .iter()
        .flat_map(|way| way.nodes.iter().zip(0..).map(|(id, distance)| (Uuid::from(*id), distance)))
        .collect();
    (met.ids, met.distances) = on.into_iter().unzip();
    let nodes = placed(nodes::by_ids(pool, &met.ids, walk.as_of).await?, &met);
    Ok(Some(Paths { paths: ways, nodes, truncated: truncated_by.is_some(), truncated_by }))
}

async fn nodes_missing(pool: &PgPool, from: Uuid, to: Uuid) -> Result<bool, Error> {
    let mut wanted = vec![from, to];
    wanted.dedup();
    Ok(resources::by_ids(pool, &wanted).await?.len() < wanted.len())
}

async fn search(pool: &PgPool, from: Uuid, to: Uuid, walk: &Walk) -> Result<Searched, Error> {
    let way = Way::of(walk, MAX_STEPS);
    let found = sqlx::query!(
        r#"select there as "there!", there_from as "there_from!", back as "back!", back_from as "back_from!",
                  meeting as "meeting!", truncated
           from perigee.paths($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"#,
        from,
        to,
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
    Ok(Searched {
        there: Side { ids: found.there, from: found.there_from },
        back: Side { ids: found.back, from: found.back_from },
        meeting: found.meeting,
        truncated_by: bound(found.truncated.as_deref()),
    })
}

/// The path through a place where the searches met.
fn joined(searched: &Searched, met: Uuid) -> Vec<Uuid> {
    let mut trail = searched.there.trail(met);
    trail.reverse();
    trail.extend(searched.back.trail(met).into_iter().skip(1));
    trail
}

/// Among which resources paths are looked for, and whether these are all on which one may be.
fn near(searched: &Searched, trails: &[Vec<Uuid>]) -> (Vec<Uuid>, bool) {
    let (there, back) = (&searched.there.ids, &searched.back.ids);
    let all: BTreeSet<Uuid> = there.iter().chain(back).copied().collect();
    if all.len() <= MAX_AMONG {
        return (all.into_iter().collect(), true);
    }
    let some: BTreeSet<Uuid> = trails.iter().take(MAX_PATHS).flatten().copied().collect();
    (some.into_iter().collect(), false)
}

/// The relations by the step that they make.
#[derive(Debug, Default)]
struct Steps(BTreeMap<Uuid, BTreeMap<Uuid, Vec<Edge>>>);

impl Steps {
    fn of(edges: Vec<Edge>, walk: &Walk) -> Self {
        let mut steps = Self::default();
        for edge in edges {
            let turn = match walk.follow {
                Follow::Stated => Turn::Forward,
                Follow::Dependency => turn(DEPENDENCY, &edge.kind),
                Follow::Containment => turn(CONTAINMENT, &edge.kind),
            };
            let (along, against) = match (walk.direction, turn) {
                (_, Turn::Neither) => continue,
                (Direction::Both, _) => (true, true),
                (Direction::Out, Turn::Forward) | (Direction::In, Turn::Backward) => (true, false),
                (Direction::Out, Turn::Backward) | (Direction::In, Turn::Forward) => (false, true),
            };
            let (start, end) = (Uuid::from(edge.from_id), Uuid::from(edge.to_id));
            if along {
                steps.add(start, end, edge.clone());
            }
            if against && start != end {
                steps.add(end, start, edge);
            }
        }
        steps
    }

    fn add(&mut self, from: Uuid, to: Uuid, edge: Edge) {
        self.0.entry(from).or_default().entry(to).or_default().push(edge);
    }

    fn from(&self, id: Uuid) -> impl Iterator<Item = (&Uuid, &Vec<Edge>)> {
        self.0.get(&id).into_iter().flatten()
    }
}

/// The paths of so many steps, in the order of the ids on them, at most `limit`.
fn shortest(from: Uuid, to: Uuid, steps: usize, relations: &Steps, limit: usize) -> Vec<GraphPath> {
    let mut levels = vec![BTreeSet::from([from])];
    for _ in 0..steps {
        let last = levels.last().into_iter().flatten();
        let next: BTreeSet<Uuid> = last.flat_map(|id| relations.from(*id).map(|(to, _)| *to)).collect();
        levels.push(next);
    }
    // From the end back, so that only what leads there is left: the rest is then followed without a dead end.
    let mut wanted: BTreeSet<Uuid> = levels.pop().into_iter().flatten().filter(|id| *id == to).collect();
    for level in levels.iter_mut().rev() {
        level.retain(|id| relations.from(*id).any(|(to, _)| wanted.contains(to)));
        wanted.clone_from(level);
    }
    levels.push(BTreeSet::from([to]));
    let mut trails = vec![vec![from]];
    for level in levels.iter().skip(1) {
        let longer = trails.iter().flat_map(|trail| {
            let last = trail.last().copied().unwrap_or(from);
            relations.from(last).filter(|(to, _)| level.contains(to)).map(|(to, _)| {
                let mut longer = trail.clone();
                longer.push(*to);
                longer
            })
        });
        trails = longer.take(limit).collect();
    }
    trails.retain(|trail| trail.last() == Some(&to));
    trails.into_iter().map(|trail| told(&trail, relations)).collect()
}

fn told(trail: &[Uuid], relations: &Steps) -> GraphPath {
    let pairs = trail.iter().zip(trail.iter().skip(1));
    let edges = pairs.flat_map(|(from, to)| relations.from(*from).filter(move |(end, _)| *end == to));
    GraphPath {
        nodes: trail.iter().map(|id| ResourceId(*id)).collect(),
        edges: edges.flat_map(|(_, edges)| edges.iter().cloned()).collect(),
    }
}
