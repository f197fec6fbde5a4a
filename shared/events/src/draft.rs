//! An observation in the making: a family says what it saw, the draft adds when, where and from whom.

use std::collections::BTreeMap;

use model::{
    Actor, Arn, Category, Change, ChangeId, ChangeResource, Completeness, Document, Finding, Observation,
    ObservationKey, Rank, ResourceFact, ResourceKey, Role, Severity, Sighting, Source, Spelling, Timestamp, aws_key,
    key_from_arn, to_micros,
};
use serde_json::Value;

use crate::envelope::Envelope;
use crate::{Reading, Reason, Rejection, mask, place};

/// How far ahead of us a sender's clock may run, in minutes, before its times are refused.
const AHEAD_MINUTES: i64 = 15;

/// An observation in the making.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) at: Timestamp,
    key: ObservationKey,
    source: Source,
    facts: BTreeMap<ResourceKey, ResourceFact>,
    changes: Vec<Change>,
    findings: Vec<Finding>,
    event_id: Option<String>,
}

/// What happened, as a family tells it.
#[derive(Debug, Default)]
pub(crate) struct Happening<'a> {
    /// The source's own word.
    pub(crate) kind: &'a str,
    /// Ours; `Other` when it is not said.
    pub(crate) category: Option<Category>,
    /// `Info` when it is not said.
    pub(crate) severity: Option<Severity>,
    /// One sentence.
    pub(crate) summary: String,
    /// Whatever else is worth keeping; the draft masks it.
    pub(crate) details: Value,
    /// What it was done to.
    pub(crate) targets: Vec<ResourceKey>,
    /// What it names besides.
    pub(crate) related: Vec<ResourceKey>,
    /// Names that are no resource of ours.
    pub(crate) mentions: Vec<String>,
    /// Who did it.
    pub(crate) actor: Option<Actor>,
    /// The provider's code of a failure.
    pub(crate) error_code: Option<String>,
    /// The provider's words for a failure.
    pub(crate) error_message: Option<String>,
    /// The address it came from.
    pub(crate) source_address: Option<String>,
}

impl Draft {
    /// A draft at a place and an instant, of the payload with this key.
    ///
    /// # Errors
    /// The instant lies in the future.
    pub(crate) fn new(
        source: (&str, Rank),
        (account, region): (&str, &str),
        at: Timestamp,
        now: Timestamp,
        key: ObservationKey,
    ) -> Result<Self, Rejection> {
        if at > now + chrono::TimeDelta::minutes(AHEAD_MINUTES) {
            return Err(Rejection::new(Reason::FutureTime, format!("its time {at} lies in the future")));
        }
        Ok(Self {
            account: account.to_owned(),
            region: region.to_owned(),
            at: to_micros(at),
            key,
            source: Source::new(source.0, source.1),
            facts: BTreeMap::new(),
            changes: Vec::new(),
            findings: Vec::new(),
            event_id: None,
        })
    }

    /// A draft of an event of EventBridge, at the event's own account, region and time. `at` is the detail's own
    /// time where it has a better one.
    ///
    /// # Errors
    /// The event has no account, region or time, or its time lies in the future.
    pub(crate) fn of_event(
        source: &str,
        envelope: &Envelope<'_>,
        at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Self, Rejection> {
        todo_envelope(source, envelope, at, now)
    }

    /// The key of a resource of this place, by its type and id.
    pub(crate) fn key_of(&self, kind: &str, id: &str) -> Option<ResourceKey> {
        aws_key(&Spelling { account: &self.account, region: &self.region, kind, id: Some(id), ..Spelling::default() })
    }

    /// The key of the resource that an ARN names. What the ARN leaves open (a bucket's account and region) is this
    /// place's.
    pub(crate) fn key_of_arn(&self, arn: &str) -> Option<ResourceKey> {
        let arn = Arn::parse(arn.trim())?;
        let account = if arn.account.is_empty() { &self.account } else { arn.account };
        let region = if arn.region.is_empty() { &self.region } else { arn.region };
        key_from_arn(&Arn { account, region, ..arn })
    }

    /// The key by ARN where that is one, else by type and id.
    pub(crate) fn key_by(&self, kind: &str, arn_or_id: &str) -> Option<ResourceKey> {
        self.key_of_arn(arn_or_id).or_else(|| self.key_of(kind, arn_or_id))
    }

    /// Says how a resource was seen. What was said before of the same resource gives way to stronger evidence.
    pub(crate) fn say(&mut self, key: &ResourceKey, aliases: &[&str], sighting: Sighting) {
        self.say_at(key, aliases, 0, sighting);
    }

    /// As [`Self::say`], with the source's own order of states of one instant.
    pub(crate) fn say_at(&mut self, key: &ResourceKey, aliases: &[&str], state_id: i64, sighting: Sighting) {
        let fact = self.facts.entry(key.clone()).or_insert_with(|| ResourceFact {
            key: key.clone(),
            aliases: Vec::new(),
            state_id,
            sighting: Sighting::Mentioned,
        });
        for alias in aliases.iter().map(|alias| alias.trim()) {
            let news = !alias.is_empty() && alias != key.native_id && !fact.aliases.iter().any(|held| held == alias);
            if news {
                fact.aliases.push(alias.to_owned());
            }
        }
        fact.aliases.sort_unstable();
        if weight(&sighting) >= weight(&fact.sighting) {
            fact.state_id = state_id;
            fact.sighting = sighting;
        }
    }

    /// Says that a resource looked like this. The configuration is masked here.
    pub(crate) fn document(&mut self, key: &ResourceKey, aliases: &[&str], mut document: Document) {
        mask::document(&key.kind, &mut document.config);
        self.say(key, aliases, Sighting::Documented(Box::new(document)));
    }

    /// Says that something happened. Resources of other accounts become mentions: they are never rows of ours.
    pub(crate) fn happened(&mut self, happening: Happening<'_>) {
        let Happening { kind, category, severity, summary, mut details, targets, related, mut mentions, .. } = happening;
        mask::details(&mut details);
        let mut resources: Vec<ChangeResource> = Vec::new();
        let roles = targets.into_iter().map(|key| (key, Role::Target));
        for (key, role) in roles.chain(related.into_iter().map(|key| (key, Role::Related))) {
            if key.account != self.account {
                mentions.push(format!("{} {} of account {}", key.kind, key.native_id, key.account));
            } else if !resources.iter().any(|held| held.key == key) {
                self.say(&key, &[], Sighting::Mentioned);
                resources.push(ChangeResource { key, role });
            }
        }
        mentions.sort_unstable();
        mentions.dedup();
        self.changes.push(Change {
            id: ChangeId::of(&self.key, self.changes.len()),
            occurred_at: self.at,
            account: self.account.clone(),
            region: self.region.clone(),
            source: self.source.name.clone(),
            kind: kind.to_owned(),
            category: category.unwrap_or(Category::Other),
            severity: severity.unwrap_or(Severity::Info),
            read_only: false,
            summary: mask::text(&summary),
            actor: happening.actor,
            source_address: happening.source_address,
            user_agent: None,
            error_code: happening.error_code,
            error_message: happening.error_message.map(|text| mask::text(&text)),
            event_id: self.event_id.clone(),
            session_id: None,
            details,
            resources,
            mentions,
        });
    }

    /// Says that something is claimed.
    pub(crate) fn claimed(&mut self, finding: Finding) {
        for key in &finding.resources {
            self.say(key, &[], Sighting::Mentioned);
        }
        self.findings.push(finding);
    }

    /// The observation.
    pub(crate) fn done(self) -> Reading {
        Reading::Observed(Box::new(Observation {
            key: self.key,
            source: self.source,
            account: self.account,
            region: self.region,
            occurred_at: self.at,
            resources: self.facts.into_values().collect(),
            changes: self.changes,
            findings: self.findings,
            completeness: Completeness::OnlyThese,
        }))
    }
}

/// Which of two sightings of one resource in one observation counts.
fn weight(sighting: &Sighting) -> u8 {
    match sighting {
        Sighting::Mentioned => 0,
        Sighting::Present => 1,
        Sighting::Documented(_) => 2,
        Sighting::Deleted => 3,
    }
}
