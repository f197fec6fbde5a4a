//! The answer to CloudFormation, which waits for a custom resource.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html>

use std::time::Duration;

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorSettings},
    orchestrator::HttpRequest,
};
use aws_smithy_types::body::SdkBody;

/// How long CloudFormation's bucket may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Puts `answer` (JSON) where a request of CloudFormation says (`ResponseURL`, signed by CloudFormation).
///
/// # Errors
/// What went wrong. CloudFormation then waits until the resource's timeout.
pub async fn answer_custom_resource(
    url: &str,
    answer: String,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let timeouts = HttpConnectorSettings::builder().connect_timeout(TIMEOUT).read_timeout(TIMEOUT).build();
    let connector = Connector::builder()
        .connector_settings(timeouts)
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build();
    // The signature covers an empty content type.
    let request = http::Request::put(url).header("content-type", "").body(SdkBody::from(answer))?;
    let request: HttpRequest = request.try_into()?;
    let response = connector.call(request).await?;
    if response.status().is_success() {
        return Ok(());
    }
    Err(format!("CloudFormation's bucket answered {}", response.status().as_u16()).into())
}
