//! What an error of the SDK means.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

#[cfg(test)]
mod tests;

/// What kind of failure it is, and what AWS or the SDK says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// AWS's own code, where it answered with one.
    pub(crate) code: String,
    pub(crate) message: String,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Denied,
    Throttled,
    Expired,
    NoCredentials,
    Missing,
    Unavailable,
    Refused,
}

/// Reads an error of the SDK.
pub(crate) fn of<E>(error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    if let SdkError::ServiceError(context) = error {
        let meta = context.err().meta();
        let code = meta.code().unwrap_or_default();
        let message = meta.message().unwrap_or("it says nothing more").to_owned();
        return Failure { kind: kind(code, context.raw().status().as_u16()), code: code.to_owned(), message };
    }
    let message = crate::chain(error);
    let kind = credentials(error).map_or(Kind::Unavailable, |error| match error {
        CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_) => {
            Kind::NoCredentials
        }
        _ if message.to_lowercase().contains("expired") => Kind::Expired,
        CredentialsError::ProviderError(_) => Kind::NoCredentials,
        _ => Kind::Unavailable,
    });
    Failure { kind, code: String::new(), message }
}

/// The kinds by AWS's codes, which differ from service to service.
fn kind(code: &str, status: u16) -> Kind {
    // Some protocols put the namespace before the code: `com.amazon.coral.availability#ThrottlingException`.
    let code = code.rsplit('#').next().unwrap_or(code);
    match code {
        "AccessDenied"
        | "AccessDeniedException"
        | "AccessDeniedFault"
        | "UnauthorizedOperation"
        | "NotAuthorized"
        | "AuthorizationError"
        | "OrganizationAccessDeniedException" => Kind::Denied,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "LimitExceededException"
        | "SlowDown"
        | "PriorRequestNotComplete" => Kind::Throttled,
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => Kind::Expired,
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "AuthFailure"
        | "InvalidToken" => Kind::NoCredentials,
        "ResourceNotFoundException" | "ParameterNotFound" | "ParameterVersionNotFound" => Kind::Missing,
        _ if status == 429 => Kind::Throttled,
        _ if status >= 500 => Kind::Unavailable,
        _ if status == 403 => Kind::Denied,
        _ => Kind::Refused,
    }
}

/// The error of the credentials that is the cause, if one is.
fn credentials<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e CredentialsError> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
}
