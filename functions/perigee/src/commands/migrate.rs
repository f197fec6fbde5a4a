//! `perigee migrate`

use anyhow::Context;
use catalog::{Catalog, ConnectOptions};
use clap::Args;
use ports::{Clock, SystemClock};

use crate::{
    exit::Done,
    place::{Database, Place},
    print,
};

/// Which database.
#[derive(Debug, Args)]
pub struct Options {
    /// Where the data lies.
    #[command(flatten)]
    pub place: Place,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Done> {
    runtime::telemetry::init(runtime::telemetry::Format::Compact);
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        match options.place.database()? {
            Database::Given(given) => migrate(&given).await?,
            Database::Private(settings) => {
                let server = embedded::start(&settings).await?;
                let migrated = migrate(&Database::private(server.url(embedded::DATABASE))).await;
                server.stop().await?;
                migrated?;
            }
        }
        print::line("The database is at this build's schema.")?;
        Ok(Done::All)
    })
}

async fn migrate(database: &ConnectOptions) -> anyhow::Result<()> {
    Ok(Catalog::connect(database)?.migrate(SystemClock.now()).await?)
}
