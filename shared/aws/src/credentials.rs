//! Credentials, kept until they are about to expire.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError},
};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use tokio::sync::Mutex;

/// Credentials are renewed this long before they expire.
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// The credentials of a configuration.
#[derive(Debug)]
pub(crate) struct Held {
    provider: Option<SharedCredentialsProvider>,
    held: Mutex<Option<Credentials>>,
    pub(crate) time: SharedTimeSource,
}

impl Held {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self {
            provider: config.credentials_provider(),
            held: Mutex::default(),
            time: config.time_source().unwrap_or_else(|| SharedTimeSource::new(SystemTimeSource::new())),
        }
    }

    /// The credentials, renewed when they are about to expire.
    pub(crate) async fn get(&self) -> Result<Credentials, CredentialsError> {
        let mut held = self.held.lock().await;
        let soon = self.time.now() + RENEW_BEFORE;
        if let Some(credentials) =
            held.as_ref().filter(|held| held.expiry().is_none_or(|expiry| expiry > soon))
        {
            return Ok(credentials.clone());
        }
        let provider = self.provider.as_ref().ok_or_else(CredentialsError::not_loaded_no_source)?;
        let fresh = provider.provide_credentials().await?;
        *held = Some(fresh.clone());
        Ok(fresh)
    }

    /// Forgets them: the next call fetches them again.
    pub(crate) async fn forget(&self) {
        *self.held.lock().await = None;
    }

    #[cfg(test)]
    pub(crate) async fn is_empty(&self) -> bool {
        self.held.lock().await.is_none()
    }
}
