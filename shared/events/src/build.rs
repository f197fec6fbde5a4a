//! Small helpers that every family builds its observation with. Everything passes the mask here, whether or not its
//! family thought of it.

use std::collections::BTreeMap;

use model::{
    Arn, Category, Change, ChangeId, ChangeResource, Completeness, Finding, Observation, ObservationKey,
    ResourceFact, ResourceKey, Role, Severity, Sighting, Source, Timestamp, key_from_arn_seen_in,
};
use serde_json::Value;

use crate::{Reading, mask};

/// How many characters a name has at most that is looked up by: an alias, a document's name, the kind of a change.
/// An index takes no longer keys, and one such name must not hold up the events beside it.
const MAX_NAME: usize = 512;

/// How many characters of a text a change keeps.
pub(crate) const MAX_TEXT: usize = 2_000;

/// An observation in the making: it holds where and when, and each resource once.
#[derive(Debug)]
pub(crate) struct Draft {
    key: ObservationKey,
    source: Source,
    account: String,
    region: String,
    at: Timestamp,
    facts: BTreeMap<ResourceKey, ResourceFact>,
    changes: Vec<Change>,
    findings: Vec<Finding>,
    replaced: bool,
}

/// The key under which the details of a change say that characters were replaced.
const REPLACED: &str = "(replaced)";

impl Draft {
    /// Begins an observation. `payload` is what its idempotency key is the hash of: the CloudTrail record or the
    /// Config item itself whatever wrapped it, else the whole envelope.
    pub(crate) fn new(payload: &Value, source: Source, account: &str, region: &str, at: Timestamp) -> Self {
        Self {
            key: ObservationKey::of(payload),
            source,
            account: account.to_owned(),
            region: region.to_owned(),
            at,
            facts: BTreeMap::new(),
            changes: Vec::new(),
            findings: Vec::new(),
            replaced: holds_replacement(payload),
        }
    }

    /// A change of this observation that says nothing yet but what it is called. Give it to [`Self::record`].
    pub(crate) fn change(&self, kind: &str, category: Category) -> Change {
        Change {
            id: ChangeId::of(&self.key, self.changes.len()),
            occurred_at: self.at,
            account: self.account.clone(),
            region: self.region.clone(),
            source: self.source.name.clone(),
            kind: clip(kind, MAX_NAME),
            category,
            severity: Severity::Info,
            read_only: false,
            summary: String::new(),
            actor: None,
            source_address: None,
            user_agent: None,
            error_code: None,
            error_message: None,
            event_id: None,
            session_id: None,
            details: Value::Null,
            resources: Vec::new(),
            mentions: Vec::new(),
        }
    }

    /// Adds a change, masked, and a mention of every resource it touches.
    pub(crate) fn record(&mut self, mut change: Change) {
        mask::change(&mut change);
        if self.replaced
            && let Value::Object(details) = &mut change.details
        {
            details.insert(REPLACED.to_owned(), "characters that cannot be stored became U+FFFD".into());
        }
        change.resources = distinct(change.resources);
        change.mentions.sort_unstable();
        change.mentions.dedup();
        for touched in &change.resources {
            self.see(touched.key.clone(), [], Sighting::Mentioned);
        }
        self.changes.push(change);
    }

    /// Adds a finding, masked, and a mention of every resource it is about.
    pub(crate) fn claim(&mut self, mut finding: Finding) {
        mask::finding(&mut finding);
        for key in &finding.resources {
            self.see(key.clone(), [], Sighting::Mentioned);
        }
        self.findings.push(finding);
    }

    /// Says how a resource was seen. The strongest sighting of one resource stays, its aliases gather.
    pub(crate) fn see<'n>(
        &mut self,
        key: ResourceKey,
        aliases: impl IntoIterator<Item = &'n str>,
        sighting: Sighting,
    ) {
        self.fact(ResourceFact {
            key,
            aliases: aliases.into_iter().map(str::to_owned).collect(),
            state_id: 0,
            sighting,
        });
    }

    /// Adds a fact about a resource, masked; see [`Self::see`].
    pub(crate) fn fact(&mut self, fact: ResourceFact) {
        let mut fact = masked(fact, self.replaced);
        let Some(held) = self.facts.get_mut(&fact.key) else {
            self.facts.insert(fact.key.clone(), fact);
            return;
        };
        held.aliases.append(&mut fact.aliases);
        held.aliases.sort_unstable();
        held.aliases.dedup();
        if strength(&fact.sighting) > strength(&held.sighting) {
            held.sighting = fact.sighting;
            held.state_id = fact.state_id;
        }
    }

    /// Puts a name (an ARN as a rule) where it belongs: the change's resources when it has an identity, else its
    /// mentions. Answers the key.
    pub(crate) fn name(&mut self, change: &mut Change, name: &str, role: Role) -> Option<ResourceKey> {
        let key = Arn::parse(name).and_then(|arn| key_from_arn_seen_in(&arn, &self.account, &self.region));
        match &key {
            Some(key) => {
                change.resources.push(ChangeResource { key: key.clone(), role });
                self.see(key.clone(), [name], Sighting::Mentioned);
            }
            None if name.is_empty() => {}
            None => change.mentions.push(name.to_owned()),
        }
        key
    }

    /// The finished observation.
    pub(crate) fn finish(self) -> Reading {
        Reading::Observed(Box::new(self.observation()))
    }

    /// The finished observation itself.
    pub(crate) fn observation(self) -> Observation {
        Observation {
            key: self.key,
            source: self.source,
            account: self.account,
            region: self.region,
            occurred_at: self.at,
            resources: self.facts.into_values().collect(),
            changes: self.changes,
            findings: self.findings,
            completeness: Completeness::OnlyThese,
        }
    }
}

/// A fact as it may leave this crate: its document masked, its names bounded. `replaced` says that characters of it
/// were replaced.
pub(crate) fn masked(mut fact: ResourceFact, replaced: bool) -> ResourceFact {
    fact.aliases.retain(|alias| alias.chars().count() <= MAX_NAME);
    if let Sighting::Documented(document) = &mut fact.sighting {
        document.name = document.name.take().map(|name| clip(&name, MAX_NAME));
        document.replaced = replaced;
        mask::whole_document(&fact.key.kind, document);
    }
    fact.aliases.retain(|name| fact.key.is_named(name));
    fact.aliases.sort_unstable();
    fact.aliases.dedup();
    fact
}

/// Whether U+FFFD stands anywhere in a payload: [`crate::split()`] puts it where a character cannot be stored. Asked of
/// the payload rather than remembered, so that one payload means one observation whoever replaced them.
fn holds_replacement(payload: &Value) -> bool {
    match payload {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.contains('\u{fffd}'),
        Value::Array(items) => items.iter().any(holds_replacement),
        Value::Object(fields) => {
            fields.iter().any(|(key, field)| key.contains('\u{fffd}') || holds_replacement(field))
        }
    }
}

fn strength(sighting: &Sighting) -> u8 {
    match sighting {
        Sighting::Mentioned => 0,
        Sighting::Present => 1,
        Sighting::Documented(_) => 2,
        Sighting::Deleted => 3,
    }
}

/// Each resource once; as the target where it is both.
fn distinct(touched: Vec<ChangeResource>) -> Vec<ChangeResource> {
    let mut roles: BTreeMap<ResourceKey, Role> = BTreeMap::new();
    for ChangeResource { key, role } in touched {
        roles.entry(key).and_modify(|held| *held = (*held).min(role)).or_insert(role);
    }
    roles.into_iter().map(|(key, role)| ChangeResource { key, role }).collect()
}

/// A text cut to `limit` characters, with an ellipsis where something was cut.
pub(crate) fn clip(text: &str, limit: usize) -> String {
    let mut chars = text.chars();
    let mut clipped: String = chars.by_ref().take(limit).collect();
    if chars.next().is_some() {
        clipped.push('…');
    }
    clipped
}

#[cfg(test)]
mod tests;
