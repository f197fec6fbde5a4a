//! `perigee delete KIND NAME` and `perigee delete -f FILE`

use std::{collections::BTreeSet, path::PathBuf};

use catalog::manifests::Stored;
use clap::Args;
use manifest::{Kind, Manifest};
use serde_json::{Value, json};

use super::{
    items,
    manifests::{self, no_such},
    schema::kind,
};
use crate::{
    client::{Client, Error, explain, explain_none, segment},
    exit::Done,
    output::{self, Format},
    print,
};

/// Which manifests.
#[derive(Debug, Args)]
pub struct Options {
    /// The kind
    #[arg(value_name = "KIND", value_parser = kind, requires = "name", required_unless_present = "files")]
    pub kind: Option<Kind>,
    /// The name
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Those that files, folders or standard input (`-`) hold
    #[arg(long = "file", short = 'f', value_name = "FILE", conflicts_with_all = ["kind", "name"])]
    pub files: Vec<PathBuf>,
    /// Even what other manifests use
    #[arg(long)]
    pub force: bool,
}

/// Deletes; what is not there is said, and the exit status is 3 then.
pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let mut done = Done::All;
    let names: Vec<(Kind, String)> = match (options.kind, &options.name) {
        (Some(kind), Some(name)) => vec![(kind, name.clone())],
        _ => {
            let found = manifests::read(&options.files)?;
            if found.errors() > 0 {
                found.say_faults();
                done = Done::Partly;
            }
            found.manifests.iter().map(|manifest| (manifest.kind(), manifest.name().to_owned())).collect()
        }
    };
    if !options.force {
        refuse_used(client, &names)?;
    }
    let mut deleted: Vec<Value> = Vec::new();
    for (kind, name) in &names {
        match client.delete(&format!("/manifests/{kind}/{}", segment(name))) {
            Ok(()) => deleted.push(json!({"kind": kind, "name": name})),
            Err(Error::Refused { status: 404, .. }) if names.len() > 1 => {
                print::note(&no_such(*kind, name));
                done = Done::Partly;
            }
            Err(error) => return Err(explain_none(error, || no_such(*kind, name))),
        }
    }
    output::show(format, &json!({ "items": deleted }), |_| {
        let text = |item: &Value, field: &str| item[field].as_str().unwrap_or_default().to_owned();
        let rows = deleted.iter().map(|item| [text(item, "kind"), text(item, "name")]);
        Ok(output::table(["KIND", "DELETED"], rows))
    })?;
    Ok(done)
}

/// Refuses to delete what manifests name that would stay.
fn refuse_used(client: &Client, names: &[(Kind, String)]) -> anyhow::Result<()> {
    let list = client.list("/manifests", &[], usize::MAX).map_err(explain)?;
    let stored = items::<Stored>(&list)?;
    let there: Vec<Manifest> =
        stored.iter().flat_map(|stored| manifest::parse(&stored.body.to_string(), "").0).collect();
    let used = users(names, &there);
    if used.is_empty() {
        return Ok(());
    }
    anyhow::bail!(
        "other manifests use what would be deleted:\n{}\ndelete or change those first, or delete it all the same \
         with --force",
        used.join("\n")
    )
}

/// What stays and names one of those that go, a line each.
fn users(going: &[(Kind, String)], there: &[Manifest]) -> Vec<String> {
    let going: BTreeSet<(Kind, &str)> = going.iter().map(|(kind, name)| (*kind, name.as_str())).collect();
    let stays = there.iter().filter(|manifest| !going.contains(&(manifest.kind(), manifest.name())));
    let named = stays.flat_map(|manifest| {
        manifest::named(manifest).into_iter().map(move |reference| (manifest, reference))
    });
    named
        .filter(|(_, reference)| going.contains(&(reference.kind, reference.name)))
        .map(|(manifest, reference)| {
            let (kind, name) = (manifest.kind(), manifest.name());
            format!("  {kind}/{name} uses {}/{} ({})", reference.kind, reference.name, reference.field)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_and_uses_what_goes_is_named() {
        let one = |kind: &str, name: &str, spec: &str| {
            format!(
                "---\napiVersion: perigee.dev/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"
            )
        };
        let text = one("Connection", "on-call", "{webhook: {url: 'https://example.com'}}")
            + &one("Notification", "instances", "{on: [run.failed], to: [on-call]}")
            + &one(
                "Silence",
                "night",
                "{reason: x, until: 2026-03-03T00:00:00Z, notifications: [instances]}",
            )
            + &one("Check", "shop", "{every: 1m, http: {connection: other}}");
        let (there, faults) = manifest::lint(&text, "");
        assert_eq!(faults, []);
        let going = |names: &[(Kind, &str)]| -> Vec<(Kind, String)> {
            names.iter().map(|(kind, name)| (*kind, (*name).to_owned())).collect()
        };
        let connection = (Kind::Connection, "on-call");
        let told = users(&going(&[connection]), &there);
        assert_eq!(told, ["  Notification/instances uses Connection/on-call (spec.to[0])"]);
        let told = users(&going(&[connection, (Kind::Notification, "instances")]), &there);
        assert_eq!(told, ["  Silence/night uses Notification/instances (spec.notifications[0])"]);
        assert!(users(&going(&[(Kind::Check, "shop"), (Kind::Silence, "night")]), &there).is_empty());
    }
}
