//! The ports, over a Kubernetes API.
//!
//! [`Kubernetes`] finds clusters as `kubectl` does and lists what they hold; it implements [`ports::Clusters`], and
//! [`ports::Secrets`] for references to Kubernetes Secrets. Nothing here writes to a cluster, and of Secrets that are
//! listed only the metadata is asked for.
//!
//! What a server says is read in [`discovery`] and [`answer`], which know no client; the client itself needs the feature
//! `client`, the only place that names `kube`.

mod answer;
#[cfg(feature = "client")]
mod client;
mod discovery;

#[cfg(feature = "client")]
pub use client::{Kubernetes, Limits};

#[cfg(all(test, feature = "client"))]
mod tests;
