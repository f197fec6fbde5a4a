//! The Lambda function `notify`: wires [`notify::handle`] to AWS. Its variables are those of [`runtime::config`] and of
//! [`runtime::lambda::Around`], and `PERIGEE_PUBLIC_URL`, where people reach the pages that texts link to.

use std::sync::Arc;

use connections::{Chain, Client, Guard, LocalSecrets};
use notify::Notify;
use ports::SystemClock;
use runtime::{config, lambda};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (catalog, around) = lambda::begin("notify").await?;
    let secrets = Chain(vec![Arc::new(LocalSecrets), Arc::new(aws::Secrets::from_env().await)]);
    let notify = Notify::new(
        catalog,
        Arc::new(Client::new(Guard::default())),
        Arc::new(secrets),
        Arc::new(SystemClock),
        config::var("PERIGEE_PUBLIC_URL"),
    );
    let handle = |notify: Arc<Notify>, payload| async move { notify::handle(&notify, payload).await };
    lambda::run(around, notify, handle, notify::error_type).await
}
