//! The Lambda entry: what turns a `handle` into a function.
//!
//! A panic in a handler is caught by the Lambda runtime and reported as a failed invocation; the process lives on.

use std::{future::Future, sync::Arc};

use anyhow::anyhow;
use lambda_http::IntoResponse;
use lambda_runtime::{BoxFuture, Diagnostic, LambdaEvent, service_fn, tower::Service};
use serde::Serialize;
use serde_json::Value;

/// Runs `handle` for every invocation: JSON in, JSON out. `error_type` is the stable word by which Lambda's metrics
/// and destinations tell failures apart.
///
/// # Errors
/// When the Lambda runtime interface cannot be reached.
pub async fn run<C, H, F, T>(
    context: C,
    handle: H,
    error_type: fn(&anyhow::Error) -> &'static str,
) -> anyhow::Result<()>
where
    H: Fn(Arc<C>, Value) -> F,
    F: Future<Output = anyhow::Result<T>> + Send + 'static,
    T: Serialize,
{
    let (context, handle) = (Arc::new(context), &handle);
    let service = service_fn(move |event: LambdaEvent<Value>| {
        // Boxed, so that the compiler need not look through all of a handler and all of the runtime at once.
        let done: BoxFuture<'static, _> = Box::pin(handle(context.clone(), event.payload));
        async move {
            // The Lambda runtime logs what it reports, so nothing is logged here.
            done.await.map_err(|error| Diagnostic {
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
pub async fn serve<S, R>(service: S) -> anyhow::Result<()>
where
    S: Service<lambda_http::Request, Response = R, Error = std::convert::Infallible>,
    S::Future: Send + 'static,
    R: IntoResponse,
{
    lambda_http::run(service).await.map_err(|error| anyhow!(error))
}
