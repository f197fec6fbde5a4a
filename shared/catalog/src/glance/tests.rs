//! Sums and ends, on a real database.

use std::collections::BTreeMap;

use model::{RunId, Timestamp};
use sqlx::PgPool;
use uuid::Uuid;

use crate::tests_support::{catalog, minute};

async fn sql(pool: &PgPool, statement: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(pool).await.unwrap();
}

fn sums<const N: usize>(pairs: [(&str, i64); N]) -> BTreeMap<String, i64> {
    pairs.into_iter().map(|(state, count)| (state.to_owned(), count)).collect()
}

#[tokio::test]
async fn runs_are_counted_while_they_live_and_for_a_day() {
    let (_db, catalog) = catalog().await;
    let now: Timestamp = minute(10_000);
    for (number, state, created, ended) in [
        (1, "running", minute(0), None),
        (2, "failed", minute(0), Some(minute(1))),
        (3, "failed", minute(9_990), Some(minute(9_991))),
        (4, "completed", minute(9_990), Some(minute(9_991))),
    ] {
        let ended = ended.map_or_else(|| "null".to_owned(), |at| format!("'{at}'"));
        let statement = format!(
            "insert into perigee.runs (id, playbook, generation, spec, trigger, trigger_key, parameters, depth, state,
                                       reason, occurred_at, created_at, ended_at, deadline)
             values ('{}', 'restart {number}', 1, '', 'api', '{number}', '{{}}', 0, '{state}', '', '{created}',
                     '{created}', {ended}, '{now}')",
            Uuid::from_u128(number)
        );
        sql(&catalog.pool, &statement).await;
    }
    let tally = catalog.tally(now).await.unwrap();
    assert_eq!(tally.runs, sums([("completed", 1), ("failed", 1), ("running", 1)]));
    assert_eq!(tally.health, sums([]));
}

#[tokio::test]
async fn the_end_of_output_is_read_per_step() {
    let (_db, catalog) = catalog().await;
    let run = Uuid::from_u128(1);
    for (step, seq) in [("first", 1), ("first", 2), ("first", 3), ("second", 1)] {
        let statement = format!(
            "insert into perigee.step_output (run_id, step, attempt, seq, stream, at, text)
             values ('{run}', '{step}', 1, {seq}, 'stdout', now(), '{step} {seq}\n')"
        );
        sql(&catalog.pool, &statement).await;
    }
    let texts = |bytes| {
        let catalog = catalog.clone();
        async move {
            let tails = catalog.run_tails(RunId(run), bytes).await.unwrap();
            tails.into_iter().map(|tail| tail.text).collect::<String>()
        }
    };
    assert_eq!(texts(1_000).await, "first 1\nfirst 2\nfirst 3\nsecond 1\n");
    assert_eq!(texts(1).await, "first 3\nsecond 1\n");
    assert_eq!(texts(9).await, "first 2\nfirst 3\nsecond 1\n");
}

#[tokio::test]
async fn selectors_that_describe_a_resource_are_told_by_their_places() {
    let (_db, catalog) = catalog().await;
    let id = Uuid::from_u128(7);
    let statement = format!(
        "insert into perigee.resources (id, provider, partition, account, region, type, native_id, name, tags, evidence,
                                        words, named_at, shown_from, recorded_at, shown_recorded_at)
         values ('{id}', 'aws', 'aws', '111122223333', 'eu-west-1', 'AWS::EC2::Instance', 'i-1', 'web-1', '{{\"env\": \"prod\"}}', 2,
                 E'web-1\\ni-1\\nprod', now(), now(), now(), now())"
    );
    sql(&catalog.pool, &statement).await;
    let selectors =
        ["type=AWS::RDS::*", "type=AWS::EC2::* tags.env=prod", "colour=red", "web", "health=unhealthy"];
    let selectors = selectors.map(|text| selector::parse(text).unwrap());
    assert_eq!(catalog.described_by(id.into(), &selectors).await.unwrap(), [1, 3]);
    assert!(catalog.described_by(id.into(), &[]).await.unwrap().is_empty());
}
