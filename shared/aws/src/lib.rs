//! The ports, over AWS. The only crate that names an AWS SDK.
//!
//! [`Objects`] needs one action of S3 and signs it itself; [`Clouds`], [`Secrets`], [`EventBus`] and [`Scheduler`] use
//! their services' SDKs. Credentials, region, endpoints and HTTP come from `aws-config`, so profiles, environment and
//! instance roles work as everywhere else.
#![cfg(feature = "sdk")]

mod answer;
#[cfg(feature = "bus")]
mod bus;
#[cfg(feature = "config")]
mod cloud;
mod credentials;
mod custom_resource;
#[cfg(any(feature = "bus", feature = "config", feature = "secrets"))]
mod failure;
mod objects;
mod request;
#[cfg(feature = "secrets")]
mod secrets;
mod signer;

#[cfg(feature = "bus")]
pub use bus::{EventBus, Scheduler};
#[cfg(feature = "config")]
pub use cloud::{Account, Clouds};
pub use custom_resource::answer_custom_resource;
pub use objects::Objects;
#[cfg(feature = "secrets")]
pub use secrets::Secrets;
pub use signer::{SignError, Signer};

/// The configuration that the AWS command line would use here: credentials, region, endpoints.
pub async fn ambient() -> aws_config::SdkConfig {
    aws_config::load_from_env().await
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
