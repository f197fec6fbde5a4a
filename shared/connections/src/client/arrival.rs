//! Whether a request was on its way when it failed.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tower::{Layer, Service};

tokio::task_local! {
    static ARRIVAL: Arrival;
}

/// Set once a connection for the request stands. What came before, the far end cannot have acted on.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrival(Arc<AtomicBool>);

impl Arrival {
    /// Whether any connection stood.
    pub(super) fn connected(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Watches the connections that `sending` makes.
    pub(super) async fn watch<F: Future>(&self, sending: F) -> F::Output {
        ARRIVAL.scope(self.clone(), sending).await
    }
}

/// Wraps the connector, which runs in the task of its request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch;

impl<S> Layer<S> for Watch {
    type Service = Watched<S>;

    fn layer(&self, connector: S) -> Watched<S> {
        Watched(connector)
    }
}

/// A connector that says when a connection stands.
#[derive(Debug, Clone)]
pub(super) struct Watched<S>(S);

impl<S, R> Service<R> for Watched<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let arrival = ARRIVAL.try_with(Clone::clone).ok();
        let connecting = self.0.call(request);
        Box::pin(async move {
            let connection = connecting.await?;
            if let Some(arrival) = arrival {
                arrival.0.store(true, Ordering::Release);
            }
            Ok(connection)
        })
    }
}
