//! What a source says a resource looks like.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ContentHash, ResourceKey, canonical::CanonicalText};

/// The version of the mask rules that documents of this build went through. It is kept beside each document and is
/// no part of its hash: a document that differs only by mask set is a rewrite, not a change.
pub const MASK_SET: i16 = 1;

/// The full, masked document of a resource, as one source knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// The name people know it by, where the source has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Tags as the provider keeps them (AWS tags, Kubernetes labels go to `labels`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Labels: Kubernetes labels and whatever a source calls so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The configuration itself, masked, in the source's own shape.
    #[serde(default)]
    pub config: Value,
    /// True when the source's text held characters that cannot be stored (NUL, half a surrogate pair); each became
    /// U+FFFD.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaced: bool,
    /// What this resource is related to. The list is complete for its source: a relation that is missing ends.
    #[serde(skip)]
    pub relations: BTreeSet<Relation>,
}

/// A configuration as expressions see it, as `resource.config`. AWS Config and the alarms' events hold the settings
/// under `configuration`, beside what they add to them; here the settings stand first, and the rest beside them.
#[must_use]
pub fn shown_config(mut config: Value) -> Value {
    let Some(fields) = config.as_object_mut().filter(|fields| !fields.contains_key("apiVersion")) else {
        return config;
    };
    match fields.remove("configuration") {
        Some(Value::Object(mut settings)) => {
            for (name, value) in std::mem::take(fields) {
                settings.entry(name).or_insert(value);
            }
            Value::Object(settings)
        }
        Some(other) => {
            fields.insert("configuration".to_owned(), other);
            config
        }
        None => config,
    }
}

/// A typed, directed relation that starts at the resource whose document holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relation {
    /// The kind of relation, in lower case with spaces as the source says it: `is contained in vpc`.
    pub kind: String,
    /// The resource at the far end.
    pub to: ResourceKey,
}

impl Document {
    /// What the document says of itself for people: `description` of its settings, else of the rest, up to 2,000
    /// characters.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        let settings = self.config.get("configuration").filter(|_| self.config.get("apiVersion").is_none());
        let text = settings
            .into_iter()
            .chain([&self.config])
            .flat_map(|config| ["description", "Description"].map(|name| config.get(name)))
            .find_map(|value| value?.as_str())?;
        let end = text.char_indices().nth(2000).map(|(end, _)| end);
        end.map_or(Some(text), |end| text.get(..end))
    }

    /// The document as JSON, without its relations.
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }

    /// The content hash: SHA-256 of the canonical document together with its relations.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        // What `canonical_json` makes of `to_json`, without the copy: fields in the order of their names.
        let mut text = CanonicalText::default();
        text.raw(b"{\"config\":").value(&self.config);
        if !self.labels.is_empty() {
            text.raw(b",\"labels\":").texts(&self.labels);
        }
        if let Some(name) = &self.name {
            text.raw(b",\"name\":").text(name);
        }
        if self.replaced {
            text.raw(b",\"replaced\":true");
        }
        if !self.tags.is_empty() {
            text.raw(b",\"tags\":").texts(&self.tags);
        }
        let mut text = text.raw(b"}").take();
        for relation in &self.relations {
            // No JSON text ends or goes on with these bytes, so the parts cannot run into one another.
            text.push(0);
            text.extend_from_slice(relation.kind.as_bytes());
            text.push(0);
            text.extend_from_slice(relation.to.id().0.as_bytes());
        }
        ContentHash::of_bytes(&text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_stand_first_and_what_was_added_beside_them() {
        let item = json!({"configuration": {"state": {"name": "running"}}, "state": "pending", "availabilityZone": "a"});
        let shown = json!({"state": {"name": "running"}, "availabilityZone": "a"});
        assert_eq!(shown_config(item), shown);
        for other in
            [json!(null), json!({"configuration": "text"}), json!({"apiVersion": "v1", "configuration": {}})]
        {
            assert_eq!(shown_config(other.clone()), other);
        }
    }
}
