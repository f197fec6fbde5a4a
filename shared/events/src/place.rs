//! Where something happened: accounts and regions, and what cannot be one.

use crate::{Reason, Rejection};

/// The first of `candidates` that is an account id, twelve digits.
///
/// # Errors
/// [`Reason::NoAccount`] when there is none. Anything else than twelve digits (a redaction, a number that lost its
/// leading zero) could stand for several accounts, and two accounts must never share a resource.
pub(crate) fn account<'a>(what: &str, candidates: &[Option<&'a str>]) -> Result<&'a str, Rejection> {
    let mut given = candidates.iter().flatten().copied();
    if let Some(account) = given.clone().find(|text| is_account(text)) {
        return Ok(account);
    }
    let message = match given.next() {
        Some(text) => {
            format!("{what} names the account `{}`; an AWS account id has twelve digits", short(text))
        }
        None => format!("{what} does not say in which account it happened"),
    };
    Err(Rejection::new(Reason::NoAccount, message))
}

/// The first of `candidates` that can be a region, or `global`.
///
/// # Errors
/// [`Reason::NoRegion`] when there is none.
pub(crate) fn region<'a>(what: &str, candidates: &[Option<&'a str>]) -> Result<&'a str, Rejection> {
    let mut given = candidates.iter().flatten().copied();
    if let Some(region) = given.clone().find(|text| is_region(text)) {
        return Ok(region);
    }
    let message = match given.next() {
        Some(text) => format!("{what} names the region `{}`; expected one like `eu-central-1`", short(text)),
        None => format!("{what} does not say in which region it happened"),
    };
    Err(Rejection::new(Reason::NoRegion, message))
}

/// Twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// `global`, or words and a number joined by hyphens: `eu-central-1`, `us-gov-west-1`, `eusc-de-east-1`.
pub(crate) fn is_region(text: &str) -> bool {
    if text == "global" {
        return true;
    }
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    words.len() >= 2
        && words.iter().all(|word| word.len() >= 2 && word.bytes().all(|b| b.is_ascii_lowercase()))
        && (1..=2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// A value as a message may show it: a stranger's text does not flood the log.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
