use std::time::Duration;

use serde_json::json;

use super::{NewManifest, Outcome};
use crate::tests_support::{catalog, now};

fn silence(name: &str, reason: &str) -> NewManifest {
    NewManifest {
        kind: "Silence".to_owned(),
        name: name.to_owned(),
        body: json!({"apiVersion": "perigee.dev/v1", "kind": "Silence", "metadata": {"name": name}, "spec": {"reason": reason}}),
    }
}

#[tokio::test]
async fn only_a_changed_body_makes_a_generation_and_a_signal() {
    let (_db, catalog) = catalog().await;
    let outcomes = async |manifests: &[NewManifest]| {
        let applied = catalog.apply_manifests(manifests, now()).await.unwrap();
        applied.into_iter().map(|a| (a.name, a.generation, a.outcome)).collect::<Vec<_>>()
    };
    let first = [silence("b", "night"), silence("a", "day")];
    assert_eq!(
        outcomes(&first).await,
        [("b".to_owned(), 1, Outcome::Created), ("a".to_owned(), 1, Outcome::Created)]
    );
    let mark = catalog.manifest_mark("Silence").await.unwrap();
    assert_eq!(
        outcomes(&first).await,
        [("b".to_owned(), 1, Outcome::Unchanged), ("a".to_owned(), 1, Outcome::Unchanged)]
    );
    assert_eq!(catalog.manifest_mark("Silence").await.unwrap(), mark);
    assert_eq!(
        outcomes(&[silence("b", "noon"), silence("a", "day")]).await,
        [("b".to_owned(), 2, Outcome::Changed), ("a".to_owned(), 1, Outcome::Unchanged)]
    );
    assert!(catalog.manifest_mark("Silence").await.unwrap() > mark);
    assert_eq!(catalog.manifest_mark("Check").await.unwrap(), 0);

    let told = catalog.claim_signals(100, now(), Duration::from_secs(60)).await.unwrap();
    let mut told: Vec<_> = told
        .iter()
        .map(|claimed| format!("{} {}", claimed.signal.payload["name"], claimed.signal.payload["generation"]))
        .collect();
    told.sort();
    assert_eq!(told, ["\"a\" 1", "\"b\" 1", "\"b\" 2"]);
}

#[tokio::test]
async fn planning_changes_nothing_and_shows_what_was_there() {
    let (_db, catalog) = catalog().await;
    catalog.apply_manifests(&[silence("a", "day")], now()).await.unwrap();
    let planned = catalog.plan_manifests(&[silence("a", "night"), silence("b", "x")]).await.unwrap();
    assert_eq!(planned[0].outcome, Outcome::Changed);
    assert_eq!(planned[0].before.as_ref().unwrap()["spec"]["reason"], "day");
    assert_eq!(planned[1].outcome, Outcome::Created);
    assert_eq!(catalog.manifests("Silence").await.unwrap().len(), 1);
}

#[tokio::test]
async fn of_two_of_one_name_the_last_counts() {
    let (_db, catalog) = catalog().await;
    let applied = catalog.apply_manifests(&[silence("a", "one"), silence("a", "two")], now()).await.unwrap();
    assert_eq!(applied.len(), 1);
    assert_eq!(catalog.manifest("Silence", "a").await.unwrap().unwrap().body["spec"]["reason"], "two");
}

#[tokio::test]
async fn a_deleted_manifest_is_gone_but_its_generations_go_on() {
    let (_db, catalog) = catalog().await;
    let name = ("Silence".to_owned(), "a".to_owned());
    catalog.apply_manifests(&[silence("a", "day")], now()).await.unwrap();
    let mark = catalog.manifest_mark("Silence").await.unwrap();
    let missing = ("Silence".to_owned(), "b".to_owned());
    let gone = catalog.delete_manifests(&[name.clone(), missing], now()).await.unwrap();
    assert_eq!(gone, std::slice::from_ref(&name));
    assert!(catalog.manifest_mark("Silence").await.unwrap() > mark);
    assert_eq!(catalog.delete_manifests(&[name], now()).await.unwrap(), []);
    assert_eq!(catalog.manifest("Silence", "a").await.unwrap(), None);
    assert_eq!(catalog.manifests("Silence").await.unwrap(), []);
    let applied = catalog.apply_manifests(&[silence("a", "day")], now()).await.unwrap();
    assert_eq!((applied[0].outcome, applied[0].generation), (Outcome::Created, 3));
    let generations = catalog.manifest_generations("Silence", "a").await.unwrap();
    let shown: Vec<_> = generations.iter().map(|g| (g.generation, g.body.is_some())).collect();
    assert_eq!(shown, [(3, true), (2, false), (1, true)]);
}

#[tokio::test]
async fn pages_of_manifests_hold_each_once() {
    let (_db, catalog) = catalog().await;
    let all: Vec<NewManifest> = (0..25).map(|n| silence(&format!("s{n:02}"), "x")).collect();
    catalog.apply_manifests(&all, now()).await.unwrap();
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let page = catalog.manifest_page(None, 10, cursor.as_deref()).await.unwrap();
        names.extend(page.items.into_iter().map(|item| item.name));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, all.iter().map(|new| new.name.clone()).collect::<Vec<_>>());
    assert_eq!(catalog.manifest_page(Some("Check"), 10, None).await.unwrap().items, []);
}

#[tokio::test]
async fn appliers_at_once_count_every_generation() {
    let (_db, catalog) = catalog().await;
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let catalog = catalog.clone();
            tokio::spawn(async move { catalog.apply_manifests(&[silence("a", &n.to_string())], now()).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(catalog.manifest("Silence", "a").await.unwrap().unwrap().generation, 8);
    assert_eq!(catalog.manifest_generations("Silence", "a").await.unwrap().len(), 8);
}
