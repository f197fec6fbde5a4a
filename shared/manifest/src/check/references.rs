//! What manifests name of one another.

use std::collections::BTreeMap;

use crate::{Connection, Fault, Kind, Manifest, Spec};

/// One manifest's naming of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference<'m> {
    /// Where it stands: `spec.to[0]`.
    pub field: String,
    /// The kind of what is named.
    pub kind: Kind,
    /// The name of what is named.
    pub name: &'m str,
    /// The blocks of which a connection is wanted to have one.
    wanted: &'static [&'static str],
}

/// Warns of names that lead nowhere among these manifests, or to a connection of another sort. What is not among them
/// may have been applied before: where they hold no connection at all, nothing is said of missing ones.
#[must_use]
pub fn references(manifests: &[Manifest]) -> Vec<Fault> {
    let connections: BTreeMap<&str, &Connection> = manifests
        .iter()
        .filter_map(|manifest| match &manifest.spec {
            Spec::Connection(connection) => Some((manifest.name(), &**connection)),
            _ => None,
        })
        .collect();
    if connections.is_empty() {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for manifest in manifests {
        let connections_named = named(manifest).into_iter().filter(|found| found.kind == Kind::Connection);
        for Reference { field, name, wanted, .. } in connections_named {
            let message = match connections.get(name) {
                Some(connection) if wanted.iter().any(|block| has(connection, block)) => continue,
                Some(_) => format!("the connection `{name}` has no {} block", wanted.join(" or ")),
                None => format!(
                    "there is no connection `{name}` among these{}",
                    expr::did_you_mean(name, connections.keys().copied())
                ),
            };
            let mut fault = Fault::warning(field, message);
            fault.manifest = format!("{}/{}", manifest.kind(), manifest.name());
            faults.push(fault);
        }
    }
    faults
}

fn has(connection: &Connection, block: &str) -> bool {
    match block {
        "http" => connection.http.is_some(),
        "webhook" => connection.webhook.is_some(),
        "slack" => connection.slack.is_some(),
        "aws" => connection.aws.is_some(),
        "kubernetes" => connection.kubernetes.is_some(),
        _ => false,
    }
}

/// What a manifest names of others, and would miss.
#[must_use]
pub fn named(manifest: &Manifest) -> Vec<Reference<'_>> {
    let connection = |field: String, name, wanted| Reference { field, kind: Kind::Connection, name, wanted };
    match &manifest.spec {
        Spec::Notification(notification) => notification
            .to
            .iter()
            .enumerate()
            .map(|(at, name)| connection(format!("spec.to[{at}]"), name.as_str(), &["webhook", "slack"]))
            .collect(),
        Spec::Check(check) => {
            let name = check.http.as_ref().and_then(|http| http.connection.as_deref());
            name.map(|name| connection("spec.http.connection".to_owned(), name, &["http"]))
                .into_iter()
                .collect()
        }
        Spec::Playbook(playbook) => playbook
            .steps
            .iter()
            .enumerate()
            .filter_map(|(at, step)| {
                let name = step.http.as_ref()?.connection.as_deref()?;
                Some(connection(format!("spec.steps[{at}].http.connection"), name, &["http"]))
            })
            .collect(),
        Spec::Scraper(scraper) => {
            let aws = scraper.aws.as_ref().and_then(|aws| aws.connection.as_deref());
            let cluster = scraper.kubernetes.as_ref().and_then(|cluster| cluster.connection.as_deref());
            let aws = aws.map(|name| connection("spec.aws.connection".to_owned(), name, &["aws"]));
            let cluster = cluster
                .map(|name| connection("spec.kubernetes.connection".to_owned(), name, &["kubernetes"]));
            aws.into_iter().chain(cluster).collect()
        }
        Spec::Silence(silence) => silence
            .notifications
            .iter()
            .enumerate()
            .map(|(at, name)| Reference {
                field: format!("spec.notifications[{at}]"),
                kind: Kind::Notification,
                name,
                wanted: &[],
            })
            .collect(),
        Spec::HealthRule(_) | Spec::Connection(_) | Spec::Retention(_) => Vec::new(),
    }
}
