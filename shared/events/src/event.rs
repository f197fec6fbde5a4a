//! One happening in the making: what the families share.
//!
//! A family begins an [`Event`], says which resources it is about and how they looked, fills in the change, and is
//! done. What it says is masked by the [`Draft`], and masked before it is cut here: half a secret is not recognised.

use model::{
    Arn, Category, Change, ChangeResource, Document, Rank, ResourceFact, ResourceKey, Role, Severity,
    Sighting, Source, Spelling, Timestamp, aws_key, key_from_arn_seen_in,
};
use serde_json::Value;

use crate::bound::bound;
use crate::build::{Draft, MAX_TEXT, clip};
use crate::envelope::Envelope;
use crate::{Reading, Rejection, mask, time};

/// How many bytes of JSON the details of a change or a finding have at most.
const MAX_DETAILS: usize = 16 << 10;

/// An observation of one change.
#[derive(Debug)]
pub(crate) struct Event {
    /// The observation, for facts and findings.
    pub(crate) draft: Draft,
    /// The change, for what only one family has to say.
    pub(crate) change: Change,
}

impl Event {
    /// Begins the observation of an EventBridge event, at the event's own account and region. The stream's name is
    /// `source`, the change is called as the event's detail type. Its time is the one that stands in the detail at the
    /// JSON pointer `own`, if that can be read, else the envelope's.
    ///
    /// # Errors
    /// The event has no account, region or time, or its time lies in the future.
    pub(crate) fn begin(
        source: &str,
        category: Category,
        envelope: &Envelope<'_>,
        own: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, Rejection> {
        let own = own.and_then(|own| Some((own, envelope.detail.pointer(own)?)));
        let at = match own.filter(|(_, value)| time::parse(value).is_some()) {
            Some(own) => time::occurred("The event", &[own], now)?,
            None => envelope.time(now)?,
        };
        let source = Source::new(source, Rank::Event);
        let draft = Draft::new(envelope.whole, source, envelope.account()?, envelope.region()?, at);
        let mut event = Self::of(draft, envelope.detail_type, category);
        event.change.event_id = envelope.id().map(sentence);
        Ok(event)
    }

    /// Begins a change of a draft that is there already.
    pub(crate) fn of(draft: Draft, kind: &str, category: Category) -> Self {
        let change = draft.change(kind, category);
        Self { draft, change }
    }

    /// The key of a resource of this place, by its type and its id or ARN.
    pub(crate) fn key(&self, kind: &str, id: &str) -> Option<ResourceKey> {
        key_at(&self.change.account, &self.change.region, kind, id)
    }

    /// The key of the resource that an ARN names. What the ARN leaves open, as a bucket's account, is this place's.
    pub(crate) fn key_of_arn(&self, arn: &str) -> Option<ResourceKey> {
        key_from_arn_seen_in(&Arn::parse(arn.trim())?, &self.change.account, &self.change.region)
    }

    /// Says that it was done to a resource, which also has these names.
    pub(crate) fn target(&mut self, key: &ResourceKey, names: &[&str]) {
        self.touch(key, names, Role::Target);
    }

    /// Says that it names a resource.
    pub(crate) fn relate(&mut self, key: Option<ResourceKey>) {
        if let Some(key) = key {
            self.touch(&key, &[], Role::Related);
        }
    }

    /// Says that it was done to whatever a text names: a resource where that can be told, else only a name.
    pub(crate) fn target_named(&mut self, name: &str) {
        match self.key_of_arn(name) {
            Some(key) => self.target(&key, &[name]),
            None => self.change.mentions.push(name.to_owned()),
        }
    }

    /// Says how a resource was seen.
    pub(crate) fn see(&mut self, key: &ResourceKey, sighting: Sighting) {
        self.draft.see(key.clone(), [], sighting);
    }

    /// Says what a resource looked like.
    pub(crate) fn document(&mut self, key: &ResourceKey, document: Document) {
        self.see(key, Sighting::Documented(Box::new(document)));
    }

    /// Says how much it matters and what it comes to in one sentence.
    pub(crate) fn summary(&mut self, severity: Severity, text: &str) {
        self.change.severity = severity;
        self.change.summary = sentence(text);
    }

    /// Says with which words it failed, if it did.
    pub(crate) fn failure(&mut self, reason: Option<&str>) {
        self.change.error_message = reason.filter(|text| !text.is_empty()).map(sentence);
    }

    /// Says what else there is to it.
    pub(crate) fn details(&mut self, details: Value) {
        self.change.details = bounded(details);
    }

    /// The observation.
    pub(crate) fn done(self) -> Reading {
        let Self { mut draft, change } = self;
        draft.record(change);
        draft.finish()
    }

    fn touch(&mut self, key: &ResourceKey, names: &[&str], role: Role) {
        self.draft.fact(ResourceFact {
            key: key.clone(),
            aliases: other_names(key, names),
            state_id: 0,
            sighting: Sighting::Mentioned,
        });
        self.change.resources.push(ChangeResource { key: key.clone(), role });
    }
}

/// The details of a change or a finding: masked, and no larger than a row should carry.
pub(crate) fn bounded(mut details: Value) -> Value {
    mask::details(&mut details);
    bound(details, MAX_DETAILS)
}

/// The key of a resource by its type and id, which may be an ARN.
pub(crate) fn key_at(account: &str, region: &str, kind: &str, id: &str) -> Option<ResourceKey> {
    aws_key(&Spelling { account, region, kind, id: Some(id), ..Spelling::default() })
}

/// The names that are not the native id itself. An ARN of another account is no name of this resource.
pub(crate) fn other_names(key: &ResourceKey, names: &[&str]) -> Vec<String> {
    let foreign = |name: &str| {
        let account = name.starts_with("arn:").then(|| name.split(':').nth(4).unwrap_or_default());
        account.is_some_and(|account| !account.is_empty() && account != key.account)
    };
    let names =
        names.iter().map(|name| name.trim()).filter(|name| !name.is_empty() && *name != key.native_id);
    names.filter(|name| !foreign(name)).map(str::to_owned).collect()
}

/// A text for people: masked, and no longer than a change keeps.
pub(crate) fn sentence(text: &str) -> String {
    clip(&mask::text(text), MAX_TEXT)
}
