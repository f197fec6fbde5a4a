//! Lists what the tagging API knows of where AWS Config does not record: names and tags, and never everything.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use catalog::shards::Shard;
use events::listed;
use model::{Source, Timestamp};
use ports::Cloud;

use super::spec::{Covered, is_wanted, spellings};
use crate::{Certainty, Fault, Lister, Page, Verdict};

/// What is wanted from here.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Not these: Config records them.
    pub(super) unless: Covered,
    /// Only these, where any are named.
    pub(super) types: Vec<String>,
}

/// A listing through the tagging API.
#[derive(Debug)]
pub(super) struct TaggedResources {
    cloud: Arc<dyn Cloud>,
    shard: Shard,
    began: Timestamp,
    wanted: Wanted,
    /// Why it is this and not Config, and what to do about it.
    why: (String, String),
    token: Option<String>,
    tokens: BTreeSet<String>,
    ended: bool,
}

impl TaggedResources {
    pub(super) fn new(
        cloud: Arc<dyn Cloud>,
        shard: &Shard,
        began: Timestamp,
        wanted: Wanted,
        why: (String, String),
    ) -> Self {
        let shard = shard.clone();
        Self { cloud, shard, began, wanted, why, token: None, tokens: BTreeSet::new(), ended: false }
    }
}

#[async_trait]
impl Lister for TaggedResources {
    fn source(&self) -> Source {
        listed::tagging()
    }

    /// It lists for a while what was deleted, and never what has no tags.
    fn certainty(&self) -> Certainty {
        Certainty::Doubtful
    }

    async fn page(&mut self) -> Result<Option<Page>, Fault> {
        if self.ended {
            return Ok(None);
        }
        let Shard { account, region, .. } = &self.shard;
        let tagged = self.cloud.tagged(region, self.token.as_deref()).await?;
        let mut page = Page::default();
        for (arn, tags) in &tagged.resources {
            // An ARN of no identity is no loss: nothing is concluded from what this list lacks.
            let Ok(fact) = listed::tagged(arn, tags, account, region, self.began) else { continue };
            let kind = &fact.key.kind;
            let covered = spellings(kind).into_iter().all(|kind| self.wanted.unless.has(kind));
            if !covered && is_wanted(kind, &self.wanted.types) {
                page.facts.push(fact);
            }
        }
        self.ended = tagged.next.as_ref().is_none_or(|token| !self.tokens.insert(token.clone()));
        self.token = tagged.next;
        Ok(Some(page))
    }

    async fn finish(&mut self, _seen: usize) -> Result<Verdict, Fault> {
        let (reason, advice) = self.why.clone();
        let reason = format!("{reason}; only what has tags is listed, through the tagging API");
        Ok(Verdict::Unrecorded { reason, advice })
    }
}
