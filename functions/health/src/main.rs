//! The Lambda function `health`: wires [`health::handle`] to AWS. With `PERIGEE_MODE=migrate` it is the migration step
//! of a deployment instead, which CloudFormation wakes. Its variables are those of [`runtime::config`] and of
//! [`runtime::lambda::Around`].

use std::sync::Arc;

use connections::{Chain, Client, Guard, LocalSecrets};
use health::{Cache, Health};
use ports::SystemClock;
use runtime::{config, lambda};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if config::var("PERIGEE_MODE").as_deref() == Some("migrate") {
        return lambda::migrations().await;
    }
    let (catalog, around) = lambda::begin("health").await?;
    let secrets = Chain(vec![Arc::new(LocalSecrets), Arc::new(aws::Secrets::from_env().await)]);
    let health = Health {
        catalog,
        http: Arc::new(Client::new(Guard::default())),
        secrets: Arc::new(secrets),
        clock: Arc::new(SystemClock),
        cache: Arc::new(Cache::default()),
    };
    let handle = |health: Arc<Health>, payload| async move { health::handle(&health, payload).await };
    lambda::run(around, health, handle, health::error_type).await
}
