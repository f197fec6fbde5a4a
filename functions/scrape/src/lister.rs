//! How a listing is plugged in: the [`Provider`] says which shards there are and opens a [`Lister`] for one of them,
//! the lister yields [`Page`]s and says at the end whether they were everything.

use async_trait::async_trait;
use catalog::shards::Shard;
use manifest::Scraper;
use model::{Observation, ResourceFact, Source, Timestamp};

use crate::Fault;

/// One world that can be listed: AWS, Kubernetes.
#[async_trait]
pub trait Provider: Send + Sync + std::fmt::Debug {
    /// Which shards a scraper has now. A shard that was there before and is not among them is forgotten, not
    /// emptied: a type whose last resource is gone has to be named, so that it is listed and found empty.
    ///
    /// # Errors
    /// Why nothing can be planned. The shards of before stay.
    async fn plan(&self, scraper: &NamedScraper, now: Timestamp) -> Result<Vec<Shard>, Fault>;

    /// Opens the listing of one shard, which begins at `began`.
    ///
    /// # Errors
    /// Why it cannot begin.
    async fn open(
        &self,
        scraper: &NamedScraper,
        shard: &Shard,
        began: Timestamp,
    ) -> Result<Box<dyn Lister>, Fault>;
}

/// A scraper and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedScraper {
    /// The name.
    pub name: String,
    /// What is listed.
    pub spec: Scraper,
}

/// One walk over one shard.
#[async_trait]
pub trait Lister: Send {
    /// Whose word the pages are.
    fn source(&self) -> Source;

    /// How sure what is listed is there at the instant the listing began.
    fn certainty(&self) -> Certainty;

    /// The next page, or `None` after the last. It is not called again after `None` or an error.
    ///
    /// # Errors
    /// Why there is no page. What the pages before held stays recorded, as "only these".
    async fn page(&mut self) -> Result<Option<Page>, Fault>;

    /// Asked once, after the last page: whether these `seen` resources are everything that there is.
    ///
    /// # Errors
    /// When that cannot be told; then they are not.
    async fn finish(&mut self, seen: usize) -> Result<Verdict, Fault>;
}

/// What it means that a resource is in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// It is there now.
    Now,
    /// It was there this many seconds ago; a deletion since then may not be seen yet. Facts newer than that are never
    /// deleted by the listing.
    Lags(i32),
    /// It may be gone already: the list never brings anything back.
    Doubtful,
}

impl Certainty {
    /// Facts newer than this many seconds before the listing began are not deleted by it.
    #[must_use]
    pub fn grace_seconds(self) -> i32 {
        match self {
            Self::Lags(seconds) => seconds,
            Self::Now | Self::Doubtful => 0,
        }
    }
}

/// Some of what a listing saw. A page may be of any size; a few hundred resources are good.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// What is true for the instant the listing began: the resource and its document, masked.
    pub facts: Vec<ResourceFact>,
    /// What is true for an instant of its own, as a Config item is for its capture time. It is recorded as it is,
    /// and the resources that it shows count as seen by the listing.
    pub items: Vec<Observation>,
    /// What cannot be read, each in a sentence for a person. A listing with such an item proves no absence.
    pub unreadable: Vec<String>,
}

/// Whether the pages were everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// They were: what of the partition is not among them is gone.
    Complete,
    /// They were not, or it cannot be known. Nothing is deleted.
    Incomplete {
        /// Why, for a person.
        reason: String,
        /// What to do about it.
        advice: String,
    },
    /// The source keeps no inventory of this. Nothing is deleted.
    Unrecorded {
        /// Why, for a person.
        reason: String,
        /// What to do about it.
        advice: String,
    },
}
