//! Changes of sets, and repeats, on a real database, beside the same in memory.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Actor, ActorKind, Category, Change, ChangeId, ChangeResource, Completeness, Document, Observation,
    ObservationKey, Rank, Relation, ResourceFact, ResourceKey, Role, Severity, Sighting, Source,
};
use serde_json::json;

use crate::{
    Catalog, ChangeGroup, ChangeQuery, Direction, Error, ResourceSet, Walk,
    tests_support::{catalog, minute, now},
};

/// Resources in a row: each uses the next.
const RESOURCES: u32 = 12;
const CHANGES: u32 = 240;

fn key(n: u32) -> ResourceKey {
    ResourceKey {
        provider: "aws".to_owned(),
        partition: "aws".to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        kind: "AWS::EC2::Instance".to_owned(),
        native_id: format!("i-{n:02}"),
    }
}

fn observation(what: &serde_json::Value) -> Observation {
    Observation {
        key: ObservationKey::of(what),
        source: Source::new("config", Rank::Config),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        occurred_at: minute(0),
        resources: vec![],
        changes: vec![],
        findings: vec![],
        completeness: Completeness::OnlyThese,
    }
}

fn resource(n: u32) -> Observation {
    let uses = (n + 1 < RESOURCES).then(|| Relation { kind: "uses".to_owned(), to: key(n + 1) });
    let document = Document {
        name: Some(format!("web-{n}")),
        config: json!({}),
        relations: uses.into_iter().collect(),
        ..Document::default()
    };
    let fact = ResourceFact {
        key: key(n),
        aliases: vec![],
        state_id: 0,
        sighting: Sighting::Documented(Box::new(document)),
    };
    Observation { resources: vec![fact], ..observation(&json!(["resource", n])) }
}

/// Change `n`: three kinds by two actors on one resource, every fifth beside another; several at each instant.
fn change(n: u32) -> Observation {
    let mut told = observation(&json!(["change", n]));
    told.occurred_at = minute(i64::from(n / 3));
    let mut resources = vec![ChangeResource { key: key(n * 7 % RESOURCES), role: Role::Target }];
    if n.is_multiple_of(5) {
        resources.push(ChangeResource { key: key(n * 5 % RESOURCES), role: Role::Related });
    }
    let actor = Actor {
        kind: ActorKind::User,
        name: ["dana", "omar"][n as usize / 4 % 2].to_owned(),
        session: None,
        via: None,
        arn: None,
        account: None,
    };
    told.changes = vec![Change {
        id: ChangeId::of(&told.key, 0),
        occurred_at: told.occurred_at,
        account: told.account.clone(),
        region: told.region.clone(),
        source: "cloudtrail".to_owned(),
        kind: ["Start", "Stop", "Tag"][n as usize % 3].to_owned(),
        category: Category::Update,
        severity: if n.is_multiple_of(8) { Severity::High } else { Severity::Info },
        read_only: false,
        summary: format!("{} is told", n % 4),
        actor: Some(actor),
        source_address: None,
        user_agent: None,
        error_code: n.is_multiple_of(11).then(|| "Denied".to_owned()),
        error_message: None,
        event_id: None,
        session_id: None,
        details: json!({"n": n % 2}),
        resources,
        mentions: vec![],
    }];
    told
}

async fn filled() -> (testkit::TestDb, Catalog, Vec<Change>) {
    let (db, catalog) = catalog().await;
    let mut all: Vec<Observation> = (0..RESOURCES).map(resource).collect();
    all.extend((0..CHANGES).map(change));
    catalog.record(&all, now()).await.expect("recorded");
    // Twice is once.
    catalog.record(&all[20..90], now()).await.expect("recorded again");
    let mut changes: Vec<Change> = all.into_iter().flat_map(|told| told.changes).collect();
    changes.sort_by_key(|change| std::cmp::Reverse((change.occurred_at, change.id)));
    (db, catalog, changes)
}

fn touches(change: &Change, set: &[u32]) -> bool {
    change.resources.iter().any(|resource| set.iter().any(|n| key(*n) == resource.key))
}

fn set(selector: &str, direction: Direction, depth: u32) -> ResourceSet {
    let walk = Walk { direction, depth, ..Walk::default() };
    ResourceSet { selector: selector::parse(selector).expect("a selector"), walk }
}

/// Every page, in order.
async fn pages(catalog: &Catalog, query: &ChangeQuery, limit: u16) -> Vec<ChangeId> {
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = catalog.changes(&ChangeQuery { limit, cursor, ..query.clone() }).await.expect("a page");
        assert!(page.items.len() <= usize::from(limit));
        seen.extend(page.items.iter().map(|change| change.id));
        cursor = page.next;
        if cursor.is_none() {
            return seen;
        }
    }
}

/// What else happened, after all of that: so much that a set is not found among the newest.
async fn bury(catalog: &Catalog) {
    sqlx::raw_sql(
        "insert into perigee.change_resources (resource_id, occurred_at, change_id)
         select md5('other' || n)::uuid, timestamptz '2026-03-02' + n * interval '1 second', md5(n::text)::uuid
         from generate_series(1, 40000) n",
    )
    .execute(&catalog.pool)
    .await
    .expect("other changes");
}

#[tokio::test]
async fn changes_of_a_set_and_what_is_around_it_are_all_there_once_in_pages_of_any_size() {
    let (_db, catalog, changes) = filled().await;
    let cases = [
        ("name=web-3", Direction::Out, 0, vec![3]),
        ("name=web-3", Direction::Out, 2, vec![3, 4, 5]),
        ("name=web-3,web-9", Direction::In, 1, vec![2, 3, 8, 9]),
        ("name=web-0", Direction::Both, 10, (0..=10).collect()),
        ("name=nobody", Direction::Both, 3, vec![]),
    ];
    let mut compared = 0;
    for buried in [false, true] {
        if buried {
            bury(&catalog).await;
        }
        for (selector, direction, depth, members) in &cases {
            for (q, since, until) in [
                ("", None, None),
                ("severity=high", None, None),
                ("kind=Stop actor=dana", None, Some(minute(60))),
                ("", Some(minute(10)), Some(minute(30))),
            ] {
                let query = ChangeQuery {
                    selector: selector::parse(q).expect("a selector"),
                    of: Some(set(selector, *direction, *depth)),
                    since,
                    until,
                    ..ChangeQuery::default()
                };
                let expected: Vec<ChangeId> = changes
                    .iter()
                    .filter(|change| touches(change, members) && wanted(change, &query, q))
                    .map(|change| change.id)
                    .collect();
                for limit in [1, 7, 50, 1000] {
                    if limit == 1 && expected.len() > 20 {
                        continue;
                    }
                    let seen = pages(&catalog, &query, limit).await;
                    assert_eq!(
                        seen, expected,
                        "{selector} {direction:?} {depth} `{q}` by {limit}, buried: {buried}"
                    );
                    compared += seen.len();
                }
            }
        }
    }
    println!("{compared} changes compared");
}

fn wanted(change: &Change, query: &ChangeQuery, q: &str) -> bool {
    let by_word = match q {
        "severity=high" => change.severity == Severity::High,
        "kind=Stop actor=dana" => {
            change.kind == "Stop" && change.actor.as_ref().is_some_and(|actor| actor.name == "dana")
        }
        _ => true,
    };
    by_word
        && query.since.is_none_or(|since| change.occurred_at >= since)
        && query.until.is_none_or(|until| change.occurred_at < until)
}

#[tokio::test]
async fn a_cursor_of_a_set_that_was_tampered_with_is_refused() {
    let (_db, catalog, _) = filled().await;
    for cursor in ["nonsense", "00", "3132331f61", "ff"] {
        let query = ChangeQuery {
            of: Some(set("name=web-1", Direction::Out, 1)),
            cursor: Some(cursor.to_owned()),
            limit: 5,
            ..ChangeQuery::default()
        };
        assert!(matches!(catalog.changes(&query).await, Err(Error::BadCursor)), "{cursor}");
        assert!(matches!(catalog.change_groups(&query).await, Err(Error::BadCursor)), "{cursor}");
    }
}

async fn all_groups(catalog: &Catalog, query: &ChangeQuery, limit: u16) -> Vec<ChangeGroup> {
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page =
            catalog.change_groups(&ChangeQuery { limit, cursor, ..query.clone() }).await.expect("a page");
        seen.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return seen;
        }
    }
}

#[tokio::test]
async fn repeats_are_one_item_with_their_count_their_first_and_their_last() {
    let (_db, catalog, changes) = filled().await;
    for (q, of, members) in [
        ("", None, None),
        ("severity=high", None, None),
        ("", Some(set("name=web-3", Direction::Out, 2)), Some(vec![3, 4, 5])),
        ("kind=Stop actor=dana", Some(set("name=web-0", Direction::Out, 5)), Some(vec![0, 1, 2, 3, 4, 5])),
    ] {
        let until = (q == "severity=high").then(|| minute(60));
        let selector = selector::parse(q).expect("a selector");
        let query = ChangeQuery { selector, of, until, ..ChangeQuery::default() };
        // Newest first, so that the first of a group met is its last.
        let mut order = Vec::new();
        let mut groups: BTreeMap<_, Vec<&Change>> = BTreeMap::new();
        for change in &changes {
            let inside = members.as_ref().is_none_or(|members| touches(change, members));
            if !inside || !wanted(change, &query, q) {
                continue;
            }
            let actor = change.actor.as_ref().map(|actor| actor.name.clone());
            let targets: BTreeSet<_> =
                change.resources.iter().filter(|r| r.role == Role::Target).map(|r| r.key.id()).collect();
            let same = (change.kind.clone(), actor, change.error_code.clone(), targets);
            let group = groups.entry(same.clone()).or_default();
            if group.is_empty() {
                order.push(same);
            }
            group.push(change);
        }
        for limit in [3, 40, 1000] {
            let seen = all_groups(&catalog, &query, limit).await;
            let told: Vec<_> = seen
                .iter()
                .map(|group| (group.count, group.first_id, group.last_id, group.change.id))
                .collect();
            let expected: Vec<_> = order
                .iter()
                .map(|same| {
                    let group = &groups[same];
                    let count = i64::try_from(group.len()).expect("few");
                    (count, group[group.len() - 1].id, group[0].id, group[0].id)
                })
                .collect();
            assert_eq!(told, expected, "`{q}` by {limit}");
            for (group, same) in seen.iter().zip(&order) {
                let variants: BTreeSet<_> =
                    groups[same].iter().map(|change| (&change.summary, change.details.to_string())).collect();
                assert_eq!(group.variants.len(), variants.len().min(5), "{group:?}");
            }
        }
        println!("`{q}`: {} groups of {} changes", order.len(), groups.values().map(Vec::len).sum::<usize>());
    }
}

#[tokio::test]
async fn what_repeats_without_end_does_not_hide_what_is_behind_it() {
    let (_db, catalog, _) = filled().await;
    sqlx::raw_sql(
        "insert into perigee.changes (id, occurred_at, recorded_at, account, region, source, kind, category, severity,
                                      read_only, summary, details, targets, related, mentions)
         select md5(n::text)::uuid, timestamptz '2026-03-02' + n * interval '1 second', now(), 'a', 'r', 's', 'Noise',
                'update', 'info', false, 'noise', jsonb_build_object('n', n), '{}', '{}', '{}'
         from generate_series(1, 30000) n",
    )
    .execute(&catalog.pool)
    .await
    .expect("noise");
    let query = ChangeQuery { limit: 5, ..ChangeQuery::default() };
    let first = catalog.change_groups(&query).await.expect("a page");
    assert_eq!(first.items.len(), 1, "the noise, and where the next page goes on");
    assert_eq!(
        (first.items[0].count, first.items[0].more, first.items[0].variants.len()),
        (30_000, false, 5)
    );
    assert!(first.next.is_some());
    let all = all_groups(&catalog, &query, 50).await;
    assert_eq!(all.iter().filter(|group| group.change.kind == "Noise").count(), 1);
    assert_eq!(all.iter().map(|group| group.count).sum::<i64>(), 30_000 + i64::from(CHANGES));
}
