use std::time::UNIX_EPOCH;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::StaticTimeSource;
use aws_types::region::Region;

use super::*;

fn signer(token: Option<&str>) -> Signer {
    let credentials = Credentials::new(
        "AKIDEXAMPLE",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        token.map(str::to_owned),
        None,
        "test",
    );
    let config = SdkConfig::builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(Region::new("eu-west-1"))
        .time_source(StaticTimeSource::new(UNIX_EPOCH + Duration::from_secs(1_440_938_160)))
        .build();
    Signer::new(&config)
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

#[tokio::test]
async fn a_request_is_signed_for_the_region_in_its_address() {
    let url = "https://abc.execute-api.eu-north-1.amazonaws.com/api/v1/resources?q=type%3DAWS::EC2::*";
    let headers = signer(Some("token")).headers("GET", url, b"").await.unwrap();
    let authorization = header(&headers, "authorization").unwrap();
    let scope = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-north-1/execute-api/aws4_request";
    assert!(authorization.starts_with(scope), "{authorization}");
    assert_eq!(header(&headers, "x-amz-security-token"), Some("token"));
    let other = signer(Some("token")).headers("GET", url, b"x").await.unwrap();
    assert_ne!(header(&other, "authorization"), Some(authorization), "the body is signed");
}

#[tokio::test]
async fn a_password_for_the_database_is_a_signed_address_that_ends_in_a_quarter_of_an_hour() {
    let password = signer(None).database_password("catalog.example.com", 5432, "perigee").await.unwrap();
    assert!(password.starts_with("catalog.example.com:5432/?Action=connect&DBUser=perigee&"), "{password}");
    for part in [
        "X-Amz-Expires=900",
        "X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Feu-west-1%2Frds-db%2Faws4_request",
        "X-Amz-SignedHeaders=host",
        "X-Amz-Signature=",
    ] {
        assert!(password.contains(part), "{part} is missing in {password}");
    }
}

#[tokio::test]
async fn without_credentials_it_is_said_what_should_work() {
    let signer = Signer::new(&SdkConfig::builder().build());
    let error = signer.headers("GET", "https://example.com/", b"").await.unwrap_err();
    assert!(error.to_string().contains("aws sts get-caller-identity"), "{error}");
}
