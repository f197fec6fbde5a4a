//! What the values of an event name, wherever they stand: ARNs, ids, and parameters that name a resource.

use std::collections::BTreeSet;

use model::{Arn, Change, ChangeResource, ResourceKey, Role, Sighting, key_from_arn};
use serde_json::Value;

use crate::{build::Draft, mask};

/// How many resources and names one change keeps beyond its targets.
const MAX_RELATED: usize = 100;

/// JSON inside a string is looked into up to this many bytes, and this deep.
const MAX_EMBEDDED: usize = 64 << 10;
const MAX_EMBEDDED_DEPTH: usize = 3;

/// The names found so far.
#[derive(Debug, Default)]
pub(crate) struct Related {
    keys: BTreeSet<(ResourceKey, Option<String>)>,
    mentions: BTreeSet<String>,
}

impl Related {
    /// Looks through a value. `key` answers for a text that is no ARN, by the field it stands in.
    pub(crate) fn walk(&mut self, value: &Value, key: &impl Fn(&str, &str) -> Option<ResourceKey>) {
        self.look("", value, 0, key);
    }

    fn look(
        &mut self,
        field: &str,
        value: &Value,
        depth: usize,
        key: &impl Fn(&str, &str) -> Option<ResourceKey>,
    ) {
        if self.keys.len() + self.mentions.len() >= MAX_RELATED {
            return;
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.look(field, item, depth, key)),
            Value::Object(fields) => {
                fields.iter().for_each(|(name, inner)| self.look(name, inner, depth, key));
            }
            Value::String(text) if text.starts_with("arn:") => self.arn(text),
            Value::String(text) if text.starts_with(['{', '[']) => {
                if depth < MAX_EMBEDDED_DEPTH
                    && text.len() <= MAX_EMBEDDED
                    && let Ok(inner) = serde_json::from_str(text)
                {
                    self.look(field, &inner, depth + 1, key);
                }
            }
            Value::String(text) => self.keys.extend(key(field, text).map(|key| (key, None))),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn arn(&mut self, text: &str) {
        let Some(arn) = Arn::parse(text) else { return };
        // A pattern names nothing in particular, and a bucket's ARN does not say whose the bucket is.
        let key = if arn.resource.contains(['*', '?', '$']) { None } else { key_from_arn(&arn) };
        match key {
            Some(key) => {
                self.keys.insert((key, Some(text.to_owned())));
            }
            None => {
                self.mentions.insert(mask::text(text));
            }
        }
    }

    /// The role of what was found, where nobody knows what the event is about: a single resource is it.
    pub(crate) fn role(&self, change: &Change) -> Role {
        let distinct: BTreeSet<_> = self.keys.iter().map(|(key, _)| key).collect();
        if change.resources.is_empty() && distinct.len() == 1 { Role::Target } else { Role::Related }
    }

    /// Adds what was found to the change.
    pub(crate) fn tell(self, draft: &mut Draft, change: &mut Change, role: Role) {
        for (key, name) in self.keys {
            draft.see(key.clone(), name.as_deref(), Sighting::Mentioned);
            change.resources.push(ChangeResource { key, role });
        }
        change.mentions.extend(self.mentions);
    }
}
