//! What listings bring: rows of AWS Config's advanced queries, and ARNs of the tagging API.

use std::collections::BTreeMap;

use model::{
    Arn, Document, Observation, Rank, ResourceFact, Sighting, Source, Timestamp, key_from_arn_seen_in,
};
use serde_json::{Value, json};

use crate::build::Draft;
use crate::event::other_names;
use crate::{Reason, Rejection, config};

/// The fields that a row of an advanced query must have to be read as a whole item.
/// <https://docs.aws.amazon.com/config/latest/developerguide/query-components.html>
pub const SELECTED_FIELDS: &str = "accountId, awsRegion, resourceType, resourceId, resourceName, arn, \
     configurationItemCaptureTime, configurationItemStatus, configurationStateId, availabilityZone, \
     resourceCreationTime, configuration, supplementaryConfiguration, tags, relationships";

/// Reads a row of an advanced query that selects [`SELECTED_FIELDS`]: a configuration item, which is true from its
/// capture time. It is of the same stream, and means the same, as the item in a notification.
///
/// # Errors
/// What the row lacks.
pub fn selected(row: &Value, now: Timestamp) -> Result<Observation, Rejection> {
    config::read_selected(row, now)
}

/// The stream of what the tagging API lists.
#[must_use]
pub fn tagging() -> Source {
    Source::new("tagging", Rank::Event)
}

/// Reads a resource of the tagging API, seen in `account` and `region` at `at`: all its tags, and nothing else.
///
/// # Errors
/// When the ARN names no resource that has an identity.
pub fn tagged(
    arn: &str,
    tags: &[(String, String)],
    account: &str,
    region: &str,
    at: Timestamp,
) -> Result<ResourceFact, Rejection> {
    let key = Arn::parse(arn).and_then(|parsed| key_from_arn_seen_in(&parsed, account, region));
    let key = key.ok_or_else(|| {
        Rejection::new(
            Reason::UnknownShape,
            format!("The ARN {arn} names no resource with an identity of its own"),
        )
    })?;
    let tags: BTreeMap<String, String> = tags.iter().cloned().collect();
    let document = Document { name: tags.get("Name").cloned(), tags, ..Document::default() };
    let mut draft = Draft::new(&json!(arn), tagging(), account, region, at);
    draft.fact(ResourceFact {
        aliases: other_names(&key, &[arn]),
        state_id: 0,
        sighting: Sighting::Documented(Box::new(document)),
        key,
    });
    let mut facts = draft.observation().resources;
    facts.pop().ok_or_else(|| Rejection::new(Reason::UnknownShape, "The ARN names nothing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-03-03T12:00:00Z".parse().expect("an instant")
    }

    fn row() -> Value {
        json!({
            "accountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": "AWS::EC2::Instance",
            "resourceId": "i-0abc", "arn": "arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc",
            "configurationItemCaptureTime": "2026-03-03T11:00:00.000Z", "configurationItemStatus": "OK",
            "configurationStateId": "1772535600000", "availabilityZone": "eu-west-1a",
            "configuration": {"cpuOptions": {"coreCount": 2.0}, "ratio": 0.5, "huge": 1e300},
        })
    }

    #[test]
    fn a_selected_row_is_a_whole_item_though_it_has_neither_tags_nor_relationships() {
        let observation = selected(&row(), now()).expect("an observation");
        assert_eq!(observation.source, Source::new("config", Rank::Config));
        assert_eq!(observation.occurred_at, "2026-03-03T11:00:00Z".parse::<Timestamp>().expect("an instant"));
    }

    #[test]
    fn numbers_that_a_query_wrote_with_a_fraction_are_whole_again() {
        let observation = selected(&row(), now()).expect("an observation");
        let Sighting::Documented(document) = &observation.resources[0].sighting else {
            panic!("no document")
        };
        let configuration = &document.config["configuration"];
        assert_eq!(configuration["cpuOptions"]["coreCount"].to_string(), "2");
        assert_eq!(configuration["ratio"].to_string(), "0.5");
        assert_eq!(configuration["huge"].as_f64(), Some(1e300));
    }

    #[test]
    fn a_tagged_resource_has_its_tags_masked_and_its_arn_as_a_name() {
        let tags =
            [("Name", "web"), ("password", "hunter2hunter2")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let arn = "arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc";
        let fact = tagged(arn, &tags, "111122223333", "eu-west-1", now()).expect("a fact");
        assert_eq!((&*fact.key.kind, &*fact.key.native_id), ("AWS::EC2::Instance", "i-0abc"));
        assert_eq!(fact.aliases, [arn]);
        let Sighting::Documented(document) = fact.sighting else { panic!("no document") };
        assert_eq!(document.name.as_deref(), Some("web"));
        assert_ne!(document.tags["password"], "hunter2hunter2");
    }

    #[test]
    fn an_arn_without_an_identity_is_said() {
        let refused = tagged("nonsense", &[], "111122223333", "eu-west-1", now()).expect_err("a rejection");
        assert!(refused.message.contains("nonsense"), "{refused}");
    }
}
