//! The Lambda function `scrape`: wires [`scrape::handle`] to AWS. Its variables are those of [`runtime::config`] and of
//! [`runtime::lambda::Around`].

use std::sync::Arc;

use connections::{Chain, LocalSecrets};
use ports::SystemClock;
use runtime::{config, lambda};
use scrape::{Providers, Scrape, aws::Aws, kubernetes::Kubernetes};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (catalog, around) = lambda::begin("scrape").await?;
    let accounts = config::accounts(config::var)?;
    let clouds = Arc::new(::aws::Clouds::from_env());
    let clusters = Arc::new(::kubernetes::Kubernetes::default());
    let secrets = Chain(vec![Arc::new(LocalSecrets), Arc::new(::aws::Secrets::from_env().await)]);
    let providers = Providers {
        aws: Some(Arc::new(Aws::new(clouds, catalog.clone()).of_accounts(accounts.clone()))),
        kubernetes: Some(Arc::new(Kubernetes::new(clusters, Arc::new(secrets), catalog.clone(), accounts))),
    };
    let scrape = Scrape { catalog, clock: Arc::new(SystemClock), providers, ambient: Vec::new() };
    let handle = |scrape: Arc<Scrape>, payload| async move { scrape::handle(&scrape, payload).await };
    lambda::run(around, scrape, handle, scrape::error_type).await
}
