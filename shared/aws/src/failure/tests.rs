use super::*;

#[test]
fn what_passes_is_told_from_what_somebody_has_to_mend() {
    assert_eq!(kind("AccessDeniedException", 400), Kind::Denied);
    assert_eq!(kind("com.amazon.coral.availability#ThrottlingException", 400), Kind::Throttled);
    assert_eq!(kind("ExpiredTokenException", 400), Kind::Expired);
    assert_eq!(kind("UnrecognizedClientException", 400), Kind::NoCredentials);
    assert_eq!(kind("InternalServiceError", 500), Kind::Unavailable);
    assert_eq!(kind("InvalidExpressionException", 400), Kind::Refused);
    assert_eq!(kind("", 429), Kind::Throttled);
    assert_eq!(kind("", 403), Kind::Denied);
}

#[test]
fn credentials_are_blamed_where_they_are_the_cause() {
    type Any = SdkError<aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError, HttpResponse>;
    let of_cause = |cause: CredentialsError| of(&Any::construction_failure(cause)).kind;
    assert_eq!(of_cause(CredentialsError::not_loaded("no provider in the chain")), Kind::NoCredentials);
    assert_eq!(of_cause(CredentialsError::provider_error("the SSO token has expired")), Kind::Expired);
    assert_eq!(of_cause(CredentialsError::provider_error("the helper ended with 1")), Kind::NoCredentials);
    assert_eq!(of(&Any::construction_failure("no region")).kind, Kind::Unavailable);
}
