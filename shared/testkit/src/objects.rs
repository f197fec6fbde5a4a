//! An object store in memory.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ports::{ObjectError, ObjectLocation, Objects};

/// An object store in memory that can be told to fail.
#[derive(Debug, Default)]
pub struct FakeObjects(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<(String, String), Vec<u8>>,
    failures: BTreeMap<(String, String), Failure>,
    reads: usize,
}

/// How reading an object fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Always: reading it is not permitted.
    Denied,
    /// This many times, then it can be read: the store is busy.
    Busy(u32),
}

impl FakeObjects {
    /// A store with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an object.
    pub fn put(&self, bucket: &str, key: &str, body: impl Into<Vec<u8>>) {
        self.lock().objects.insert((bucket.to_owned(), key.to_owned()), body.into());
    }

    /// Makes reading an object fail.
    pub fn fail(&self, bucket: &str, key: &str, failure: Failure) {
        self.lock().failures.insert((bucket.to_owned(), key.to_owned()), failure);
    }

    /// How many times an object was asked for.
    #[must_use]
    pub fn reads(&self) -> usize {
        self.lock().reads
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Objects for FakeObjects {
    async fn get(&self, location: &ObjectLocation, limit: usize) -> Result<Vec<u8>, ObjectError> {
        let mut state = self.lock();
        state.reads += 1;
        let name = (location.bucket.clone(), location.key.clone());
        match state.failures.get_mut(&name) {
            Some(Failure::Denied) => return Err(ObjectError::Denied(location.clone())),
            Some(Failure::Busy(times)) if *times > 0 => {
                *times -= 1;
                return Err(ObjectError::Unavailable {
                    location: location.clone(),
                    source: "SlowDown".into(),
                });
            }
            Some(Failure::Busy(_)) | None => {}
        }
        match state.objects.get(&name) {
            None => Err(ObjectError::Missing(location.clone())),
            Some(body) if body.len() > limit => {
                Err(ObjectError::TooLarge { location: location.clone(), limit })
            }
            Some(body) => Ok(body.clone()),
        }
    }
}
