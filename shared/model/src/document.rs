//! What a source says a resource looks like.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ContentHash, ResourceKey, canonical_json};

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

/// A typed, directed relation that starts at the resource whose document holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relation {
    /// The kind of relation, in lower case with spaces as the source says it: `is contained in vpc`.
    pub kind: String,
    /// The resource at the far end.
    pub to: ResourceKey,
}

impl Document {
    /// The document as JSON, without its relations.
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }

    /// The content hash: SHA-256 of the canonical document together with its relations.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        self.hash_of(&self.to_json())
    }

    /// The content hash, given what [`Self::to_json`] answered: writing a document out twice would be most of the work.
    #[must_use]
    pub fn hash_of(&self, json: &Value) -> ContentHash {
        let mut text = canonical_json(json);
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
