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

/// Accounts of 500 resources of 3 versions each, every twentieth of which is gone.
const ESTATE: &str = "
    insert into perigee.resources (id, provider, partition, account, region, type, native_id, evidence, name, tags, since,
                                   deleted_at, recorded_at, named_at, shown_from, shown_recorded_at)
    select md5(n::text)::uuid, 'aws', 'aws', (n / 500)::text, 'eu-west-1', 'AWS::T' || n % 7, n::text, 2, n::text, '{}',
           '2026-01-01', case when n % 20 = 0 then timestamptz '2026-02-20' end, '2026-01-01', '2026-01-01', '2026-01-01',
           '2026-01-01'
    from generate_series(1, 20000) n;
    insert into perigee.versions_open (resource_id, source, rank, valid_from, state_id, content, recorded_at)
    select md5(n::text)::uuid, 'config', 3, timestamptz '2026-02-10' + n * interval '1 minute', 0, 0, '2026-01-01'
    from generate_series(1, 20000) n;
    insert into perigee.versions_closed (resource_id, source, rank, valid_from, valid_to, state_id, content, recorded_at,
                                         end_recorded_at)
    select md5(n::text)::uuid, 'config', 3, timestamptz '2026-01-01' + v * interval '20 days',
           timestamptz '2026-01-21' + v * interval '20 days', 0, 0, '2026-01-01', '2026-01-01'
    from generate_series(1, 20000) n, generate_series(0, 1) v;
    analyze perigee.resources, perigee.versions_open, perigee.versions_closed";

#[tokio::test]
async fn an_account_is_compared_without_reading_the_others() {
    let (_db, catalog) = catalog().await;
    for statement in ESTATE.split(";\n") {
        sqlx::query(statement).execute(&catalog.pool).await.expect("an estate");
    }
    // A plan that knows the values is what a bound statement gets.
    let query = include_str!("../../queries/account_diff.sql");
    let values = [
        ("$8", "500"),
        ("$7", "'00000000-0000-0000-0000-000000000000'::uuid"),
        ("$6", "''"),
        ("$5", "''"),
        ("$4", "''"),
        ("$3", "timestamptz '2026-02-12'"),
        ("$2", "timestamptz '2026-02-01'"),
        ("$1", "'5'"),
    ];
    let query = values.iter().fold(query.to_owned(), |query, (name, value)| query.replace(name, value));
    let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("explain {query}")))
        .fetch_all(&catalog.pool)
        .await
        .expect("a plan");
    let plan = plan.join("\n");
    let reads_all = |table: &str| plan.contains(&format!("Seq Scan on {table}"));
    assert!(plan.contains("versions_closed_2026_02"), "{plan}");
    assert!(!["resources", "versions_open", "versions_closed_2026_02 "].into_iter().any(reads_all), "{plan}");
}
