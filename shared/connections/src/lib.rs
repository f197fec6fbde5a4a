//! Where other systems are and how they are reached.
//!
//! [`Client`] sends requests, and refuses to send them to addresses that a person's manifest must not reach
//! ([`Guard`]). [`resolve`] turns a manifest's connection and the secrets it refers to into an address and headers.
//! [`LocalSecrets`] reads secrets of this machine, and [`Chain`] asks several stores in turn. What was read can be
//! taken out of a text again with [`Redactor`].

mod client;
mod guard;
mod redact;
mod resolve;
mod secrets;

pub use client::Client;
pub use guard::Guard;
pub use redact::Redactor;
pub use resolve::{Error, Resolved, join, resolve};
pub use secrets::{Chain, LocalSecrets};
