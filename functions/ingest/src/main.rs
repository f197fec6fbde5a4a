//! The Lambda function `ingest`: wires [`ingest::handle`] to AWS.

use std::sync::Arc;

use catalog::Catalog;
use ingest::{Context, config::Config};
use intake::Intake;
use ports::SystemClock;
use runtime::{config, lambda, telemetry};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    telemetry::init(telemetry::Format::Json);
    let Config { database, accounts } = Config::from_env(config::var)?;
    let intake = Intake {
        catalog: Catalog::connect(&database)?,
        objects: Arc::new(aws::Objects::from_env().await),
        clock: Arc::new(SystemClock),
        accounts,
    };
    let handle = |ctx: Arc<Context>, payload| async move { ingest::handle(&ctx, payload).await };
    lambda::run(Context { intake }, handle, ingest::error_type).await
}
