//! [`ports::Objects`] over S3's `GetObject`.

use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_credential_types::{Credentials, provider::error::CredentialsError};
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorSettings},
    orchestrator::HttpResponse,
};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use http_body_util::BodyExt;
use ports::{ObjectError, ObjectLocation};
use tokio::time::timeout;
use tracing::debug;

use crate::{
    answer::{Verdict, verdict},
    chain,
    credentials::Held,
    request,
};

#[cfg(test)]
mod tests;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long S3 may say nothing, before and inside an answer.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);
/// The first request and two more.
const ATTEMPTS: u32 = 3;
const FIRST_DELAY: Duration = Duration::from_millis(200);
/// As much as is read of an answer that is not the object.
const ERROR_BODY: usize = 64 * 1024;

/// Objects in S3, read with the ambient credentials.
///
/// A bucket in another region is found by following S3's redirect once. `AWS_ENDPOINT_URL_S3` and
/// `AWS_ENDPOINT_URL` (or the profile's) replace the endpoint. A busy or silent store is asked three times.
#[derive(Debug)]
pub struct Objects {
    connector: Connector,
    credentials: Held,
    region: String,
    endpoint: Option<String>,
    sleep: SharedAsyncSleep,
}

impl Objects {
    /// With the configuration that the AWS command line would use here.
    pub async fn from_env() -> Self {
        Self::new(&aws_config::load_from_env().await)
    }

    /// With a given configuration. Without a region, requests start at `us-east-1` and follow S3 from there.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        let timeouts = HttpConnectorSettings::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE_TIMEOUT)
            .build();
        Self {
            connector: Connector::builder()
                .connector_settings(timeouts)
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .build(),
            credentials: Held::new(config),
            region: config.region().map_or("us-east-1", |region| region.as_ref()).to_owned(),
            endpoint: endpoint(config),
            sleep: config.sleep_impl().unwrap_or_else(|| SharedAsyncSleep::new(TokioSleep::new())),
        }
    }

    /// Asks once.
    async fn ask(
        &self,
        location: &ObjectLocation,
        region: &str,
        credentials: &Credentials,
        limit: usize,
    ) -> Result<Vec<u8>, Refused> {
        let url = request::url(location, region, self.endpoint.as_deref());
        let request = request::signed_get(&url, region, credentials, self.credentials.time.now())
            .map_err(|error| Verdict::Hindered(format!("cannot sign the request for {url}: {error}")))?;
        let mut response =
            self.connector.call(request).await.map_err(|error| Verdict::Busy(chain(&error)))?;
        let status = response.status();
        if status.is_success() {
            return read_body(&mut response, limit).await;
        }
        let bucket_region = response.headers().get("x-amz-bucket-region").map(str::to_owned);
        // The status alone says enough when the explanation does not arrive.
        let body = read_body(&mut response, ERROR_BODY).await.unwrap_or_default();
        let body = String::from_utf8_lossy(&body);
        Err(verdict(status.as_u16(), bucket_region.as_deref(), region, &body).into())
    }
}

#[async_trait]
impl ports::Objects for Objects {
    async fn get(&self, location: &ObjectLocation, limit: usize) -> Result<Vec<u8>, ObjectError> {
        let at = || location.clone();
        let unavailable = |why: String| ObjectError::Unavailable { location: at(), source: why.into() };
        let credentials = match self.credentials.get().await {
            Ok(credentials) => credentials,
            Err(CredentialsError::CredentialsNotLoaded(_)) => return Err(ObjectError::NotConfigured(at())),
            Err(error) => return Err(unavailable(format!("cannot get AWS credentials: {}", chain(&error)))),
        };
        let mut region = location.region.clone().unwrap_or_else(|| self.region.clone());
        let mut redirected = false;
        let mut attempt = 1;
        loop {
            match self.ask(location, &region, &credentials, limit).await {
                Ok(bytes) => return Ok(bytes),
                Err(Refused::TooLarge) => return Err(ObjectError::TooLarge { location: at(), limit }),
                Err(Refused::By(Verdict::Missing)) => return Err(ObjectError::Missing(at())),
                Err(Refused::By(Verdict::Denied)) => return Err(ObjectError::Denied(at())),
                Err(Refused::By(Verdict::Elsewhere(there))) if !redirected => {
                    debug!("{location} is in {there}");
                    (region, redirected) = (there, true);
                }
                Err(Refused::By(Verdict::Elsewhere(there))) => {
                    return Err(unavailable(format!("S3 sends the request from {region} on to {there}")));
                }
                Err(Refused::By(Verdict::Hindered(why))) => {
                    // The credentials may be to blame: the next call fetches them again.
                    self.credentials.forget().await;
                    return Err(unavailable(why));
                }
                Err(Refused::By(Verdict::Busy(why))) if attempt == ATTEMPTS => return Err(unavailable(why)),
                Err(Refused::By(Verdict::Busy(why))) => {
                    debug!("Attempt {attempt} at {location} failed: {why}");
                    self.sleep.sleep(FIRST_DELAY * 4u32.pow(attempt - 1)).await;
                    attempt += 1;
                }
            }
        }
    }
}

/// Why one request did not bring the object.
enum Refused {
    By(Verdict),
    TooLarge,
}

impl From<Verdict> for Refused {
    fn from(verdict: Verdict) -> Self {
        Self::By(verdict)
    }
}

/// Reads a body while it comes, and no further than `limit`.
async fn read_body(response: &mut HttpResponse, limit: usize) -> Result<Vec<u8>, Refused> {
    let announced = response.headers().get("content-length").and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(Refused::TooLarge);
    }
    let mut bytes = Vec::with_capacity(announced.unwrap_or_default());
    let body = response.body_mut();
    loop {
        let frame = timeout(SILENCE_TIMEOUT, body.frame())
            .await
            .map_err(|_| Verdict::Busy("S3 stopped sending inside the object".to_owned()))?;
        let Some(frame) = frame else { return Ok(bytes) };
        let frame =
            frame.map_err(|error| Verdict::Busy(format!("the object broke off: {}", chain(&*error))))?;
        if let Some(data) = frame.data_ref() {
            if bytes.len() + data.len() > limit {
                return Err(Refused::TooLarge);
            }
            bytes.extend_from_slice(data);
        }
    }
}

/// The endpoint to use instead of AWS's own: for S3 alone, else for everything.
fn endpoint(config: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id("s3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok();
    let service: Option<&dyn LoadServiceConfig> = config.service_config();
    service
        .zip(key)
        .and_then(|(service, key)| service.load_config(key))
        .or_else(|| config.endpoint_url().map(str::to_owned))
}
