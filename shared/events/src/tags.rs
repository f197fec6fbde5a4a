//! Tag changes: each states all tags of a resource, so it is a document of its own stream.
//! <https://docs.aws.amazon.com/tag-editor/latest/userguide/tag-policies-cwe.html>

use model::{Category, Document, ResourceFact, Severity, Sighting, Timestamp};
use serde_json::{Value, json};

use crate::envelope::Envelope;
use crate::event::{Event, other_names};
use crate::fields::{field, items, number, tags};
use crate::{Reading, Reason, Rejection, generic};

/// The stream.
const SOURCE: &str = "tag";

/// Reads an event of source `aws.tag`.
///
/// # Errors
/// What the event lacks: account, region, time, the tags.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    if envelope.detail_type != "Tag Change on Resource" {
        return generic::read(envelope, now);
    }
    let stated = field(envelope.detail, &["tags"]).ok_or_else(|| {
        Rejection::new(Reason::MissingField, "The tag change has no `detail.tags`, which states all tags")
    })?;
    let tags = tags(Some(stated));
    let mut event = Event::begin(SOURCE, Category::Update, envelope, None, now)?;
    for name in &envelope.resources {
        event.target_named(name);
        let Some(key) = event.key_of_arn(name) else { continue };
        let document =
            Document { name: tags.get("Name").cloned(), tags: tags.clone(), ..Document::default() };
        event.draft.fact(ResourceFact {
            aliases: other_names(&key, &[name]),
            state_id: version(envelope.detail),
            sighting: Sighting::Documented(Box::new(document)),
            key,
        });
    }
    let changed = items(envelope.detail, &["changed-tag-keys"]);
    let words: Vec<&str> = changed.iter().filter_map(Value::as_str).collect();
    event.summary(Severity::Info, &format!("Tags changed: {}", words.join(", ")));
    event.details(json!({ "changed-tag-keys": changed }));
    Ok(event.done())
}

/// The count of tag changes of the resource, which orders those of one second.
fn version(detail: &Value) -> i64 {
    let version = number(detail, &["version"]).filter(|version| (0.0..1e15).contains(version));
    #[expect(clippy::cast_possible_truncation, reason = "bounded just above")]
    version.map_or(0, |version| version as i64)
}
