//! The Lambda function `health`: wires [`health::handle`] to AWS. With `PERIGEE_MODE=migrate` it is the migration step
//! of a deployment instead, which CloudFormation wakes. Its variables are those of [`runtime::config`] and of
//! [`runtime::lambda::Around`].

use std::sync::Arc;

use catalog::Catalog;
use connections::{Chain, Client, Guard, LocalSecrets};
use health::{Cache, Health};
use ports::SystemClock;
use runtime::{
    config,
    lambda::{self, Around},
    telemetry,
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    telemetry::init(telemetry::Format::Json);
    if config::var("PERIGEE_MODE").as_deref() == Some("migrate") {
        return lambda::migrations().await;
    }
    let database = config::database(config::var)?;
    let catalog = Catalog::connect(&database)?;
    let around = Around::from_env("health", &catalog, &database).await?;
    let secrets = Chain(vec![Arc::new(LocalSecrets), Arc::new(aws::Secrets::from_env().await)]);
    let health = Health {
        catalog,
        http: Arc::new(Client::new(Guard::default())),
        secrets: Arc::new(secrets),
        clock: Arc::new(SystemClock),
        cache: Arc::new(Cache::default()),
    };
    let handle = |health: Arc<Health>, payload| async move {
        let outcome = health::handle(&health, payload).await?;
        let due = outcome.due;
        Ok((outcome, due))
    };
    lambda::run(around, health, handle, health::error_type).await
}
