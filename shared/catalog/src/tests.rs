//! What the catalog answers and refuses, on a real database.

use std::{collections::BTreeMap, sync::Arc};

use model::{
    Actor, ActorKind, Category, Change, Completeness, Document, Evidence, Observation, ObservationKey, Rank,
    ResourceFact, ResourceKey, Severity, Sighting, Source,
};
use serde_json::json;
use testkit::TestDb;

use crate::{
    Catalog, ChangeQuery, ConnectOptions, Error, FindingQuery, HistoryEntry, HistoryQuery, NewRejected,
    Recorded, ResourceQuery,
    tests_support::{catalog, minute, now, options},
};

fn key(kind: &str, native_id: &str) -> ResourceKey {
    ResourceKey {
        provider: "aws".to_owned(),
        partition: "aws".to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        kind: kind.to_owned(),
        native_id: native_id.to_owned(),
    }
}

/// An instance with a name and a tag.
fn instance(native_id: &str, name: &str, env: &str) -> Observation {
    let document = Document {
        name: Some(name.to_owned()),
        tags: BTreeMap::from([("env".to_owned(), env.to_owned())]),
        config: json!({"state": "running"}),
        ..Document::default()
    };
    Observation {
        key: ObservationKey::of(&json!([native_id, name, env])),
        source: Source::new("config", Rank::Config),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        occurred_at: minute(0),
        resources: vec![ResourceFact {
            key: key("AWS::EC2::Instance", native_id),
            aliases: vec![format!("arn:aws:ec2:eu-west-1:111122223333:instance/{native_id}")],
            state_id: 0,
            sighting: Sighting::Documented(Box::new(document)),
        }],
        changes: vec![],
        findings: vec![],
        completeness: Completeness::OnlyThese,
    }
}

async fn names(catalog: &Catalog, selector: &str) -> Vec<String> {
    let selector = selector::parse(selector).expect("a selector");
    let page = catalog
        .resources(&ResourceQuery { selector, limit: 50, ..ResourceQuery::default() })
        .await
        .expect("a page");
    page.items.into_iter().map(|resource| resource.name).collect()
}

#[tokio::test]
async fn selectors_find_what_they_say_and_bind_every_value() {
    let (_db, catalog) = catalog().await;
    let all = [
        instance("i-1", "web-1", "prod"),
        instance("i-2", "web_2", "stage"),
        instance("i-3", "100%", "prod"),
        instance("i-4", "x'); drop table perigee.resources; --", "o'hara"),
    ];
    catalog.record(&all, now()).await.expect("recorded");
    for (selector, expected) in [
        ("", vec!["web-1", "web_2", "100%", "x'); drop table perigee.resources; --"]),
        ("tags.env=prod", vec!["web-1", "100%"]),
        ("tags.env!=prod", vec!["web_2", "x'); drop table perigee.resources; --"]),
        ("tags.env=pr*", vec!["web-1", "100%"]),
        ("tags.env=\"o'hara\"", vec!["x'); drop table perigee.resources; --"]),
        ("name=web-*", vec!["web-1"]),
        ("name=web_*", vec!["web_2"]),
        ("name=100%", vec!["100%"]),
        ("name=*%*", vec!["100%"]),
        ("name=web-1,web_2 type=AWS::EC2::*", vec!["web-1", "web_2"]),
        ("WEB", vec!["web-1", "web_2"]),
        ("evidence=document account!=111122223333", vec![]),
        ("since<2026-03-01T00:00:00Z", vec![]),
    ] {
        assert_eq!(names(&catalog, selector).await, expected, "{selector}");
    }
}

#[tokio::test]
async fn a_selector_that_means_nothing_here_names_its_column() {
    let (_db, catalog) = catalog().await;
    for (text, expected) in [
        ("colour=red", "column 1: there is no field `colour`; the fields are id, type,"),
        ("type=AWS::EC2::Instance tags=x", "column 25: `tags` needs a key, as in `tags.env=prod`"),
        ("type>3", "column 1: a text can be compared with `=`, `!=` and `~` only"),
        ("since>yesterday", "column 1: this field takes one instant"),
        ("name.first=x", "column 1: `name` has no parts"),
        (
            "evidence=event,rumour",
            "column 1: `rumour` is no value of `evidence`; its values are reference, event, document",
        ),
    ] {
        let selector = selector::parse(text).expect("a selector");
        let refused =
            catalog.resources(&ResourceQuery { selector, limit: 1, ..ResourceQuery::default() }).await;
        let refused = refused.expect_err(text).to_string();
        assert!(refused.starts_with(expected), "{text}: {refused}");
    }
}

#[tokio::test]
async fn a_word_that_no_change_or_finding_can_have_is_refused() {
    let (_db, catalog) = catalog().await;
    for (text, expected) in [
        (
            "kind=x category=permission",
            "column 8: `permission` is no value of `category`; its values are create,",
        ),
        ("severity!=hihg", "column 1: `hihg` is no value of `severity`; its values are info,"),
        ("read_only=maybe", "column 1: this field is `true` or `false`"),
    ] {
        let selector = selector::parse(text).expect("a selector");
        let refused = catalog.changes(&ChangeQuery { selector, ..ChangeQuery::default() }).await;
        let refused = refused.expect_err(text).to_string();
        assert!(refused.starts_with(expected), "{text}: {refused}");
    }
    let find = async |text: &str| {
        let selector = selector::parse(text).expect("a selector");
        catalog.findings(&FindingQuery { selector, ..FindingQuery::default() }).await
    };
    let refused = find("status=gone").await.expect_err("it is no status").to_string();
    assert!(refused.ends_with("its values are open, resolved, suppressed"), "{refused}");
    find("status=open,res* severity=h*").await.expect("wildcards may match nothing");
}

#[tokio::test]
async fn an_actor_is_found_by_name_by_session_and_by_both() {
    let (_db, catalog) = catalog().await;
    let actor = |name: &str, session: Option<&str>| Actor {
        kind: ActorKind::Role,
        name: name.to_owned(),
        session: session.map(str::to_owned),
        via: None,
        arn: None,
        account: None,
    };
    let actors = [Some(actor("deployer", Some("dana"))), Some(actor("dana", None)), None];
    let all: Vec<Observation> =
        actors.into_iter().zip(1..).map(|(actor, minute)| did(actor, minute)).collect();
    catalog.record(&all, now()).await.expect("recorded");
    for (selector, expected) in [
        ("actor=dana", vec!["2", "1"]),
        ("actor=deployer", vec!["1"]),
        ("actor=deployer/dana", vec!["1"]),
        ("actor=*/da*", vec!["1"]),
        ("actor=*dana*", vec!["2", "1"]),
        ("actor!=deployer", vec!["3", "2"]),
        ("session=dana", vec!["1"]),
    ] {
        let query = ChangeQuery {
            selector: selector::parse(selector).expect("a selector"),
            limit: 9,
            ..ChangeQuery::default()
        };
        let found = catalog.changes(&query).await.expect("a page").items;
        let found: Vec<String> = found.into_iter().map(|change| change.summary).collect();
        assert_eq!(found, expected, "{selector}");
    }
}

/// A change by somebody, whose summary is its minute.
fn did(actor: Option<Actor>, at: i64) -> Observation {
    let mut told = instance("i-1", "web-1", "prod");
    told.key = ObservationKey::of(&json!(["did", at]));
    told.occurred_at = minute(at);
    told.changes = vec![Change {
        id: model::ChangeId::of(&told.key, 0),
        occurred_at: minute(at),
        account: told.account.clone(),
        region: told.region.clone(),
        source: "cloudtrail".to_owned(),
        kind: "StopInstances".to_owned(),
        category: Category::Update,
        severity: Severity::Info,
        read_only: false,
        summary: at.to_string(),
        actor,
        source_address: None,
        user_agent: None,
        error_code: None,
        error_message: None,
        event_id: None,
        session_id: None,
        details: json!({}),
        resources: vec![],
        mentions: vec![],
    }];
    told
}

#[tokio::test]
async fn pages_hold_every_resource_once() {
    let (_db, catalog) = catalog().await;
    let all: Vec<Observation> =
        (0..23).map(|n| instance(&format!("i-{n:02}"), &format!("web-{n:02}"), "prod")).collect();
    catalog.record(&all, now()).await.expect("recorded");
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let query = ResourceQuery { limit: 5, cursor, ..ResourceQuery::default() };
        let page = catalog.resources(&query).await.expect("a page");
        seen.extend(page.items.into_iter().map(|resource| resource.native_id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..23).map(|n| format!("i-{n:02}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cursor_that_was_tampered_with_is_refused() {
    let (_db, catalog) = catalog().await;
    let id = key("AWS::EC2::Instance", "i-1").id();
    // The year 100,000 BC, which chrono can hold and Postgres cannot.
    let far = hex::encode(format!("-3217862419200000000\u{1f}{id}"));
    for cursor in ["", "zz", "00", "ff", "e29883", "31", &far] {
        let cursor = Some(cursor.to_owned());
        let resources =
            catalog.resources(&ResourceQuery { cursor: cursor.clone(), ..ResourceQuery::default() }).await;
        let changes =
            catalog.changes(&ChangeQuery { cursor: cursor.clone(), ..ChangeQuery::default() }).await;
        let findings =
            catalog.findings(&FindingQuery { cursor: cursor.clone(), ..FindingQuery::default() }).await;
        let history = catalog.history(&HistoryQuery { cursor: cursor.clone(), ..HistoryQuery::of(id) }).await;
        let edges = catalog.edges(id, 10, cursor.as_deref()).await;
        let rejected = catalog.rejected(10, cursor.as_deref()).await;
        for refused in
            [resources.err(), changes.err(), findings.err(), history.err(), edges.err(), rejected.err()]
        {
            assert!(matches!(refused, Some(Error::BadCursor)), "{cursor:?}: {refused:?}");
        }
    }
}

#[tokio::test]
async fn a_reference_is_an_id_an_arn_a_name_or_a_native_id() {
    let (_db, catalog) = catalog().await;
    catalog.record(&[instance("i-1", "web-1", "prod")], now()).await.expect("recorded");
    let id = key("AWS::EC2::Instance", "i-1").id();
    let arn = "arn:aws:ec2:eu-west-1:111122223333:instance/i-1";
    let by_id = id.to_string();
    for reference in
        [by_id.as_str(), arn, "AWS::EC2::Instance/i-1", "AWS::EC2::Instance/web-1", "i-1", "web-1"]
    {
        assert_eq!(catalog.resolve(reference).await.expect("an answer"), Some(id), "{reference}");
    }
    for reference in ["", "i-2", "AWS::S3::Bucket/i-1", "\0", "00000000-0000-0000-0000-000000000000"] {
        assert_eq!(catalog.resolve(reference).await.expect("an answer"), None, "{reference:?}");
    }
}

#[tokio::test]
async fn all_of_a_batch_is_recorded_or_nothing() {
    let (_db, catalog) = catalog().await;
    let good = instance("i-1", "web-1", "prod");
    // Postgres holds no NUL in a text; `events` replaces it, and this did not come through `events`.
    let bad = instance("i-2", "web\0", "prod");
    let before = catalog.digest().await.expect("a digest");
    let refused = catalog.record(&[good.clone(), bad], now()).await.expect_err("a NUL is refused");
    assert!(!refused.is_transient(), "{refused:?}");
    assert_eq!(catalog.digest().await.expect("a digest"), before);
    assert_eq!(catalog.record(&[good], now()).await.expect("recorded"), [Recorded::New]);
}

#[tokio::test]
async fn writers_of_the_same_facts_at_once_agree_with_one_alone() {
    let ((_one_db, one), (_many_db, many)) = (catalog().await, catalog().await);
    let all: Arc<Vec<Observation>> = Arc::new(
        (0..160)
            .map(|n| {
                instance(&format!("i-{:02}", n % 40), &format!("web-{}", n / 7), ["prod", "stage"][n % 2])
            })
            .collect(),
    );
    one.record(&all, now()).await.expect("recorded");
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (many, all) = (many.clone(), Arc::clone(&all));
            tokio::spawn(async move {
                let mut order: Vec<Observation> = all.to_vec();
                order.rotate_left(writer * 37);
                if writer % 2 == 1 {
                    order.reverse();
                }
                for batch in order.chunks(9) {
                    many.record(batch, now()).await.expect("recorded");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("a writer");
    }
    assert_eq!(many.digest().await.expect("a digest"), one.digest().await.expect("a digest"));
    let count = |counts: Vec<crate::Count>| counts.iter().map(|count| count.count).sum::<i64>();
    assert_eq!(count(many.counts().await.expect("counts")), 40);
    many.maintain(now()).await.expect("house kept");
    assert_eq!(count(many.counts().await.expect("counts")), 40);
}

#[tokio::test]
async fn a_deleted_resource_leaves_the_list_keeps_its_name_and_comes_back() {
    let (_db, catalog) = catalog().await;
    let seen = instance("i-1", "web-1", "prod");
    let mut gone = seen.clone();
    gone.key = ObservationKey::of(&json!("gone"));
    gone.occurred_at = minute(10);
    gone.resources[0].sighting = Sighting::Deleted;
    catalog.record(&[seen.clone(), gone], now()).await.expect("recorded");
    assert_eq!(names(&catalog, "").await, Vec::<String>::new());
    let with_deleted = ResourceQuery { include_deleted: true, limit: 5, ..ResourceQuery::default() };
    let listed = catalog.resources(&with_deleted).await.expect("a page").items;
    assert_eq!((listed[0].name.as_str(), listed[0].deleted_at), ("web-1", Some(minute(10))));
    let detail = catalog.resource(listed[0].id).await.expect("an answer").expect("a resource");
    assert_eq!(detail.document["config"]["state"], "running");

    let mut back = seen;
    back.key = ObservationKey::of(&json!("back"));
    back.occurred_at = minute(20);
    catalog.record(&[back], now()).await.expect("recorded");
    assert_eq!(names(&catalog, "").await, ["web-1"]);
    let history = catalog.history(&HistoryQuery::of(listed[0].id)).await.expect("a page").items;
    let began = history.iter().map(|entry| match entry {
        HistoryEntry::Version { version, .. } => version.from,
        HistoryEntry::Transition(change) => change.transition.at,
    });
    assert_eq!(began.collect::<Vec<_>>(), [minute(20), minute(10), minute(0)]);
    assert_eq!(listed[0].evidence, Evidence::Document);
}

#[tokio::test]
async fn a_rejected_item_is_kept_once() {
    let (_db, catalog) = catalog().await;
    let item = NewRejected {
        origin: "events.jsonl".to_owned(),
        place: "line 3".to_owned(),
        reason: "malformed_json",
        message: "the text ends early\0".to_owned(),
        size: 12,
        hash: model::ContentHash::of_bytes(b"{"),
    };
    for _ in 0..2 {
        catalog.reject(std::slice::from_ref(&item), now()).await.expect("kept");
    }
    let kept = catalog.rejected(10, None).await.expect("a page").items;
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].reason.as_str(), kept[0].size), ("malformed_json", 12));
}

#[tokio::test]
async fn a_database_that_is_not_ours_is_refused_in_one_sentence() {
    let db = TestDb::empty().await;
    let catalog = Catalog::connect(&options(db.url())).expect("an address");
    assert!(matches!(catalog.check().await, Err(Error::NotMigrated)));
    sqlx::raw_sql("create schema perigee; create table perigee.theirs (id integer)")
        .execute(&catalog.pool)
        .await
        .expect("a foreign table");
    for refused in [catalog.check().await, catalog.migrate(now()).await] {
        assert!(matches!(refused, Err(Error::ForeignTables)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_schema_newer_than_the_binary_is_refused() {
    let (_db, catalog) = catalog().await;
    sqlx::query("update perigee.migrations set version = 9999 where version = 1")
        .execute(&catalog.pool)
        .await
        .expect("a newer schema");
    for refused in [catalog.check().await, catalog.migrate(now()).await] {
        assert!(matches!(refused, Err(Error::NewerSchema { found: 9999, .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn the_owner_is_made_once_and_owns_what_it_migrates() {
    let db = TestDb::empty().await;
    let master = Catalog::connect(&options(db.url())).unwrap();
    master.make_owner().await.unwrap();
    master.make_owner().await.unwrap();
    let owner = Catalog::connect_as_owner(&options(db.url())).unwrap();
    owner.migrate(now()).await.unwrap();
    owner.maintain(now()).await.unwrap();
    let owners: Vec<String> =
        sqlx::query_scalar("select distinct tableowner::text from pg_tables where schemaname = 'perigee'")
            .fetch_all(&master.pool)
            .await
            .unwrap();
    assert_eq!(owners, ["perigee"]);
    let (host, _, user) = options("postgres://dana@catalog.example.com/perigee").address().unwrap();
    assert_eq!((host.as_str(), user.as_str()), ("catalog.example.com", "dana"));
}

#[tokio::test]
async fn two_processes_may_migrate_at_once() {
    let db = TestDb::empty().await;
    let (one, other) = (
        Catalog::connect(&options(db.url())).expect("an address"),
        Catalog::connect(&ConnectOptions { pooler: true, ..options(db.url()) }).expect("an address"),
    );
    let (first, second) = tokio::join!(one.migrate(now()), other.migrate(now()));
    first.expect("migrated");
    second.expect("migrated");
    one.check().await.expect("ready");
    one.migrate(now()).await.expect("migrating again does nothing");
}
