//! The ports, over AWS. The only crate that names an AWS SDK.
//!
//! It has no service's SDK crate: [`Objects`] needs one action of S3 and signs it itself. Credentials, region,
//! endpoints and HTTP come from `aws-config`, so profiles, environment and instance roles work as everywhere else.
#![cfg(feature = "sdk")]

mod answer;
mod credentials;
mod objects;
mod request;
mod signer;

pub use objects::Objects;
pub use signer::{SignError, Signer};

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
