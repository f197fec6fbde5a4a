//! What a source saw: the only thing that is ever written into the catalog.

use crate::{Change, Document, Finding, ListingId, ObservationKey, ResourceKey, Timestamp};

/// One thing that a source saw. It is all recorded or not at all, and recording it again changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The idempotency key: the hash of the canonical unwrapped payload.
    pub key: ObservationKey,
    /// The stream that saw it.
    pub source: Source,
    /// The account it was seen in.
    pub account: String,
    /// The region it was seen in, `global` for global services.
    pub region: String,
    /// The instant it is true for.
    pub occurred_at: Timestamp,
    /// What it says of resources.
    pub resources: Vec<ResourceFact>,
    /// What happened.
    pub changes: Vec<Change>,
    /// What is claimed.
    pub findings: Vec<Finding>,
    /// Whether it is everything there is, or only these.
    pub completeness: Completeness,
}

/// A stream of observations, and how much its documents weigh against those of others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Its name: `config`, `cloudtrail`, `ecs`, `tag` ... One stream never speaks for another.
    pub name: String,
    /// Its weight when documents are merged for display.
    pub rank: Rank,
}

impl Source {
    /// A source by name and rank.
    #[must_use]
    pub fn new(name: &str, rank: Rank) -> Self {
        Self { name: name.to_owned(), rank }
    }
}

/// Which document is shown where several sources have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// An event that carries part of a state.
    Event = 1,
    /// Cloud Control.
    CloudControl = 2,
    /// AWS Config.
    Config = 3,
    /// The service's own API.
    Native = 4,
}

/// What an observation says of one resource at its instant.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceFact {
    /// The resource.
    pub key: ResourceKey,
    /// Other names of it: ARNs, opaque ids, DNS names.
    pub aliases: Vec<String>,
    /// The source's own order of states of one instant (`configurationStateId`), 0 where it has none.
    pub state_id: i64,
    /// What was seen.
    pub sighting: Sighting,
}

/// How a resource was seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Sighting {
    /// It was named. This proves nothing of its existence.
    Mentioned,
    /// It was there; how it looked is not said.
    Present,
    /// It was there and looked like this.
    Documented(Box<Document>),
    /// It was gone.
    Deleted,
}

impl Sighting {
    /// How strong the evidence is that such a resource exists or existed.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        match self {
            Self::Mentioned => Evidence::Event,
            Self::Present | Self::Deleted => Evidence::Event,
            Self::Documented(_) => Evidence::Document,
        }
    }
}

/// The best evidence the catalog has that a resource exists or existed.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Another resource's document points at it.
    Reference = 0,
    /// An event named it.
    Event = 1,
    /// A source showed its document.
    Document = 2,
}

/// Whether an observation is everything there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// Only these; nothing follows for anything else.
    OnlyThese,
    /// A page of a listing. Like `OnlyThese`, but its resources count as seen by the listing.
    Page {
        /// The listing.
        listing: ListingId,
        /// The number of the page, from 0.
        page: i32,
    },
    /// The end of a listing. Once all its pages are in, what the partition holds and the listing does not have is gone.
    Closing {
        /// The listing.
        listing: ListingId,
        /// What was listed in full.
        partition: Partition,
        /// How many pages the listing has.
        pages: i32,
        /// How many resources the listing saw.
        count: i64,
        /// Facts newer than this many seconds before the listing began are not deleted by it (AWS Config: 900).
        grace_seconds: i32,
    },
}

/// What a listing lists in full: everything of one type in one account and region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The resource type.
    pub kind: String,
}
