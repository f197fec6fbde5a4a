//! Which scrapers there are, and the connections they name.

use catalog::Catalog;
use manifest::{
    Connection, Scraper,
    kinds::connection::{AwsConnection, KubernetesConnection},
};
use model::ContentHash;
use ports::CloudAccess;
use tracing::warn;

use crate::{Error, Fault, FaultKind, NamedScraper, listing::unexpected};

/// The `Scraper` manifests, and the ambient scrapers whose names no manifest has.
pub(crate) async fn all(catalog: &Catalog, ambient: &[NamedScraper]) -> Result<Vec<NamedScraper>, Error> {
    let stored = catalog.manifests("Scraper").await?;
    let ambient = ambient.iter().filter(|scraper| !stored.iter().any(|stored| stored.name == scraper.name));
    let mut scrapers: Vec<NamedScraper> = ambient.cloned().collect();
    for manifest in &stored {
        match manifest.spec::<Scraper>() {
            Ok(spec) => scrapers.push(NamedScraper { name: manifest.name.clone(), spec }),
            // One that a newer build applied must not hold up the others.
            Err(error) => warn!("The Scraper {} cannot be read and is left out: {error}", manifest.name),
        }
    }
    scrapers.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(scrapers)
}

/// The names of scrapers, and what changes with what they are to list.
pub(crate) fn versions(scrapers: &[NamedScraper]) -> Vec<(String, String)> {
    let version = |scraper: &NamedScraper| {
        let spec = serde_json::to_value(&scraper.spec).unwrap_or_default();
        ContentHash::of_json(&spec).to_string()
    };
    scrapers.iter().map(|scraper| (scraper.name.clone(), version(scraper))).collect()
}

/// The credentials that a `Connection` leads to.
pub(crate) async fn aws_connection(catalog: &Catalog, name: &str) -> Result<CloudAccess, Fault> {
    let AwsConnection { role_arn, external_id, region } =
        connection(catalog, name, "aws", |connection| connection.aws).await?;
    Ok(CloudAccess { role_arn, external_id, region })
}

/// The cluster that a `Connection` leads to.
pub(crate) async fn kubernetes_connection(
    catalog: &Catalog,
    name: &str,
) -> Result<KubernetesConnection, Fault> {
    connection(catalog, name, "kubernetes", |connection| connection.kubernetes).await
}

async fn connection<T>(
    catalog: &Catalog,
    name: &str,
    block: &str,
    part: impl FnOnce(Connection) -> Option<T>,
) -> Result<T, Fault> {
    let stored = catalog.manifest("Connection", name).await;
    let stored = stored.map_err(|error| unexpected("cannot read the connections", &error))?;
    let Some(stored) = stored else {
        let said = format!("there is no Connection {name}, which the scraper names");
        return Err(Fault::with_advice(FaultKind::Settings, said, "apply one: `perigee apply -f FILE`"));
    };
    let spec: Connection = stored.spec().map_err(|error| unexpected("cannot read the connection", &error))?;
    part(spec).ok_or_else(|| {
        let said = format!("the Connection {name} has no `{block}` block, which the scraper needs");
        Fault::with_advice(FaultKind::Settings, said, "name another connection, or add the block")
    })
}
