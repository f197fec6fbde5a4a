//! What can be asked.

use std::time::Duration;

use model::{ResourceId, Timestamp};
use selector::Selector;

use crate::Direction;

/// What became of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It was recorded now.
    New,
    /// It had been recorded before; nothing changed.
    Duplicate,
}

/// Of which moment an answer is. By default it is of now, as it is known now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AsOf {
    /// The instant at which it was true.
    pub at: Option<Timestamp>,
    /// What was known at this instant, instead of now.
    pub recorded_at: Option<Timestamp>,
}

/// Which resources to list.
#[derive(Debug, Clone, Default)]
pub struct ResourceQuery {
    /// Fields: `id`, `type`, `account`, `region`, `name`, `native_id`, `provider`, `evidence`, `tags.KEY`.
    pub selector: Selector,
    /// Also those that were proven gone.
    pub include_deleted: bool,
    /// Of which moment.
    pub as_of: AsOf,
    /// How many at most; bounded to 1000.
    pub limit: u16,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// Which changes to list. Newest first.
#[derive(Debug, Clone, Default)]
pub struct ChangeQuery {
    /// Fields: `kind`, `category`, `severity`, `account`, `region`, `source`, `actor`, `event_id`, `session_id`,
    /// `error_code`, `read_only`; words match the summary.
    pub selector: Selector,
    /// Only those that touched this resource.
    pub resource: Option<ResourceId>,
    /// Only those that touched any of these.
    pub of: Option<ResourceSet>,
    /// Only those at or after this instant.
    pub since: Option<Timestamp>,
    /// Only those before this instant.
    pub until: Option<Timestamp>,
    /// How many at most; bounded to 1000.
    pub limit: u16,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A set of resources: those that a selector describes, gone or not, and all that a walk from them meets.
#[derive(Debug, Clone)]
pub struct ResourceSet {
    /// Which resources it starts from; at most 10,000.
    pub selector: Selector,
    /// What is added; nothing with a depth of 0. It is added whole: what is more than can be walked is refused.
    pub walk: Walk,
}

/// Which findings to list. Latest statement first.
#[derive(Debug, Clone, Default)]
pub struct FindingQuery {
    /// Fields: `product`, `kind`, `severity`, `status`, `account`, `region`; words match the title.
    pub selector: Selector,
    /// Only those about this resource.
    pub resource: Option<ResourceId>,
    /// As they were stated at a moment: severity, status and title. The rest of them is as it is now.
    pub as_of: AsOf,
    /// How many at most; bounded to 1000.
    pub limit: u16,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// How a walk goes.
#[derive(Debug, Clone)]
pub struct Walk {
    /// Which way.
    pub direction: Direction,
    /// How many steps; bounded to 10, a path's to 20.
    pub depth: u32,
    /// How many resources at most; bounded to 5000.
    pub max_nodes: u32,
    /// Only relations of these kinds; all when empty.
    pub kinds: Vec<String>,
    /// What the direction means.
    pub follow: Follow,
    /// Of which moment.
    pub as_of: AsOf,
    /// When it stops with what it has; bounded to ten seconds.
    pub time: Duration,
}

impl Default for Walk {
    fn default() -> Self {
        Self {
            direction: Direction::default(),
            depth: 2,
            max_nodes: 200,
            kinds: Vec::new(),
            follow: Follow::default(),
            as_of: AsOf::default(),
            time: Duration::from_secs(2),
        }
    }
}

/// What the direction of a walk means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Follow {
    /// Relations as they are stated.
    #[default]
    Stated,
    /// Out: to what a resource depends on; in: to what depends on it. See [`model::relation::DEPENDENCY`].
    Dependency,
    /// Out: to what a resource lies in; in: to what lies in it. See [`model::relation::CONTAINMENT`].
    Containment,
}
