//! The same questions answered in memory, from the meaning of the columns alone.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Timestamp,
    relation::{CONTAINMENT, DEPENDENCY, Turn, turn},
};
use uuid::Uuid;

use crate::{AsOf, Direction, Follow, Graph, Walk, tests_support::minute};

/// A small generator (xorshift*), so that a failing case is told by its seed.
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    pub(super) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let place = self.below(of.len() as u64);
        &of[usize::try_from(place).expect("small")]
    }

    fn minute(&mut self) -> Timestamp {
        minute(i64::try_from(self.below(100)).expect("small"))
    }
}

/// A row of `edges_open` or, where it is closed, of `edges_closed`.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) from: Uuid,
    pub(super) to: Uuid,
    pub(super) kind: String,
    pub(super) source: String,
    pub(super) since: Timestamp,
    pub(super) learned: Timestamp,
    pub(super) closed: Option<Closed>,
}

#[derive(Debug, Clone)]
pub(super) struct Closed {
    pub(super) to: Timestamp,
    pub(super) learned: Timestamp,
    pub(super) superseded: Option<Timestamp>,
    pub(super) open_ended: bool,
}

impl Relation {
    fn holds(&self, AsOf { at, recorded_at }: AsOf) -> bool {
        let begun = at.is_none_or(|at| self.since <= at);
        let Some(known) = recorded_at else {
            // As it is known now: what was superseded is not, and what ended did.
            return begun
                && self
                    .closed
                    .as_ref()
                    .is_none_or(|closed| closed.superseded.is_none() && at.is_some_and(|at| closed.to > at));
        };
        let believed = self.learned <= known
            && self.closed.as_ref().is_none_or(|closed| closed.superseded.is_none_or(|end| end > known));
        let end = self.closed.as_ref().and_then(|closed| {
            let unknown = closed.learned > known || (closed.superseded.is_some() && closed.open_ended);
            (!unknown).then_some(closed.to)
        });
        begun && believed && end.is_none_or(|end| at.is_some_and(|at| end > at))
    }
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) nodes: Vec<Uuid>,
    pub(super) relations: Vec<Relation>,
}

const KINDS: &[&str] =
    &["is contained in vpc", "contains subnet", "is related to", "uses", "is attached to instance"];

impl World {
    pub(super) fn random(dice: &mut Dice) -> Self {
        let size = 2 + dice.below(14);
        let nodes: Vec<Uuid> = (0..size)
            .map(|_| Uuid::from_u64_pair(dice.below(u64::MAX >> 33) << 20 | dice.below(1 << 20), dice.0))
            .collect();
        let count = dice.below(size * 4);
        let mut relations: Vec<Relation> = Vec::new();
        let mut open = BTreeSet::new();
        for _ in 0..count {
            let (from, to) = (*dice.one(&nodes), *dice.one(&nodes));
            let kind = (*dice.one(KINDS)).to_owned();
            let source = (*dice.one(&["config", "native"])).to_owned();
            let since = dice.minute();
            let closed = (dice.below(3) == 0).then(|| Closed {
                to: since + chrono::Duration::minutes(1 + i64::try_from(dice.below(60)).expect("small")),
                learned: dice.minute(),
                superseded: (dice.below(3) == 0).then(|| dice.minute()),
                open_ended: dice.below(2) == 0,
            });
            if closed.is_none() && !open.insert((from, to, kind.clone(), source.clone())) {
                continue;
            }
            relations.push(Relation { from, to, kind, source, since, learned: dice.minute(), closed });
        }
        Self { nodes, relations }
    }

    pub(super) fn question(&self, dice: &mut Dice) -> Walk {
        let kinds = match dice.below(3) {
            0 => vec![(*dice.one(KINDS)).to_owned(), (*dice.one(KINDS)).to_owned()],
            _ => vec![],
        };
        let mut moment = || (dice.below(2) == 0).then(|| dice.minute());
        let as_of = AsOf { at: moment(), recorded_at: moment() };
        Walk {
            direction: *dice.one(&[Direction::Out, Direction::In, Direction::Both]),
            depth: u32::try_from(dice.below(6)).expect("small"),
            max_nodes: u32::try_from(1 + dice.below(self.nodes.len() as u64 * 2)).expect("small"),
            kinds,
            follow: *dice.one(&[Follow::Stated, Follow::Stated, Follow::Dependency, Follow::Containment]),
            as_of,
            ..Walk::default()
        }
    }

    /// Where one step leads.
    fn steps(&self, from: Uuid, walk: &Walk) -> BTreeSet<Uuid> {
        let mut steps = BTreeSet::new();
        for relation in self.relations.iter().filter(|relation| relation.holds(walk.as_of)) {
            if !walk.kinds.is_empty() && !walk.kinds.contains(&relation.kind) {
                continue;
            }
            let turn = match walk.follow {
                Follow::Stated => Turn::Forward,
                Follow::Dependency => turn(DEPENDENCY, &relation.kind),
                Follow::Containment => turn(CONTAINMENT, &relation.kind),
            };
            let (start, end) = match turn {
                Turn::Forward => (relation.from, relation.to),
                Turn::Backward => (relation.to, relation.from),
                Turn::Neither => continue,
            };
            if walk.direction != Direction::In && start == from {
                steps.insert(end);
            }
            if walk.direction != Direction::Out && end == from {
                steps.insert(start);
            }
        }
        steps
    }

    /// Every resource in reach, with its distance, in order.
    pub(super) fn walk(&self, start: Uuid, walk: &Walk) -> Vec<(u32, Uuid)> {
        let mut met = BTreeMap::from([(start, 0)]);
        for distance in 1..=walk.depth {
            let last: Vec<Uuid> =
                met.iter().filter(|(_, at)| **at == distance - 1).map(|(id, _)| *id).collect();
            for next in last.into_iter().flat_map(|id| self.steps(id, walk)) {
                met.entry(next).or_insert(distance);
            }
        }
        let mut met: Vec<(u32, Uuid)> = met.into_iter().map(|(id, distance)| (distance, id)).collect();
        met.sort_unstable();
        met
    }

    /// The relations among what a walk met: of every kind that was asked for, whichever way the walk went.
    pub(super) fn among(
        &self,
        graph: &Graph,
        walk: &Walk,
    ) -> BTreeSet<(Uuid, Uuid, String, String, Timestamp)> {
        let met: BTreeSet<Uuid> = graph.nodes.iter().map(|node| node.resource.id.into()).collect();
        let among = self.relations.iter().filter(|relation| {
            relation.holds(walk.as_of)
                && met.contains(&relation.from)
                && met.contains(&relation.to)
                && (walk.kinds.is_empty() || walk.kinds.contains(&relation.kind))
        });
        among.map(|r| (r.from, r.to, r.kind.clone(), r.source.clone(), r.since)).collect()
    }

    /// Every shortest path, by trying all.
    pub(super) fn paths(&self, start: Uuid, goal: Uuid, walk: &Walk) -> BTreeSet<Vec<Uuid>> {
        let mut paths = vec![vec![start]];
        for _ in 0..=walk.depth {
            let arrived: BTreeSet<Vec<Uuid>> =
                paths.iter().filter(|path| path.last() == Some(&goal)).cloned().collect();
            if !arrived.is_empty() {
                return arrived;
            }
            paths = paths
                .into_iter()
                .flat_map(|path| {
                    let next = self.steps(path[path.len() - 1], walk);
                    next.into_iter()
                        .filter(|id| !path.contains(id))
                        .map(|id| [path.clone(), vec![id]].concat())
                        .collect::<Vec<_>>()
                })
                .collect();
        }
        BTreeSet::new()
    }
}
