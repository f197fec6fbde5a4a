//! The function as Lambda wakes it.

use super::*;

#[tokio::test]
async fn the_events_of_the_folder_are_understood() {
    let world = World::of(instances(3)).await;
    let events = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/scrape");
    let mut names: Vec<_> = std::fs::read_dir(events).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        let event: Value = serde_json::from_slice(&std::fs::read(&name).unwrap()).unwrap();
        let outcome = handle(&world.scrape, event).await;
        let outcome = outcome.unwrap_or_else(|error| panic!("{}: {error:#}", name.display()));
        assert!(outcome.failures.batch_item_failures.is_empty(), "{}: {outcome:?}", name.display());
    }
    assert_eq!(world.living().await, ids(3));
}

#[tokio::test]
async fn a_message_that_asks_for_nothing_fails_alone() {
    let world = World::of(instances(3)).await;
    let message = |id: &str, body: &str| json!({"messageId": id, "body": body, "eventSource": "aws:sqs"});
    let batch = json!({"Records": [
        message("broken", "{"), message("unknown", r#"{"scraper": "nobody"}"#), message("good", r#"{"task": "tick"}"#),
    ]});
    let outcome = handle(&world.scrape, batch).await.unwrap();
    let failed: Vec<_> = outcome.failures.batch_item_failures.iter().map(|f| &*f.item_identifier).collect();
    assert_eq!(failed, ["broken", "unknown"]);
    assert_eq!(world.living().await, ids(3));
    let error = handle(&world.scrape, json!({"hello": 1})).await.unwrap_err();
    assert_eq!(crate::error_type(&error), "Scrape.Rejected");
}
