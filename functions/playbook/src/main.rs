//! The Lambda function `playbook`: wires [`playbook::handle`] to AWS. Its variables are those of [`runtime::config`] and
//! of [`runtime::lambda::Around`].

use std::sync::Arc;

use connections::{Chain, Client, Guard, LocalSecrets};
use playbook::Playbooks;
use ports::SystemClock;
use runtime::{config, lambda};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (catalog, around) = lambda::begin("playbook").await?;
    let secrets = Chain(vec![Arc::new(LocalSecrets), Arc::new(aws::Secrets::from_env().await)]);
    let playbooks = Playbooks {
        catalog,
        http: Arc::new(Client::new(Guard::default())),
        secrets: Arc::new(secrets),
        clock: Arc::new(SystemClock),
        // Whoever wonders what a worker did finds its log by this name.
        worker: config::var("AWS_LAMBDA_LOG_STREAM_NAME").unwrap_or_else(|| "playbook".to_owned()),
        principals: config::principals(config::var),
        library: Arc::default(),
    };
    let handle =
        |playbooks: Arc<Playbooks>, payload| async move { playbook::handle(&playbooks, payload).await };
    lambda::run(around, playbooks, handle, playbook::error_type).await
}
