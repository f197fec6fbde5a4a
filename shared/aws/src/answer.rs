//! What an answer of S3 means for the reader of an object.

/// What to do about an answer that is not the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There is no such object.
    Missing,
    /// We may not read it.
    Denied,
    /// The bucket is in this region; ask there.
    Elsewhere(String),
    /// Ask again in a moment.
    Busy(String),
    /// Asking again now would not help, but the object is not to blame.
    Hindered(String),
}

/// Reads an answer: its status, the region it says the bucket is in, and the start of its body.
pub(crate) fn verdict(status: u16, bucket_region: Option<&str>, asked_region: &str, body: &str) -> Verdict {
    let code = element(body, "Code").unwrap_or_default();
    let said = || {
        let message = element(body, "Message").unwrap_or("it says nothing more");
        format!("S3 answered {status} {code}: {message}")
    };
    match (status, code, bucket_region) {
        (_, "ExpiredToken" | "TokenRefreshRequired", _) => {
            Verdict::Hindered("the AWS credentials have expired; renew them and try again".to_owned())
        }
        (_, "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken", _) => Verdict::Hindered(
            format!("S3 does not accept the AWS credentials ({code}); check which are in use"),
        ),
        (_, "RequestTimeTooSkewed", _) => {
            Verdict::Hindered("this machine's clock is too far from S3's; set it right".to_owned())
        }
        (_, "InvalidObjectState", _) => {
            Verdict::Hindered("the object is archived; restore it, then try again".to_owned())
        }
        (301 | 307 | 400 | 403, _, Some(region)) if region != asked_region => {
            Verdict::Elsewhere(region.to_owned())
        }
        (404, ..) => Verdict::Missing,
        (403, ..) => Verdict::Denied,
        (408 | 429 | 500.., ..) => Verdict::Busy(said()),
        _ => Verdict::Hindered(said()),
    }
}

/// The text of the first element of this name. S3's errors are flat.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, region: Option<&str>, body: &str, expected: &Verdict) {
        assert_eq!(&verdict(status, region, "eu-west-1", body), expected, "{status} {body}");
    }

    #[test]
    fn an_object_that_is_not_there_is_told_from_one_that_may_not_be_read() {
        check(404, None, "<Error><Code>NoSuchKey</Code></Error>", &Verdict::Missing);
        check(404, None, "<Error><Code>NoSuchBucket</Code></Error>", &Verdict::Missing);
        check(403, Some("eu-west-1"), "<Error><Code>AccessDenied</Code></Error>", &Verdict::Denied);
        check(403, None, "", &Verdict::Denied);
    }

    #[test]
    fn another_region_is_followed_only_when_it_is_another() {
        check(301, Some("us-east-2"), "", &Verdict::Elsewhere("us-east-2".to_owned()));
        let malformed =
            "<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong region</Message></Error>";
        check(400, Some("us-east-2"), malformed, &Verdict::Elsewhere("us-east-2".to_owned()));
        let hindered = "S3 answered 400 AuthorizationHeaderMalformed: wrong region".to_owned();
        check(400, Some("eu-west-1"), malformed, &Verdict::Hindered(hindered));
    }

    #[test]
    fn credentials_that_do_not_work_are_no_fault_of_the_object() {
        let expired =
            "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";
        let said = "the AWS credentials have expired; renew them and try again".to_owned();
        check(400, None, expired, &Verdict::Hindered(said));
        let unknown = "<Error><Code>InvalidAccessKeyId</Code></Error>";
        let said =
            "S3 does not accept the AWS credentials (InvalidAccessKeyId); check which are in use".to_owned();
        check(403, None, unknown, &Verdict::Hindered(said));
    }

    #[test]
    fn a_busy_store_is_asked_again() {
        let slow = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
        check(
            503,
            None,
            slow,
            &Verdict::Busy("S3 answered 503 SlowDown: Please reduce your request rate.".to_owned()),
        );
        check(500, None, "", &Verdict::Busy("S3 answered 500 : it says nothing more".to_owned()));
    }
}
