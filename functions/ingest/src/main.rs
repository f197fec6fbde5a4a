//! The Lambda function `ingest`: wires [`ingest::handle`] to AWS.

use std::sync::Arc;

use catalog::Catalog;
use ingest::{Context, config::Config};
use intake::Intake;
use ports::SystemClock;
use runtime::{
    config,
    lambda::{self, Around},
    telemetry,
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    telemetry::init(telemetry::Format::Json);
    let Config { database, accounts } = Config::from_env(config::var)?;
    let catalog = Catalog::connect(&database)?;
    let around = Around::from_env("ingest", &catalog, &database).await?;
    let intake = Intake {
        catalog,
        objects: Arc::new(aws::Objects::from_env().await),
        clock: Arc::new(SystemClock),
        accounts,
    };
    let handle = |ctx: Arc<Context>, payload| async move { Ok((ingest::handle(&ctx, payload).await?, None)) };
    lambda::run(around, Context { intake }, handle, ingest::error_type).await
}
