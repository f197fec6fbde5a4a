//! Which resources a record touches: by the table, by `resources[]`, and by whatever its parameters name.

use model::{Arn, Change, ChangeResource, ResourceKey, Role, Sighting, Spelling, aws_key};

use super::{
    Record,
    paths::{hidden, texts},
    rules::{self, Effect},
};
use crate::{
    build::{Draft, clip},
    fields::text,
    mask,
    related::Related,
};

/// Where calls that serve every type name what they are about.
const GENERAL: &[&str] = &[
    "resourceArn",
    "resourceArns",
    "resourceARNList",
    "resourceName",
    "resourceIdList",
    "resourcesSet.resourceId",
    "resourceId",
    "arn",
    "sourceArn",
];

/// How many of them are taken.
const MAX_GENERAL: usize = 100;

const BUCKET: &str = "AWS::S3::Bucket";

/// Fills in the change's resources and mentions, and says in the draft how each was seen.
pub(super) fn touch(draft: &mut Draft, change: &mut Change, record: &Record<'_>) {
    by_table(draft, change, record);
    listed(draft, change, record);
    if change.resources.is_empty() {
        by_general_parameter(draft, change, record);
    }
    let mut related = Related::default();
    for part in [record.request, record.response, record.part("serviceEventDetails")] {
        related.walk(part, &|parameter, text| by_parameter(record, parameter, text));
    }
    // An event of the table without its target (a call that failed, say) is not about what it merely names.
    let known = !rules::of(&record.service, record.event).is_empty();
    let role = if known { Role::Related } else { related.role(change) };
    related.tell(draft, change, role);
    forget_known(change, record);
}

/// Drops mentions of buckets that are among the resources already, by their name and owner.
fn forget_known(change: &mut Change, record: &Record<'_>) {
    let Change { resources, mentions, .. } = change;
    mentions.retain(|name| {
        let key =
            Arn::parse(name).and_then(|arn| model::key_from_arn_seen_in(&arn, record.account, record.region));
        key.is_none_or(|key| resources.iter().all(|touched| touched.key != key))
    });
}

/// What calls that serve every type (tagging, permissions, sharing) are about.
fn by_general_parameter(draft: &mut Draft, change: &mut Change, record: &Record<'_>) {
    let names = GENERAL.iter().flat_map(|path| texts(record.request, path));
    for name in names.take(MAX_GENERAL) {
        let arn = Arn::parse(name).filter(|arn| !arn.resource.contains('*'));
        let by_arn = arn.and_then(|arn| model::key_from_arn_seen_in(&arn, record.account, record.region));
        let key = by_arn.or_else(|| key(record, rules::type_of_id(name)?, name));
        if let Some(key) = key {
            draft.see(key.clone(), [name], Sighting::Mentioned);
            change.resources.push(ChangeResource { key, role: Role::Target });
        }
    }
}

/// What a parameter names, by its own name or by the looks of its value.
fn by_parameter(record: &Record<'_>, parameter: &str, text: &str) -> Option<ResourceKey> {
    if text.is_empty() || hidden(text) {
        return None;
    }
    let kind = rules::type_of_parameter(&record.service, parameter).or_else(|| rules::type_of_id(text))?;
    key(record, kind, text)
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
    match effect.with(record) {
        Effect::Create | Effect::Update => Sighting::Present,
        Effect::Delete => Sighting::Deleted,
        Effect::Touch => Sighting::Mentioned,
        // `with` has decided these.
        Effect::DeleteIf(_) | Effect::DeleteUnless(_) => Sighting::Present,
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
