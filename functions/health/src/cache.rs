//! What was compiled of the manifests, until they change.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use catalog::Catalog;
use rules::{NamedRule, Rules};
use serde::de::DeserializeOwned;
use tracing::warn;

use crate::{Error, checks::Probe};

/// The kinds of manifests that this function reads.
pub(crate) const RULE: &str = "HealthRule";
pub(crate) const CHECK: &str = "Check";
pub(crate) const CONNECTION: &str = "Connection";

/// What was compiled of the manifests, and the marks of what it was compiled from. Shared by the copies of a function
/// in one process.
#[derive(Debug, Default)]
pub struct Cache(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    rules: Option<(i64, Arc<Rules>)>,
    probes: Option<(String, Arc<Probes>)>,
}

/// Probes by name, compiled.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    /// What they were compiled from.
    pub(crate) mark: String,
    /// By name.
    pub(crate) by_name: BTreeMap<String, Arc<Probe>>,
}

impl Cache {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rules as they are now, and their mark.
    pub(crate) async fn rules(&self, catalog: &Catalog) -> Result<(i64, Arc<Rules>), Error> {
        let mark = catalog.manifest_mark(RULE).await?;
        if let Some((held, rules)) = &self.lock().rules
            && *held == mark
        {
            return Ok((mark, Arc::clone(rules)));
        }
        let named =
            read(catalog, RULE).await?.into_iter().map(|one| NamedRule { name: one.name, spec: one.spec });
        let (rules, faults) = Rules::new(named.collect());
        for fault in faults {
            warn!("A rule is left out: {fault}");
        }
        let rules = Arc::new(rules);
        self.lock().rules = Some((mark, Arc::clone(&rules)));
        Ok((mark, rules))
    }

    /// The probes as they are now, with the connections that they name.
    pub(crate) async fn probes(&self, catalog: &Catalog) -> Result<Arc<Probes>, Error> {
        let checks = catalog.manifest_mark(CHECK).await?;
        let mark = format!("{checks}/{}", catalog.manifest_mark(CONNECTION).await?);
        if let Some((held, probes)) = &self.lock().probes
            && *held == mark
        {
            return Ok(Arc::clone(probes));
        }
        let connections: BTreeMap<String, manifest::Connection> =
            read(catalog, CONNECTION).await?.into_iter().map(|one| (one.name, one.spec)).collect();
        let by_name = read(catalog, CHECK).await?.into_iter().map(|one| {
            let probe = Probe::new(one.spec, one.generation, &connections);
            (one.name, Arc::new(probe))
        });
        let probes = Arc::new(Probes { mark: checks.to_string(), by_name: by_name.collect() });
        self.lock().probes = Some((mark, Arc::clone(&probes)));
        Ok(probes)
    }
}

struct Named<T> {
    name: String,
    generation: i64,
    spec: T,
}

/// The manifests of a kind. One that this build cannot read harms no other.
async fn read<T: DeserializeOwned>(catalog: &Catalog, kind: &str) -> Result<Vec<Named<T>>, Error> {
    let mut read = Vec::new();
    for stored in catalog.manifests(kind).await? {
        match stored.spec() {
            Ok(spec) => read.push(Named { name: stored.name, generation: stored.generation, spec }),
            Err(error) => {
                let error = anyhow::Error::new(error);
                warn!("The {kind} `{}` is left out: {error:#}", stored.name);
            }
        }
    }
    Ok(read)
}
