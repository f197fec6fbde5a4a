//! What a Config item says of other resources, as edges.

use std::collections::BTreeSet;

use model::{Relation, Spelling, aws_key};
use serde_json::Value;

use crate::fields::{items, text};

/// The phrases that begin a relationship's name, longest first where one begins another.
/// <https://docs.aws.amazon.com/config/latest/developerguide/resource-config-reference.html>
const VERBS: &[&str] = &[
    "is associated with",
    "is attached to",
    "is contained in",
    "is related to",
    "is member of",
    "associated with",
    "attached to",
    "contained in",
    "attached",
    "contains",
    "has",
];

/// The edges that start at an item of `account` in `region` (empty for an item of a global service).
pub(super) fn read(item: &Value, account: &str, region: &str) -> BTreeSet<Relation> {
    items(item, &["relationships"])
        .iter()
        .filter_map(|related| {
            let target = super::kind(text(related, &["resourceType"])?);
            let to = aws_key(&Spelling {
                account,
                region,
                kind: target,
                id: text(related, &["resourceId"]),
                name: text(related, &["resourceName"]),
                arn: None,
            })?;
            let phrase = text(related, &["name", "relationshipName"]).unwrap_or("is related to");
            Some(Relation { kind: phrase_of(phrase, target), to })
        })
        .collect()
}

/// One spelling for `Is contained in Vpc`, `IscontainedinVpc` and the bare `Is contained in ` that newer items have:
/// the phrase in lower case, then the noun.
fn phrase_of(name: &str, kind: &str) -> String {
    let squeezed: String = name.chars().filter(|c| !c.is_whitespace()).collect();
    let lower = squeezed.to_ascii_lowercase();
    let found = VERBS.iter().find_map(|verb| {
        let length = verb.len() - verb.matches(' ').count();
        lower.starts_with(&verb.replace(' ', "")).then(|| (*verb, squeezed.get(length..).unwrap_or_default()))
    });
    match found {
        Some((verb, "")) => format!("{verb} {}", words(kind.rsplit("::").next().unwrap_or(kind))),
        Some((verb, noun)) => format!("{verb} {}", words(noun)),
        None => name.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" "),
    }
}

/// `NetworkInterface` is `network interface`, `DBInstance` is `db instance`, `VPC` is `vpc`.
fn words(noun: &str) -> String {
    let letters: Vec<char> = noun.chars().collect();
    let mut text = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let after_lower = index > 0 && letters.get(index - 1).is_some_and(|c| c.is_lowercase());
        let before_lower = index > 0 && letters.get(index + 1).is_some_and(|c| c.is_lowercase());
        if letter.is_uppercase() && (after_lower || before_lower) && !text.ends_with(' ') {
            text.push(' ');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::phrase_of;

    #[test]
    fn one_relation_has_one_name_however_config_spells_it() {
        for spelling in ["Is contained in Vpc", "IscontainedinVpc", "Is contained in ", "is contained in VPC"]
        {
            assert_eq!(phrase_of(spelling, "AWS::EC2::VPC"), "is contained in vpc", "{spelling:?}");
        }
        assert_eq!(phrase_of("Is associated with SecurityGroup", ""), "is associated with security group");
        assert_eq!(phrase_of("Contains ", "AWS::RDS::DBInstance"), "contains db instance");
        assert_eq!(phrase_of("Attached to Instance", ""), "attached to instance");
        assert_eq!(phrase_of("Runs  On Host", ""), "runs on host");
    }
}
