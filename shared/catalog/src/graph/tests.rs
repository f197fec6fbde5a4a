//! Walks, on a real database.

mod oracle;

use std::{collections::BTreeSet, time::Duration};

use model::{ResourceId, Timestamp};
use uuid::Uuid;

use self::oracle::{Dice, Relation, World};
use crate::{
    AsOf, Bound, Catalog, Direction, Error, Follow, Graph, Walk,
    tests_support::{catalog, minute},
};

/// How many random graphs are walked, and how often each.
const WORLDS: u64 = 60;
const QUESTIONS: u64 = 25;

/// A resource's row.
pub(super) struct Node<'a> {
    pub(super) id: Uuid,
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
}

async fn put(catalog: &Catalog, nodes: &[Node<'_>], relations: &[Relation]) {
    let mut ids = Vec::new();
    let mut kinds = Vec::new();
    let mut names = Vec::new();
    for node in nodes {
        ids.push(node.id);
        kinds.push(node.kind.to_owned());
        names.push(node.name.to_owned());
    }
    sqlx::query(
        "insert into perigee.resources (id, provider, partition, account, region, type, native_id, evidence, name, tags,
                                        since, recorded_at, named_at, shown_from, shown_recorded_at, words)
         select id, 'aws', 'aws', '111122223333', 'eu-west-1', kind, name, 2, name, '{\"app\": \"shop\"}', $4, $4, $4,
                $4, $4, '' from unnest($1::uuid[], $2::text[], $3::text[]) n (id, kind, name)",
    )
    .bind(&ids)
    .bind(&kinds)
    .bind(&names)
    .bind(minute(0))
    .execute(&catalog.pool)
    .await
    .expect("resources");
    for relation in relations {
        let (table, columns, places) = match relation.closed {
            None => ("edges_open", "", ""),
            Some(_) => (
                "edges_closed",
                ", valid_to, end_recorded_at, superseded_at, open_ended",
                ", $7, $8, $9, $10",
            ),
        };
        let sql = format!(
            "insert into perigee.{table} (from_id, to_id, kind, source, valid_from, recorded_at{columns})
             values ($1, $2, $3, $4, $5, $6{places})"
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(relation.from)
            .bind(relation.to)
            .bind(&relation.kind)
            .bind(&relation.source)
            .bind(relation.since)
            .bind(relation.learned);
        if let Some(closed) = &relation.closed {
            query =
                query.bind(closed.to).bind(closed.learned).bind(closed.superseded).bind(closed.open_ended);
        }
        query.execute(&catalog.pool).await.expect("a relation");
    }
}

fn plain(from: Uuid, kind: &str, to: Uuid) -> Relation {
    Relation {
        from,
        to,
        kind: kind.to_owned(),
        source: "config".to_owned(),
        since: minute(0),
        learned: minute(0),
        closed: None,
    }
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn distances(graph: &Graph) -> Vec<(u32, Uuid)> {
    let mut met: Vec<_> =
        graph.nodes.iter().map(|node| (node.distance, Uuid::from(node.resource.id))).collect();
    met.sort_unstable();
    met
}

#[tokio::test]
async fn a_walk_meets_what_walking_in_memory_meets() {
    let (_db, catalog) = catalog().await;
    let (mut compared, mut cut, mut found_paths) = (0, 0, 0);
    for seed in 0..WORLDS {
        let mut dice = Dice::new(seed);
        let world = World::random(&mut dice);
        let names: Vec<String> = world.nodes.iter().map(ToString::to_string).collect();
        let nodes: Vec<Node<'_>> =
            world.nodes.iter().zip(&names).map(|(id, name)| Node { id: *id, kind: "T", name }).collect();
        put(&catalog, &nodes, &world.relations).await;
        for _ in 0..QUESTIONS {
            let walk = world.question(&mut dice);
            let (start, goal) = (*dice.one(&world.nodes), *dice.one(&world.nodes));
            let context = format!("world {seed}, from {start} to {goal}, {walk:?}");
            let graph = catalog.graph(ResourceId(start), &walk).await.expect("a graph").expect("a start");
            let expected = world.walk(start, &walk);
            let met = distances(&graph);
            let most = walk.max_nodes as usize;
            if expected.len() <= most {
                assert_eq!((met, graph.truncated_by), (expected, None), "{context}");
                assert_eq!(told(&graph), world.among(&graph, &walk), "{context}");
            } else {
                cut += 1;
                assert_eq!((met.len(), graph.truncated_by), (most, Some(Bound::Nodes)), "{context}");
                let last = met.last().map_or(0, |(distance, _)| *distance);
                let nearer = |all: &[(u32, Uuid)]| -> Vec<(u32, Uuid)> {
                    all.iter().copied().filter(|(distance, _)| *distance < last).collect()
                };
                assert_eq!(nearer(&met), nearer(&expected), "{context}");
                assert!(met.iter().all(|one| expected.contains(one)), "{context}");
            }
            compared += 1;
            let walk = Walk { max_nodes: 5000, ..walk };
            let paths = catalog.paths(ResourceId(start), ResourceId(goal), &walk, 100).await;
            let paths = paths.expect("paths").expect("both ends");
            let told: BTreeSet<Vec<Uuid>> = paths
                .paths
                .iter()
                .map(|path| path.nodes.iter().map(|id| Uuid::from(*id)).collect())
                .collect();
            assert_eq!(told, world.paths(start, goal, &walk), "{context}");
            assert!(!paths.truncated, "{context}");
            found_paths += told.len();
        }
    }
    println!("{compared} walks compared, {cut} of them cut; {found_paths} paths found");
    assert!(cut > 50 && found_paths > 300, "{cut} {found_paths}");
}

fn told(graph: &Graph) -> BTreeSet<(Uuid, Uuid, String, String, Timestamp)> {
    let edges = graph.edges.iter();
    edges.map(|e| (e.from_id.into(), e.to_id.into(), e.kind.clone(), e.source.clone(), e.from)).collect()
}

#[tokio::test]
async fn a_set_is_walked_as_one() {
    let (_db, catalog) = catalog().await;
    let nodes: Vec<Node<'_>> =
        (1..=6).map(|n| Node { id: id(n), kind: if n < 3 { "Start" } else { "Other" }, name: "n" }).collect();
    let relations = [plain(id(1), "uses", id(3)), plain(id(2), "uses", id(4)), plain(id(4), "uses", id(5))];
    put(&catalog, &nodes, &relations).await;
    let selector = selector::parse("type=Start").expect("a selector");
    let walk = Walk { direction: Direction::Out, ..Walk::default() };
    let graph = catalog.graph_of(&selector, &walk).await.expect("a graph");
    assert_eq!(distances(&graph), [(0, id(1)), (0, id(2)), (1, id(3)), (1, id(4)), (2, id(5))]);
    let narrow = Walk { max_nodes: 1, ..walk };
    let refused = catalog.graph_of(&selector, &narrow).await.expect_err("two starts do not fit");
    assert!(matches!(refused, Error::TooMany { most: 1 }), "{refused}");
}

#[tokio::test]
async fn circles_and_what_points_at_itself_end() {
    let (_db, catalog) = catalog().await;
    let nodes: Vec<Node<'_>> = (1..=3).map(|n| Node { id: id(n), kind: "T", name: "n" }).collect();
    let uses = |from, to| plain(id(from), "uses", id(to));
    put(&catalog, &nodes, &[uses(1, 1), uses(1, 2), uses(2, 3), uses(3, 1), uses(2, 1)]).await;
    let walk = Walk { depth: u32::MAX, max_nodes: u32::MAX, time: Duration::MAX, ..Walk::default() };
    let graph = catalog.graph(ResourceId(id(1)), &walk).await.expect("a graph").expect("a start");
    assert_eq!(distances(&graph), [(0, id(1)), (1, id(2)), (1, id(3))]);
    assert_eq!((graph.edges.len(), graph.truncated), (5, false));
    let listed = catalog.edges(ResourceId(id(1)), AsOf::default(), 10, None).await.expect("edges");
    assert_eq!(listed.items.len(), 4, "its own is told once");
    let nobody = catalog.graph(ResourceId(id(9)), &walk).await.expect("an answer");
    assert!(nobody.is_none());
    let still = catalog.paths(ResourceId(id(1)), ResourceId(id(1)), &walk, 5).await.expect("paths");
    assert_eq!(still.expect("it is there").paths[0].nodes, [ResourceId(id(1))]);
}

#[tokio::test]
async fn a_dense_hub_is_cut_without_being_read() {
    let (_db, catalog) = catalog().await;
    put(&catalog, &[Node { id: id(1), kind: "T", name: "hub" }], &[]).await;
    sqlx::raw_sql(
        "insert into perigee.edges_open (from_id, source, kind, to_id, valid_from, recorded_at)
         select '00000000-0000-0000-0000-000000000001', 'config', 'contains', md5(n::text)::uuid, now(), now()
         from generate_series(1, 60000) n;
         insert into perigee.resources (id, provider, partition, account, region, type, native_id, evidence, name, tags,
                                        since, recorded_at, named_at, shown_from, shown_recorded_at, words)
         select md5(n::text)::uuid, 'aws', 'aws', 'a', 'r', 'T', n::text, 2, n::text, '{}', now(), now(), now(), now(),
                now(), '' from generate_series(1, 3000) n",
    )
    .execute(&catalog.pool)
    .await
    .expect("a hub");
    let hub = vec![id(1)];
    let read: i32 = sqlx::query_scalar(
        "select read from perigee.step($1, $1, 'out', null, null, null, null, null, 50, 200000, 1)",
    )
    .bind(&hub)
    .fetch_one(&catalog.pool)
    .await
    .expect("a step");
    assert_eq!(read, 100);
    let walk = Walk { direction: Direction::Out, max_nodes: 50, ..Walk::default() };
    let graph = catalog.graph(ResourceId(id(1)), &walk).await.expect("a graph").expect("the hub");
    assert_eq!(graph.truncated_by, Some(Bound::Nodes));
    // The same from the other end, and through the hub: it is asked for the others instead of being read.
    let spoke: Uuid =
        sqlx::query_scalar("select md5('7')::uuid").fetch_one(&catalog.pool).await.expect("an id");
    let far: Uuid =
        sqlx::query_scalar("select md5('9')::uuid").fetch_one(&catalog.pool).await.expect("an id");
    let met = vec![id(1), spoke, far];
    let (edges, all) =
        super::edges::among(&catalog.pool, &met, &[], AsOf::default(), 10).await.expect("relations");
    assert_eq!((edges.len(), all), (2, true));
    let walk = Walk { max_nodes: 5000, ..Walk::default() };
    let paths =
        catalog.paths(ResourceId(spoke), ResourceId(far), &walk, 5).await.expect("paths").expect("both");
    assert_eq!(paths.paths.len(), 1);
    assert_eq!(paths.paths[0].nodes, [ResourceId(spoke), ResourceId(id(1)), ResourceId(far)]);
    assert_eq!(paths.paths[0].edges.len(), 2);
}

#[tokio::test]
async fn impact_is_what_depends_and_dependencies_are_what_is_needed() {
    let (_db, catalog) = catalog().await;
    let names = ["vpc", "subnet", "instance", "group", "volume", "stack"];
    let nodes: Vec<Node<'_>> =
        names.iter().zip(1..).map(|(name, n)| Node { id: id(n), kind: "T", name }).collect();
    let relations = [
        plain(id(2), "is contained in vpc", id(1)),
        plain(id(3), "is contained in subnet", id(2)),
        plain(id(3), "is associated with security group", id(4)),
        plain(id(4), "is associated with instance", id(3)),
        plain(id(5), "is attached to instance", id(3)),
        plain(id(6), "contains instance", id(3)),
        plain(id(6), "is related to", id(1)),
    ];
    put(&catalog, &nodes, &relations).await;
    let ask = async |start: u128, direction, follow| {
        let walk = Walk { direction, follow, depth: 9, ..Walk::default() };
        let graph = catalog.graph(ResourceId(id(start)), &walk).await.expect("a graph").expect("a start");
        graph.nodes.into_iter().skip(1).map(|node| node.resource.name).collect::<Vec<_>>()
    };
    assert_eq!(ask(1, Direction::In, Follow::Dependency).await, ["subnet", "instance"]);
    assert_eq!(ask(4, Direction::In, Follow::Dependency).await, ["instance"]);
    assert_eq!(ask(5, Direction::In, Follow::Dependency).await, ["instance"]);
    assert_eq!(ask(3, Direction::In, Follow::Dependency).await, Vec::<String>::new());
    assert_eq!(
        ask(3, Direction::Out, Follow::Dependency).await,
        ["group", "stack", "subnet", "volume", "vpc"]
    );
    assert_eq!(ask(3, Direction::Out, Follow::Containment).await, ["stack", "subnet", "vpc"]);
    assert_eq!(ask(1, Direction::In, Follow::Containment).await, ["subnet", "instance"]);
    // A path follows the same.
    let walk = Walk { direction: Direction::In, follow: Follow::Dependency, depth: 9, ..Walk::default() };
    let paths = catalog.paths(ResourceId(id(1)), ResourceId(id(3)), &walk, 5).await.expect("paths");
    assert_eq!(paths.expect("both").paths[0].nodes.len(), 3);
    let none = catalog.paths(ResourceId(id(3)), ResourceId(id(1)), &walk, 5).await.expect("paths");
    assert!(none.expect("both").paths.is_empty());
}

#[tokio::test]
async fn parents_are_sorted_by_what_they_are_also_as_they_were() {
    let (_db, catalog) = catalog().await;
    let nodes = [
        Node { id: id(1), kind: "AWS::EC2::VPC", name: "main" },
        Node { id: id(2), kind: "AWS::EC2::Subnet", name: "a" },
        Node { id: id(3), kind: "AWS::ECS::Cluster", name: "shop" },
        Node { id: id(4), kind: "AWS::ECS::Service", name: "checkout" },
        Node { id: id(5), kind: "AWS::CloudFormation::Stack", name: "stack" },
        Node { id: id(6), kind: "AWS::ECS::Cluster", name: "old" },
    ];
    let mut before = plain(id(4), "is contained in cluster", id(6));
    before.closed =
        Some(oracle::Closed { to: minute(50), learned: minute(50), superseded: None, open_ended: false });
    let mut after = plain(id(4), "is contained in cluster", id(3));
    after.since = minute(50);
    let relations = [
        before,
        after,
        plain(id(4), "is attached to subnet", id(2)),
        plain(id(2), "is contained in vpc", id(1)),
        plain(id(5), "contains service", id(4)),
    ];
    put(&catalog, &nodes, &relations).await;
    let names =
        |nodes: &[crate::GraphNode]| nodes.iter().map(|node| node.resource.name.clone()).collect::<Vec<_>>();
    let of =
        async |as_of| catalog.parents(ResourceId(id(4)), as_of).await.expect("parents").expect("it is there");
    let now = of(AsOf::default()).await;
    assert_eq!((names(&now.vpcs), names(&now.clusters)), (vec!["main".to_owned()], vec!["shop".to_owned()]));
    assert_eq!(
        (names(&now.applications), now.application_tag.as_deref()),
        (vec!["stack".to_owned()], Some("shop"))
    );
    let then = of(AsOf { at: Some(minute(30)), recorded_at: None }).await;
    assert_eq!(names(&then.clusters), ["old"]);
    let known = of(AsOf { at: None, recorded_at: Some(minute(30)) }).await;
    assert_eq!(names(&known.clusters), ["old", "shop"], "nobody knew yet that the first had ended");
    let unborn = of(AsOf { at: Some(minute(-10)), recorded_at: None }).await;
    assert!(unborn.all.is_empty() && unborn.account == "111122223333");
}

#[tokio::test]
async fn before_the_beginning_there_is_nothing_around_a_resource() {
    let (_db, catalog) = catalog().await;
    let nodes: Vec<Node<'_>> = (1..=2).map(|n| Node { id: id(n), kind: "T", name: "n" }).collect();
    put(&catalog, &nodes, &[plain(id(1), "uses", id(2))]).await;
    let walk = Walk { as_of: AsOf { at: Some(minute(-1)), recorded_at: None }, ..Walk::default() };
    let graph = catalog.graph(ResourceId(id(1)), &walk).await.expect("a graph").expect("it is there now");
    assert!(graph.nodes.is_empty() && graph.edges.is_empty() && !graph.truncated);
    let edges = catalog.edges(ResourceId(id(1)), walk.as_of, 10, None).await.expect("edges");
    assert!(edges.items.is_empty());
}

#[tokio::test]
async fn relations_at_an_instant_are_listed_in_pages() {
    let (_db, catalog) = catalog().await;
    let nodes: Vec<Node<'_>> = (1..=9).map(|n| Node { id: id(n), kind: "T", name: "n" }).collect();
    let relations: Vec<Relation> = (2..=9)
        .map(|n| {
            let mut one = plain(id(1), "uses", id(n));
            one.since = minute(i64::try_from(n).expect("small"));
            if n > 5 {
                one.closed = Some(oracle::Closed {
                    to: minute(20),
                    learned: minute(20),
                    superseded: None,
                    open_ended: false,
                });
            }
            one
        })
        .collect();
    put(&catalog, &nodes, &relations).await;
    for (at, expected) in [(None, 4), (Some(minute(30)), 4), (Some(minute(10)), 8), (Some(minute(6)), 5)] {
        let mut cursor = None;
        let mut seen = Vec::new();
        loop {
            let as_of = AsOf { at, recorded_at: None };
            let page = catalog.edges(ResourceId(id(1)), as_of, 3, cursor.as_deref()).await.expect("a page");
            seen.extend(page.items.iter().map(|edge| edge.to_id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let distinct: BTreeSet<_> = seen.iter().collect();
        assert_eq!((seen.len(), distinct.len()), (expected, expected), "{at:?}");
    }
}
