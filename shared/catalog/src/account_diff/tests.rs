//! What differs in an account, on a real database.

use model::{Document, ResourceKey, Sighting};
use serde_json::json;

use super::*;
use crate::{
    Catalog,
    tests_support::{catalog, fact, minute, now, resource_key},
};

fn bucket(name: &str) -> ResourceKey {
    resource_key("AWS::S3::Bucket", name)
}

fn sized(size: u32) -> Sighting {
    Sighting::Documented(Box::new(Document { config: json!({ "size": size }), ..Document::default() }))
}

/// Buckets of every fate between minute 15 and minute 35, and one in another account.
async fn told() -> (testkit::TestDb, Catalog) {
    let (db, catalog) = catalog().await;
    let mut other = fact(ResourceKey { account: "444455556666".to_owned(), ..bucket("other") }, 20, sized(1));
    other.account = "444455556666".to_owned();
    let all = [
        fact(bucket("changed"), 10, sized(1)),
        fact(bucket("changed"), 20, sized(2)),
        fact(bucket("changed"), 40, sized(3)),
        fact(bucket("came"), 20, sized(1)),
        fact(bucket("went"), 10, sized(1)),
        fact(bucket("went"), 30, Sighting::Deleted),
        fact(bucket("passed"), 20, sized(1)),
        fact(bucket("passed"), 30, Sighting::Deleted),
        fact(bucket("there and back"), 10, sized(1)),
        fact(bucket("there and back"), 20, sized(2)),
        fact(bucket("there and back"), 30, sized(1)),
        fact(bucket("still"), 10, sized(1)),
        fact(bucket("later"), 40, sized(1)),
        other,
    ];
    catalog.record(&all, now()).await.expect("recorded");
    (db, catalog)
}

fn query(selector: &str) -> AccountDiffQuery {
    AccountDiffQuery {
        account: "111122223333".to_owned(),
        from: minute(15),
        to: minute(35),
        selector: selector::parse(selector).expect("a selector"),
        limit: 3,
        cursor: None,
    }
}

async fn all(catalog: &Catalog, mut query: AccountDiffQuery) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        let page = catalog.account_diff(&query).await.expect("a page");
        assert!(page.items.len() <= 3);
        told.extend(page.items.iter().map(|change| {
            let paths: Vec<_> = change.diff.iter().map(|difference| difference.path.as_str()).collect();
            let became = serde_json::to_value(change.became).expect("a word");
            format!("{} {} {} {}", change.resource.native_id, became, change.differences, paths.join(","))
        }));
        query.cursor = page.next;
        if query.cursor.is_none() {
            return told;
        }
    }
}

#[tokio::test]
async fn an_account_is_compared_between_two_instants() {
    let (_db, catalog) = told().await;
    assert_eq!(
        all(&catalog, query("")).await,
        [
            "came \"appeared\" 0 ",
            "changed \"changed\" 1 config.size",
            "passed \"passed\" 0 ",
            "went \"went\" 0 ",
        ]
    );
    assert_eq!(all(&catalog, query("name=c*")).await.len(), 2);
    assert_eq!(all(&catalog, query("type=AWS::EC2::Instance")).await, Vec::<String>::new());
    let nothing = AccountDiffQuery { from: minute(100), to: minute(200), ..query("") };
    assert_eq!(all(&catalog, nothing).await, Vec::<String>::new());
    let bad = AccountDiffQuery { cursor: Some("zz".to_owned()), ..query("") };
    assert!(matches!(catalog.account_diff(&bad).await, Err(Error::BadCursor)));
}
