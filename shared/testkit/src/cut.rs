//! Work that is dropped half done.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// A future that is given up once it was polled so often: a worker that dies at one of its awaits.
#[derive(Debug)]
pub struct Cut<F> {
    inner: Pin<Box<F>>,
    left: usize,
}

impl<F: Future> Cut<F> {
    /// Gives `inner` up after `polls` polls.
    #[must_use]
    pub fn after(polls: usize, inner: F) -> Self {
        Self { inner: Box::pin(inner), left: polls }
    }
}

impl<F: Future> Future for Cut<F> {
    /// `None` when it was cut.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.inner.as_mut().poll(context).map(Some)
    }
}
