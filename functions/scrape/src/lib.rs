//! Lists the world in shards, and records what was seen.
//!
//! [`Scrape::tick`] plans the scrapers that are due into shards, and lists shards that are due. It may run in many
//! copies at once: a shard is claimed with a lease and a fence, so one of them lists it.
//!
//! # How a lister is plugged in
//!
//! A world (AWS, Kubernetes) is a [`Provider`]: [`Provider::plan`] answers which shards a scraper has now (an account,
//! a region and a type; a cluster and a kind), [`Provider::open`] begins the listing of one and answers a [`Lister`].
//! The lister yields [`Page`]s of [`model::ResourceFact`]s, masked by `events`, and after the last page a [`Verdict`].
//! It records nothing itself. `listing::run` does the rest, the same for every world:
//!
//! 1. The listing begins at an instant; that is what it is true for, however long it takes.
//! 2. Each page becomes an observation with `Completeness::Page`. What is already known to look just so is only
//!    mentioned, so that listing what does not change writes nothing.
//! 3. When a page fails, or an item cannot be read, or a page comes twice, it ends there: what was seen stays, nothing
//!    is deleted, and the shard says why.
//! 4. When the verdict is [`Verdict::Complete`], the breaker looks at what would be deleted. Unless that is
//!    implausibly much, an observation with `Completeness::Closing` is recorded, and it alone deletes.
//!
//! To add a world: a module that implements [`Provider`] (`functions/scrape/src/kubernetes.rs`, say), a field of
//! [`Providers`], and a line in [`Providers::of`] that says which scrapers are its own. The shard's `kind` is the
//! resource type (`Kubernetes::apps::Deployment`), its `account` and `region` are those of the resources' keys
//! (a cluster's id and `global`), and `spec` is the provider's own JSON, given back to `open`.

pub mod aws;
mod fault;
mod handle;
pub mod kubernetes;
mod lister;
mod listing;
mod schedule;
mod scrapers;

pub use fault::{Fault, FaultKind};
pub use handle::{error_type, handle};
pub use lister::{Certainty, Lister, NamedScraper, Page, Provider, Verdict};
pub use runtime::wake::Outcome;
pub use schedule::{Error, Providers, Scrape};
