//! The ports, over AWS. The only crate that names an AWS SDK.
//!
//! It has no service's SDK crate: [`Objects`] needs one action of S3 and signs it itself. Credentials, region,
//! endpoints and HTTP come from `aws-config`, so profiles, environment and instance roles work as everywhere else.
#![cfg(feature = "sdk")]

mod answer;
mod objects;
mod request;

pub use objects::Objects;
