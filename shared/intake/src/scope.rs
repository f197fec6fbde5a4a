//! Law 4: a resource of a foreign account is a name on the change that tells of it, never a row.

use std::collections::{BTreeMap, BTreeSet};

use events::{Reason, Rejection};
use model::{Observation, ResourceKey, Sighting};

/// Takes out of an observation what belongs to accounts that are not `ours`.
///
/// # Errors
/// When the observation itself, or all that it tells, is of a foreign account.
pub(crate) fn restrict(observation: &mut Observation, ours: &BTreeSet<String>) -> Result<(), Rejection> {
    if !ours.contains(&observation.account) {
        return Err(foreign(&observation.account));
    }
    let was_empty = is_empty(observation);
    let names = foreign_names(observation, ours);
    let other = observation
        .findings
        .iter()
        .map(|finding| &finding.account)
        .chain(observation.changes.iter().map(|change| &change.account))
        .find(|account| !ours.contains(*account))
        .cloned();

    observation.resources.retain(|fact| is_ours(&fact.key, ours));
    for fact in &mut observation.resources {
        if let Sighting::Documented(document) = &mut fact.sighting {
            document.relations.retain(|relation| is_ours(&relation.to, ours));
        }
    }
    observation.changes.retain(|change| ours.contains(&change.account));
    for change in &mut observation.changes {
        let (kept, dropped) = std::mem::take(&mut change.resources)
            .into_iter()
            .partition(|touched| is_ours(&touched.key, ours));
        change.resources = kept;
        let dropped: Vec<_> = dropped;
        for touched in dropped {
            let name = names.get(&touched.key).cloned().unwrap_or_else(|| spelled(&touched.key));
            if !change.mentions.contains(&name) {
                change.mentions.push(name);
            }
        }
    }
    observation.findings.retain(|finding| ours.contains(&finding.account));
    for finding in &mut observation.findings {
        finding.resources.retain(|key| is_ours(key, ours));
    }

    match other {
        Some(account) if !was_empty && is_empty(observation) => Err(foreign(&account)),
        _ => Ok(()),
    }
}

/// Other providers' accounts are clusters and the like, which this list says nothing about.
fn is_ours(key: &ResourceKey, ours: &BTreeSet<String>) -> bool {
    key.provider != "aws" || ours.contains(&key.account)
}

fn is_empty(observation: &Observation) -> bool {
    observation.resources.is_empty() && observation.changes.is_empty() && observation.findings.is_empty()
}

/// What the observation calls its foreign resources: their ARN where it has one.
fn foreign_names(observation: &Observation, ours: &BTreeSet<String>) -> BTreeMap<ResourceKey, String> {
    observation
        .resources
        .iter()
        .filter(|fact| !is_ours(&fact.key, ours))
        .filter_map(|fact| {
            let arn = fact.aliases.iter().find(|alias| alias.starts_with("arn:"))?;
            Some((fact.key.clone(), arn.clone()))
        })
        .collect()
}

fn spelled(key: &ResourceKey) -> String {
    format!("{}/{}/{}/{}", key.account, key.region, key.kind, key.native_id)
}

fn foreign(account: &str) -> Rejection {
    Rejection::new(
        Reason::ForeignAccount,
        format!(
            "account {account} is not one that this catalog holds; add it to --accounts (PERIGEE_ACCOUNTS) and send the item again"
        ),
    )
}

#[cfg(test)]
mod tests;
