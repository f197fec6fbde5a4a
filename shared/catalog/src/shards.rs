//! Scrapers and their shards: what is listed next and by whom, and how it ended.
//!
//! A scraper that is due is planned into shards, a shard that is due is listed. Both are claimed with a lease and a
//! fence: of several copies at once one gets it, a copy that dies lets it run out, and a copy that was too slow is
//! told so when it comes back to write.

mod coverage;
mod known;
mod leases;
#[cfg(test)]
mod tests;

use model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use known::Known;

/// How a shard's last listing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShardState {
    /// It was not listed yet.
    Waiting,
    /// Everything was seen; what was not seen is gone.
    Complete,
    /// Something was seen, and it is known not to be everything. Nothing was deleted.
    Incomplete,
    /// Everything was seen, but so much would be deleted that a person is asked first. Nothing was deleted.
    Held,
    /// Nothing could be listed. Nothing was deleted.
    Failed,
    /// The source does not keep an inventory of this; what could be seen otherwise was. Nothing was deleted.
    Unrecorded,
}

impl ShardState {
    /// The word that is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Unrecorded => "unrecorded",
        }
    }

    /// The state that a stored word means; the table has no others.
    fn of(word: &str) -> Self {
        match word {
            "complete" => Self::Complete,
            "incomplete" => Self::Incomplete,
            "held" => Self::Held,
            "failed" => Self::Failed,
            "unrecorded" => Self::Unrecorded,
            _ => Self::Waiting,
        }
    }
}

/// A shard of a scraper: one partition, and what its provider needs to know to list it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shard {
    /// The scraper.
    pub scraper: String,
    /// The account, or the cluster's id.
    pub account: String,
    /// The region; `global` for what has none.
    pub region: String,
    /// The resource type; `*` for a shard that is no partition and can never be complete.
    pub kind: String,
    /// What the provider needs to know, in its own words.
    pub spec: Value,
}

/// A scraper that was claimed for planning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedScraper {
    /// Its name.
    pub name: String,
    /// The fence of this claim.
    pub fence: i64,
    /// How often planning failed in a row.
    pub failures: i32,
    /// Whether a person said that deletions are right this time.
    pub accept_deletions: bool,
}

/// A shard that was claimed for listing.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedShard {
    /// The shard.
    pub shard: Shard,
    /// The fence of this claim.
    pub fence: i64,
    /// How often listing it failed in a row.
    pub failures: i32,
    /// Whether a person said that deletions are right this time.
    pub accept_deletions: bool,
}

/// How a listing ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// In which state it leaves the shard.
    pub state: ShardState,
    /// Why it is not complete, for a person; empty when it is.
    pub reason: String,
    /// What a person can do about it; empty where there is nothing.
    pub advice: String,
    /// How many resources were seen.
    pub resources: i64,
    /// On how many pages.
    pub pages: i32,
    /// How many resources it did not have that were there before.
    pub missing: i64,
    /// When it began.
    pub began_at: Timestamp,
    /// When it is tried again; `None` leaves that to the scraper's schedule.
    pub again_at: Option<Timestamp>,
}

/// Coverage and freshness of everything that is listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// The scrapers, by name.
    pub scrapers: Vec<ScraperStatus>,
    /// Their shards, by scraper, account, region and type.
    pub shards: Vec<ShardStatus>,
}

/// A scraper and how its last planning ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScraperStatus {
    /// Its name.
    pub name: String,
    /// `waiting` for its first planning, `planned`, or `failed`.
    pub state: String,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub advice: String,
    /// When it was last planned.
    pub planned_at: Option<Timestamp>,
    /// When it is due.
    pub due_at: Timestamp,
}

/// A shard and how its last listing ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShardStatus {
    /// The scraper.
    pub scraper: String,
    /// The account, or the cluster's id.
    pub account: String,
    /// The region.
    pub region: String,
    /// The type; `*` for what the tagging API can see.
    #[serde(rename = "type")]
    pub kind: String,
    /// How its last listing ended.
    pub state: ShardState,
    /// Why it is not complete.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub advice: String,
    /// How many resources the last listing saw.
    pub resources: i64,
    /// On how many pages.
    pub pages: i32,
    /// How many resources it did not have that were there before.
    pub missing: i64,
    /// When the last listing began.
    pub began_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When the last complete listing began: what is shown is as fresh as this.
    pub completed_at: Option<Timestamp>,
    /// When it is listed next, if that is before its scraper is planned again.
    pub due_at: Option<Timestamp>,
    /// Whether it is being listed now.
    pub running: bool,
}
