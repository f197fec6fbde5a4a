//! The migration step of a deployment: CloudFormation wakes it as a custom resource, and waits for its answer.

use anyhow::{Context, anyhow, bail};
use catalog::Catalog;
use lambda_runtime::{BoxFuture, Diagnostic, LambdaEvent, service_fn};
use model::SecretRef;
use ports::{Clock, Secrets, SystemClock};
use serde::Deserialize;
use serde_json::{Value, json};

use super::around::PATIENCE;
use crate::{config, telemetry};

/// A request of CloudFormation.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    request_type: String,
    #[serde(rename = "ResponseURL")]
    response_url: String,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
    #[serde(default)]
    physical_resource_id: Option<String>,
}

/// Runs the migration for every request of CloudFormation. `PERIGEE_DATABASE_SECRET` names the secret of the master.
///
/// # Errors
/// When the Lambda runtime interface cannot be reached.
pub async fn migrations() -> anyhow::Result<()> {
    telemetry::init(telemetry::Format::Json);
    // Boxed, so that the compiler need not look through all of a migration and all of the runtime at once.
    let service = service_fn(|event: LambdaEvent<Value>| -> BoxFuture<'static, Result<(), Diagnostic>> {
        Box::pin(requested(event.payload))
    });
    lambda_runtime::run(service).await.map_err(|error| anyhow!(error))
}

async fn requested(payload: Value) -> Result<(), Diagnostic> {
    let answered = async {
        let request: Request =
            serde_json::from_value(payload).context("the payload is no request of CloudFormation")?;
        answer(&request).await
    };
    answered.await.map_err(|error: anyhow::Error| Diagnostic {
        error_type: "Migration.Failed".to_owned(),
        error_message: format!("{error:#}"),
    })
}

async fn answer(request: &Request) -> anyhow::Result<()> {
    // What is deleted is the stack; the catalog's data is the database's own to keep.
    let done = match request.request_type.as_str() {
        "Delete" => Ok(()),
        _ => match tokio::time::timeout(PATIENCE, Box::pin(migrate())).await {
            Ok(done) => done,
            Err(_) => Err(anyhow!("the database did not answer within {} seconds", PATIENCE.as_secs())),
        },
    };
    let reason = done.as_ref().err().map(|error| format!("{error:#}"));
    if let Some(reason) = &reason {
        tracing::error!("The catalog is not migrated: {reason}");
    }
    let answer = json!({
        "Status": if reason.is_some() { "FAILED" } else { "SUCCESS" },
        "Reason": reason,
        "PhysicalResourceId": request.physical_resource_id.as_deref().unwrap_or("perigee-catalog"),
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_resource_id,
    });
    aws::answer_custom_resource(&request.response_url, answer.to_string())
        .await
        .map_err(|error| anyhow!(error).context("cannot answer CloudFormation"))
}

async fn migrate() -> anyhow::Result<()> {
    let options = config::database(config::var)?;
    let Some(id) = config::var("PERIGEE_DATABASE_SECRET") else {
        bail!("PERIGEE_DATABASE_SECRET is not set; set it to the ARN of the master's secret");
    };
    let secret = SecretRef::SecretsManager { id, key: Some("password".to_owned()) };
    let password = aws::Secrets::from_env().await.read(&secret).await?;
    let clock = SystemClock;
    // A new cluster, or one that sleeps, takes its time.
    let master = Catalog::connect(&options)?;
    master.renew_password(password.expose());
    wait_for(|| master.make_owner()).await?;
    master.close().await;
    let owner = Catalog::connect_as_owner(&options)?;
    owner.renew_password(password.expose());
    owner.migrate(clock.now()).await?;
    owner.close().await;
    Ok(())
}

/// Tries until the database answers.
async fn wait_for<F>(mut attempt: impl FnMut() -> F) -> anyhow::Result<()>
where
    F: Future<Output = Result<(), catalog::Error>>,
{
    let mut ticks = tokio::time::interval(std::time::Duration::from_secs(3));
    loop {
        ticks.tick().await;
        match attempt().await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_transient() => {
                tracing::info!("The database does not answer yet: {:#}", anyhow::Error::new(error));
            }
            Err(error) => return Err(error.into()),
        }
    }
}
