//! Where an object is asked for, and the signed request.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ports::ObjectLocation;

#[cfg(test)]
mod tests;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// What S3 wants encoded in a key: everything but unreserved characters and the slash.
const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// The address of an object. An `endpoint` of one's own is addressed by path; so is a bucket whose name has dots,
/// because no certificate covers it as a host.
pub(crate) fn url(location: &ObjectLocation, region: &str, endpoint: Option<&str>) -> String {
    let ObjectLocation { bucket, key, .. } = location;
    let key = utf8_percent_encode(key, KEY);
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let is_host = bucket.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    match endpoint {
        Some(endpoint) => {
            format!("{}/{}/{key}", endpoint.trim_end_matches('/'), utf8_percent_encode(bucket, KEY))
        }
        None if is_host => format!("https://{bucket}.s3.{region}.{suffix}/{key}"),
        None => format!("https://s3.{region}.{suffix}/{}/{key}", utf8_percent_encode(bucket, KEY)),
    }
}

/// A signed GET. <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>
pub(crate) fn signed_get(
    url: &str,
    region: &str,
    credentials: &Credentials,
    now: SystemTime,
) -> Result<HttpRequest, Error> {
    let identity = credentials.clone().into();
    let mut settings = SigningSettings::default();
    // S3 takes the path as it stands, and wants the hash of the (empty) body in a header.
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("s3")
        .time(now)
        .settings(settings)
        .build()?
        .into();
    let signable = SignableRequest::new("GET", url, std::iter::empty(), SignableBody::Bytes(&[]))?;
    let (instructions, _signature) = sign(signable, &params)?.into_parts();
    let mut request = http::Request::get(url).body(SdkBody::empty())?;
    instructions.apply_to_request_http1x(&mut request);
    Ok(request.try_into()?)
}
