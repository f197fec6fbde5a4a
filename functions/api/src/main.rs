//! The Lambda function `api`: serves [`api::router`] behind a function URL or an API Gateway. Its variables are those
//! of [`runtime::config`], and `PERIGEE_TOKEN`: when set, every request must bring it.

use std::sync::Arc;

use api::{Config, Context};
use catalog::Catalog;
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
    let database = config::database(config::var)?;
    let catalog = Catalog::connect(&database)?;
    let around = Around::from_env("api", &catalog, &database).await?;
    let intake = Intake {
        catalog: catalog.clone(),
        objects: Arc::new(aws::Objects::from_env().await),
        clock: Arc::new(SystemClock),
        accounts: config::accounts(config::var)?,
    };
    let config = Config { token: config::var("PERIGEE_TOKEN"), local: false };
    let context = Context { catalog, intake, clock: Arc::new(SystemClock), config, sample: None };
    lambda::serve(around, api::router(context)).await
}
