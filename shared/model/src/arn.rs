//! Amazon Resource Names.

/// AWS's ARNs have at most 2048 characters; what is longer is none.
const MAX_LENGTH: usize = 2048;

/// A parsed ARN. <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    /// The partition: `aws`, `aws-cn`, `aws-us-gov` ...
    pub partition: &'a str,
    /// The service's namespace: `iam`, `ec2` ...
    pub service: &'a str,
    /// The region; empty for global services and S3.
    pub region: &'a str,
    /// The account; empty for S3 buckets and some others.
    pub account: &'a str,
    /// Everything after the account.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads an ARN; `None` when the text is not one.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let (partition, service, region, account, resource) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let plausible = partition.starts_with("aws")
            && !service.is_empty()
            && !resource.is_empty()
            && (account.is_empty() || account == "aws" || is_account(account))
            && !text.contains(char::is_whitespace);
        plausible.then_some(Self { partition, service, region, account, resource })
    }
}

/// Twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}
