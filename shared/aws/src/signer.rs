//! Signatures for what no SDK calls: our own API behind API Gateway, and the database.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};

use crate::credentials::Held;

#[cfg(test)]
mod tests;

/// How long a token for the database may be used to sign in. RDS refuses longer.
const TOKEN: Duration = Duration::from_secs(900);

/// Why nothing could be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// There are no credentials, or they cannot be fetched.
    #[error(
        "no AWS credentials can be had: {0}; `aws sts get-caller-identity` should work in this environment"
    )]
    Credentials(String),
    /// The request cannot be signed.
    #[error("the request cannot be signed: {0}")]
    Request(String),
}

/// Signs with the ambient credentials.
#[derive(Debug)]
pub struct Signer {
    credentials: Held,
    region: String,
}

impl Signer {
    /// With the configuration that the AWS command line would use here.
    pub async fn from_env() -> Self {
        Self::new(&aws_config::load_from_env().await)
    }

    /// With a given configuration; `us-east-1` where it names no region.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        let region = config.region().map_or("us-east-1", |region| region.as_ref()).to_owned();
        Self { credentials: Held::new(config), region }
    }

    /// The headers that sign a request to API Gateway: `authorization`, `x-amz-date` and, where the credentials are
    /// temporary, `x-amz-security-token`. The region is the one in the address, else the ambient one.
    ///
    /// # Errors
    /// See [`SignError`].
    pub async fn headers(
        &self,
        method: &str,
        url: &str,
        body: &[u8],
    ) -> Result<Vec<(String, String)>, SignError> {
        let credentials = self.credentials().await?;
        let region = region_of(url).unwrap_or(&self.region);
        let signable = SignableRequest::new(method, url, std::iter::empty(), SignableBody::Bytes(body))
            .map_err(|error| SignError::Request(error.to_string()))?;
        let instructions =
            self.sign(signable, &credentials, region, "execute-api", SigningSettings::default())?;
        let headers = instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(headers.collect())
    }

    /// A password with which `user` may sign in to the database at `host` for a quarter of an hour.
    /// <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Connecting.html>
    ///
    /// # Errors
    /// See [`SignError`].
    pub async fn database_password(&self, host: &str, port: u16, user: &str) -> Result<String, SignError> {
        let credentials = self.credentials().await?;
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(TOKEN);
        let url = format!("https://{host}:{port}/?Action=connect&DBUser={user}");
        let signable = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(&[]))
            .map_err(|error| SignError::Request(error.to_string()))?;
        let instructions = self.sign(signable, &credentials, &self.region, "rds-db", settings)?;
        let mut request =
            http::Request::get(&url).body(()).map_err(|error| SignError::Request(error.to_string()))?;
        instructions.apply_to_request_http1x(&mut request);
        let signed = request.uri().to_string();
        Ok(signed.strip_prefix("https://").unwrap_or(&signed).to_owned())
    }

    async fn credentials(&self) -> Result<Credentials, SignError> {
        self.credentials.get().await.map_err(|error| SignError::Credentials(crate::chain(&error)))
    }

    fn sign(
        &self,
        signable: SignableRequest<'_>,
        credentials: &Credentials,
        region: &str,
        service: &str,
        settings: SigningSettings,
    ) -> Result<aws_sigv4::http_request::SigningInstructions, SignError> {
        let identity = credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service)
            .time(self.credentials.time.now())
            .settings(settings)
            .build()
            .map_err(|error| SignError::Request(error.to_string()))?
            .into();
        let signed = sign(signable, &params).map_err(|error| SignError::Request(error.to_string()))?;
        Ok(signed.into_parts().0)
    }
}

/// The region in `https://ID.execute-api.REGION.amazonaws.com`.
fn region_of(url: &str) -> Option<&str> {
    let host = url.split_once("://")?.1.split(['/', ':', '?']).next()?;
    let mut labels = host.split('.').skip_while(|label| *label != "execute-api");
    labels.next()?;
    labels.next()
}
