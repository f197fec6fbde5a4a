//! No form of search reads a large table from end to end. The database is told to do that only where nothing else is
//! possible, so that a table is not read whole just because it is small here.

use crate::{
    AsOf, Catalog, ResourceQuery,
    bench::Estate,
    tests_support::{catalog, minute, now, options},
};

/// Each form of the language, alone and beside what narrows it.
const FORMS: [&str; 30] = [
    "",
    "type=AWS::EC2::Instance",
    "type=AWS::EC2::*",
    "account=100000000007",
    "region=eu-west-1",
    "name=checkout-*",
    "name=checkout-1",
    "native_id=i-1",
    "tags.env=prod",
    "type=AWS::EC2::Instance tags.env=prod",
    "account=100000000007 tags.team=search",
    "tags.env=pr*",
    "tags.owner=*",
    "-tags.env=prod",
    "tags.env=prod | tags.team=search",
    "health=unhealthy",
    "health=unhealthy account=100000000007",
    "health!=healthy type=AWS::EC2::Instance",
    "status~^Fail",
    "checkout",
    "type=AWS::EC2::Instance checkout",
    "account=100000000007 checkout worker",
    "config.state.name=running",
    "type=AWS::EC2::Instance config.cpuOptions.coreCount>2",
    "labels.app=*",
    "since>now-7d",
    "changed>now-1d type=AWS::EC2::Instance",
    "changed(kind=Delete* occurred_at>now-1d) account=100000000007",
    "finding(severity=high) account=100000000007",
    "related(type=AWS::EC2::VPC account=100000000007, in, 1) tags.env=prod",
];

const LARGE: [&str; 12] = [
    "resources",
    "resource_tags",
    "health",
    "health_closed",
    "shown_closed",
    "versions_open",
    "versions_closed",
    "documents",
    "edges_open",
    "edges_closed",
    "changes",
    "change_resources",
];

#[tokio::test]
async fn no_form_of_search_reads_a_large_table_from_end_to_end() {
    let (db, catalog) = catalog().await;
    let estate = Estate { resources: 2_000, seed: 1, now: now() };
    catalog.build_estate(&estate, &|_, _| ()).await.expect("an estate");
    db.execute(
        "do $$ begin execute format('alter database %I set enable_seqscan = off', current_database()); end $$",
    )
    .await;
    let catalog = Catalog::connect(&options(db.url())).expect("the address of a test database");
    let instants = [None, Some(now() - chrono::Duration::days(60)), Some(minute(0))];
    let mut faults = Vec::new();
    for (q, at) in FORMS.iter().flat_map(|q| instants.map(|at| (q, at))) {
        let query = ResourceQuery {
            selector: selector::parse(q).expect("a selector"),
            as_of: AsOf { at, recorded_at: None },
            limit: 50,
            ..ResourceQuery::default()
        };
        let plan = catalog.plan(&query).await.expect("a plan");
        let scans = plan.iter().filter(|line| line.contains("Seq Scan on"));
        let large = scans.filter(|line| {
            let table =
                line.split("Seq Scan on ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
            LARGE.iter().any(|large| {
                table == *large
                    || table.starts_with(&format!("{large}_2"))
                    || table == format!("{large}_rest")
            })
        });
        if let Some(line) = large.into_iter().next() {
            faults.push(format!("{q} at {at:?}: {}\n{}", line.trim(), plan.join("\n")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}
