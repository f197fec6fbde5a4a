use catalog::{Version, VersionState};
use expect_test::expect;
use serde_json::{Value, json};

use super::{all_have_predecessor, with_differences};

fn version(source: &str, hour: u32, document: Option<Value>) -> Version {
    let from = format!("2026-03-03T{hour:02}:00:00Z").parse().unwrap();
    let state = if document.is_some() { VersionState::Documented } else { VersionState::Deleted };
    Version { source: source.to_owned(), from, to: None, state, hash: None, document, recorded_at: from }
}

#[test]
fn a_version_is_compared_with_the_documented_one_before_it_of_its_own_source() {
    let versions = vec![
        version("config", 9, Some(json!({"size": 3}))),
        version("ecs", 8, Some(json!({"tasks": 1}))),
        version("config", 7, None),
        version("config", 6, Some(json!({"size": 2}))),
    ];
    let older = [version("config", 5, Some(json!({"size": 1})))];
    let told: Vec<_> = with_differences(versions, &older)
        .iter()
        .map(|item| {
            format!(
                "{} {:?}\n",
                item.version.source,
                item.diff.as_ref().map(|diff| diff.iter().map(|d| (&d.before, &d.after)).collect::<Vec<_>>())
            )
        })
        .collect();
    expect![[r#"
        config Some([(Some(Number(2)), Some(Number(3)))])
        ecs None
        config None
        config Some([(Some(Number(1)), Some(Number(2)))])
    "#]]
    .assert_eq(&told.concat());
}

#[test]
fn older_pages_are_read_until_every_source_has_its_predecessor() {
    let page = [version("config", 9, Some(json!(2))), version("ecs", 8, None)];
    assert!(!all_have_predecessor(&page, &[]));
    assert!(!all_have_predecessor(&page, &[version("ecs", 5, Some(json!(1))), version("config", 4, None)]));
    assert!(all_have_predecessor(&page, &[version("config", 3, Some(json!(1)))]));
    assert!(all_have_predecessor(&[version("ecs", 8, None)], &[]));
}
