//! The ports, over AWS. The only crate that names an AWS SDK.
#![cfg(feature = "sdk")]
