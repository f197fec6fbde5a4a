//! The types: per type, the native id that every source can derive, and how its ARN looks.
//!
//! The table is data ([`table`]); this file is the rule that reads it. A type that is not in the table follows the
//! general rule: from an ARN `...:service:...:word/rest` or `word:rest` the type is `AWS::<Service>::<Word>` (the
//! service as the table spells it, else with a capital, `agent-space` as `AgentSpace`) and the native id is `rest`;
//! from a Config item the type is as Config spells it and the native id is the same part of its ARN, else its id,
//! else its name. An ARN without an account, or of a service that only speaks of others', names no resource.

mod pattern;
mod table;

use std::{collections::HashMap, sync::LazyLock};

pub use table::TYPES;

use crate::{Arn, ResourceKey, Spelling, arn::is_account};

/// Services whose ARNs name sessions, findings, controls and announcements, not things that exist.
const NO_RESOURCES: &[&str] = &["health", "patchmanager", "securityhub", "sts", "support", "trustedadvisor"];

/// The longest native id, in bytes. No service has longer names, and an index takes no longer keys.
const MAX_NATIVE_ID: usize = 1_024;

/// The region of everything that has none.
const GLOBAL: &str = "global";

/// The rule of one AWS resource type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceType {
    /// The type as AWS Config spells it.
    pub name: &'static str,
    /// Whether it lives in a region.
    pub scope: Scope,
    /// Which of the source's words for it holds the native id, when no ARN does.
    pub plain: Plain,
    /// How the native id is cut out of that word; the first that matches. The whole word where none is given.
    pub forms: &'static [&'static str],
    /// How the native id is cut out of an ARN: `service:resource`, or `service:::resource` for ARNs that have
    /// neither region nor account.
    pub arns: &'static [&'static str],
    /// The same for ARNs of what is part of it: a bucket's objects, a role's sessions, a function's versions. They lead
    /// to the resource, but are no names of it.
    pub parts: &'static [&'static str],
    /// Ids that the provider makes up and other sources cannot derive: they are aliases, never the native id.
    pub opaque: &'static [&'static str],
    /// Whether the provider stores the native id in lower case, however the caller spelt it.
    pub lower: bool,
    /// Other names of the type.
    pub also: &'static [&'static str],
}

/// Whether a type lives in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// It lives in one region.
    Regional,
    /// Its region is `global`: global services, and S3 buckets, whose names are unique in the whole partition and
    /// whose region most events do not say.
    Global,
}

/// Which of a source's words holds the native id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// `resourceId`, else `resourceName`.
    Id,
    /// `resourceName`, else `resourceId` unless it is opaque.
    Name,
    /// None: it is the account's own, one an account.
    Account,
}

/// By name in lower case without colons, so that `AWS::EC2::INSTANCE` of old documents and `AwsEc2Instance` of
/// security findings are found too.
static BY_NAME: LazyLock<HashMap<String, &'static ResourceType>> = LazyLock::new(|| {
    let names = TYPES.iter().flat_map(|t| t.also.iter().chain([&t.name]).map(move |name| (folded(name), t)));
    names.collect()
});

/// By an ARN's service: the patterns of its resource part, in the order of the table.
static BY_SERVICE: LazyLock<HashMap<&'static str, Vec<ArnRule>>> = LazyLock::new(|| {
    let mut rules: HashMap<_, Vec<_>> = HashMap::new();
    for kind in TYPES {
        let own = kind.arns.iter().map(|pattern| (pattern, true));
        for (pattern, own) in own.chain(kind.parts.iter().map(|pattern| (pattern, false))) {
            if let Some((service, resource)) = pattern.split_once(':') {
                let (placed, resource) =
                    resource.strip_prefix("::").map_or((true, resource), |bare| (false, bare));
                rules.entry(service).or_default().push(ArnRule { placed, resource, own, kind });
            }
        }
    }
    rules
});

#[derive(Debug)]
struct ArnRule {
    /// Whether the ARN has a region or an account.
    placed: bool,
    resource: &'static str,
    /// Whether it names the resource itself, not a part of it.
    own: bool,
    kind: &'static ResourceType,
}

impl ArnRule {
    fn native_id<'a>(&self, arn: &Arn<'a>) -> Option<&'a str> {
        let placed = !(arn.region.is_empty() && arn.account.is_empty());
        if !self.placed && placed {
            return None;
        }
        if self.kind.plain == Plain::Account {
            return pattern::matches(self.resource, arn.resource).then_some(arn.account);
        }
        pattern::cut(self.resource, arn.resource)
    }
}

/// The rule of a type, if it has one of its own. Case and colons do not matter.
#[must_use]
pub fn known_type(name: &str) -> Option<&'static ResourceType> {
    BY_NAME.get(&folded(name)).copied()
}

/// The type of the resource that an ARN names, if the table has it.
#[must_use]
pub fn type_of_arn(arn: &Arn<'_>) -> Option<&'static ResourceType> {
    rule_of(arn, None).map(|(kind, _)| kind)
}

fn folded(name: &str) -> String {
    name.chars().filter(|c| *c != ':').map(|c| c.to_ascii_lowercase()).collect()
}

/// The first rule that reads an ARN (as one of `kind`, where it is given), and the native id.
fn rule_of<'a>(arn: &Arn<'a>, kind: Option<&ResourceType>) -> Option<(&'static ResourceType, &'a str)> {
    let rules = BY_SERVICE.get(arn.service)?.iter();
    rules
        .filter(|rule| kind.is_none_or(|kind| kind.name == rule.kind.name))
        .find_map(|rule| Some((rule.kind, rule.native_id(arn)?)))
}

pub(crate) fn key(spelling: &Spelling<'_>) -> Option<ResourceKey> {
    let kind = known_type(spelling.kind);
    let words = [spelling.arn, spelling.id, spelling.name];
    for arn in words.into_iter().flatten().filter_map(Arn::parse) {
        let native = match kind {
            Some(kind) => rule_of(&arn, Some(kind)).map(|(_, id)| id),
            None => general(arn.resource).map(|(_, id)| id),
        };
        if let Some(native) = native {
            let name = kind.map_or(spelling.kind, |t| t.name);
            return placed(name, kind, native, &arn, spelling);
        }
    }
    let native = plain(kind, spelling)?;
    let nowhere = Arn { partition: "", service: "", region: "", account: "", resource: "" };
    placed(kind.map_or(spelling.kind, |t| t.name), kind, native, &nowhere, spelling)
}

pub(crate) fn key_from_arn(arn: &Arn<'_>, seen: &Spelling<'_>) -> Option<ResourceKey> {
    if let Some((kind, native)) = rule_of(arn, None) {
        return placed(kind.name, Some(kind), native, arn, seen);
    }
    // An ARN of no account names what AWS owns: a product, a public parameter, a health event.
    let (word, native) = general(arn.resource)?;
    if arn.account.is_empty() || NO_RESOURCES.contains(&arn.service) {
        return None;
    }
    let service = BY_SERVICE.get(arn.service).and_then(|rules| rules.first()?.kind.name.split("::").nth(1));
    let service = service.filter(|word| !word.is_empty()).map_or_else(|| camel(arn.service), str::to_owned);
    placed(&format!("AWS::{service}::{}", camel(word)), None, native, arn, seen)
}

/// Whether an ARN is a name of the resource itself, not of a part of it.
pub(crate) fn is_own_name(key: &ResourceKey, arn: &Arn<'_>) -> bool {
    let mut rules = BY_SERVICE.get(arn.service).into_iter().flatten();
    // A type without patterns of its own has no parts that we know.
    rules.find(|rule| rule.kind.name == key.kind && rule.native_id(arn).is_some()).is_none_or(|rule| rule.own)
}

/// Puts a native id where its ARN, or else whoever saw it, says that it lives.
fn placed(
    name: &str,
    kind: Option<&ResourceType>,
    native: &str,
    arn: &Arn<'_>,
    seen: &Spelling<'_>,
) -> Option<ResourceKey> {
    let account = if arn.account.is_empty() { seen.account } else { arn.account };
    let region = if arn.region.is_empty() { seen.region } else { arn.region };
    let region = match kind.map(|kind| kind.scope) {
        Some(Scope::Global) => GLOBAL,
        Some(Scope::Regional) => region,
        None if region.is_empty() => GLOBAL,
        None => region,
    };
    let partition = if arn.partition.is_empty() { partition_of(seen.region) } else { arn.partition };
    let lower = kind.is_some_and(|kind| kind.lower);
    let bounded = native.len() <= MAX_NATIVE_ID && name.len() <= MAX_NATIVE_ID / 4;
    (is_account(account) && !region.is_empty() && !name.is_empty() && bounded).then(|| ResourceKey {
        provider: "aws".to_owned(),
        partition: partition.to_owned(),
        account: account.to_owned(),
        region: region.to_owned(),
        kind: name.to_owned(),
        native_id: if lower { native.to_ascii_lowercase() } else { native.to_owned() },
    })
}

/// The native id in a word that is no ARN.
fn plain<'a>(kind: Option<&ResourceType>, spelling: &Spelling<'a>) -> Option<&'a str> {
    let (id, name) = (spelling.id, spelling.name);
    let words = match kind.map_or(Plain::Id, |kind| kind.plain) {
        Plain::Id => [id, name],
        Plain::Name => [name, id],
        Plain::Account => [Some(spelling.account), None],
    };
    let words = words.into_iter().flatten().map(str::trim);
    // An ARN that its type's own patterns do not read holds no native id: it names something else, or is broken.
    let mut words = words.filter(|word| !word.is_empty() && !word.starts_with("arn:"));
    let Some(kind) = kind else { return words.next() };
    words.filter(|word| !kind.opaque.iter().any(|p| pattern::matches(p, word))).find_map(|word| {
        if kind.forms.is_empty() {
            Some(word)
        } else {
            kind.forms.iter().find_map(|form| pattern::cut(form, word))
        }
    })
}

/// The general rule: the word before the first `/` or `:`, and everything after it.
fn general(resource: &str) -> Option<(&str, &str)> {
    let (word, rest) = resource.trim_start_matches('/').split_once(['/', ':'])?;
    (!word.is_empty() && !rest.is_empty()).then_some((word, rest))
}

/// `agent-space` is `AgentSpace`.
fn camel(word: &str) -> String {
    let parts = word.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let mut letters = part.chars();
            letters
                .next()
                .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
        })
        .collect()
}

/// The partition of a region. <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>
fn partition_of(region: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 6] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ];
    PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

#[cfg(test)]
mod tests;
