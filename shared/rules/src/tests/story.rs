//! The story of the shop, judged at its end: every event read, the documents of each stream laid over one another as
//! the catalog shows them.

use std::{collections::BTreeMap, fs, path::Path};

use events::Reading;
use model::{Document, Health, Rank, Sighting, Verdict};
use serde_json::{Value, json};

use super::{at, built_in};

/// The documents of one resource by stream, the weightiest first.
type Streams = BTreeMap<(std::cmp::Reverse<Rank>, String), Document>;

/// The verdict of each resource by type and native id.
fn told() -> BTreeMap<(String, String), Verdict> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/story");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "json"));
    files.sort();
    assert!(files.len() > 100);
    let mut streams: BTreeMap<(String, String), Streams> = BTreeMap::new();
    for file in files {
        let payload: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let Ok(Reading::Observed(seen)) = events::read(&payload, at("2026-03-04T00:00:00Z")) else {
            continue;
        };
        for fact in seen.resources {
            let stream = (std::cmp::Reverse(seen.source.rank), seen.source.name.clone());
            let key = (fact.key.kind.clone(), fact.key.native_id.clone());
            match fact.sighting {
                Sighting::Documented(document) => {
                    streams.entry(key).or_default().insert(stream, *document);
                }
                Sighting::Deleted => {
                    streams.remove(&key);
                }
                _ => {}
            }
        }
    }
    let rules = built_in();
    let judged = streams.into_iter().map(|((kind, id), documents)| {
        let mut config = json!({});
        for document in documents.into_values() {
            if let (Value::Object(shown), Value::Object(lesser)) = (&mut config, document.config) {
                for (field, value) in lesser {
                    shown.entry(field).or_insert(value);
                }
            }
        }
        let resource = json!({"type": kind, "native_id": id, "config": model::shown_config(config)});
        ((kind, id), rules.judge(resource, at("2026-03-03T06:00:00Z")))
    });
    judged.collect()
}

#[test]
fn at_the_end_of_the_story_checkout_is_unhealthy_and_the_other_services_are_not() {
    let told = told();
    let services: BTreeMap<_, _> = told
        .iter()
        .filter(|((kind, _), _)| kind == "AWS::ECS::Service")
        .map(|((_, id), v)| (id.as_str(), v))
        .collect();
    assert_eq!(services.len(), 4, "{services:?}");
    for (id, verdict) in services {
        if id.ends_with("checkout") {
            assert_eq!((verdict.health, verdict.status.as_str()), (Health::Unhealthy, "DeploymentFailed"));
            assert_eq!(
                verdict.reason,
                "The last deployment failed: ECS deployment circuit breaker: tasks failed to start. (service checkout) \
                 is unable to consistently start tasks successfully. (3 tasks wanted)"
            );
        } else {
            assert_eq!(verdict.health, Health::Healthy, "{id}: {verdict:?}");
        }
    }
    let of = |kind: &str, id: &str| &told[&(kind.to_owned(), id.to_owned())];
    assert_eq!(of("AWS::RDS::DBInstance", "shop-orders").status, "Available");
    assert_eq!(of("AWS::Lambda::Function", "order-mailer").health, Health::Healthy);
    let alarm = of("AWS::CloudWatch::Alarm", "shop-orders-dlq-depth");
    assert_eq!((alarm.health, alarm.status.as_str()), (Health::Unhealthy, "Alarm"));
    assert!(
        alarm.reason.starts_with("Orders lie in the dead-letter queue: Threshold Crossed"),
        "{}",
        alarm.reason
    );
    assert_eq!(of("AWS::CloudWatch::CompositeAlarm", "shop-checkout-down").health, Health::Unhealthy);
    let errors: Vec<_> = told.values().filter(|verdict| verdict.status == "RuleError").collect();
    assert!(errors.is_empty(), "{errors:?}");
}
