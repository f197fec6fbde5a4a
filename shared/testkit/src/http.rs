//! HTTP and secrets without a network.

use std::{
    collections::BTreeMap,
    fmt,
    future::pending,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use model::SecretRef;
use ports::{Http, HttpError, Request, Response, Secret, SecretError, Secrets};

/// How an address answers.
#[derive(Debug, Clone)]
pub enum Reply {
    /// With a status and a body, after so long.
    Answer(u16, Vec<u8>, Duration),
    /// Nothing listens there.
    Unreachable,
    /// It takes the request and never answers.
    Hangs,
    /// The address must not be called.
    Refused,
    /// It redirects to an address that must not be called.
    Redirects,
}

impl Reply {
    /// An answer at once.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::body(status, "")
    }

    /// An answer with a body, at once.
    #[must_use]
    pub fn body(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer(status, body.into(), Duration::from_millis(12))
    }
}

/// Addresses in memory that answer as they are told, and remember what they were asked. It keeps no timeout: whoever
/// asks must not rely on that alone.
#[derive(Default)]
pub struct FakeHttp(Mutex<World>);

#[derive(Default)]
struct World {
    replies: BTreeMap<String, Reply>,
    asked: Vec<Request>,
}

impl fmt::Debug for FakeHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeHttp").finish_non_exhaustive()
    }
}

impl FakeHttp {
    /// A world in which nothing listens.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says how an address answers from now on.
    pub fn reply(&self, url: &str, reply: Reply) {
        self.lock().replies.insert(url.to_owned(), reply);
    }

    /// What was asked so far, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Request> {
        self.lock().asked.clone()
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Http for FakeHttp {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let reply = {
            let mut world = self.lock();
            world.asked.push(request.clone());
            world.replies.get(&request.url).cloned()
        };
        let host = request.url.split('/').nth(2).unwrap_or_default().to_owned();
        match reply {
            Some(Reply::Answer(status, body, elapsed)) => {
                tokio::task::yield_now().await;
                Ok(Response { status, headers: Vec::new(), body, truncated: false, elapsed })
            }
            Some(Reply::Hangs) => pending().await,
            Some(Reply::Refused) => {
                Err(HttpError::Refused { host, reason: "it is an address of instance metadata".to_owned() })
            }
            Some(Reply::Redirects) => {
                Err(HttpError::Redirect { host, reason: "169.254.169.254 is instance metadata".to_owned() })
            }
            Some(Reply::Unreachable) | None => {
                Err(HttpError::Connect { host, source: "connection refused".into() })
            }
        }
    }
}

/// Secrets in memory, by variable of the environment.
#[derive(Default)]
pub struct FakeSecrets(Mutex<BTreeMap<String, String>>);

impl fmt::Debug for FakeSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeSecrets").finish_non_exhaustive()
    }
}

impl FakeSecrets {
    /// A store with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a value as `env: NAME`.
    pub fn put(&self, name: &str, value: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value.to_owned());
    }
}

#[async_trait]
impl Secrets for FakeSecrets {
    async fn read(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        let SecretRef::Env(name) = reference else {
            return Err(SecretError::NotConfigured(reference.clone()));
        };
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        found.map(Secret::new).ok_or_else(|| SecretError::Missing(reference.clone()))
    }
}
