//! The Lambda entry: what turns a `handle` into a function.
//!
//! A panic in a handler is caught by the Lambda runtime and reported as a failed invocation; the process lives on.

mod around;
mod migration;

use std::{convert::Infallible, future::Future, sync::Arc};

use anyhow::anyhow;
use catalog::Catalog;
use lambda_http::IntoResponse;
use lambda_runtime::{BoxFuture, Diagnostic, LambdaEvent, service_fn, tower::Service};
use serde_json::Value;

use crate::{config, telemetry, wake::Due};

pub use self::{around::Around, migration::migrations};

/// What every function begins with: its log, the catalog that [`config`] names, and what is done around its work.
/// Nothing is connected to yet.
///
/// # Errors
/// When a variable is missing or cannot be understood.
pub async fn begin(function: &'static str) -> anyhow::Result<(Catalog, Around)> {
    telemetry::init(telemetry::Format::Json);
    let database = config::database(config::var)?;
    let catalog = Catalog::connect(&database)?;
    let around = Around::from_env(function, &catalog, &database).await?;
    Ok((catalog, around))
}

/// Runs `handle` for every invocation: JSON in; JSON out, which says when something is due next. `error_type` is the
/// stable word by which Lambda's metrics and destinations tell failures apart.
///
/// # Errors
/// When the Lambda runtime interface cannot be reached.
pub async fn run<C, H, F, T>(
    around: Around,
    context: C,
    handle: H,
    error_type: fn(&anyhow::Error) -> &'static str,
) -> anyhow::Result<()>
where
    H: Fn(Arc<C>, Value) -> F,
    F: Future<Output = anyhow::Result<T>> + Send + 'static,
    T: Due + Send + 'static,
{
    let (around, context, handle) = (Arc::new(around), Arc::new(context), &handle);
    let service = service_fn(move |event: LambdaEvent<Value>| {
        let around = Arc::clone(&around);
        // Boxed, so that the compiler need not look through all of a handler and all of the runtime at once.
        let done: BoxFuture<'static, _> = Box::pin(handle(context.clone(), event.payload));
        async move {
            let invoked = async {
                around.before().await?;
                let answer = done.await?;
                // What is not told or not scheduled would wait for a day: the invocation fails, and comes again.
                around.after(answer.due()).await?;
                anyhow::Ok(answer)
            };
            // The Lambda runtime logs what it reports, so nothing is logged here.
            invoked.await.map_err(|error: anyhow::Error| Diagnostic {
                error_type: error_type(&error).to_owned(),
                error_message: format!("{error:#}"),
            })
        }
    });
    lambda_runtime::run(service).await.map_err(|error| anyhow!(error))
}

/// Serves HTTP behind a function URL or an API Gateway: `service` is an axum router.
///
/// # Errors
/// When the Lambda runtime interface cannot be reached.
pub async fn serve<S, R>(around: Around, service: S) -> anyhow::Result<()>
where
    S: Service<lambda_http::Request, Response = R, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    R: IntoResponse + Send + 'static,
{
    let around = Arc::new(around);
    let service = service_fn(move |request: lambda_http::Request| {
        let (around, mut service) = (Arc::clone(&around), service.clone());
        async move {
            let safe = request.method().is_safe();
            // Whoever asks is told what is wrong with the database by the answer itself.
            if let Err(error) = around.before().await {
                tracing::error!("{error:#}");
            }
            let answer = service.call(request).await;
            // The write is done, and so the answer stands; the next invocation of any function tells of it.
            if !safe && let Err(error) = around.after(None).await {
                tracing::error!("{error:#}");
            }
            answer
        }
    });
    lambda_http::run(service).await.map_err(|error| anyhow!(error))
}
