//! `perigee init [FOLDER]`

use std::{fs, io::ErrorKind, path::PathBuf};

use anyhow::Context;
use clap::Args;
use manifest::Kind;

use crate::{exit::Done, print};

/// Where.
#[derive(Debug, Args)]
pub struct Options {
    /// The folder; it is made where it is not there
    #[arg(value_name = "FOLDER", default_value = "perigee")]
    pub folder: PathBuf,
}

/// One file a kind; the scraper's is no manifest until somebody names what is to be listed.
const FILES: &[(&str, &str)] = &[
    ("connection.yaml", include_str!("init/connection.yaml")),
    ("health-rule.yaml", include_str!("init/health-rule.yaml")),
    ("check.yaml", include_str!("init/check.yaml")),
    ("playbook.yaml", include_str!("init/playbook.yaml")),
    ("notification.yaml", include_str!("init/notification.yaml")),
    ("silence.yaml", include_str!("init/silence.yaml")),
    ("retention.yaml", include_str!("init/retention.yaml")),
    ("scraper.yaml.example", include_str!("init/scraper.yaml.example")),
];

pub(crate) fn run(options: &Options) -> anyhow::Result<Done> {
    let folder = &options.folder;
    let schemas = folder.join(".schemas");
    fs::create_dir_all(&schemas).with_context(|| format!("cannot make the folder {}", schemas.display()))?;
    for kind in Kind::ALL {
        let path = schemas.join(format!("{kind}.json"));
        let text = serde_json::to_string_pretty(&manifest::schema(*kind))?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let mut done = Done::All;
    for (name, text) in FILES {
        let path = folder.join(name);
        match fs::File::create_new(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
        {
            Ok(()) => print::line(&path.display().to_string())?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                print::note(&format!("{} is there already, and stays as it is", path.display()));
                done = Done::Partly;
            }
            Err(error) => {
                return Err(anyhow::Error::new(error).context(format!("cannot write {}", path.display())));
            }
        }
    }
    let shown = folder.display();
    print::note(&format!(
        "Next: `perigee lint {shown}`, then `perigee plan -f {shown}` and `perigee apply -f {shown}`"
    ));
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_first_is_right_and_of_every_kind() {
        let mut kinds = Vec::new();
        for (name, text) in FILES {
            let (manifests, faults) = manifest::lint(text, name);
            assert_eq!(faults, [], "{name}");
            kinds.extend(manifests.iter().map(manifest::Manifest::kind));
        }
        kinds.sort();
        assert_eq!(
            kinds,
            Kind::ALL
                .iter()
                .copied()
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_file_that_is_there_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { folder: folder.path().join("new") };
        assert_eq!(run(&options).unwrap(), Done::All);
        let check = options.folder.join("check.yaml");
        fs::write(&check, "mine").unwrap();
        assert_eq!(run(&options).unwrap(), Done::Partly);
        assert_eq!(fs::read_to_string(&check).unwrap(), "mine");
        assert!(options.folder.join(".schemas/Playbook.json").is_file());
    }
}
