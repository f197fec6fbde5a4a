//! What `--aws` and `--kube` open: worlds to list, and stores of secrets.

use std::{collections::BTreeSet, sync::Arc};

use manifest::{
    Every, Scraper,
    kinds::scraper::{AwsScraper, KubernetesScraper},
};
use ports::{Clouds, Clusters, Secrets};
use scrape::{NamedScraper, Providers, Scrape};

use super::host::World;
use crate::world;

/// How often what is ambient is listed.
const EVERY: &str = "15m";

/// What is open.
pub(super) struct Sources {
    aws: Option<(Arc<dyn Clouds>, Arc<dyn Secrets>)>,
    kubernetes: Option<(Arc<dyn Clusters>, Arc<dyn Secrets>)>,
}

impl Sources {
    /// Opens what is wanted; nothing is asked yet.
    pub(super) async fn open(aws: bool, kubernetes: bool) -> anyhow::Result<Self> {
        Ok(Self {
            aws: if aws { Some(world::aws().await?) } else { None },
            kubernetes: if kubernetes { Some(world::kubernetes()?) } else { None },
        })
    }

    /// The stores of secrets.
    pub(super) fn secrets(&self) -> Vec<Arc<dyn Secrets>> {
        let aws = self.aws.iter().map(|(_, secrets)| Arc::clone(secrets));
        aws.chain(self.kubernetes.iter().map(|(_, secrets)| Arc::clone(secrets))).collect()
    }

    /// The function that lists them; `accounts` are those that are ours.
    pub(super) fn scrape(&self, world: &World, accounts: Option<BTreeSet<String>>) -> Scrape {
        let catalog = world.catalog.clone();
        let aws = self.aws.as_ref().map(|(clouds, _)| {
            let aws = scrape::aws::Aws::new(Arc::clone(clouds), catalog.clone());
            Arc::new(aws.of_accounts(accounts.clone())) as Arc<dyn scrape::Provider>
        });
        let kubernetes = self.kubernetes.as_ref().map(|(clusters, _)| {
            let secrets = Arc::clone(&world.secrets);
            let clusters = Arc::clone(clusters);
            Arc::new(scrape::kubernetes::Kubernetes::new(clusters, secrets, catalog.clone(), accounts))
                as Arc<dyn scrape::Provider>
        });
        let mut ambient = Vec::new();
        let nothing = Scraper { every: Every(EVERY.to_owned()), aws: None, kubernetes: None };
        if aws.is_some() {
            let spec = Scraper { aws: Some(AwsScraper::default()), ..nothing.clone() };
            ambient.push(NamedScraper { name: "aws".to_owned(), spec });
        }
        if kubernetes.is_some() {
            let spec = Scraper { kubernetes: Some(KubernetesScraper::default()), ..nothing };
            ambient.push(NamedScraper { name: "kubernetes".to_owned(), spec });
        }
        let providers = Providers { aws, kubernetes };
        Scrape { catalog, clock: Arc::clone(&world.clock), providers, ambient }
    }
}
