use std::time::{Duration, Instant};

use crate::{
    Error, ResourceQuery,
    tests_support::{catalog, now},
};

#[tokio::test]
async fn hostile_text_is_refused_or_answered_in_bounded_time() {
    let (_db, catalog) = catalog().await;
    super::world::world(&catalog, 1).await;
    let ask = async |text: &str| {
        let selector = selector::parse(text).map_err(|error| error.to_string())?;
        let query = ResourceQuery { selector, limit: 50, include_deleted: true, ..ResourceQuery::default() };
        catalog.resources(&query).await.map(|page| page.items.len()).map_err(|error| error.to_string())
    };
    let deep = format!("{}name=a{}", "(".repeat(500), ")".repeat(500));
    let many = "name=a | ".repeat(10_000) + "name=b";
    for (text, expected) in [
        (
            "a".repeat(1 << 20).as_str(),
            Err("column 1: the selector has 1048576 bytes, at most 65536 are read"),
        ),
        (&many, Err("column 1: the selector has 90006 bytes, at most 65536 are read")),
        (&"a ".repeat(10_000), Err("column 2001: more than 1000 terms and values; ask in several queries")),
        (&deep, Err("column 51: more than 50 parentheses within one another")),
        ("name=\"'; drop table perigee.resources; --\"", Ok(0)),
        ("config.\"'; drop table perigee.resources; --\"=\"' or true --\"", Ok(0)),
        ("name~\"(a*)*$\"", Err("column 6: repetitions of what may be empty")),
        ("name~\"(a+)+Q$\"", Ok(0)),
        ("name~\"((a{9}){9}){9}\"", Err("column 6: the pattern repeats 729 times")),
        ("related(name=*, both, 1000000000)", Err("column 23: `1000000000` is no depth")),
        ("config.a[4000000000]=1", Err("column 9: write `[0]`")),
        ("since>now-999999999w", Err("column 1: this field takes one instant")),
    ] {
        let began = Instant::now();
        let answer = ask(text).await;
        assert!(began.elapsed() < Duration::from_secs(5), "{:.60}: {:?}", text, began.elapsed());
        match expected {
            Ok(count) => assert_eq!(answer, Ok(count), "{text:.60}"),
            Err(message) => {
                let refused = answer.expect_err(message);
                assert!(refused.starts_with(message), "{text:.60}: {refused}");
            }
        }
    }
    assert_eq!(ask("").await, Ok(super::world::RESOURCES));
}

#[tokio::test]
async fn as_many_terms_as_are_read_are_answered() {
    let (_db, catalog) = catalog().await;
    super::world::world(&catalog, 1).await;
    for term in ["config.a[*].b>3 | ", "name~\"([a-z]+-)+[0-9]{1,50}\" | ", "web | ", "-tags.env=a* | "] {
        let text = term.repeat(999) + "web";
        let selector = selector::parse(&text).unwrap();
        let began = Instant::now();
        catalog.resources(&ResourceQuery { selector, limit: 50, ..ResourceQuery::default() }).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(30), "{term}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_pattern_costs_little_on_a_long_text() {
    let (_db, catalog) = catalog().await;
    let text = "a".repeat(100_000) + "b";
    for pattern in ["(a+)+$", "(a|aa)+$", "(.+)+c$", "a{1,50}a{1,50}c", "(a|b|ab)*c", "([a-z]+)*[0-9]"] {
        let Ok(regex) = selector::Regex::new(pattern) else { continue };
        let began = Instant::now();
        let found = regex.is_found_in(&text);
        let in_sql: bool = sqlx::query_scalar("select $1::text ~ $2::text")
            .bind(&text)
            .bind(regex.portable())
            .fetch_one(&catalog.pool)
            .await
            .unwrap();
        assert_eq!(found, in_sql, "{pattern}");
        assert!(began.elapsed() < Duration::from_secs(5), "{pattern}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_selector_is_explained_term_by_term() {
    let (_db, catalog) = catalog().await;
    let world = super::world::world(&catalog, 1).await;
    let (id, thing) = world.resources.first().unwrap();
    let name = thing["name"].as_str().unwrap();
    let text = format!("name=\"{name}\" -(type=x | config.a[*]=3) related(name=nobody) web-nobody");
    let selector = selector::parse(&text).unwrap();
    let terms = catalog.explain_terms(&selector, (*id).into(), now()).await.unwrap().unwrap();
    let shown: Vec<(bool, bool)> = terms.iter().map(|term| (term.negated, term.matched)).collect();
    assert_eq!(shown.len(), 5);
    assert_eq!(shown[0], (false, true));
    assert_eq!((shown[1], shown[3], shown[4]), ((true, false), (false, false), (false, false)));
    assert_eq!((&terms[0].value, &terms[1].value), (&thing["name"], &thing["type"]));
    assert_eq!(terms[3].term, "related(name=nobody, both, 1)");
    let nobody = catalog.explain_terms(&selector, uuid::Uuid::nil().into(), now()).await.unwrap();
    assert_eq!(nobody, None);
    let wrong = selector::parse("colour=red").unwrap();
    let refused = catalog.explain_terms(&wrong, (*id).into(), now()).await;
    assert!(matches!(refused, Err(Error::BadSelector { column: 1, .. })));
}
