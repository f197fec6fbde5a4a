//! A folder of manifests (`up --manifests`): applied at the start and whenever a file changes. What a file no longer
//! holds, while the server runs, is deleted.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Context;
use catalog::{
    Catalog,
    manifests::{NewManifest, Outcome},
};
use manifest::Manifest;
use ports::Clock;

use crate::print;

/// How often the folder is looked at.
const EVERY: Duration = Duration::from_secs(2);
/// How deep folders lie in folders at most.
const DEPTH: usize = 10;
/// The largest file that is read, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

type Name = (String, String);
type Seen = Vec<(PathBuf, Option<SystemTime>, u64)>;

/// Applies manifests, and answers with what each came to.
pub(super) async fn apply(
    catalog: &Catalog,
    clock: &dyn Clock,
    manifests: &[Manifest],
) -> anyhow::Result<Vec<catalog::manifests::Applied>> {
    let new: Vec<NewManifest> = manifests
        .iter()
        .map(|manifest| NewManifest {
            kind: manifest.kind().as_str().to_owned(),
            name: manifest.name().to_owned(),
            body: manifest.body(),
        })
        .collect();
    Ok(catalog.apply_manifests(&new, clock.now()).await?)
}

/// A folder that is watched.
pub(super) struct Folder {
    catalog: Catalog,
    clock: Arc<dyn Clock>,
    path: PathBuf,
    seen: Seen,
    applied: BTreeSet<Name>,
}

impl Folder {
    /// A folder that is there.
    pub(super) fn new(catalog: &Catalog, clock: &Arc<dyn Clock>, path: &Path) -> anyhow::Result<Self> {
        let path = std::path::absolute(path)?;
        std::fs::read_dir(&path).with_context(|| format!("cannot read the folder {}", path.display()))?;
        let (catalog, clock) = (catalog.clone(), Arc::clone(clock));
        Ok(Self { catalog, clock, path, seen: Seen::new(), applied: BTreeSet::new() })
    }

    /// Applies what there is, then what changes, until it is dropped.
    pub(super) async fn watch(mut self) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.look().await {
                print::note(&format!("{}: {error:#}; it is looked at again", self.path.display()));
                // Whatever was not applied counts as not seen.
                self.seen.clear();
            }
        }
    }

    async fn look(&mut self) -> anyhow::Result<()> {
        let path = self.path.clone();
        let found =
            tokio::task::spawn_blocking(move || files(&path)).await.context("cannot list files")??;
        if found == self.seen {
            return Ok(());
        }
        let (mut manifests, mut whole) = (Vec::new(), true);
        for (path, _, _) in &found {
            let text = tokio::fs::read_to_string(path)
                .await
                .with_context(|| format!("cannot read {}", path.display()))?;
            let (good, faults) = manifest::lint(&text, &path.display().to_string());
            whole &= !faults.iter().any(manifest::Fault::is_error);
            faults.iter().for_each(|fault| print::note(&fault.to_string()));
            manifests.extend(good);
        }
        let applied = apply(&self.catalog, &*self.clock, &manifests).await?;
        for one in applied.iter().filter(|one| one.outcome != Outcome::Unchanged) {
            print::note(&format!("Applied {} {}, generation {}", one.kind, one.name, one.generation));
        }
        let names: BTreeSet<Name> = applied.into_iter().map(|one| (one.kind, one.name)).collect();
        // A document that cannot be read now may be the one that is missing.
        if whole {
            let gone: Vec<Name> = self.applied.difference(&names).cloned().collect();
            for (kind, name) in self.catalog.delete_manifests(&gone, self.clock.now()).await? {
                print::note(&format!("Deleted {kind} {name}"));
            }
            self.applied = names;
        } else {
            self.applied.extend(names);
        }
        self.seen = found;
        Ok(())
    }
}

/// The manifests of a folder and of the folders in it, in the order of their names.
fn files(folder: &Path) -> anyhow::Result<Seen> {
    let (mut found, mut folders) = (Seen::new(), vec![(folder.to_owned(), 0)]);
    while let Some((folder, depth)) = folders.pop() {
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
            let path = entry.path();
            // A file that is just being replaced is not there for a moment.
            let Ok(about) = std::fs::metadata(&path) else { continue };
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            if about.is_dir() && depth < DEPTH && !hidden {
                folders.push((path, depth + 1));
            } else if about.is_file()
                && matches!(extension, "yaml" | "yml" | "json")
                && about.len() <= LARGEST
            {
                found.push((path, about.modified().ok(), about.len()));
            }
        }
    }
    found.sort();
    Ok(found)
}
