//! The Lambda function `ingest`: wires [`ingest::handle`] to AWS. Its variables are those of [`runtime::config`] and of
//! [`runtime::lambda::Around`]. Bodies in S3 are read with the ambient AWS credentials and region;
//! `AWS_ENDPOINT_URL_S3` (or `AWS_ENDPOINT_URL`) names another endpoint.

use std::sync::Arc;

use ingest::Context;
use intake::Intake;
use ports::SystemClock;
use runtime::{config, lambda};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (catalog, around) = lambda::begin("ingest").await?;
    let intake = Intake {
        catalog,
        objects: Arc::new(aws::Objects::from_env().await),
        clock: Arc::new(SystemClock),
        accounts: config::accounts(config::var)?,
    };
    let handle = |ctx: Arc<Context>, payload| async move { ingest::handle(&ctx, payload).await };
    lambda::run(around, Context { intake }, handle, ingest::error_type).await
}
