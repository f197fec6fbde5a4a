//! Which resources a record touches: by the table, by `resources[]`, and by whatever its parameters name.

use std::collections::BTreeSet;

use model::{Arn, Change, ChangeResource, ResourceKey, Role, Sighting, Spelling, aws_key, key_from_arn};
use serde_json::Value;

use super::{
    Record,
    paths::{get, hidden, texts},
    rules::{self, Effect},
};
use crate::{
    build::{Draft, clip},
    fields::text,
    mask,
};

/// How many resources and names one change keeps beyond its targets.
const MAX_RELATED: usize = 100;

/// A policy or payload inside a string is looked into up to this many bytes.
const MAX_EMBEDDED: usize = 64 << 10;

const BUCKET: &str = "AWS::S3::Bucket";

/// Fills in the change's resources and mentions, and says in the draft how each was seen.
pub(super) fn touch(draft: &mut Draft, change: &mut Change, record: &Record<'_>) {
    by_table(draft, change, record);
    listed(draft, change, record);
    let mut related = Related::default();
    for part in
        [record.request, record.response, record.part("serviceEventDetails"), record.part("insightDetails")]
    {
        related.walk(record, part);
    }
    related.tell(draft, change);
}

/// The targets that the table names.
fn by_table(draft: &mut Draft, change: &mut Change, record: &Record<'_>) {
    for rule in rules::of(&record.service, record.event) {
        let sighting = if record.altered() { sighting(rule.effect, record) } else { Sighting::Mentioned };
        for name in rule.paths.iter().flat_map(|path| named_at(record, path)) {
            let Some(key) = key(record, rule.kind, &name) else {
                change.mentions.push(clip(&mask::text(&name), 256));
                continue;
            };
            let alias = name.starts_with("arn:").then_some(&*name);
            draft.see(key.clone(), alias, sighting.clone());
            change.resources.push(ChangeResource { key, role: Role::Target });
        }
    }
}

fn sighting(effect: Effect, record: &Record<'_>) -> Sighting {
    let asked = |parameter| {
        get(record.request, parameter).is_some_and(|value| !matches!(value, Value::Null | Value::Bool(false)))
    };
    match effect {
        Effect::Create | Effect::Update => Sighting::Present,
        Effect::Delete => Sighting::Deleted,
        Effect::DeleteIf(parameter) if asked(parameter) => Sighting::Deleted,
        Effect::DeleteUnless(parameter) if !asked(parameter) => Sighting::Deleted,
        Effect::DeleteIf(_) | Effect::DeleteUnless(_) => Sighting::Present,
        Effect::Touch => Sighting::Mentioned,
    }
}

fn named_at(record: &Record<'_>, path: &str) -> Vec<String> {
    let (root, path) = match path.split_at_checked(1) {
        Some((">", path)) => (record.request, path),
        Some(("<", path)) => (record.response, path),
        Some((_, path)) => (record.whole, path),
        None => return Vec::new(),
    };
    let Some((outer, inner)) = path.split_once('+') else {
        return texts(root, path).into_iter().map(str::to_owned).collect();
    };
    // What lives inside something: an ECS service without a cluster is in the one called `default`.
    let outer = texts(root, outer).first().map_or("default", |name| name.rsplit('/').next().unwrap_or(name));
    let whole =
        |name: &str| if name.starts_with("arn:") { name.to_owned() } else { format!("{outer}/{name}") };
    texts(root, inner).into_iter().map(whole).collect()
}

/// The key of what a parameter names, seen in the record's account and region.
fn key(record: &Record<'_>, kind: &str, name: &str) -> Option<ResourceKey> {
    let kind = if kind == "AWS::KMS::Key" && name.starts_with("alias/") { "AWS::KMS::Alias" } else { kind };
    let owner = match kind {
        BUCKET => record.bucket_owner(name),
        "AWS::SQS::Queue" => queue_owner(name),
        _ => None,
    };
    let account = owner.unwrap_or(record.account);
    aws_key(&Spelling { account, region: record.region, kind, id: Some(name), name: None, arn: None })
}

/// The account in a queue's address: `https://sqs.eu-central-1.amazonaws.com/111122223333/orders`.
fn queue_owner(url: &str) -> Option<&str> {
    let mut parts = url.strip_prefix("https://")?.rsplit('/');
    parts.next()?;
    parts.next().filter(|account| crate::place::is_account(account))
}

/// The resources that the record lists itself. They are what it is about where the table does not say.
fn listed(draft: &mut Draft, change: &mut Change, record: &Record<'_>) {
    let role = if change.resources.is_empty() { Role::Target } else { Role::Related };
    for entry in record.resources() {
        let Some(name) = text(entry, &["ARN", "arn", "ARNPrefix"]) else { continue };
        let account = text(entry, &["accountId"]).unwrap_or(record.account);
        let kind = text(entry, &["type", "resourceType"]).filter(|kind| model::known_type(kind).is_some());
        let seen =
            Spelling { account, region: record.region, kind: kind.unwrap_or(""), ..Spelling::default() };
        let by_type = kind.and_then(|_| aws_key(&Spelling { arn: Some(name), ..seen }));
        let by_arn =
            || Arn::parse(name).and_then(|arn| model::key_from_arn_seen_in(&arn, account, record.region));
        match by_type.or_else(by_arn) {
            Some(key) => {
                draft.see(key.clone(), [name], Sighting::Mentioned);
                change.resources.push(ChangeResource { key, role });
            }
            None => change.mentions.push(clip(&mask::text(name), 256)),
        }
    }
}

/// What the parameters name beside the targets.
#[derive(Debug, Default)]
struct Related {
    keys: BTreeSet<(ResourceKey, Option<String>)>,
    mentions: BTreeSet<String>,
}

impl Related {
    fn walk(&mut self, record: &Record<'_>, value: &Value) {
        if self.keys.len() + self.mentions.len() >= MAX_RELATED {
            return;
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.walk(record, item)),
            Value::Object(fields) => {
                for (name, field) in fields {
                    self.parameter(record, name, field);
                    self.walk(record, field);
                }
            }
            Value::String(text) => self.text(record, text),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn parameter(&mut self, record: &Record<'_>, name: &str, field: &Value) {
        let Some(kind) = rules::type_of_parameter(&record.service, name) else { return };
        if let Some(text) =
            field.as_str().filter(|text| !text.is_empty() && !hidden(text) && !text.starts_with("arn:"))
        {
            self.keys.extend(key(record, kind, text).map(|key| (key, None)));
        }
    }

    fn text(&mut self, record: &Record<'_>, text: &str) {
        if text.starts_with("arn:") {
            self.arn(text);
        } else if let Some(kind) = rules::type_of_id(text) {
            self.keys.extend(key(record, kind, text).map(|key| (key, None)));
        } else if text.starts_with('{') && text.len() <= MAX_EMBEDDED {
            // Strings inside strings end here: the inner text is walked as a value, never parsed again and again.
            if let Ok(inner @ Value::Object(_)) = serde_json::from_str(text) {
                self.walk(record, &inner);
            }
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

    /// Adds what was found. A single resource is what the event is about, where nothing else is.
    fn tell(self, draft: &mut Draft, change: &mut Change) {
        let distinct: BTreeSet<_> = self.keys.iter().map(|(key, _)| key).collect();
        let alone = change.resources.is_empty() && distinct.len() == 1;
        let role = if alone { Role::Target } else { Role::Related };
        for (key, name) in self.keys {
            draft.see(key.clone(), name.as_deref(), Sighting::Mentioned);
            change.resources.push(ChangeResource { key, role });
        }
        change.mentions.extend(self.mentions);
    }
}
