//! `perigee delete KIND NAME` and `perigee delete -f FILE`

use std::path::PathBuf;

use clap::Args;
use manifest::Kind;
use serde_json::{Value, json};

use super::{manifests, schema::kind};
use crate::{
    client::{Client, Error, explain, segment},
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
    let mut deleted: Vec<Value> = Vec::new();
    for (kind, name) in &names {
        match client.delete(&format!("/manifests/{kind}/{}", segment(name))) {
            Ok(()) => deleted.push(json!({"kind": kind, "name": name})),
            Err(Error::Refused { status: 404, .. }) if names.len() > 1 => {
                print::note(&format!("there is no {kind} called `{name}`"));
                done = Done::Partly;
            }
            Err(error) => return Err(explain(error)),
        }
    }
    output::show(format, &json!({ "items": deleted }), |_| {
        let text = |item: &Value, field: &str| item[field].as_str().unwrap_or_default().to_owned();
        let rows = deleted.iter().map(|item| [text(item, "kind"), text(item, "name")]);
        Ok(output::table(["KIND", "DELETED"], rows))
    })?;
    Ok(done)
}
