//! The world beyond this machine, as far as this build has it in it.
//!
//! Whether a build has AWS and Kubernetes in it is decided by the features `aws` and `kubernetes`, both on by default; what
//! is not in it says so when it is wanted.

use std::sync::Arc;

use async_trait::async_trait;
use ports::{Clouds, Clusters, Secrets};

/// Signs requests to the deployed API.
#[async_trait]
pub(crate) trait Sign: Send + Sync {
    /// The headers that sign a request.
    async fn headers(&self, method: &str, url: &str, body: &[u8]) -> anyhow::Result<Vec<(String, String)>>;
}

/// Signs with the ambient AWS credentials.
#[cfg(feature = "aws")]
pub(crate) async fn signer() -> anyhow::Result<Arc<dyn Sign>> {
    Ok(Arc::new(aws::Signer::from_env().await))
}

/// This build cannot sign.
#[cfg(not(feature = "aws"))]
pub(crate) async fn signer() -> anyhow::Result<Arc<dyn Sign>> {
    Err(without_aws())
}

#[cfg(feature = "aws")]
#[async_trait]
impl Sign for aws::Signer {
    async fn headers(&self, method: &str, url: &str, body: &[u8]) -> anyhow::Result<Vec<(String, String)>> {
        Ok(Self::headers(self, method, url, body).await?)
    }
}

/// The accounts of the ambient AWS credentials, and the stores of secrets that they open.
#[cfg(feature = "aws")]
pub(crate) async fn aws() -> anyhow::Result<(Arc<dyn Clouds>, Arc<dyn Secrets>)> {
    Ok((Arc::new(aws::Clouds::from_env()), Arc::new(aws::Secrets::from_env().await)))
}

/// This build reaches no AWS.
#[cfg(not(feature = "aws"))]
pub(crate) async fn aws() -> anyhow::Result<(Arc<dyn Clouds>, Arc<dyn Secrets>)> {
    Err(without_aws())
}

/// The clusters that `kubectl` would find, and the Secrets in them.
#[cfg(feature = "kubernetes")]
pub(crate) fn kubernetes() -> anyhow::Result<(Arc<dyn Clusters>, Arc<dyn Secrets>)> {
    let found = kubernetes::Kubernetes::new(kubernetes::Limits::default());
    Ok((Arc::new(found.clone()), Arc::new(found)))
}

/// This build reaches no cluster.
#[cfg(not(feature = "kubernetes"))]
pub(crate) fn kubernetes() -> anyhow::Result<(Arc<dyn Clusters>, Arc<dyn Secrets>)> {
    anyhow::bail!(
        "this build has no Kubernetes in it; build it with feature `kubernetes`, which is on by default"
    )
}

#[cfg(not(feature = "aws"))]
fn without_aws() -> anyhow::Error {
    anyhow::anyhow!("this build has no AWS in it; build it with feature `aws`, which is on by default")
}
